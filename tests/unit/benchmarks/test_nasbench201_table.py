"""The NAS-Bench-201 table, on a table written here: look-ups, protocol, and files that do not fit."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from nas_core.architecture import Architecture
from nas_core.benchmarks.nasbench201 import build
from nas_core.evaluation import Fidelity, Proposal
from nas_core.evaluators import tabular
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces import nasbench201
from nas_core.strategy import Strategy
from nas_core.table_evaluator import TableEvaluator

SPACE = nasbench201.build()
ACCURACY = Objective("validation_accuracy", "maximize")
HEADER = "index,arch," + ",".join(
    f"{prefix}_{column}"
    for prefix in ("c10", "c100")
    for column in ("val_12ep", "test_12ep", "val_200ep", "test_200ep")
)


def cell(*decisions: int) -> Architecture:
    return Architecture("nasbench201", decisions)


@pytest.fixture(scope="module")
def text() -> str:
    """All cells; cell i has accuracies of i / 1000 percent and the next seven thousandths."""
    lines = [HEADER]
    for index, decisions in enumerate(itertools.product(range(5), repeat=6)):
        values = ",".join(str((index + offset) / 1000) for offset in range(8))
        lines.append(f"{index},{SPACE.to_name(cell(*decisions))},{values}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def path(text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "nasbench201_accuracy.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


@pytest.fixture(scope="module")
def table(path: Path) -> TableEvaluator:
    return build(path, SPACE, [ACCURACY])


def test_scores_are_the_validation_accuracy_after_12_epochs(path: Path, table: TableEvaluator) -> None:
    proposals = [Proposal(cell(0, 0, 0, 0, 0, 1)), Proposal(cell(4, 4, 4, 4, 4, 4))]
    evaluations = table.evaluate(proposals)
    assert [evaluation.proposal for evaluation in evaluations] == proposals
    assert [dict(evaluation.scores) for evaluation in evaluations] == [
        {"validation_accuracy": pytest.approx(1e-5)},
        {"validation_accuracy": pytest.approx(0.15624)},
    ]
    other = build(path, SPACE, [ACCURACY], data_set="cifar100").evaluate(proposals[:1])
    assert other[0].scores["validation_accuracy"] == pytest.approx(5e-5)


def test_a_fidelity_of_200_epochs_is_known_and_no_other(table: TableEvaluator) -> None:
    fidelities = [Fidelity(12), Fidelity(200), Fidelity(50), Fidelity(12, data_fraction=0.5), Fidelity(12, width=2)]
    evaluations = table.evaluate([Proposal(cell(0, 0, 0, 0, 0, 0), fidelity) for fidelity in fidelities])
    assert [evaluation.scores.get("validation_accuracy") for evaluation in evaluations] == [0.0, 2e-5, None, None, None]
    assert all("only 12 and 200 epochs" in (evaluation.failure or "") for evaluation in evaluations[2:])


def test_test_accuracy_is_reported_and_is_no_score(path: Path, table: TableEvaluator) -> None:
    report = table.report(cell(0, 0, 0, 0, 0, 0))
    assert report == {
        "index": 0,
        "validation_accuracy": 0.0,
        "test_accuracy_12_epochs": pytest.approx(1e-5),
        "validation_accuracy_200_epochs": pytest.approx(2e-5),
        "test_accuracy": pytest.approx(3e-5),
        "num_parameters": 73306,
        "flops": 2 * 7783040,
    }
    with pytest.raises(ValueError, match="'test_accuracy' is not in the table; allowed: validation_accuracy, num_par"):
        build(path, SPACE, [Objective("test_accuracy", "maximize")])
    with pytest.raises(ValueError, match="not in the table"):
        table.report(cell(5, 0, 0, 0, 0, 0))


def test_costs_are_those_of_the_benchmarks_skeleton(path: Path) -> None:
    objectives = [Objective("num_parameters", "minimize"), Objective("flops", "minimize")]
    small_space = nasbench201.build(channels=4, cells_per_stage=1)
    for space in (SPACE, small_space):
        scores = build(path, space, objectives).evaluate([Proposal(cell(3, 2, 0, 0, 4, 1))])[0].scores
        assert scores == {"num_parameters": 73306 + 243040 + 28000, "flops": 2 * (7783040 + 35389440 + 3932160)}


def test_scores_cannot_be_changed(table: TableEvaluator) -> None:
    scores = table.evaluate([Proposal(cell(0, 0, 0, 0, 0, 0))])[0].scores
    with pytest.raises(TypeError):
        scores["validation_accuracy"] = 1.0


@pytest.mark.parametrize(
    "unknown",
    [
        cell(0, 0, 0, 0, 0, 5),
        cell(
            0,
        ),
        Architecture("other", (0, 0, 0, 0, 0, 0)),
    ],
)
def test_an_unknown_architecture_is_a_failed_evaluation(table: TableEvaluator, unknown: Architecture) -> None:
    evaluation = table.evaluate([Proposal(unknown)])[0]
    assert evaluation.failure == f"{unknown.key} is not in the table"


def without(text: str, line: int) -> str:
    lines = text.splitlines()
    del lines[line]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "lacks the columns"),
        (lambda text: text.replace("c10_val_12ep", "c10_valid"), "lacks the columns c10_val_12ep"),
        (lambda text: without(text, 7), "has 15624 rows for 15624 cells"),
        (lambda text: text + text.splitlines()[-1], "has 15626 rows for 15625 cells"),
        (lambda text: text.replace("none~0", "nothing~0", 1), "line 2: .* names no cell"),
        (lambda text: text.replace("~2|,15.624,", "~2|,nan,"), "line 15626: an accuracy of"),
        (lambda text: text.replace("~2|,15.624,", "~2|,150.624,"), "line 15626: an accuracy of"),
        (lambda text: text.replace("~2|,15.624,", "~2|,good,"), "line 15626: could not convert"),
        (lambda text: text[:-40], "line 15626: "),
    ],
)
def test_an_altered_table_is_refused_in_one_line(
    text: str, tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(change(text))
    with pytest.raises(ValueError, match=message) as caught:
        build(path, SPACE, [ACCURACY])
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_refused_in_one_line(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for content in (whole[:-100], whole[: len(whole) // 2], bytes(flipped), b"\x1f\x8b", b"\xff\xfe\xfd"):
        damaged = tmp_path / "damaged.csv.gz"
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged") as caught:
            build(damaged, SPACE, [ACCURACY])
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="give the path"):
        build(tmp_path / "absent.csv.gz", SPACE, [ACCURACY])


class Other:
    name = "other"


class Learner:
    def learn(self, weights: object) -> None:
        """Take part in the training."""


def no_task() -> None:
    raise AssertionError("a table needs no data")


def test_the_tabular_evaluator_finds_the_benchmark_by_name(path: Path) -> None:
    evaluator = tabular.build(SPACE, [ACCURACY], Streams(0), no_task, path=str(path))
    evaluator.prepare(Learner())
    evaluator.load_state_dict(evaluator.state_dict())
    assert evaluator.evaluate([Proposal(cell(0, 0, 0, 0, 0, 1))])[0].scores["validation_accuracy"] == 1e-5
    with pytest.raises(ValueError, match="unknown benchmark 'nasbench20'; did you mean 'nasbench201'"):
        tabular.build(SPACE, [], Streams(0), no_task, path=str(path), benchmark="nasbench20")
    with pytest.raises(ValueError, match="data_set is 'mnist'; allowed: cifar10, cifar100"):
        tabular.build(SPACE, [], Streams(0), no_task, path=str(path), data_set="mnist")


def test_the_tabular_evaluator_says_what_does_not_go_together(path: Path) -> None:
    strategy: Strategy = object()
    tabular.check(SPACE, strategy, [ACCURACY])
    with pytest.raises(ValueError, match="no shared weights"):
        tabular.check(SPACE, Learner(), [ACCURACY])
    with pytest.raises(ValueError, match="'other' is in no benchmark"):
        tabular.check(Other(), strategy, [ACCURACY])
    with pytest.raises(ValueError, match="knows only 'nasbench201'"):
        build(path, Other(), [ACCURACY])
