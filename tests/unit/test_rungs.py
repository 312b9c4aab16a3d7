"""Rungs: their lengths, and what is best where scores of different rungs are not compared."""

from __future__ import annotations

import pytest

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.objectives import Objective
from nas_core.rungs import RungIncumbent, geometric_rungs

OBJECTIVES = (Objective("accuracy", "maximize"), Objective("size", "minimize", limit=10.0))


def told(name: int, epochs: int | None, accuracy: float, size: float = 1.0) -> Evaluation:
    fidelity = None if epochs is None else Fidelity(epochs)
    return Evaluation(Proposal(Architecture("toy", (name,)), fidelity), {"accuracy": accuracy, "size": size})


def best(*evaluations: Evaluation) -> int:
    incumbent = RungIncumbent("toy", OBJECTIVES, geometric_rungs(1, 9, 3))
    for evaluation in evaluations:
        incumbent.consider(evaluation)
    return incumbent.recommend().decisions[0]


@pytest.mark.parametrize(
    ("lengths", "epochs"),
    [
        ((1, 9, 3), [1, 3, 9]),
        ((1, 12, 3), [1, 4, 12]),  # 1.33 epochs are rounded
        ((4, 108, 3), [4, 12, 36, 108]),
        ((2, 9, 3), [3, 9]),
        ((12, 200, 16), [12, 200]),
        ((5, 5, 2), [5]),
        ((1, 7, 2), [2, 4, 7]),  # 1.75, 3.5, 7
    ],
)
def test_lengths_are_the_longest_divided_by_powers_of_the_factor(
    lengths: tuple[int, int, int], epochs: list[int]
) -> None:
    assert [rung.epochs for rung in geometric_rungs(*lengths)] == epochs


def test_lengths_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="min_epochs is 4, above max_epochs 3"):
        geometric_rungs(4, 3, 2)


def test_the_best_of_the_highest_rung_counts() -> None:
    assert best(told(0, 1, 0.9), told(1, 1, 0.95)) == 1
    assert best(told(0, 1, 0.9), told(1, 3, 0.5), told(2, 3, 0.6), told(3, 1, 0.8)) == 2


def test_without_a_fidelity_it_is_on_the_highest_rung() -> None:
    assert best(told(0, 9, 0.6), told(1, None, 0.7), told(2, 3, 0.9)) == 1
    assert best(told(0, None, 0.6), told(1, 9, 0.7)) == 1


def test_a_fidelity_that_is_no_rung_does_not_count() -> None:
    assert best(told(0, 3, 0.5), told(1, 200, 0.9)) == 0
    with pytest.raises(ValueError, match="evaluat"):
        best(told(1, 200, 0.9))


def test_what_keeps_the_limits_on_a_lower_rung_is_better_than_what_does_not() -> None:
    assert best(told(0, 3, 0.5), told(1, 9, 0.9, size=11.0)) == 0
    assert best(told(0, 3, 0.5), told(1, 9, 0.9, size=11.0), told(2, 9, 0.1)) == 2
    # where nothing keeps them, the highest rung counts, and on it the least excess
    assert best(told(0, 3, 0.5, 10.5), told(1, 9, 0.9, 12.0), told(2, 9, 0.8, 11.0)) == 2


def test_keys_are_excess_and_costs() -> None:
    incumbent = RungIncumbent("toy", OBJECTIVES, geometric_rungs(1, 9, 3))
    assert incumbent.consider(told(0, 3, 0.5, 12.0)) == pytest.approx((0.2, -0.5, 12.0))
    assert incumbent.consider(Evaluation(told(0, 3, 0.5).proposal, failure="diverged")) is None
    assert incumbent.rung(told(0, 3, 0.5).proposal) == 1


def test_a_state_gives_the_same_recommendation() -> None:
    incumbent, resumed = (RungIncumbent("toy", OBJECTIVES, geometric_rungs(1, 9, 3)) for _ in range(2))
    for evaluation in (told(0, 3, 0.5), told(1, 9, 0.9, size=11.0)):
        incumbent.consider(evaluation)
    resumed.load_state_dict(incumbent.state_dict())
    assert resumed.recommend() == incumbent.recommend()
    assert resumed.state_dict() == incumbent.state_dict()
