"""BANANAS: what it proposes when, its candidates, its Thompson sampling, and that it finds better than chance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from grid_space import GridSpace, member, told
from numpy.typing import NDArray

from nas_core.acquisition import thompson_sampling
from nas_core.architecture import Architecture
from nas_core.encodings import one_hot
from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective
from nas_core.predictor_guided_search import PredictorGuidedSearch
from nas_core.randomness import Streams
from nas_core.strategies import random_search
from nas_core.strategies.bananas import build
from nas_core.strategy import Strategy

OBJECTIVES = (Objective("accuracy", "maximize"),)
SPACE = GridSpace((3,) * 6)
Array = NDArray[np.float64]


class SumPredictor:
    """Knows the cost, which is the sum of the features' weights, with a given standard deviation."""

    def __init__(self, streams: Streams, *, deviation: float, fits: list[tuple[Array, Array]]) -> None:
        self.deviation = deviation
        self.fits = fits

    def fit(self, features: Array, costs: Array) -> None:
        self.fits.append((features, costs))

    def predict(self, features: Array) -> tuple[Array, Array]:
        mean = features @ np.arange(features.shape[1], dtype=float)
        return mean, np.full(len(features), self.deviation)


def with_predictor(
    deviation: float,
    fits: list[tuple[Array, Array]],
    *,
    seed: int = 0,
    objectives: Sequence[Objective] = OBJECTIVES,
    **changes: Any,
) -> PredictorGuidedSearch:
    """Return the search of which BANANAS is made, with the predictor above and Thompson sampling."""
    settings = {"num_initial": 2, "num_mutations": 100, "num_parents": 1, "num_samples": 0} | changes
    predictor = partial(SumPredictor, deviation=deviation, fits=fits)
    encode = partial(one_hot, SPACE.choices)
    return PredictorGuidedSearch(SPACE, objectives, Streams(seed), encode, predictor, thompson_sampling, **settings)


def distance(first: Architecture, second: Architecture) -> int:
    return sum(a != b for a, b in zip(first.decisions, second.decisions, strict=True))


def test_it_samples_until_enough_succeeded() -> None:
    fits: list[tuple[Array, Array]] = []
    strategy = with_predictor(0.0, fits, num_initial=3)
    first = strategy.ask(3)
    strategy.tell([told(p.architecture.decisions, 0.5) for p in first[:2]] + [Evaluation(first[2], failure="diverged")])
    strategy.ask(2)
    assert not fits
    strategy.tell([told((0,) * 6, 0.5)])
    strategy.ask(2)
    assert len(fits) == 1


def test_the_predictor_learns_the_cost_of_all_that_was_told() -> None:
    fits: list[tuple[Array, Array]] = []
    strategy = with_predictor(0.0, fits)
    strategy.tell([told((0,) * 6, 0.25), told((2,) * 6, 0.75)])
    strategy.ask(1)
    ((features, costs),) = fits
    np.testing.assert_array_equal(features, one_hot(SPACE.choices, [member(*(0,) * 6), member(*(2,) * 6)]))
    assert costs.tolist() == [-0.25, -0.75]


def test_candidates_are_one_edit_from_the_best_and_the_lowest_predicted_is_proposed() -> None:
    strategy = with_predictor(0.0, [])
    strategy.tell([told((1,) * 6, 0.9), told((2,) * 6, 0.1)])
    proposals = strategy.ask(3)
    # the weight of an option is its place in the encoding, so one place lower costs one less wherever it is
    assert all(distance(proposal.architecture, member(*(1,) * 6)) == 1 for proposal in proposals)
    assert all(min(proposal.architecture.decisions) == 0 for proposal in proposals)


def test_a_used_up_neighborhood_passes_the_turn_to_the_next_best() -> None:
    strategy = with_predictor(0.0, [])
    strategy.tell([told((1,) * 6, 0.9), told((2,) * 6, 0.1)])
    # twelve neighbors each, and room for a hundred candidates
    near = [min(distance(p.architecture, member(*(place,) * 6)) for place in (1, 2)) for p in strategy.ask(30)]
    assert near[:20] == [1] * 20
    assert max(near[24:]) > 1


