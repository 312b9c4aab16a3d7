"""Parts from which differentiable search methods are put together."""
