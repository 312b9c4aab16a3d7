"""Scores of an untrained network; a file here is a score that can be named."""
