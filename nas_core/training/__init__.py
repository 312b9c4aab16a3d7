"""Training and measuring of single networks."""
