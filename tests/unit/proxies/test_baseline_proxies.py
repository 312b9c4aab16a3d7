"""Parameters, arithmetic and latency as scores; and what every score here leaves as it found it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from nas_core import catalog
from nas_core.proxies import flops, latency_ms, num_parameters
from nas_core.randomness import Streams
from nas_core.spaces.nasbench201 import build
from nas_core.task import TaskShape
from nas_core.training.scores import measure

LABELS = torch.zeros(3, dtype=torch.long)
EVERYWHERE = [name for name in catalog.names("proxy") if name != "energy_mj"]
"""The proxies that need no meter of energy."""


def num_live_tensors() -> int:
    gc.collect()
    return sum(issubclass(type(value), torch.Tensor) for value in gc.get_objects())


def test_num_parameters_counts_what_is_trained() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1, bias=False).requires_grad_(False))
    assert num_parameters.score(network, torch.zeros(3, 1, 4, 4), LABELS, nn.functional.cross_entropy) == 20 + 4


def test_flops_count_one_example_and_a_multiply_accumulate_twice() -> None:
    # Convolution: 16 places * 9 * 2 = 288 multiply-accumulates; linear: 32 * 5 = 160; bias and ReLU are free.
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 5))
    assert flops.score(network, torch.zeros(3, 1, 4, 4), LABELS, nn.functional.cross_entropy) == 2 * (288 + 160)


def test_latency_is_of_one_example_in_evaluation_mode() -> None:
    seen: list[tuple[int, bool]] = []
    network = nn.Linear(2, 2)
    network.register_forward_hook(lambda module, inputs, _: seen.append((len(inputs[0]), module.training)))
    assert latency_ms.score(network, torch.zeros(3, 2), LABELS, nn.functional.cross_entropy) > 0
    assert seen == [(1, False)] * 30


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_score_leaves_no_trace(name: str) -> None:
    module = catalog.load("proxy", name)
    space = build(channels=2, cells_per_stage=1, num_stages=2)
    network = space.network(space.reference(), TaskShape((1, 4, 4), (2,)), torch.Generator().manual_seed(0))
    network.stages[0].eval()
    images = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    network.stem[0].weight.grad = torch.ones_like(network.stem[0].weight)

    def trace() -> tuple[object, ...]:
        return (
            {name: value.tolist() for name, value in network.state_dict().items()},
            [module.training for module in network.modules()],
            [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()],
            [parameter.requires_grad for parameter in network.parameters()],
            [None if parameter.grad is None else parameter.grad.tolist() for parameter in network.parameters()],
            torch.get_rng_state().tolist(),
            torch.is_grad_enabled(),
        )

    before = trace()
    first = module.score(network, images, LABELS, nn.functional.cross_entropy)
    tensors = num_live_tensors()
    with torch.no_grad():
        second = module.score(network, images, LABELS, nn.functional.cross_entropy)
    assert num_live_tensors() <= tensors
    assert trace() == before
    assert images.requires_grad is False
    if name != "latency_ms":
        assert first == second


def test_many_scores_take_no_more_memory_than_one() -> None:
    space = build(channels=2, cells_per_stage=1, num_stages=1)
    network = space.network(space.reference(), TaskShape((1, 4, 4), (2,)), torch.Generator().manual_seed(0))

    class OneBatch:
        loss = staticmethod(nn.functional.cross_entropy)

        def batches(self, *_: object) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
            yield torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(1)), LABELS

    def num_objects() -> int:
        gc.collect()
        return len(gc.get_objects())

    measure(network, OneBatch(), EVERYWHERE, Streams(0))
    tensors, objects = num_live_tensors(), num_objects()
    for _ in range(2):
        measure(network, OneBatch(), EVERYWHERE, Streams(0))
    assert num_live_tensors() <= tensors
    # a hook, a graph or a copy of the network that stays would be hundreds
    assert num_objects() - objects < 100
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
