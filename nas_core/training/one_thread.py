"""Torch on one thread, for products too small to be shared out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, then on as many as before.

    Small products gain nothing from more threads on an idle machine, wait for each other on a busy one (seconds where
    there was half of one), and would let results depend on their number.
    """
    import torch

    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(num_threads)
