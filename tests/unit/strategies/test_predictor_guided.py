"""Predictor-guided search: its parts by name, its candidates, and that it finds better than chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from grid_space import GridSpace, member, told

from nas_core import catalog
from nas_core.acquisition import predicted_mean
from nas_core.architecture import Architecture
from nas_core.objectives import Objective
from nas_core.predictor_guided_search import PredictorGuidedSearch
from nas_core.randomness import Streams
from nas_core.strategies import bananas, random_search
from nas_core.strategies.predictor_guided import build
from nas_core.strategy import Strategy

OBJECTIVES = (Objective("accuracy", "maximize"),)
NUM_OPTIONS, NUM_CHOICES = 4, 8
GRAPH_NETWORK = "gnn_space.predictors.graph_network"
SPACE = GridSpace((NUM_OPTIONS,) * NUM_CHOICES)
WEIGHTS = np.random.default_rng(0).standard_normal((NUM_CHOICES, NUM_OPTIONS))


def accuracy(architecture: Architecture) -> float:
    return float(sum(WEIGHTS[place, decision] for place, decision in enumerate(architecture.decisions)))


def best(strategy: Strategy) -> float:
    for _ in range(6):
        proposals = [proposal.architecture for proposal in strategy.ask(10)]
        strategy.tell([told(architecture.decisions, accuracy(architecture)) for architecture in proposals])
    return accuracy(strategy.recommend())


@pytest.mark.parametrize(
    "settings",
    [
        {"predictor_settings": {"num_members": 2, "num_trees": 40}},
        {"predictor_settings": {"num_members": 2, "num_trees": 40}, "acquisition": "mean"},
        {"predictor": "random_forest", "predictor_settings": {"num_trees": 20}, "acquisition": "thompson_sampling"},
    ],
)
def test_it_finds_better_than_chance(settings: dict[str, Any]) -> None:
    searched = [best(build(SPACE, OBJECTIVES, Streams(seed), num_initial=20, **settings)) for seed in range(2)]
    drawn = [best(random_search.build(SPACE, OBJECTIVES, Streams(seed))) for seed in range(2)]
    assert np.mean(searched) > np.mean(drawn)


def test_every_predictor_guides_in_a_space_with_every_encoding() -> None:
    space = catalog.load("space", "nasbench201").build()
    objectives = [Objective("accuracy", "maximize")]
    small = {"num_epochs": 1, "num_layers": 1, "num_trees": 2, "num_members": 2}
    for name in (*catalog.names("predictor"), GRAPH_NETWORK):
        known = {setting.name for setting in catalog.settings("predictor", name)}
        takes = getattr(catalog.load("predictor", name), "ENCODING", None)
        for encoding in (takes,) if takes else ("one_hot", "path", "adjacency"):
            settings = {key: value for key, value in small.items() if key in known}
            strategy = build(
                space, objectives, Streams(0), predictor=name, predictor_settings=settings, encoding=encoding,
                num_initial=2, num_mutations=5, num_samples=5,
            )  # fmt: skip
            proposed = []
            for _ in range(3):
                proposals = strategy.ask(2)
                proposed += [proposal.architecture for proposal in proposals]
                strategy.tell([_told(proposal.architecture) for proposal in proposals])
            assert len({space.canonical(architecture) for architecture in proposed}) == 6


def _told(architecture: Architecture) -> Any:
    evaluation = told((), sum(architecture.decisions))
    return type(evaluation)(type(evaluation.proposal)(architecture), evaluation.scores)


class CountingOptions:
    """Predicts the number of a member's first options, negated."""

    def fit(self, features: Any, costs: Any) -> None:
        """Learn nothing."""

    def predict(self, features: Any) -> Any:
        return -features[:, ::NUM_OPTIONS].sum(axis=1), np.zeros(len(features))


