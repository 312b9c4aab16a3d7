"""Encodings of architectures for a predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_core.architecture import Architecture, Choice
from nas_core.encodings import adjacency, graphs, one_hot, one_hot_with_scores, paths, tensors
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.screen import Screen

CHOICES = (
    Choice("depth", ("one", "two")),
    Choice("first", ("a", "b", "c")),
    Choice("second", ("a", "b"), active_if=("depth", "two")),
)


def test_one_hot_has_a_bit_an_option_and_none_for_what_does_not_matter() -> None:
    architectures = [Architecture("small", (0, 2, 0)), Architecture("small", (1, 0, 1))]
    assert one_hot(CHOICES, architectures).tolist() == [[1, 0, 0, 0, 1, 0, 0], [0, 1, 1, 0, 0, 0, 1]]
    assert one_hot(CHOICES, []).shape == (0, 7)


class TwoPaths:
    """Has a short and two long paths."""

    def path_encoding(self, architecture: Architecture) -> tuple[int, ...]:
        return (*architecture.decisions, 1)


def test_paths_may_be_cut_to_the_shortest() -> None:
    architectures = [Architecture("small", (0, 1)), Architecture("small", (1, 0))]
    assert paths(TwoPaths(), architectures).tolist() == [[0, 1, 1], [1, 0, 1]]
    assert paths(TwoPaths(), architectures, num_paths=2).tolist() == [[0, 1], [1, 0]]


class OneMatrix:
    """Has one channel over two vertices."""

    def feature_tensor(self, architecture: Architecture) -> tuple[tuple[tuple[float, ...], ...], ...]:
        return (((0.0, float(architecture.decisions[0])), (0.0, 0.0)),)


def test_feature_tensors_are_stacked() -> None:
    architectures = [Architecture("small", (3,)), Architecture("small", (1,)), Architecture("small", (0,))]
    features = tensors(OneMatrix(), architectures)
    assert features.shape == (3, 1, 2, 2)
    assert features[:, 0, 0, 1].tolist() == [3.0, 1.0, 0.0]


class TwoVertices:
    """Has an input that leads, or leads not, to an output."""

    def cell_graph(self, architecture: Architecture) -> tuple[tuple[float, ...], ...]:
        return ((0.0, float(architecture.decisions[0]), 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


def test_cell_graphs_are_stacked_or_laid_out_row_by_row() -> None:
    architectures = [Architecture("small", (1,)), Architecture("small", (0,))]
    rows = [[[0, 1, 1, 0], [0, 0, 0, 1]], [[0, 0, 1, 0], [0, 0, 0, 1]]]
    assert graphs(TwoVertices(), architectures).tolist() == rows
    assert adjacency(TwoVertices(), architectures).tolist() == [first + second for first, second in rows]


def test_cheap_scores_stand_beside_the_options() -> None:
    class Scores:
        """The number of the first option as a score; the second option fails."""

        def prepare(self, strategy: object) -> None:
            raise AssertionError("a screen prepares nothing")

        def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
            return [
                Evaluation(each, failure="singular")
                if each.architecture.decisions[0] == 1
                else Evaluation(each, {"score": 10.0 * each.architecture.decisions[0], "size": 3.0})
                for each in proposals
            ]

        def state_dict(self) -> dict[str, Any]:
            return {}

        def load_state_dict(self, state: Mapping[str, Any]) -> None:
            raise AssertionError("there is no state")

    screen = Screen(Scores(), (Objective("score", "maximize"), Objective("size", "minimize", limit=1.0)))
    choices = (Choice("first", ("a", "b", "c")),)
    members = [Architecture("grid", (decision,)) for decision in (0, 1, 2)]
    features = one_hot_with_scores(choices, screen, members)
    size = np.log(4.0)
    # costs: a score that is maximized changes its sign
    np.testing.assert_allclose(
        features, [[1, 0, 0, 0, size, 0], [0, 1, 0, 0, 0, 1], [0, 0, 1, -np.log(21.0), size, 0]], atol=1e-12
    )
    one_hot_with_scores(choices, screen, members)
    assert screen.num_evaluations == 3
