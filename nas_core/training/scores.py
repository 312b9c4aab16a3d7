"""The scores of a network by objective name: proxies, and accuracy on validation data as it is or shifted."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nas_core import catalog
from nas_core.randomness import Streams
from nas_core.task import Task

if TYPE_CHECKING:
    from torch import nn

VALIDATION_ACCURACY = "validation_accuracy"
SHIFTED_VALIDATION_ACCURACY = "shifted_validation_accuracy"
TRAINED = (VALIDATION_ACCURACY, SHIFTED_VALIDATION_ACCURACY)
"""The objectives that only a trained network has; every other one is a proxy."""


def measure(
    network: nn.Module, task: Task, names: Iterable[str], streams: Streams, *, batch_size: int = 64
) -> dict[str, float]:
    """Return the value of every proxy among the names of objectives; those in `TRAINED` are left out.

    Each proxy gets a copy of the network of its own, in the state it is in, and the same minibatch of the training
    split, drawn by the streams. What a proxy makes of the minibatch is its own affair: a cost of one example (flops,
    latency_ms) is measured on the first one. A proxy that draws weights or inputs itself (zen, ntk_condition_number,
    linear_regions) has a generator with a fixed seed: every network meets the same draws.

    Args:
        network: freshly initialized for training-free scores; on the task's device.
        task: gives the minibatch and the loss.
        names: of objectives.
        streams: the source of the minibatch.
        batch_size: examples in the minibatch.

    Raises:
        ValueError: for a name that is neither in `TRAINED` nor a proxy.
    """
    proxies = [name for name in names if name not in TRAINED]
    if not proxies:
        return {}
    inputs, targets = next(iter(task.batches("train", batch_size, streams.torch("minibatch"))))
    return {
        name: float(catalog.load("proxy", name).score(copy.deepcopy(network), inputs, targets, task.loss))
        for name in proxies
    }


def validation_metric(network: nn.Module, task: Task) -> float:
    """Return the task's metric on the validation split."""
    from nas_core.training.prediction import predict

    return float(task.metrics(*predict(network, task, "validation"))[task.metric])


def shifted_validation_metric(
    network: nn.Module, task: Task, shifts: Sequence[str], severity: int, streams: Streams
) -> float:
    """Return the task's metric on the shifted validation split, averaged over distribution shifts.

    Args:
        network: trained, on the task's device.
        task: knows the shifts.
        shifts: names of shifts that may steer a search: none that the robustness of the result is reported on.
        severity: 1 to 5.
        streams: the source of the shifts' randomness.

    Raises:
        ValueError: for a name that is no shift of the task.
    """
    from nas_core.training.prediction import predict

    known = task.shifts(severity)
    metrics = []
    for name in shifts:
        if name not in known:
            raise ValueError(f"{name!r} is not a shift of task {task.name!r}; allowed: {', '.join(sorted(known))}")
        outputs, targets = predict(network, task, "validation", shift=known[name], generator=streams.torch(name))
        metrics.append(float(task.metrics(outputs, targets)[task.metric]))
    return sum(metrics) / len(metrics)
