"""Tabular benchmarks; a file here is a benchmark that can be named."""
