"""Gaussian processes over features of architectures: regression, warped costs and acquisition functions, by BoTorch."""
