"""Comparisons of strategies on benchmarks: repetitions side by side, kept on disk, statistics, figures and a page."""
