"""What a black-box strategy recommends, and what counts as known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from nas_core.architecture import Architecture, Choice
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective

OBJECTIVES = (Objective("accuracy", "maximize"), Objective("size", "minimize", limit=10.0))


def member(*decisions: int) -> Architecture:
    return Architecture("pairs", decisions)


def scored(architecture: Architecture, accuracy: float, size: float, fidelity: Fidelity | None = None) -> Evaluation:
    return Evaluation(Proposal(architecture, fidelity), {"accuracy": accuracy, "size": size})


def test_the_first_of_equals_stays_and_the_second_objective_breaks_ties() -> None:
    incumbent = Incumbent("pairs", OBJECTIVES)
    assert incumbent.consider(scored(member(0, 0), 0.5, 5.0)) == (0.0, -0.5, 5.0)
    incumbent.consider(scored(member(0, 1), 0.5, 5.0))
    assert incumbent.recommend() == member(0, 0)
    incumbent.consider(scored(member(1, 0), 0.5, 4.0))
    assert incumbent.recommend() == member(1, 0)


def test_beyond_a_limit_ranks_last() -> None:
    incumbent = Incumbent("pairs", OBJECTIVES)
    incumbent.consider(scored(member(0, 0), 0.9, 15.0))
    assert incumbent.recommend() == member(0, 0)
    incumbent.consider(scored(member(0, 1), 0.1, 10.0))
    assert incumbent.recommend() == member(0, 1)


def test_what_cannot_be_ranked_with_the_rest_is_left_out() -> None:
    incumbent = Incumbent("pairs", OBJECTIVES)
    others = [
        Evaluation(Proposal(member(0, 0)), failure="diverged"),
        scored(Architecture("another", (0, 0)), 0.9, 1.0),
        scored(member(0, 0), 0.9, 1.0, Fidelity(epochs=1)),
    ]
    assert [incumbent.consider(other) for other in others] == [None, None, None]
    with pytest.raises(ValueError, match="nothing to recommend: no evaluation succeeded; evaluate more"):
        incumbent.recommend()


def test_an_incumbent_goes_on_from_its_state() -> None:
    incumbent, empty, resumed = (Incumbent("pairs", OBJECTIVES) for _ in range(3))
    incumbent.consider(scored(member(1, 1), 0.5, 5.0))
    resumed.load_state_dict(incumbent.state_dict())
    resumed.consider(scored(member(0, 0), 0.4, 1.0))
    assert resumed.recommend() == member(1, 1)
    resumed.load_state_dict(empty.state_dict())
    with pytest.raises(ValueError, match="nothing to recommend"):
        resumed.recommend()


@dataclass(frozen=True)
class UnorderedPairs:
    """Pairs whose order makes no difference."""

    name: str = "pairs"
    choices: tuple[Choice, ...] = (Choice("first", ("a", "b", "c")), Choice("second", ("a", "b", "c")))

    def is_valid(self, architecture: Architecture) -> bool:
        return True

    def canonical(self, architecture: Architecture) -> Architecture:
        return member(*sorted(architecture.decisions))


def test_networks_are_known_under_every_name() -> None:
    known = KnownNetworks(UnorderedPairs())
    known.add(member(2, 1))
    known.add(Architecture("another", (0, 0)))
    assert member(1, 2) in known
    assert member(0, 0) not in known
    assert known.state() == [[1, 2]]


def test_new_samples_come_until_none_is_left() -> None:
    known = KnownNetworks(UnorderedPairs())
    known.add(member(0, 0))
    generator = np.random.default_rng(0)
    found = known.sample_new(2, generator) + known.sample_new(9, generator)
    assert len({tuple(sorted(architecture.decisions)) for architecture in found}) == len(found) == 5
    restored = KnownNetworks(UnorderedPairs())
    restored.restore(known.state())
    assert restored.sample_new(1, generator) == []
