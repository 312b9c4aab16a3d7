"""Models that predict an architecture's cost; a file here is a predictor that can be named."""
