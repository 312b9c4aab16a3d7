"""LEMONADE: densities, who breeds, who is accepted, who survives, and the front of a toy."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from grid_space import GridSpace
from stairs_space import StairsSpace, member

from nas_core import pareto
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.screen import Screen
from nas_core.space import SearchSpace
from nas_core.strategies.lemonade import (
    Lemonade,
    build,
    inverse_density_probabilities,
    log_densities,
    on_log_scale,
)

ACCURACY, SIZE = Objective("accuracy", "maximize"), Objective("size", "minimize")
SPACE = StairsSpace((4, 4, 4))
START = member(0, 0, 0)

Scores = Callable[[Architecture], Mapping[str, float] | None]


class Cheap:
    """Cheap scores by a function; where it gives none, a failure."""

    def __init__(self, scores: Scores) -> None:
        self._scores = scores

    def prepare(self, strategy: Any) -> None:
        pass

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [evaluation(proposal, self._scores(proposal.architecture)) for proposal in proposals]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass


def evaluation(proposal: Proposal, scores: Mapping[str, float] | None) -> Evaluation:
    return Evaluation(proposal, failure="unlucky") if scores is None else Evaluation(proposal, scores)


def scores(architecture: Architecture) -> dict[str, float]:
    a, b, c = architecture.decisions
    return {"accuracy": a + 0.6 * b + 0.3 * c + 0.05 * a * b, "size": 1.0 + 4 * a + b * b + 2 * c}


def lemonade(
    space: SearchSpace = SPACE,
    objectives: Sequence[Objective] = (ACCURACY, SIZE),
    seed: int = 0,
    cheap: Screen | None = None,
    **settings: Any,
) -> Lemonade:
    strategy = build(space, objectives, Streams(seed), screen=cheap or Screen(Cheap(scores), [SIZE]), **settings)
    assert isinstance(strategy, Lemonade)
    return strategy


def population(strategy: Lemonade) -> set[tuple[int, ...]]:
    return {tuple(decisions) for _, decisions in strategy.state_dict()["population"]}


def generations(strategy: Lemonade, count: int) -> Iterator[list[Proposal]]:
    """Give what is asked for in each round, until that is nothing."""
    while proposals := strategy.ask(count):
        yield proposals
        strategy.tell([Evaluation(proposal, scores(proposal.architecture)) for proposal in proposals])


def test_probabilities_are_inverse_to_the_density() -> None:
    # by hand: 0, 0, 3 have the standard deviation 3^.5, and h = 3^-.2 = .802742; scaled, 3 is 3^.5 from 0, so that
    # exp(-3 / (2 h^2)) = .0975131 and the densities are as 2.0975131 : 2.0975131 : 1.1950262
    members = np.array([[0.0], [0.0], [3.0]])
    found = inverse_density_probabilities(log_densities(members, members))
    assert found == pytest.approx([0.266297, 0.266297, 0.467406], abs=1e-6)


def test_in_one_dimension_the_density_is_scipy_s() -> None:
    from scipy.stats import gaussian_kde

    generator = np.random.default_rng(0)
    members, points = generator.normal(5, 3, 12), generator.normal(5, 9, 30)
    expected = gaussian_kde(members).logpdf(points)
    found = log_densities(members[:, None], points[:, None])
    assert found - found[0] == pytest.approx(expected - expected[0], abs=1e-9)


def test_a_single_member_and_members_on_a_line_have_a_density() -> None:
    # one member, h = 1 and scale 1: exp(-d^2 / 2)
    assert np.diff(log_densities(np.array([[2.0]]), np.array([[2.0], [3.0], [5.0]]))) == pytest.approx([-0.5, -4.0])
    line = np.array([[0.0, 0.0, 7.0], [1.0, 2.0, 7.0], [2.0, 4.0, 7.0]])
    found = log_densities(line, np.array([[1.0, 2.0, 7.0], [1.0, 2.0, 7.5], [1e4, 2.0, 7.0]]))
    assert np.isfinite(found).all()
    assert found[0] > found[1] > found[2]
    assert inverse_density_probabilities(found) == pytest.approx([0.0, 0.0, 1.0])


def test_costs_that_are_positive_throughout_count_by_their_logarithm() -> None:
    assert on_log_scale(np.array([[1.0, 0.0, -1.0], [np.e, 2.0, -2.0]])).tolist() == [[0, 0, -1], [1, 2, -2]]


def test_parents_are_drawn_where_the_population_is_sparse() -> None:
    # three members that none dominates, of cheap costs e^0, e^0, e^3: as computed above
    members = {member(0, 0, 1): 0.0, member(0, 1, 0): 0.0, member(1, 0, 0): 3.0}
    bred: Counter[Architecture] = Counter()

    def breed(parent: Architecture, generator: np.random.Generator) -> Proposal:
        bred[parent] += 1
        return Proposal(member(2, bred.total(), 0))

    def cheap(architecture: Architecture) -> dict[str, float]:
        return {"size": float(np.exp(members.get(architecture, 1.0)))}

    generator = np.random.default_rng(0)
    screen = Screen(Cheap(cheap), [SIZE])
    strategy = Lemonade(SPACE, [ACCURACY], generator, screen, breed, 4000, 1, 1, None)
    strategy.tell([Evaluation(Proposal(architecture), {"accuracy": 0.5}) for architecture in members])
    strategy.ask(1)
    shares = [bred[architecture] / 4000 for architecture in members]
    assert shares == pytest.approx([0.266297, 0.266297, 0.467406], abs=0.025)


def test_children_are_accepted_where_the_population_is_sparse() -> None:
    # from one member at e^0 two children, at e^1 and e^2: their densities are as exp(-1/2) and exp(-4/2)
    def cheap(architecture: Architecture) -> dict[str, float]:
        a, b = architecture.decisions
        return {"size": float(np.exp(a + 2 * b))}

    farther = 0
    for seed in range(600):
        strategy = lemonade(
            StairsSpace((2, 2)), seed=seed, cheap=Screen(Cheap(cheap), [SIZE]), num_children=2, num_accepted=1
        )
        strategy.tell([Evaluation(strategy.ask(1)[0], {"accuracy": 0.0, "size": 1.0})])
        farther += strategy.ask(1)[0].architecture == member(0, 1)
    assert farther / 600 == pytest.approx(1 / (1 + np.exp(-1.5)), abs=0.05)


def test_of_eighty_children_eight_are_evaluated() -> None:
    cheap = Screen(Cheap(lambda architecture: {"size": 1.0 + sum(architecture.decisions)}), [SIZE])
    strategy = lemonade(StairsSpace((30,) * 8), cheap=cheap)
    members = [member(*(20 * bit for bit in bits)) for bits in itertools.product((0, 1), repeat=8)][:40]
    strategy.tell([Evaluation(Proposal(each), {"accuracy": 0.5, "size": 1.0}) for each in members])
    assert len(strategy.ask(100)) == 8
    assert cheap.num_evaluations == 40 + 80


def test_fewer_are_accepted_where_there_are_fewer() -> None:
    cheap = Screen(Cheap(scores), [SIZE])
    strategy = lemonade(cheap=cheap)
    strategy.tell([Evaluation(strategy.ask(100)[0], scores(START))])
    assert {proposal.architecture for proposal in strategy.ask(100)} == {
        member(1, 0, 0),
        member(0, 1, 0),
        member(0, 0, 1),
    }
    assert cheap.num_evaluations == 1 + 3


def test_a_child_is_its_parent_changed_as_it_says() -> None:
    strategy = lemonade(num_children=20, num_accepted=5)
    strategy.tell([Evaluation(strategy.ask(1)[0], scores(START))])
    kinds = set()
    for proposal in itertools.chain.from_iterable(generations(strategy, 5)):
        if proposal.parent is not None:
            (name,) = proposal.morphisms
            assert SPACE.morphed(proposal.parent, name) == proposal.architecture
            kinds.add(name.partition(":")[0])
    assert kinds == {"up", "down"}


def test_the_population_is_the_front_of_all_that_was_told() -> None:
    strategy = lemonade()
    everything = [member(*decisions) for decisions in itertools.product(range(4), repeat=3)]
    order = np.random.default_rng(0).permutation(64).tolist()
    for first in range(0, 64, 10):
        told = [everything[place] for place in order[: first + 10]]
        strategy.tell([Evaluation(Proposal(each), scores(each)) for each in told[first:]])
        costs = np.array([[-scores(each)["accuracy"], scores(each)["size"]] for each in told])
        assert population(strategy) == {told[row].decisions for row in pareto.front(costs)}


@pytest.mark.parametrize("seed", range(6))
def test_the_front_of_a_toy_is_found_before_children_run_out(seed: int) -> None:
    everything = [member(*decisions) for decisions in itertools.product(range(4), repeat=3)]
    costs = np.array([[-scores(each)["accuracy"], scores(each)["size"]] for each in everything])
    strategy = lemonade(seed=seed, num_children=12, num_accepted=4)
    proposals = strategy.ask(4)
    strategy.tell([Evaluation(proposal, scores(proposal.architecture)) for proposal in proposals])
    asked = len(proposals)
    while (proposals := strategy.ask(4)) and proposals[0].parent is not None:
        strategy.tell([Evaluation(proposal, scores(proposal.architecture)) for proposal in proposals])
        asked += len(proposals)
    assert population(strategy) == {everything[row].decisions for row in pareto.front(costs)}
    assert asked < 64


@pytest.mark.parametrize("space", [SPACE, GridSpace((4, 4, 4))], ids=["morphisms", "mutations"])
def test_in_the_end_all_are_known_and_each_was_asked_for_once(space: SearchSpace) -> None:
    strategy = lemonade(space, num_children=12, num_accepted=4, num_initial=4)
    asked = [proposal.architecture for proposals in generations(strategy, 4) for proposal in proposals]
    assert len(asked) == len(set(asked)) == 64


def test_rounds_of_any_size_are_one_course() -> None:
    def course(size: int) -> list[Proposal]:
        strategy, asked = lemonade(num_children=12, num_accepted=4), []
        while len(asked) < 29:
            proposals = strategy.ask(size)
            strategy.tell([Evaluation(proposal, scores(proposal.architecture)) for proposal in proposals])
            asked.extend(proposals)
        return asked[:29]

    assert course(1) == course(3) == course(100)


def test_members_beyond_a_limit_make_room_for_those_within() -> None:
    strategy = lemonade(objectives=(ACCURACY, Objective("size", "minimize", limit=8.0)))
    strategy.tell([Evaluation(Proposal(member(0, 0, 1)), {"accuracy": 0.9, "size": 12.0})])
    strategy.tell([Evaluation(Proposal(member(0, 0, 2)), {"accuracy": 0.8, "size": 10.0})])
    assert population(strategy) == {(0, 0, 2)}
    strategy.tell([Evaluation(Proposal(member(0, 0, 3)), {"accuracy": 0.1, "size": 8.0})])
    strategy.tell([Evaluation(Proposal(member(0, 1, 0)), {"accuracy": 0.95, "size": 9.0})])
    assert population(strategy) == {(0, 0, 3)}
    assert strategy.recommend() == member(0, 0, 3)


def test_no_child_exceeds_a_cheap_limit_by_more_than_its_parent() -> None:
    limited = Objective("size", "minimize", limit=6.0)
    strategy = lemonade(objectives=(ACCURACY, limited), cheap=Screen(Cheap(scores), [limited]), num_children=20)
    while (proposals := strategy.ask(8)) and (proposals[0].parent or proposals[0].architecture == START):
        assert all(scores(proposal.architecture)["size"] <= 6.0 for proposal in proposals)
        strategy.tell([Evaluation(proposal, scores(proposal.architecture)) for proposal in proposals])


def test_from_beyond_a_cheap_limit_the_way_leads_back() -> None:
    limited = Objective("size", "minimize", limit=6.0)
    strategy = lemonade(objectives=(ACCURACY, limited), cheap=Screen(Cheap(scores), [limited]), num_children=20)
    start = Proposal(member(3, 3, 3))
    strategy.tell([Evaluation(start, scores(start.architecture))])
    while not any(scores(Architecture("stairs", made))["size"] <= 6.0 for made in population(strategy)):
        proposals = strategy.ask(8)
        assert {name.partition(":")[0] for proposal in proposals for name in proposal.morphisms} == {"down"}
        strategy.tell([Evaluation(proposal, scores(proposal.architecture)) for proposal in proposals])


def test_what_cannot_be_screened_is_neither_parent_nor_child() -> None:
    def partly(architecture: Architecture) -> dict[str, float] | None:
        return None if architecture.decisions[0] == 1 else scores(architecture)

    strategy = lemonade(cheap=Screen(Cheap(partly), [SIZE]), num_children=20)
    strategy.tell([Evaluation(Proposal(made), scores(made)) for made in (START, member(1, 0, 0))])
    proposals = strategy.ask(8)
    assert {proposal.parent for proposal in proposals} == {START}
    assert {proposal.architecture for proposal in proposals} == {member(0, 1, 0), member(0, 0, 1)}
    # where nothing can, samples are asked for
    nothing = lemonade(cheap=Screen(Cheap(lambda architecture: None), [SIZE]))
    nothing.tell([Evaluation(Proposal(START), scores(START))])
    assert [proposal.parent for proposal in nothing.ask(8)] == [None] * 8


def test_it_starts_from_the_plain_network_and_from_a_sample_if_that_fails() -> None:
    strategy = lemonade()
    assert strategy.ask(10) == [Proposal(START)]
    strategy.tell([Evaluation(Proposal(START), failure="out of memory")])
    (second,) = strategy.ask(10)
    assert second.parent is None
    assert second.architecture != START


def test_without_morphisms_it_starts_from_samples_and_mutates() -> None:
    strategy = lemonade(GridSpace((4, 4, 4)), num_initial=6, num_children=10, num_accepted=5)
    founders = [*strategy.ask(4), *strategy.ask(9)]
    assert len({founder.architecture for founder in founders}) == 10
    strategy.tell([Evaluation(founder, scores(founder.architecture)) for founder in founders[:6]])
    children = strategy.ask(9)
    assert len(children) == 5
    assert all(child.parent is None and not child.morphisms for child in children)


def test_more_accepted_than_there_are_children_is_refused() -> None:
    with pytest.raises(ValueError, match="num_accepted is 9, larger than num_children 8; lower it"):
        lemonade(num_children=8, num_accepted=9)
