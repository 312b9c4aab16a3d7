"""Batch normalization statistics of one path through a supernet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def path_statistics(supernet: nn.Module, run: Callable[[], None]) -> Iterator[None]:
    """Hold a supernet in evaluation mode with the batch statistics of one path; restore all of them afterwards.

    Running statistics gathered while other paths, or mixtures, were trained do not fit a single path, so they are
    computed anew as the plain mean over some minibatches. Guo et al. 2020 (SPOS), arXiv:1904.00420, section 3.4.
    Follows the paper.

    Args:
        supernet: in any mode; left in training mode.
        run: sends some training minibatches through the path.
    """
    norms = [module for module in supernet.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    buffers = [buffer for norm in norms for buffer in norm.buffers()]
    kept = [buffer.clone() for buffer in buffers]
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        supernet.train()
        with torch.no_grad():
            run()
        supernet.eval()
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for buffer, value in zip(buffers, kept, strict=True):
            buffer.copy_(value)
        supernet.train()
