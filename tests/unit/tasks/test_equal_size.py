"""The width at which a network has as many parameters as another."""

from __future__ import annotations

import pytest

from gnn_space.space import build
from nas_core.randomness import Streams
from nas_core.task import TaskShape
from nas_core.training.measurement import num_parameters
from tasks.equal_size import width_of_equal_size

TASK = TaskShape((3,), (2,))
SPACE = build(width=16)


@pytest.mark.parametrize("name", ["gcn", "gin"])
@pytest.mark.parametrize("wanted", [500, 5_000, 50_000])
def test_the_size_is_nearly_equal(name: str, wanted: int) -> None:
    baseline = SPACE.baselines()[name]
    width, size = width_of_equal_size(SPACE, baseline, TASK, wanted)
    network = SPACE.scaled(width=width).network(baseline, TASK, Streams(0).torch("init"))
    assert num_parameters(network) == size
    # a step of the width of these networks, which are rounded up to multiples of 4, is at most a third of the size
    assert abs(size - wanted) < max(0.35 * wanted, 400)


def test_its_own_size_gives_a_network_of_that_size() -> None:
    baseline = SPACE.baselines()["gcn"]
    wanted = num_parameters(SPACE.network(baseline, TASK, Streams(0).torch("init")))
    assert width_of_equal_size(SPACE, baseline, TASK, wanted)[1] == wanted
