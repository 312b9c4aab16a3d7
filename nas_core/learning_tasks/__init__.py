"""Learning tasks; a file here is a task that can be named."""
