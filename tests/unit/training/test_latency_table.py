"""A table of latencies adds up to networks; where the operations come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nas_core.architecture import Architecture
from nas_core.evaluation import Proposal
from nas_core.evaluators import zero_cost
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces import nasbench201
from nas_core.task import TaskShape
from nas_core.training import latency_table
from nas_core.training.latency_table import LatencyTable
from nas_core.training.measurement import num_parameters
from nas_core.variation import sample

TASK = TaskShape((3, 9, 8), (4,))
SPACE = nasbench201.build(channels=2, cells_per_stage=2)


class TaskOfOneBatch:
    """A task of which the shape and the device alone are asked for."""

    shape = TASK
    device = torch.device("cpu")


def table(**changes: float) -> LatencyTable:
    values = dict.fromkeys(SPACE.located_operations(TASK), 0.0)
    return LatencyTable({**values, **changes}, "a device", 1, 1, "2")


def test_operations_are_those_of_the_networks() -> None:
    """Parameters add up as latencies do, and every operation takes and gives the shapes of its place."""
    operations = SPACE.located_operations(TASK)
    sizes = {key: num_parameters(operation.make()) for key, operation in operations.items()}
    generator = np.random.default_rng(0)
    for _ in range(5):
        member = sample(SPACE, generator)
        counts = SPACE.operation_counts(member, TASK)
        network = SPACE.network(member, TASK, torch.Generator().manual_seed(0))
        assert sum(sizes[key] * number for key, number in counts.items()) == num_parameters(network)
    for key, operation in operations.items():
        outputs = operation.make()(torch.randn(2, *operation.input_shape))
        if not key.startswith(("stem", "reduction", "head")):
            assert tuple(outputs.shape[1:]) == operation.input_shape


def test_a_prediction_is_the_sum_over_what_runs() -> None:
    latencies = table(**{"nor_conv_3x3 4x5x4": 3.0, "head 8x3x2 to 4": 0.5, "addition 2x9x8": 0.25})
    one_convolution = Architecture("nasbench201", (3, 0, 0, 0, 0, 0))
    assert latencies.predicted_ms(SPACE, one_convolution, TASK) == 2 * 3.0 + 0.5 + 2 * 3 * 0.25


def test_options_add_up_to_predictions() -> None:
    keys = SPACE.located_operations(TASK)
    latencies = LatencyTable({key: 1.0 + place for place, key in enumerate(keys)}, "a device", 1, 1, "2")
    options = latencies.options(SPACE, TASK)
    member = sample(SPACE, np.random.default_rng(1))
    total = options.fixed_ms + sum(
        row[decision] for row, decision in zip(options.options_ms, member.decisions, strict=True)
    )
    assert total == pytest.approx(latencies.predicted_ms(SPACE, member, TASK))


def test_a_table_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="of another space, size or data set; measure one"):
        table().predicted_ms(nasbench201.build(channels=3), Architecture("nasbench201", (0,) * 6), TASK)


def test_a_measured_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = latency_table.measured(nasbench201.build(channels=2, num_stages=1), TASK, torch.device("cpu"))
    assert min(found.operations_ms.values()) > 0
    latency_table.write(tmp_path / "table.json", found)
    assert latency_table.read(tmp_path / "table.json") == found


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', '{"format": 1, "device": "x"}'])
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "table.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="is no latency table"):
        latency_table.read(path)


def test_a_search_may_ask_for_the_predicted_latency(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    latency_table.write(path, table(**{"nor_conv_3x3 4x5x4": 3.0}))
    objectives = (Objective("predicted_latency_ms", "minimize", "ms"),)
    evaluator = zero_cost.build(SPACE, objectives, Streams(0), TaskOfOneBatch, latency_table=str(path))
    (evaluation,) = evaluator.evaluate([Proposal(Architecture("nasbench201", (3, 3, 0, 0, 0, 0)))])
    assert evaluation.scores == {"predicted_latency_ms": 12.0}
    with pytest.raises(ValueError, match="needs the evaluator's setting latency_table"):
        zero_cost.build(SPACE, objectives, Streams(0), TaskOfOneBatch)
