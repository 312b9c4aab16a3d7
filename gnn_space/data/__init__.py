"""Graphs on disk and in memory, before any task or network sees them."""
