"""Predictors on graphs; a file here is a predictor that can be named by its import path."""
