"""What may be said of the winner: hand-computed differences, ties, and too few runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from result_files import MadeUp, write_results

from nas_core.robustness.intervals import Interval
from tasks.measures import spread
from tasks.reporting.champion import best_candidate
from tasks.reporting.comparison import Comparison, Verdict, comparisons
from tasks.reporting.results import Results, read


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    root = tmp_path_factory.mktemp("results")
    write_results(root)
    return read(root, MadeUp().keys, MadeUp().ranks)


def test_differences_against_all(results: Results) -> None:
    winner = {**results.candidates[1], "test_accuracy": spread([0.99, 0.98, 1.0])}
    fixed = replace(
        results,
        candidates=(winner,),
        reference={**results.reference, "test_accuracy": spread([0.97, 0.95, 0.96])},
        random={**results.random, "test_accuracy": spread([0.9, 1.0])},
        regression={"validation_accuracy": 0.9, "test_accuracy": 0.96},
    )
    reference, random, regression = comparisons(fixed)
    # equal variances of 1e-4 over 3 runs each: 4 degrees of freedom, t = 2.776445, sqrt(2e-4 / 3) = 0.00816497
    assert reference.difference == pytest.approx(0.03)
    assert reference.interval is not None
    assert reference.interval.low == pytest.approx(0.03 - 2.776445 * 0.00816497, abs=1e-7)
    assert reference.verdict is Verdict.BETTER
    assert random.difference == pytest.approx(0.04)
    assert random.verdict is Verdict.TIE
    # one sample: t with 2 degrees of freedom is 4.302653, sqrt(1e-4 / 3) = 0.00577350
    assert regression.interval is not None
    assert regression.interval.low == pytest.approx(0.03 - 4.302653 * 0.00577350, abs=1e-7)
    assert regression.verdict is Verdict.BETTER


def test_one_run_gives_no_interval(results: Results) -> None:
    single = replace(results, candidates=({**results.candidates[0], "test_accuracy": spread([0.99])},))
    assert all(each.interval is None and each.verdict is Verdict.UNKNOWN for each in comparisons(single))


@pytest.mark.parametrize(
    ("difference", "low", "high", "verdict"),
    [
        (0.02, 0.01, 0.03, Verdict.BETTER),
        (-0.02, -0.03, -0.01, Verdict.WORSE),
        (0.02, -0.01, 0.05, Verdict.TIE),
        (0.004, 0.004, 0.004, Verdict.TIE),  # no spread, but less than one image of 200
        (0.005, 0.005, 0.005, Verdict.BETTER),
    ],
)
def test_verdicts(difference: float, low: float, high: float, verdict: Verdict) -> None:
    found = Comparison("x", "x", difference, Interval(difference, low, high, 0.95), 1 / 200)
    assert found.verdict is verdict


def test_rounding_errors_do_not_choose_the_champion() -> None:
    values = [0.9930555555555556] * 3
    low, high = sum(values) / 3, spread(values)["mean"]
    candidates = [
        {"rank": 0, "validation_accuracy": {"mean": low}},
        {"rank": 1, "validation_accuracy": {"mean": high + 2e-16}},
        {"rank": 2, "validation_accuracy": {"mean": 0.99}},
    ]
    best = best_candidate(candidates)
    assert best is not None
    assert best["rank"] == 0
    assert best_candidate([]) is None


def test_damaged_results_are_named(tmp_path: Path) -> None:
    write_results(tmp_path)
    (tmp_path / "results/search/darts/curve.csv").write_text("seed,evaluation\n0,1\n")
    with pytest.raises(ValueError, match=r"search/darts is damaged .*run its stage again"):
        read(tmp_path, MadeUp().keys, MadeUp().ranks)
    (tmp_path / "results/select/selection.json").write_text("{")
    with pytest.raises(ValueError, match=r"damaged"):
        read(tmp_path, MadeUp().keys[:1], MadeUp().ranks)
