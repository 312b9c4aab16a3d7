"""Differentiable methods: one strategy, and the small parts that a method is put together from.

No module of this folder imports torch when it is imported, so that settings can be checked without it.
"""
