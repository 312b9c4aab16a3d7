"""What is learnt: the contract that trainers, evaluators, proxies and robustness checks know, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    Shift = Callable[[Any, torch.Generator], Any]

Inputs: TypeAlias = Any
"""A minibatch of what networks take: a tensor (batch, *shape.inputs), or a value of the task's own (a batch of graphs).

It has a `device`; ``len(inputs)`` is the number of examples, ``inputs[:n]`` has the first n of them, and
``inputs.to(device)`` moves it."""


@dataclass(frozen=True, slots=True)
class TaskShape:
    """What a network must take and give, the batch dimension left out.

    Attributes:
        inputs: shape of one example; (channels, height, width) for an image.
        outputs: shape of one output; (classes,) for classification.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.inputs or not self.outputs or min(*self.inputs, *self.outputs) < 1:
            raise ValueError(f"{self} is not the shape of a task; every size is at least 1")


class Task(Protocol):
    """A learning task: data in splits, a loss, metrics, and the distribution shifts that make sense for it.

    Splits are "train", "validation" and, only where a stage may touch it, "test". Tensors live on `device`.
    """

    @property
    def name(self) -> str:
        """Name of the data set."""

    @property
    def shape(self) -> TaskShape:
        """What a network must take and give."""

    @property
    def metric(self) -> str:
        """Key of `metrics` that is to be maximized."""

    @property
    def device(self) -> torch.device:
        """Where batches are."""

    def num_examples(self, split: str) -> int:
        """Return the number of examples of a split.

        Raises:
            ValueError: if this task was built without that split.
        """

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[Inputs, torch.Tensor]]:
        """Yield (inputs, targets), one pass over a split.

        Args:
            split: "train", "validation" or "test".
            batch_size: examples a batch; the last batch may be smaller.
            generator: a CPU generator that shuffles (and augments); None keeps the stored order.
            fraction: share of the split, in (0, 1]: its first examples in an order fixed by the task, so that the
                examples of a smaller fraction are among those of a larger one.
            augment: apply the task's training augmentation; needs a generator.
        """

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the scalar mean loss of a batch."""

    def metrics(self, outputs: torch.Tensor, targets: torch.Tensor) -> Mapping[str, float]:
        """Return named metrics of a whole split's outputs; `metric` is one of them."""

    def shifts(self, severity: int) -> Mapping[str, Shift]:
        """Return the distribution shifts of the inputs, by name, at a severity from 1 (least) to 5."""


@runtime_checkable
class HasPlainFeatures(Protocol):
    """A task whose examples have features without any network: what a linear classifier is fitted to as a baseline."""

    def plain_features(self, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return features (num, features) float64 and labels (num,), both on the CPU, of a split in its stored order.

        Pixels of an image; counts and means over a graph; the own features of a node.
        """


@runtime_checkable
class HasShiftSets(Protocol):
    """A task that reads other sets than its own, as its networks take them: examples of a shifted distribution."""

    def shifted_batches(self, path: Path, batch_size: int) -> Iterator[tuple[Inputs, torch.Tensor]]:
        """Yield (inputs, targets) of a prepared file of `data/shift`, in its order, normalized like the task's own.

        Raises:
            ValueError: the file's examples are not what the task's networks take.
        """


@runtime_checkable
class DescribesShifts(Protocol):
    """A task that says more of its shifts than their names; of another's, all are of one family and none is left out.

    The module of the task says the names alone, by a function ``shift_names() -> tuple[str, ...]`` that needs neither
    data nor torch, so that settings can be checked.
    """

    def shift_families(self) -> Mapping[str, str]:
        """Return the family of every shift, such as "noise"."""

    def ineffective_shifts(self) -> Mapping[str, str]:
        """Return the shifts that leave this task's examples as they are, each with the reason: it ..."""

    def published_shifts(self) -> tuple[str, ...]:
        """Return the shifts over which a published benchmark takes its mean; none if there is no such benchmark."""


@runtime_checkable
class HasPerturbationSize(Protocol):
    """A task whose networks pass messages along edges, so that a shift of the edges has a size that theory knows."""

    def perturbation_sizes(self, inputs: Inputs, shifted: Inputs) -> torch.Tensor:
        """Return ||S' - S|| / ||S|| of every example (num,) float64, S the operator that messages pass by.

        0 where a shift leaves the operator as it was, as one of the features alone does.

        Args:
            inputs: a minibatch.
            shifted: the same examples under a shift.
        """
