"""Random morphisms: where they start, what they lead to and what is drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nas_core import morphing
from nas_core.architecture import Architecture
from nas_core.evaluation import Proposal
from nas_core.spaces import morphable

SPACE = morphable.build(num_stages=2, max_blocks=3)


def led_to(proposal: Proposal) -> Architecture:
    """Return what the morphisms of a proposal make of its parent, in their order."""
    architecture = proposal.parent
    assert architecture is not None
    for name in proposal.morphisms:
        architecture = SPACE.morphed(architecture, name)
    return architecture


def test_a_search_starts_from_the_first_options() -> None:
    assert morphing.start(SPACE) == Architecture("morphable", (0,) * len(SPACE.choices))


def test_a_kind_is_drawn_and_then_a_change_of_it() -> None:
    generator = np.random.default_rng(0)
    drawn = Counter(
        morphing.random_morphism(["widen:0", "widen:1", "widen:2", "deepen"], generator) for _ in range(6000)
    )
    shares = {name: number / 6000 for name, number in drawn.items()}
    assert shares == pytest.approx({"widen:0": 1 / 6, "widen:1": 1 / 6, "widen:2": 1 / 6, "deepen": 1 / 2}, abs=0.02)


@pytest.mark.parametrize("seed", range(20))
def test_a_child_is_its_parent_morphed_by_the_names_in_order(seed: int) -> None:
    generator = np.random.default_rng(seed)
    parent = morphing.start(SPACE)
    for _ in range(4):
        child = morphing.grown(SPACE, parent, 3, generator)
        assert child.parent == parent
        assert len(child.morphisms) == 3
        assert led_to(child) == child.architecture
        other = morphing.changed(SPACE, child.architecture, generator)
        assert other.parent == child.architecture
        assert len(other.morphisms) == 1
        assert led_to(other) == other.architecture
        parent = other.architecture


def test_a_change_is_of_either_sort() -> None:
    parent = morphing.grown(SPACE, morphing.start(SPACE), 5, np.random.default_rng(0)).architecture
    generator = np.random.default_rng(1)
    names = {morphing.changed(SPACE, parent, generator).morphisms[0] for _ in range(300)}
    assert names & set(SPACE.morphisms(parent))
    assert names & set(SPACE.approximate_morphisms(parent))


def test_where_no_morphism_applies_there_are_fewer() -> None:
    least = morphable.build(num_stages=1, max_blocks=1, widths=(1.0, 2.0), operations=("conv_3x3",))
    parent = morphing.start(least)
    grown = morphing.grown(least, parent, 5, np.random.default_rng(0))
    assert grown.morphisms == ("widen:stage0.block0:2",)
    assert morphing.grown(least, grown.architecture, 5, np.random.default_rng(0)) == Proposal(
        grown.architecture, parent=grown.architecture
    )
    only = morphable.build(num_stages=1, max_blocks=1, widths=(1.0,), operations=("conv_3x3",))
    assert morphing.changed(only, parent, np.random.default_rng(0)) == Proposal(parent, parent=parent)


def test_proposals_are_read_as_they_were_written() -> None:
    start = morphing.start(SPACE)
    proposals = [
        Proposal(start),
        Proposal(start, parent=start),
        morphing.grown(SPACE, start, 2, np.random.default_rng(0)),
    ]
    assert morphing.read("morphable", morphing.written(proposals)) == proposals
