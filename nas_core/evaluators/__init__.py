"""Evaluators; a file here is an evaluator that can be named."""
