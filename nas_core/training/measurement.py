"""Measure a network: its parameters, its arithmetic and its latency."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nas_core.task import Inputs


@runtime_checkable
class CountsFlops(Protocol):
    """A module with arithmetic of its own that torch's counter does not see, such as sums of messages over edges."""

    def uncounted_flops(self, *inputs: Any) -> int:
        """Return the floating-point operations (2 x multiply-accumulates) that torch leaves out of a forward pass.

        What modules inside it say of themselves is not among them.

        Args:
            inputs: the positional inputs of the forward pass.
        """


def num_parameters(network: nn.Module) -> int:
    """Return the number of trainable numbers of a network; a shared parameter counts once."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def flops(network: nn.Module, inputs: Inputs) -> int:
    """Return the floating-point operations of one forward pass in evaluation mode.

    A multiplication with its addition counts as two, so that multiply-accumulates are ``flops / 2``. Convolutions and
    matrix products are counted, and what modules that are `CountsFlops` say of themselves; additions of a bias,
    normalization, activations and the pooling of images are not.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a batch; the count is that of the whole batch.
    """
    uncounted: list[int] = []

    def ask(module: nn.Module, given: tuple[Any, ...]) -> None:
        assert isinstance(module, CountsFlops)
        uncounted.append(module.uncounted_flops(*given))

    handles = [module.register_forward_pre_hook(ask) for module in network.modules() if isinstance(module, CountsFlops)]
    try:
        with in_mode(network, training=False), torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return int(counter.get_total_flops()) + sum(uncounted)


def latency_ms(network: nn.Module, inputs: Inputs, *, warmup: int = 5, repeats: int = 25) -> float:
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
    (found,) = latencies_ms([(network, inputs)], warmup=warmup, repeats=repeats)
    return found


def latencies_ms(
    measured: Sequence[tuple[nn.Module, Inputs]], *, warmup: int = 5, repeats: int = 25
) -> tuple[float, ...]:
    """Return the latency of each of several networks, as `latency_ms` does of one, their passes taken in turns.

    In turns, no network finds its weights and inputs in the processor's cache, and whatever else runs on the machine
    slows down all of them alike.

    Args:
        measured: networks with their inputs.
        warmup: passes of each that are not timed, at least 0.
        repeats: passes of each that are timed, at least 1.

    Raises:
        ValueError: `warmup` or `repeats` is too small.
    """
    if warmup < 0 or repeats < 1:
        raise ValueError(f"warmup is {warmup} and repeats is {repeats}; give warmup >= 0 and repeats >= 1")
    seconds: list[list[float]] = [[] for _ in measured]
    with ExitStack() as modes, torch.inference_mode():
        for network, _ in measured:
            modes.enter_context(in_mode(network, training=False))
        for repeat in range(warmup + repeats):
            for place, (network, inputs) in enumerate(measured):
                synchronize(inputs.device)
                start = time.perf_counter()
                network(inputs)
                synchronize(inputs.device)
                if repeat >= warmup:
                    seconds[place].append(time.perf_counter() - start)
    return tuple(1000.0 * statistics.median(each) for each in seconds)


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


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
