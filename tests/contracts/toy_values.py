"""The toy task and space with inputs that are no tensors, to show that nothing assumes tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
import toy_space
import toy_task
from torch import Tensor, nn

from nas_core.architecture import Architecture, Choice
from nas_core.task import TaskShape

if TYPE_CHECKING:
    from nas_core.task import Shift
    from nas_core.weight_sharing.gates import Gates
    from nas_core.weight_sharing.supernet import Mixing, Supernet


@dataclass(frozen=True, eq=False)
class Values:
    """A minibatch that has what the contract of inputs asks for, and no more of a tensor."""

    vectors: Tensor

    @property
    def device(self) -> torch.device:
        return self.vectors.device

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, index: slice) -> Values:
        assert (index.start, index.step) == (None, None)
        return replace(self, vectors=self.vectors[index])

    def to(self, device: torch.device | str) -> Values:
        return replace(self, vectors=self.vectors.to(device))

    def ones(self, dtype: torch.dtype) -> Values:
        return replace(self, vectors=torch.ones_like(self.vectors, dtype=dtype))

    def with_gradient(self) -> Values:
        return replace(self, vectors=self.vectors.detach().requires_grad_())


class ValuesTask:
    """The toy task, whose minibatches are values."""

    name = "toy values"
    metric = "accuracy"
    shape = toy_task.ToyTask.shape
    device = torch.device("cpu")

    def __init__(self) -> None:
        self._task = toy_task.build()

    def num_examples(self, split: str) -> int:
        return self._task.num_examples(split)

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[Values, Tensor]]:
        for vectors, targets in self._task.batches(split, batch_size, generator, fraction=fraction, augment=augment):
            yield Values(vectors), targets

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self._task.loss(outputs, targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> Mapping[str, float]:
        return self._task.metrics(outputs, targets)

    def shifts(self, severity: int) -> Mapping[str, Shift]:
        offset = self._task.shifts(severity)["offset"]
        return {"offset": lambda inputs, generator: Values(offset(inputs.vectors, generator))}


class Unwrapping(nn.Module):
    """A network of the toy space that takes values."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Values, gates: Gates | None = None) -> Tensor:
        outputs: Tensor = self.network(inputs.vectors) if gates is None else self.network(inputs.vectors, gates)
        return outputs


@dataclass(frozen=True)
class ValuesSpace:
    """The toy space, whose networks take values."""

    space: toy_space.ToySpace = field(default_factory=toy_space.ToySpace)

    @property
    def name(self) -> str:
        return self.space.name

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self.space.choices

    def is_valid(self, architecture: Architecture) -> bool:
        return self.space.is_valid(architecture)

    def canonical(self, architecture: Architecture) -> Architecture:
        return self.space.canonical(architecture)

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        return self.space.decode(scores)

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        return Unwrapping(self.space.network(architecture, task, init))

    def supernet(self, task: TaskShape, init: torch.Generator, mixing: Mixing | None = None) -> Supernet:
        made = self.space.supernet(task, init, mixing)
        assert isinstance(made, nn.Module)
        return Unwrapping(made)


def build() -> ValuesSpace:
    return ValuesSpace()
