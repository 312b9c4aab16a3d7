"""The optimizer that a schedule names, built once for a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from nas_core.training.schedule import OptimizerName, TrainingSchedule

Parameters: TypeAlias = Iterable[Tensor]


def optimizer(parameters: Parameters, schedule: TrainingSchedule) -> torch.optim.Optimizer:
    """Return the optimizer of a schedule, with one group of parameters, at the schedule's peak learning rate.

    Args:
        parameters: those to train, on their device.
        schedule: names the optimizer and its settings.
    """
    return _BY_NAME[schedule.optimizer](parameters, schedule)


def _sgd(parameters: Parameters, schedule: TrainingSchedule) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters,
        lr=schedule.learning_rate,
        momentum=schedule.momentum,
        weight_decay=schedule.weight_decay,
        nesterov=schedule.momentum > 0,
        fused=True,
    )


def _adam(parameters: Parameters, schedule: TrainingSchedule) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True)


_BY_NAME: Mapping[OptimizerName, Callable[[Parameters, TrainingSchedule], torch.optim.Optimizer]] = {
    "sgd": _sgd,
    "adam": _adam,
}
