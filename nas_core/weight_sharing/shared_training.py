"""The owner of a supernet: its weights, their optimizer, and the data that trains and scores them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from nas_core.architecture import Architecture
from nas_core.randomness import Streams
from nas_core.space import HasSupernet, SearchSpace
from nas_core.task import Inputs, Task
from nas_core.weight_sharing.batch_statistics import path_statistics
from nas_core.weight_sharing.gates import Gates, one_hot
from nas_core.weight_sharing.learns import Learns
from nas_core.weight_sharing.minibatch_pair import Minibatch, MinibatchPair
from nas_core.weight_sharing.supernet import Mixing
from nas_core.weight_sharing.training_plan import Position
from nas_core.weight_sharing.weight_optimizer import WeightOptimizer, WeightRecipe


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """Which data trains and scores shared weights.

    Attributes:
        batch_size: examples a minibatch, at least 2.
        learner_split: the split that the learner's own loss sees.
        augment: whether training minibatches, the learner's included, are augmented.
        num_statistics_batches: training minibatches from which the batch statistics of a path are computed.
        autocast: compute in bfloat16 where that is safe; see `MinibatchPair`.
    """

    batch_size: int = 64
    learner_split: str = "validation"
    augment: bool = True
    num_statistics_batches: int = 4
    autocast: bool = False


class SharedTraining:
    """Trains the weights of one supernet, epoch by epoch, and measures single paths through it.

    One epoch is one pass over the training split in minibatches; each is paired with a minibatch of the split that the
    learner's own loss sees, which is passed over as often as that takes. A minibatch of a single example is left out,
    since batch normalization has no variance there. The generators are all that an epoch draws from, so the state
    between two epochs determines all that follows.
    """

    def __init__(
        self,
        space: SearchSpace,
        task: Task,
        streams: Streams,
        mixing: Mixing,
        weight_recipe: WeightRecipe,
        data_recipe: DataRecipe,
    ) -> None:
        """Build the supernet, with initial weights from the stream "supernet"."""
        if not isinstance(space, HasSupernet):
            raise ValueError(f"space {space.name} has no supernet; take a space that has one, or another evaluator")
        module = space.supernet(task.shape, streams.torch("supernet"), mixing)
        if not isinstance(module, nn.Module):
            raise TypeError(f"the supernet of {space.name} is a {type(module).__name__}; expected a torch.nn.Module")
        for split in ("train", data_recipe.learner_split):
            if task.num_examples(split) < 2:
                raise ValueError(
                    f"split {split!r} of {task.name} has {task.num_examples(split)} examples; give 2 or more"
                )
        self._supernet: nn.Module = module.to(task.device).train()
        self._optimizer = WeightOptimizer(self._supernet, weight_recipe)
        self._space = space
        self._task = task
        self._data = data_recipe
        self._generators = {name: streams.torch(name) for name in ("training data", "learner data")}
        self._statistics_inputs = [
            inputs
            for _, (inputs, _) in zip(
                range(data_recipe.num_statistics_batches),
                _minibatches(task, "train", data_recipe.batch_size, streams.torch("statistics data"), augment=False),
                strict=False,
            )
        ]
        self.num_epochs = 0
        self.num_skipped_steps = 0
        self.diverged = False

    def train_epoch(self, learner: Learns, position: Position) -> None:
        """Train for one epoch, calling the learner once for each pair of minibatches."""
        data = self._data
        self._optimizer.set_progress(position.progress)
        self._supernet.train()
        num_pairs = math.ceil(self._task.num_examples("train") / data.batch_size)
        num_steps, num_skipped = 0, 0
        of_the_learner = self._learner_minibatches()
        of_training = _minibatches(
            self._task, "train", data.batch_size, self._generators["training data"], augment=data.augment
        )
        for number, training in enumerate(of_training):
            pair = MinibatchPair(
                self._supernet,
                self._optimizer,
                self._task,
                training,
                of_the_learner,
                epoch=position.learner_epoch,
                progress=position.learner_progress(number / num_pairs),
                autocast=data.autocast,
            )
            learner.learn(pair)
            num_steps += 1
            num_skipped += pair.num_skipped
        self.num_epochs += 1
        self.num_skipped_steps += num_skipped
        self.diverged = 0 < num_steps <= num_skipped

    @contextmanager
    def path(self, architecture: Architecture) -> Iterator[nn.Module]:
        """Hold the network of one path within a ``with`` block, in evaluation mode, with batch statistics of its own.

        Raises:
            ArithmeticError: if the weights diverged, or the outputs are not finite.
        """
        if self.diverged:
            raise ArithmeticError(
                "the shared weights diverged: the loss of every step of the last epoch was not finite; "
                "lower learning_rate of the evaluator"
            )
        network = _Path(self._supernet, one_hot(self._space.choices, architecture, self._task.device))

        def run_training_minibatches() -> None:
            for inputs in self._statistics_inputs:
                if not bool(torch.isfinite(network(inputs)).all()):
                    raise ArithmeticError(
                        f"the shared weights give outputs that are not finite for {architecture.key}; "
                        "lower learning_rate of the evaluator"
                    )

        with path_statistics(self._supernet, run_training_minibatches):
            yield network.eval()

    def state_dict(self) -> dict[str, Any]:
        """Return weights, batch statistics, momentum, counters and the generators' states."""
        return {
            "supernet": {name: value.detach().cpu().clone() for name, value in self._supernet.state_dict().items()},
            "optimizer": self._optimizer.state_dict(),
            "generators": {name: generator.get_state() for name, generator in self._generators.items()},
            "num_epochs": self.num_epochs,
            "num_skipped_steps": self.num_skipped_steps,
            "diverged": int(self.diverged),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._supernet.load_state_dict(state["supernet"])
        self._optimizer.load_state_dict(state["optimizer"])
        for name, generator in self._generators.items():
            generator.set_state(state["generators"][name])
        self.num_epochs = state["num_epochs"]
        self.num_skipped_steps = state["num_skipped_steps"]
        self.diverged = bool(state["diverged"])

    def _learner_minibatches(self) -> Iterator[Minibatch]:
        data = self._data
        generator = self._generators["learner data"]
        while True:
            yield from _minibatches(self._task, data.learner_split, data.batch_size, generator, augment=data.augment)


class _Path(nn.Module):
    """A supernet under fixed gates, called as ``path(inputs)``."""

    def __init__(self, supernet: nn.Module, gates: Gates) -> None:
        super().__init__()
        self.supernet = supernet
        self.gates = gates

    def forward(self, inputs: Inputs) -> torch.Tensor:
        outputs: torch.Tensor = self.supernet(inputs, self.gates)
        return outputs


def _minibatches(
    task: Task, split: str, batch_size: int, generator: torch.Generator, *, augment: bool
) -> Iterator[Minibatch]:
    for inputs, targets in task.batches(split, batch_size, generator, augment=augment):
        if len(targets) > 1:
            yield inputs, targets
