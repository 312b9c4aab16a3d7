"""The stability of networks against perturbed edges, on operators small enough for paper."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.perturbation import perturbation_sizes
from nas_core.randomness import Streams
from nas_core.task import TaskShape
from tasks import stability

SIZE = (2 / 36 + 4 * (6**-0.5 - 1 / 3) ** 2 + 2 / 9) ** 0.5
"""||S' - S|| / ||S|| of a triangle that loses an edge, see tests/unit/graphs/test_graph_shifts.py."""

CHANGES = (1 / 3 + 2 * 6**-0.5 - 1, 1 - (1 / 2 + 6**-0.5))
"""How far the sum over S'x is from 1 for x = (1, 0, 0): without the edge 1-2, and without the edge 0-1."""


def triangle(*, without: tuple[int, int] | None = None) -> GraphBatch:
    """Return a triangle whose first node has the feature 1."""
    pairs = [pair for pair in [(0, 1), (0, 2), (1, 2)] if pair != without]
    edges = torch.tensor([*pairs, *((j, i) for i, j in pairs)]).T
    return graph_batch(torch.tensor([[1.0], [0.0], [0.0]]), edges, torch.tensor([3]))


class OneTap(nn.Module):
    """The linear filter h S x, summed over the nodes of the one graph: logits (1, 2) of opposite signs."""

    def __init__(self, tap: float) -> None:
        super().__init__()
        self.tap = tap

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Return logits that a constant is added to, which no softmax sees."""
        adjacency = torch.eye(3)
        adjacency[graphs.edge_index[0], graphs.edge_index[1]] = 1
        root = adjacency.sum(dim=1).rsqrt()
        total = self.tap * (root[:, None] * adjacency * root @ graphs.x).sum()
        return torch.stack([total, -total]).view(1, 2) + 7


class Triangle:
    """A task of one test graph; its structural shift drops the edge 1-2 at severity 1, the edge 0-1 above."""

    name = "triangle"
    shape = TaskShape((1,), (2,))
    metric = "accuracy"
    device = torch.device("cpu")

    def num_examples(self, split: str) -> int:
        return 1

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[GraphBatch, Tensor]]:
        yield triangle(), torch.tensor([0])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> Mapping[str, float]:
        return {"accuracy": 1.0}

    def shifts(self, severity: int) -> Mapping[str, Any]:
        opened = triangle(without=(1, 2) if severity == 1 else (0, 1))
        return {
            "opened": lambda graphs, generator: opened,
            "doubled": lambda graphs, generator: replace(graphs, x=2 * graphs.x),
        }

    def perturbation_sizes(self, inputs: GraphBatch, shifted: GraphBatch) -> Tensor:
        return perturbation_sizes(inputs, shifted)


@pytest.fixture
def points(tmp_path: Path) -> dict[str, dict[int, stability.Point]]:
    networks = {"a": OneTap(1.0), "b": OneTap(-3.0), "dead": OneTap(0.0)}
    return stability.measured(networks, Triangle(), ("opened", "doubled"), (1, 2), Streams(0), tmp_path)


def test_changes_of_a_one_tap_filter_by_hand(points: dict[str, dict[int, stability.Point]]) -> None:
    for severity, change in zip((1, 2), CHANGES, strict=True):
        point = points["opened"][severity]
        assert point.perturbation_size == pytest.approx(SIZE)
        # relative to the output, so that the tap does not matter
        assert point.output_changes == {
            "a": pytest.approx(change, rel=1e-5),
            "b": pytest.approx(change, rel=1e-5),
            "dead": 0.0,
        }
    assert points["doubled"][1] == stability.Point(0.0, {"a": 0.0, "b": 0.0, "dead": 0.0})


def test_the_constant_is_the_slope_over_structural_shifts(points: dict[str, dict[int, stability.Point]]) -> None:
    found = stability.described(points, ["a", "b"])
    assert found is not None
    # (e d1 + e d2) / 2 e^2
    expected = sum(CHANGES) / 2 / SIZE
    assert found["constant"]["values"] == pytest.approx([expected, expected], rel=1e-5)
    assert found["constant"] == found["shifts"]["opened"]["constant"]
    assert list(found["shifts"]) == ["opened"]
    assert list(found["shifts"]["opened"]["severities"]) == ["1", "2"]
    assert stability.described({"doubled": points["doubled"]}, ["a"]) is None
    assert stability.described({}, ["a"]) is None


def test_slopes_pass_through_the_origin() -> None:
    assert stability.slope([1.0, 2.0], [3.0, 6.0]) == pytest.approx(3)
    # (1 * 1 + 2 * 0) / (1 + 4)
    assert stability.slope([1.0, 2.0], [1.0, 0.0]) == pytest.approx(0.2)


def test_what_was_measured_is_read_again(tmp_path: Path, points: dict[str, dict[int, stability.Point]]) -> None:
    path = tmp_path / "stability-opened.json"
    path.write_text(json.dumps([[0.5, {"a": 0.25}], [1.0, {"a": 0.5}]]))
    found = stability.changes({"a": OneTap(1.0)}, Triangle(), "opened", (1, 2), Streams(0), tmp_path)
    assert found == {1: stability.Point(0.5, {"a": 0.25}), 2: stability.Point(1.0, {"a": 0.5})}
