"""The learning tasks on graphs."""
