"""The normalizations that a block may use, one file a normalization."""
