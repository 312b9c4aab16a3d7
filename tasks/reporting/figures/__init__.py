"""The report's figures, one a file: numbers in, a drawn figure out."""
