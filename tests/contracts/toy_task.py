"""A learning task without images: three classes of vectors, to show that nothing assumes images."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nas_core.task import TaskShape

if TYPE_CHECKING:
    from nas_core.task import Shift

NUM_EXAMPLES = {"train": 96, "validation": 48}


class ToyTask:
    """Vectors around three centers; the loss is the cross entropy, the only shift moves every value by a constant."""

    name = "toy vectors"
    metric = "accuracy"
    shape = TaskShape(inputs=(6,), outputs=(3,))
    device = torch.device("cpu")

    def __init__(self, seed: int = 0, spread: float = 1.5) -> None:
        generator = torch.Generator().manual_seed(seed)
        centers = torch.randn(3, 6, generator=generator)
        self._splits = {}
        for split, num_examples in NUM_EXAMPLES.items():
            targets = torch.arange(num_examples) % 3
            noise = torch.randn(num_examples, 6, generator=generator)
            self._splits[split] = (2 * centers[targets] + spread * noise, targets)

    def num_examples(self, split: str) -> int:
        return len(self._split(split)[1])

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        inputs, targets = self._split(split)
        num_taken = math.ceil(fraction * len(targets))
        order = torch.arange(num_taken) if generator is None else torch.randperm(num_taken, generator=generator)
        for index in order.split(batch_size):
            batch = inputs[index]
            if augment:
                batch = batch + 0.1 * torch.randn(batch.shape, generator=generator)
            yield batch, targets[index]

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(outputs, targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> Mapping[str, float]:
        return {"accuracy": (outputs.argmax(1) == targets).double().mean().item()}

    def shifts(self, severity: int) -> Mapping[str, Shift]:
        return {"offset": lambda inputs, generator: inputs + severity * torch.randn(1, generator=generator)}

    def _split(self, split: str) -> tuple[Tensor, Tensor]:
        if split not in self._splits:
            raise ValueError(f"no split {split!r}; there are {', '.join(self._splits)}")
        return self._splits[split]


def build() -> ToyTask:
    return ToyTask()
