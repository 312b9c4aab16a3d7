"""Search strategies; a file here is a strategy that can be named."""