def test_nothing_is_proposed_twice() -> None:
    strategy = build(GridSpace((2, 2, 2)), OBJECTIVES, Streams(0), num_initial=2, num_epochs=1)
    proposed = []
    for _ in range(6):
        proposals = strategy.ask(2)
        proposed += [proposal.architecture for proposal in proposals]
        strategy.tell([told(proposal.architecture.decisions, 0.5) for proposal in proposals])
    assert len(proposed) == len(set(proposed)) == 8


def test_thompson_sampling_draws_each_candidate_by_its_deviation() -> None:
    orders = set()
    for seed in range(5):
        strategy = with_predictor(1e3, [], seed=seed)
        strategy.tell([told((1,) * 6, 0.9), told((2,) * 6, 0.1)])
        orders.add(tuple(proposal.architecture for proposal in strategy.ask(3)))
    assert len(orders) == 5


def test_only_the_first_objective_is_predicted_but_limits_order_the_parents() -> None:
    fits: list[tuple[Array, Array]] = []
    objectives = (*OBJECTIVES, Objective("size", "minimize", limit=10.0))
    strategy = with_predictor(0.0, fits, objectives=objectives, num_mutations=5)
    small, large = told((0,) * 6, 0.2).proposal, told((2,) * 6, 0.9).proposal
    strategy.tell(
        [Evaluation(large, {"accuracy": 0.9, "size": 20.0}), Evaluation(small, {"accuracy": 0.2, "size": 5.0})]
    )
    proposals = strategy.ask(5)
    assert fits[0][1].tolist() == [-0.9, -0.2]
    assert all(distance(proposal.architecture, small.architecture) == 1 for proposal in proposals)


def test_the_path_encoding_is_used_where_there_is_one() -> None:
    class WithPaths(GridSpace):
        def path_encoding(self, architecture: Architecture) -> Sequence[int]:
            widths.append(len(architecture.decisions))
            return architecture.decisions

    widths: list[int] = []
    for settings, num_uses in (({}, True), ({"num_paths": 2}, True), ({"path_encoding": False}, False)):
        widths.clear()
        strategy = build(WithPaths((2, 2, 2)), OBJECTIVES, Streams(0), num_initial=2, num_epochs=1, **settings)
        strategy.tell([told((0, 0, 0), 0.1), told((1, 1, 1), 0.9)])
        strategy.ask(1)
        assert bool(widths) == num_uses


def test_paths_cannot_be_counted_where_there_are_none() -> None:
    with pytest.raises(ValueError, match="num_paths is 30"):
        build(SPACE, OBJECTIVES, Streams(0), num_paths=30)


def test_it_finds_better_than_chance() -> None:
    space = GridSpace((4,) * 8)
    weights = np.random.default_rng(0).standard_normal((8, 4))

    def accuracy(architecture: Architecture) -> float:
        return float(sum(weights[place, decision] for place, decision in enumerate(architecture.decisions)))

    def best(strategy: Strategy) -> float:
        for _ in range(6):
            proposals = [proposal.architecture for proposal in strategy.ask(10)]
            strategy.tell([told(architecture.decisions, accuracy(architecture)) for architecture in proposals])
        return accuracy(strategy.recommend())

    searched = [best(build(space, OBJECTIVES, Streams(seed), num_epochs=40)) for seed in range(2)]
    drawn = [best(random_search.build(space, OBJECTIVES, Streams(seed))) for seed in range(2)]
    assert min(searched) > max(drawn)


def test_its_course_is_what_it_was_when_it_was_measured() -> None:
    strategy = build(GridSpace((4,) * 5), OBJECTIVES, Streams(0), num_initial=3, num_epochs=3, num_layers=2)
    course = []
    for size in (3, 2, 2):
        proposals = [proposal.architecture.decisions for proposal in strategy.ask(size)]
        course.append(["".join(map(str, decisions)) for decisions in proposals])
        strategy.tell([told(decisions, sum(decisions) / 15) for decisions in proposals])
    assert course == [["00031", "21021", "13032"], ["13002", "21121"], ["00331", "11032"]]