def search(num_mutations: int, num_samples: int) -> PredictorGuidedSearch:
    from nas_core.encodings import one_hot

    def encode(architectures: Sequence[Architecture]) -> Any:
        return one_hot(SPACE.choices, architectures)

    return PredictorGuidedSearch(
        SPACE, OBJECTIVES, Streams(0), encode, lambda streams: CountingOptions(), predicted_mean,
        num_initial=2, num_mutations=num_mutations, num_parents=1, num_samples=num_samples,
    )  # fmt: skip


def test_candidates_are_mutations_samples_or_both() -> None:
    parent = member(*(1,) * NUM_CHOICES)

    def distances(num_mutations: int, num_samples: int) -> list[int]:
        strategy = search(num_mutations, num_samples)
        strategy.tell([told(parent.decisions, 0.9), told((2,) * NUM_CHOICES, 0.1)])
        proposals = strategy.ask(10)
        return [sum(a != b for a, b in zip(p.architecture.decisions, parent.decisions, strict=True)) for p in proposals]

    # of the best, and where its neighborhood gave too few, of the second best
    assert set(distances(20, 0)) <= {1, NUM_CHOICES - 1, NUM_CHOICES}
    assert min(distances(0, 200)) > 1
    # a mutation has at most one first option, and most samples have more
    assert max(distances(20, 200)) > 1
    assert 1 in distances(20, 3)


def test_with_the_parts_of_bananas_it_is_bananas_but_for_its_stream() -> None:
    parts = {"num_initial": 3, "num_parents": 1}
    ours = build(
        SPACE, OBJECTIVES, Streams(0), predictor="mlp_ensemble", predictor_settings={"num_epochs": 2},
        acquisition="thompson_sampling", num_mutations=100, num_samples=0, **parts,
    )  # fmt: skip
    theirs = bananas.build(SPACE, OBJECTIVES, Streams(0), num_epochs=2, **parts)
    for strategy in (ours, theirs):
        strategy.tell([told((place,) * NUM_CHOICES, place / 4) for place in range(3)])
    assert type(ours) is type(theirs)
    assert len({proposal.architecture for strategy in (ours, theirs) for proposal in strategy.ask(5)}) > 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"predictor": "randomforest"}, "unknown predictor 'randomforest'; did you mean 'random_forest'"),
        ({"predictor_settings": {"num_tree": 3}}, "no setting 'num_tree'; did you mean 'num_trees'"),
        ({"predictor_settings": {"num_trees": 0}}, "num_trees of predictor 'gradient_boosted_trees' is 0"),
        ({"encoding": "tensor"}, "encoding is 'tensor', but predictor 'gradient_boosted_trees' takes vectors"),
        (
            {"predictor": "renas"},
            "encoding is 'one_hot', but predictor 'renas' takes feature tensors; set it to tensor",
        ),
        ({"predictor": "renas", "encoding": "tensor"}, "encoding is 'tensor', which space grid has not"),
        ({"encoding": "graph"}, "encoding is 'graph', but predictor 'gradient_boosted_trees' takes vectors; set it to"),
        ({"predictor": "renas", "encoding": "graph"}, "predictor 'renas' takes feature tensors; set it to tensor"),
        ({"predictor": GRAPH_NETWORK}, "encoding is 'one_hot', but predictor .* takes cell graphs; set it to graph"),
        ({"predictor": GRAPH_NETWORK, "encoding": "adjacency"}, "takes cell graphs; set it to graph"),
        ({"predictor": GRAPH_NETWORK, "encoding": "graph"}, "encoding is 'graph', which space grid has not"),
        ({"encoding": "adjacency"}, "encoding is 'adjacency', which space grid has not"),
        ({"encoding": "path"}, "encoding is 'path', which space grid has not"),
        ({"num_paths": 3}, "num_paths is 3, but the encoding is 'one_hot'"),
        ({"num_mutations": 0, "num_samples": 0}, "there are no candidates"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        build(SPACE, OBJECTIVES, Streams(0), **settings)
    assert "\n" not in str(caught.value)
