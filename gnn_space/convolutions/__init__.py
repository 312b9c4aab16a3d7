"""The graph convolutions that a block may use, one file a convolution."""
