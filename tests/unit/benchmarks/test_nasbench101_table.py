"""The NAS-Bench-101 table, on a table written here: look-ups, fidelities, absent cells, and files that do not fit."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nas_core.architecture import Architecture
from nas_core.benchmarks.nasbench101 import build
from nas_core.evaluation import Fidelity, Proposal
from nas_core.evaluators import tabular
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces import nasbench101
from nas_core.variation import neighbors, sample

SPACE = nasbench101.build()
ACCURACY = Objective("validation_accuracy", "maximize")
SIZE = Objective("num_parameters", "minimize")
TEXT = """module_hash,n_vertices,adj_upper_colmajor,ops,params,train_time_s,val_4ep,val_12ep,val_36ep,val_108ep
001a6fcc8b38cbc515be788a86bdc804,4,111001,22,1756298,1301.5,0.25,0.5,0.75,0.875
01f0f1cf81ef9193f2946db78ea759ee,4,101111,00,5969674,1503.5,0.375,0.625,0.8125,0.9375
043721b9c7fe8c5fad811d47d83132ec,2,1,,882570,284.25,0.125,0.3125,0.4375,0.5625
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    return path


def test_every_graph_of_a_network_finds_its_row(path: Path) -> None:
    table = build(path, SPACE, [ACCURACY, SIZE])
    named = SPACE.from_name("101111,00")
    renamed = list(named.decisions)
    renamed[6], renamed[24] = 1, 2
    architectures = [named, Architecture("nasbench101", tuple(renamed)), SPACE.from_name("1,")]
    evaluations = table.evaluate([Proposal(architecture) for architecture in architectures])
    assert [dict(evaluation.scores) for evaluation in evaluations] == [
        {"validation_accuracy": 0.9375, "num_parameters": 5_969_674.0},
        {"validation_accuracy": 0.9375, "num_parameters": 5_969_674.0},
        {"validation_accuracy": 0.5625, "num_parameters": 882_570.0},
    ]
    with pytest.raises(TypeError):
        evaluations[0].scores["validation_accuracy"] = 1.0


def test_the_four_lengths_of_training_are_fidelities(path: Path) -> None:
    table = build(path, SPACE, [ACCURACY])
    fidelities = [Fidelity(4), Fidelity(12), Fidelity(36), Fidelity(108), Fidelity(50), Fidelity(4, width=0.5)]
    evaluations = table.evaluate([Proposal(SPACE.from_name("1,"), fidelity) for fidelity in fidelities])
    scores = [evaluation.scores.get("validation_accuracy") for evaluation in evaluations]
    assert scores == [0.125, 0.3125, 0.4375, 0.5625, None, None]
    assert all("only 4, 12, 36 and 108 epochs" in (evaluation.failure or "") for evaluation in evaluations[4:])


def test_a_cell_outside_the_table_is_a_failure_that_says_what_to_do(path: Path) -> None:
    table = build(path, SPACE, [ACCURACY])
    outside = SPACE.from_name("101111,01")
    for unknown in (outside, Architecture("other", outside.decisions), Architecture("nasbench101", (0,) * 26)):
        (evaluation,) = table.evaluate([Proposal(unknown)])
        assert evaluation.failure is not None
        assert evaluation.failure.startswith(f"{unknown.key} is not among the 3 cells of the table; restrict the space")
    with pytest.raises(ValueError, match="not among the 3 cells"):
        table.report(outside)


def test_the_space_restricted_to_the_table_never_leaves_it(path: Path) -> None:
    space = nasbench101.build(table=str(path))
    table = build(path, space, [ACCURACY])
    generator = np.random.default_rng(0)
    proposals = [Proposal(sample(space, generator)) for _ in range(10)]
    proposals += [Proposal(neighbor) for neighbor in neighbors(space, proposals[0].architecture)]
    assert all(evaluation.failure is None for evaluation in table.evaluate(proposals))
    with pytest.raises(FileNotFoundError, match="give the path of a table"):
        nasbench101.build(table=str(path) + ".absent")


def test_all_measurements_are_reported(path: Path) -> None:
    assert build(path, SPACE, [ACCURACY]).report(SPACE.from_name("111001,22")) == {
        "module_hash": "001a6fcc8b38cbc515be788a86bdc804",
        "num_parameters": 1_756_298,
        "training_seconds": 1301.5,
        "validation_accuracy_4_epochs": 0.25,
        "validation_accuracy_12_epochs": 0.5,
        "validation_accuracy_36_epochs": 0.75,
        "validation_accuracy_108_epochs": 0.875,
    }


def no_task() -> None:
    raise AssertionError("a table needs no data")


def test_the_tabular_evaluator_finds_the_benchmark_by_name(path: Path) -> None:
    evaluator = tabular.build(SPACE, [ACCURACY], Streams(0), no_task, path=str(path), benchmark="nasbench101")
    assert evaluator.evaluate([Proposal(SPACE.from_name("1,"))])[0].scores["validation_accuracy"] == 0.5625
    evaluator.load_state_dict(evaluator.state_dict())
    with pytest.raises(ValueError, match="data_set is 'cifar100'; allowed: cifar10"):
        tabular.build(SPACE, [], Streams(0), no_task, path=str(path), benchmark="nasbench101", data_set="cifar100")


def test_what_does_not_fit_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="'flops' is not in the table; allowed: validation_accuracy, num_parameters"):
        build(path, SPACE, [Objective("flops", "minimize")])

    class Other:
        name = "other"

    with pytest.raises(ValueError, match="knows only 'nasbench101'"):
        build(path, Other(), [ACCURACY])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "lacks the columns"),
        (lambda text: text.replace("val_12ep", "val_13ep"), "lacks the columns val_12ep"),
        (lambda text: text.splitlines()[0], "has 0 rows for 0 cells"),
        (lambda text: text + text.splitlines()[-1], "has 4 rows for 3 cells"),
        (lambda text: text.replace("111001,", "11100,"), "line 2: 5 bits do not go with 2 operations"),
        (lambda text: text.replace("111001,", "111021,"), "line 2: '111021' with operations '22' is no cell"),
        (lambda text: text.replace(",22,", ",23,"), "line 2: '111001' with operations '23' is no cell"),
        (lambda text: text.replace("0.875", "nan"), "line 2: an accuracy of"),
        (lambda text: text.replace("0.875", "1.875"), "line 2: an accuracy of"),
        (lambda text: text.replace("0.875", "good"), "line 2: could not convert"),
        (lambda text: text.replace("1301.5", "inf"), "line 2: a training time"),
        (lambda text: text[:-30], "line 4: "),
    ],
)
def test_an_altered_table_is_refused_in_one_line(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(change(TEXT))
    with pytest.raises(ValueError, match=message) as caught:
        build(path, SPACE, [ACCURACY])
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_refused_in_one_line(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    for content in (whole[:-20], whole[: len(whole) // 2], b"\x1f\x8b", b"\xff\xfe\xfd"):
        damaged = tmp_path / "damaged.csv.gz"
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged") as caught:
            build(damaged, SPACE, [ACCURACY])
        assert "\n" not in str(caught.value)
