"""The surrogate: it learns what a table says, says how well, and its noise is as large as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_up_table
import numpy as np
import pytest

from nas_core.architecture import Architecture
from nas_core.evaluation import Fidelity, Proposal
from nas_core.evaluators import surrogate
from nas_core.evaluators.surrogate import SurrogateEvaluator
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces import nasbench201
from nas_core.task import Task

SPACE = nasbench201.build()
ACCURACY = Objective("validation_accuracy", "maximize")
NOISE = 0.02


def no_task() -> Task:
    raise AssertionError("a surrogate needs no task")


def truth(decisions: tuple[int, ...]) -> float:
    """Return an accuracy that is a sum over the edges of the canonical form."""
    canonical = SPACE.canonical(Architecture("nasbench201", decisions)).decisions
    return 0.3 + 0.02 * sum((place + 1) * decision for place, decision in enumerate(canonical)) / 3


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of all cells: a sum over edges and noise."""
    generator = np.random.default_rng(0)
    return made_up_table.write(
        tmp_path_factory.mktemp("table") / "table.csv",
        lambda decisions: 100 * (truth(decisions) + NOISE * generator.standard_normal()),
    )


def built(path: Path, seed: int = 0, **settings: Any) -> SurrogateEvaluator:
    settings = {"benchmark": "nasbench201", "num_examples": 1500, "predictor": "gradient_boosted_trees", **settings}
    evaluator = surrogate.build(SPACE, [ACCURACY], Streams(seed), no_task, path=str(path), **settings)
    assert isinstance(evaluator, SurrogateEvaluator)
    return evaluator


def cells(count: int) -> list[Proposal]:
    generator = np.random.default_rng(5)
    return [Proposal(Architecture("nasbench201", tuple(row))) for row in generator.integers(0, 5, (count, 6)).tolist()]


def test_it_learns_the_table_and_says_how_well(path: Path) -> None:
    evaluator = built(path, noise=False)
    quality = evaluator.quality()["validation_accuracy"]
    assert quality["num_examples"] == 150
    assert quality["kendall_tau"] > 0.75
    assert quality["r2"] > 0.85
    assert quality["calibration_error"] < 0.08
    predicted = [each.scores["validation_accuracy"] for each in evaluator.evaluate(cells(300))]
    expected = [truth(each.architecture.decisions) for each in cells(300)]
    assert np.corrcoef(predicted, expected)[0, 1] > 0.9


def test_the_noise_is_as_large_as_it_says_and_belongs_to_network_and_seed(path: Path) -> None:
    proposals = cells(200)
    first, again, other, quiet = (
        np.array([each.scores["validation_accuracy"] for each in evaluator.evaluate(proposals)])
        for evaluator in (built(path), built(path), built(path, seed=1), built(path, noise=False))
    )
    assert first.tolist() == again.tolist()
    assert not np.any(first == other)
    reported = [built(path).report(proposals[0].architecture)["validation_accuracy"], quiet[0]]
    assert reported[0] == reported[1]
    deviation = built(path).report(proposals[0].architecture)["validation_accuracy_deviation"]
    assert NOISE < deviation < 3 * NOISE
    assert (first - quiet).std() == pytest.approx(deviation, rel=0.3)


def test_equal_networks_have_equal_scores(path: Path) -> None:
    twin = Architecture("nasbench201", (0, 0, 1, 3, 4, 2))
    one, two = built(path).evaluate([Proposal(twin), Proposal(SPACE.canonical(twin))])
    assert SPACE.canonical(twin) != twin
    assert one.scores == two.scores


def test_a_fidelity_has_models_of_its_own_and_an_unknown_one_fails(path: Path) -> None:
    cell = cells(1)[0].architecture
    known, unknown = built(path).evaluate([Proposal(cell, Fidelity(200)), Proposal(cell, Fidelity(5))])
    assert known.failure is None
    assert "not Fidelity(epochs=5" in (unknown.failure or "")


def test_what_does_not_fit_is_one_line(path: Path) -> None:
    with pytest.raises(ValueError, match="takes no vectors; use one that does"):
        built(path, predictor="renas")
    with pytest.raises(ValueError, match="has no setting 'num_tree'"):
        built(path, predictor_settings={"num_tree": 3})
    with pytest.raises(ValueError, match="no member of nasbench201"):
        built(path).report(Architecture("nasbench201", (9,) * 6))
