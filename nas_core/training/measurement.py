"""Measure a network: its parameters, its arithmetic and its latency."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def num_parameters(network: nn.Module) -> int:
    """Return the number of trainable numbers of a network; a shared parameter counts once."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def flops(network: nn.Module, inputs: torch.Tensor) -> int:
    """Return the floating-point operations of one forward pass in evaluation mode.

    A multiplication with its addition counts as two, so that multiply-accumulates are ``flops / 2``. Convolutions and
    matrix products are counted; additions of a bias, normalization, activations and pooling are not.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a batch; the count is that of the whole batch.
    """
    with in_mode(network, training=False), torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(inputs)
    return int(counter.get_total_flops())


def latency_ms(network: nn.Module, inputs: torch.Tensor, *, warmup: int = 5, repeats: int = 25) -> float:
    """Return the median wall-clock time of one forward pass in evaluation mode, in milliseconds.

    On CUDA the device is synchronized before and after each pass. Name the device beside the number: `device_name`.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a batch; the time is that of the whole batch.
        warmup: passes that are not timed, at least 0.
        repeats: passes that are timed, at least 1.

    Raises:
        ValueError: `warmup` or `repeats` is too small.
    """
    if warmup < 0 or repeats < 1:
        raise ValueError(f"warmup is {warmup} and repeats is {repeats}; give warmup >= 0 and repeats >= 1")
    seconds = []
    with in_mode(network, training=False), torch.inference_mode():
        for repeat in range(warmup + repeats):
            _synchronize(inputs.device)
            start = time.perf_counter()
            network(inputs)
            _synchronize(inputs.device)
            if repeat >= warmup:
                seconds.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(seconds)


def device_name(device: torch.device) -> str:
    """Return the name of a device for reports, with the number of threads where it is the CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()} ({torch.get_num_threads()} threads)"


@contextmanager
def in_mode(network: nn.Module, *, training: bool) -> Iterator[None]:
    """Hold every module in training or evaluation mode within a ``with`` block, then put each back into its own."""
    modes = [(module, module.training) for module in network.modules()]
    network.train(training)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _synchronize(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
