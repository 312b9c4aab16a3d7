"""Search spaces; a file here is a space that can be named."""
