"""How a network is trained: epochs, minibatches, the optimizer with a cosine schedule, and the epoch that is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

OptimizerName: TypeAlias = Literal["sgd", "adam"]
KeptName: TypeAlias = Literal["last", "best"]


@dataclass(frozen=True, slots=True)
class TrainingSchedule:
    """Stochastic gradient descent, or Adam, with a linear warm-up and a cosine decay to 0, step by step.

    The learning rate after a progress of t epochs of T, with W epochs of warm-up and a peak of r, is ``r t / W`` for
    t < W and ``r (1 + cos(pi (t - W) / (T - W))) / 2`` from there on (Loshchilov and Hutter 2017, arXiv:1608.03983,
    without restarts). A step uses the rate of its middle, so that no step is lost to a rate of 0.

    "sgd" has Nesterov momentum. "adam" is Kingma and Ba 2015 (arXiv:1412.6980) with betas 0.9 and 0.999 and epsilon
    1e-8; `momentum` plays no part in it, and `weight_decay` is added to the gradient (an L2 penalty, as papers on graph
    networks have it), not to the step as in AdamW.

    Attributes:
        epochs: passes over the training examples, at least 1.
        batch_size: examples a minibatch, at least 1.
        learning_rate: peak, above 0.
        momentum: of Nesterov, in [0, 1); for "sgd" alone.
        weight_decay: factor of the L2 penalty's gradient, at least 0.
        warmup_epochs: at least 0 and below `epochs`; a fraction of an epoch is allowed.
        label_smoothing: share of the target spread over all classes, in [0, 1); 0 leaves the task's own loss.
        clip_norm: largest norm of the whole gradient, above 0; None for no limit.
        augment: whether the task's training augmentation is applied.
        optimizer: "sgd" or "adam".
        keep: the network that the training ends with: that of the "last" epoch, or of the "best" one by the task's
            metric on validation, the earliest at a tie.
    """

    epochs: int
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: float = 0.0
    label_smoothing: float = 0.0
    clip_norm: float | None = None
    augment: bool = True
    optimizer: OptimizerName = "sgd"
    keep: KeptName = "last"

    def __post_init__(self) -> None:
        rules = (
            ("epochs", self.epochs, self.epochs >= 1, "at least 1"),
            ("batch_size", self.batch_size, self.batch_size >= 1, "at least 1"),
            ("learning_rate", self.learning_rate, 0 < self.learning_rate < math.inf, "above 0"),
            ("momentum", self.momentum, 0 <= self.momentum < 1, "in [0, 1)"),
            ("weight_decay", self.weight_decay, 0 <= self.weight_decay < math.inf, "at least 0"),
            ("label_smoothing", self.label_smoothing, 0 <= self.label_smoothing < 1, "in [0, 1)"),
            ("clip_norm", self.clip_norm, self.clip_norm is None or self.clip_norm > 0, "above 0, or none"),
            ("warmup_epochs", self.warmup_epochs, self.warmup_epochs >= 0, "at least 0"),
            ("optimizer", self.optimizer, self.optimizer in get_args(OptimizerName), "sgd or adam"),
            ("keep", self.keep, self.keep in get_args(KeptName), "last or best"),
        )
        for name, value, holds, allowed in rules:
            if not holds:
                raise ValueError(f"{name} is {value}; it must be {allowed}")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs is {self.warmup_epochs}, not below epochs {self.epochs}; lower it or train longer"
            )

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate after `progress` epochs (a fraction counts the steps within an epoch)."""
        if progress < self.warmup_epochs:
            return self.learning_rate * progress / self.warmup_epochs
        done = min(1.0, (progress - self.warmup_epochs) / (self.epochs - self.warmup_epochs))
        return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))
