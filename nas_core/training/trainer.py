"""Training of one network, epoch by epoch, so that it can be stopped after any of them and go on."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from nas_core.task import Task
from nas_core.training.distillation import Distillation
from nas_core.training.kept_epoch import kept_epoch
from nas_core.training.optimizer import optimizer
from nas_core.training.precision import forward
from nas_core.training.prediction import predict
from nas_core.training.schedule import TrainingSchedule


@runtime_checkable
class HasLabelSmoothing(Protocol):
    """A task whose loss can smooth the labels."""

    def smoothed_loss(self, outputs: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
        """Return the scalar mean loss of a batch with a share of the target spread over all classes."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What happened in an epoch of training.

    Attributes:
        epoch: counted from 1.
        learning_rate: at its start.
        loss: mean over the training examples seen, as trained (augmented, smoothed, the weights still moving).
        seconds: wall-clock time of the training, validation left out.
        validation: metrics on the validation split after the epoch; None if they were not asked for.
    """

    epoch: int
    learning_rate: float
    loss: float
    seconds: float
    validation: dict[str, float] | None = None


class Trainer:
    """Trains a network on a task under a schedule.

    After the last epoch the network is that of the epoch that the schedule keeps.

    On the CPU a training that goes on from a `state_dict` ends with the same weights, bit for bit, as one that was
    never stopped. On CUDA the arithmetic is bfloat16 with float32 weights.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        schedule: TrainingSchedule,
        generator: torch.Generator,
        *,
        data_fraction: float = 1.0,
        distillation: Distillation | None = None,
    ) -> None:
        """Move the network to the task's device and get ready.

        Args:
            network: is trained in place.
            task: gives batches and the loss.
            schedule: how to train.
            generator: a CPU generator, the source of the order of the examples and of their augmentation.
            data_fraction: share of the training split that is used, in (0, 1].
            distillation: from a network on the task's device; None learns from the targets alone.

        Raises:
            ValueError: the schedule smooths labels and the task cannot.
        """
        self.network = network
        self.history: list[Epoch] = []
        self._task = task
        self._schedule = schedule
        self._generator = generator
        self._data_fraction = data_fraction
        self._distillation = distillation
        self._loss = _training_loss(task, schedule.label_smoothing)
        num_examples = math.ceil(data_fraction * task.num_examples("train"))
        self._num_batches = math.ceil(num_examples / schedule.batch_size)
        network.to(task.device)
        self._parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._optimizer = optimizer(self._parameters, schedule)
        self._kept = kept_epoch(schedule.keep, task.metric)

    @property
    def finished(self) -> bool:
        """Whether all epochs of the schedule are done."""
        return len(self.history) >= self._schedule.epochs

    @property
    def kept(self) -> Epoch:
        """The epoch whose network a training of the epochs done so far would end with; at least one is done."""
        return self._kept.of(self.history)

    def run_epoch(self, *, validate: bool = False) -> Epoch:
        """Train for one epoch, add it to the history and return it.

        A last batch of a single example is left out unless it is the only one: batch normalization has no variance
        there.

        Args:
            validate: also measure the metrics on the validation split, which keeping the best epoch does anyway.

        Raises:
            FloatingPointError: the loss is not finite.
            ValueError: all epochs are done.
        """
        done = len(self.history)
        if self.finished:
            raise ValueError(f"all {done} epochs of the schedule are done; give a schedule with more")
        start = time.perf_counter()
        mean_loss = self._train(done)
        seconds = time.perf_counter() - start
        learning_rate = self._schedule.learning_rate_at(done)
        if not math.isfinite(mean_loss):
            raise FloatingPointError(
                f"the loss is {mean_loss} in epoch {done + 1} of {self._schedule.epochs} at learning rate "
                f"{learning_rate:.3g}; lower learning_rate or set clip_norm"
            )
        validation = None
        if validate or self._kept.validates:
            validation = dict(self._task.metrics(*predict(self.network, self._task, "validation")))
        self.history.append(Epoch(done + 1, learning_rate, mean_loss, seconds, validation))
        self._kept.see(self.history, self.network)
        if self.finished:
            self._kept.restore(self.network)
        return self.history[-1]

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that changes: weights, buffers, those kept, optimizer, generator and history."""
        return {
            "network": {name: value.detach().clone() for name, value in self.network.state_dict().items()},
            "optimizer": copy.deepcopy(self._optimizer.state_dict()),
            "generator": self._generator.get_state(),
            "history": [asdict(epoch) for epoch in self.history],
            "kept": self._kept.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave to a trainer of the same network, task and schedule."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self._generator.set_state(state["generator"].cpu())
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self._kept.load_state_dict(state["kept"])

    def _train(self, done: int) -> float:
        schedule, task = self._schedule, self._task
        self.network.train()
        batches = task.batches(
            "train",
            schedule.batch_size,
            self._generator,
            fraction=self._data_fraction,
            augment=schedule.augment,
        )
        # summed on the device: reading it every step would make the processor wait for the accelerator
        total = torch.zeros((), device=task.device)
        num_seen = 0
        for step, (inputs, targets) in enumerate(batches):
            if len(targets) == 1 and step > 0:
                continue
            self._optimizer.param_groups[0]["lr"] = schedule.learning_rate_at(done + (step + 0.5) / self._num_batches)
            outputs = forward(self.network, inputs, task.device)
            loss = self._loss(outputs, targets)
            if self._distillation is not None:
                loss = self._distillation.mixed(loss, inputs, outputs, task.device)
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if schedule.clip_norm is not None:
                nn.utils.clip_grad_norm_(self._parameters, schedule.clip_norm)
            self._optimizer.step()
            total += loss.detach() * len(targets)
            num_seen += len(targets)
        return total.item() / num_seen


def _training_loss(task: Task, label_smoothing: float) -> Callable[[Tensor, Tensor], Tensor]:
    if label_smoothing == 0:
        return task.loss
    if not isinstance(task, HasLabelSmoothing):
        raise ValueError(
            f"label_smoothing is {label_smoothing}, but the loss of task {task.name!r} cannot smooth; set it to 0"
        )
    smoothed = task.smoothed_loss
    return lambda outputs, targets: smoothed(outputs, targets, label_smoothing)
