"""The space of hierarchical representations: motifs, their canonical form, and the published cell."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.architecture import Architecture
from nas_core.networks.motif import PRIMITIVES, Hierarchy, Motif
from nas_core.networks.motif_network import MotifNetwork
from nas_core.space import HasReference, HasScales
from nas_core.spaces.hierarchical import build
from nas_core.task import TaskShape

SPACE = build()
SMALL = build(num_motifs=3, motif_nodes=3, cell_nodes=3, channels=4, num_stages=2)
IMAGES = TaskShape((3, 8, 8), (4,))
NONE, CONV, DEPTHWISE, SEPARABLE, MAX, MEAN, SAME = range(7)


def member(*parts: tuple[int, ...]) -> Architecture:
    return Architecture("hierarchical", tuple(label for part in parts for label in part))


def num_parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def filled(space_member: Architecture) -> torch.Tensor:
    """Return what a network with parameters that depend on their shapes alone makes of a batch."""
    network = SMALL.network(space_member, IMAGES, torch.Generator().manual_seed(0)).eval()
    for parameter in network.parameters():
        generator = torch.Generator().manual_seed(sum(parameter.shape))
        parameter.data = torch.rand(parameter.shape, generator=generator)
    outputs: torch.Tensor = network(torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    return outputs


def test_the_published_sizes() -> None:
    assert len(SPACE.choices) == 6 * 6 + 10
    assert {len(choice.options) for choice in SPACE.choices} == {7}
    assert len(PRIMITIVES) == 7
    assert isinstance(SPACE, HasReference)
    assert isinstance(SPACE, HasScales)


def test_the_published_cell_has_the_published_number_of_parameters() -> None:
    # the appendix's cell; edges 1-2, 1-3, 2-3, 1-4, 2-4, 3-4 in this order, one between identical ones being identity
    motifs = (
        (MAX, CONV, DEPTHWISE, SEPARABLE, CONV, MAX),
        (MAX, DEPTHWISE, DEPTHWISE, CONV, SEPARABLE, SEPARABLE),
        (SEPARABLE, DEPTHWISE, SEPARABLE, SEPARABLE, SAME, MEAN),
        (MEAN, SEPARABLE, SEPARABLE, SAME, MAX, MEAN),
        (SAME, SEPARABLE, SAME, SEPARABLE, SAME, SEPARABLE),
        (DEPTHWISE, MAX, MAX, SEPARABLE, SAME, MEAN),
    )
    cell = (5, 3, 3, 3, 1, 3, 4, 5, 5, 5)
    with torch.device("meta"):
        network = MotifNetwork(
            TaskShape((3, 32, 32), (10,)),
            Hierarchy(tuple(Motif(4, labels) for labels in motifs), Motif(5, cell)).canonical(),
            channels=64,
            num_stages=3,
            cells_per_stage=2,
        )
    assert round(num_parameters(network) / 1e6, 1) == 15.7


def test_dead_edges_and_unused_motifs_are_dropped_and_motifs_numbered_by_their_first_use() -> None:
    empty = (NONE, NONE, NONE)
    # motif 1: 0 -> 1 leads nowhere; motif 2 leads nowhere at all; motif 3 is a chain
    one, two, three = (CONV, MAX, NONE), (CONV, NONE, NONE), (CONV, NONE, MAX)
    # the cell: motif 3 to node 1, motif 1 to the output, motif 2 from node 1 to it
    assert SMALL.canonical(member(one, two, three, (3, 1, 2))) == member((NONE, MAX, NONE), empty, empty, (0, 1, 0))
    # with motif 3 in place of motif 2 the chain lives, and comes first
    assert SMALL.canonical(member(one, two, three, (3, 1, 3))) == member(three, (NONE, MAX, NONE), empty, (1, 2, 1))
    # motifs that are the same but for dead edges become one
    twin = (SAME, MAX, NONE)
    assert SMALL.canonical(member(one, twin, three, (2, 1, 2))) == member((NONE, MAX, NONE), empty, empty, (1, 1, 1))


def test_what_leads_nowhere_is_no_member() -> None:
    full, empty = (CONV, CONV, CONV), (CONV, NONE, NONE)
    for parts, valid in (
        ((full, full, full, (0, 1, 0)), True),
        ((full, full, full, (1, 0, 1)), True),
        ((full, full, full, (1, 0, 0)), False),
        ((full, empty, full, (1, 0, 2)), False),
        ((empty, empty, empty, (1, 2, 3)), False),
    ):
        assert SMALL.is_valid(member(*parts)) == valid


LABELS = st.lists(st.integers(0, 6), min_size=9, max_size=9)
CELL = st.lists(st.integers(0, 3), min_size=3, max_size=3)


@settings(max_examples=25, deadline=None)
@given(LABELS, CELL, st.permutations(range(3)), st.integers(1, 6))
def test_renamed_motifs_and_other_dead_edges_give_the_same_outputs(
    labels: list[int], cell: list[int], order: list[int], other: int
) -> None:
    motifs = [tuple(labels[start : start + 3]) for start in (0, 3, 6)]
    one = member(*motifs, tuple(cell))
    renamed = [0, *(order.index(place) + 1 for place in range(3))]
    two = member(*(motifs[place] for place in order), tuple(renamed[label] for label in cell))
    # an edge to a node that leads nowhere
    three = member(*((other, b, 0) if not c else (a, b, c) for a, b, c in motifs), tuple(cell))
    assert SMALL.is_valid(one) == SMALL.is_valid(two) == SMALL.is_valid(three)
    if SMALL.is_valid(one):
        assert SMALL.canonical(one) == SMALL.canonical(two) == SMALL.canonical(three)
        canonical = SMALL.canonical(one)
        torch.testing.assert_close(filled(one), filled(canonical), rtol=0, atol=0)


def test_concatenation_adds_channels_up() -> None:
    # conv to 4 channels beside the identity: 8 channels, back to 4; one stage
    space = build(num_motifs=1, motif_nodes=3, cell_nodes=2, channels=4, num_stages=1)
    network = space.network(member((CONV, SAME, MAX), (1,)), IMAGES, torch.Generator().manual_seed(0))
    stem, classifier = 9 * 3 * 4 + 8, 4 * 4 + 4
    motif, projection = 4 * 4 + 8, 8 * 4 + 8
    transition = 9 * 4 + 4 * 4 + 8
    assert num_parameters(network) == stem + motif + projection + transition + classifier
    # a depthwise convolution of both keeps all eight channels
    wide = build(num_motifs=1, motif_nodes=4, cell_nodes=2, channels=4, num_stages=1)
    labels = (SAME, SAME, SAME, NONE, NONE, DEPTHWISE)
    network = wide.network(member(labels, (1,)), IMAGES, torch.Generator().manual_seed(0))
    assert num_parameters(network) == stem + (9 * 8 + 16) + projection + transition + classifier


def test_decode_repairs_what_leads_nowhere() -> None:
    generator = np.random.default_rng(0)
    num_repaired = 0
    for _ in range(100):
        scores = [generator.standard_normal(len(choice.options)).tolist() for choice in SMALL.choices]
        for row in scores:
            row[0] += 1.5
        best = Architecture("hierarchical", tuple(int(np.argmax(row)) for row in scores))
        decoded = SMALL.decode(scores)
        assert SMALL.is_valid(decoded)
        assert SMALL.is_valid(best) == (decoded == best)
        num_changes = sum(a != b for a, b in zip(best.decisions, decoded.decisions, strict=True))
        assert num_changes <= 2
        num_repaired += num_changes > 0
    assert num_repaired > 20


def test_the_reference_is_a_chain() -> None:
    chain = (SEPARABLE, 0, SEPARABLE, SAME, 0, SEPARABLE)
    empty = (0,) * 6
    assert SPACE.reference() == member(chain, *(empty,) * 5, (1, 0, 1, 0, 0, 1, 0, 0, 0, 1))
    least = build(num_motifs=1, motif_nodes=2, cell_nodes=2)
    assert least.reference() == member((SEPARABLE,), (1,))


@pytest.mark.parametrize("inputs", [(1, 8, 8), (3, 32, 32), (3, 5, 7), (1, 1, 1)])
def test_networks_take_any_image_size(inputs: tuple[int, int, int]) -> None:
    made = SPACE.network(SPACE.reference(), TaskShape(inputs, (7,)), torch.Generator().manual_seed(0))
    assert made(torch.ones(2, *inputs)).shape == (2, 7)


def test_wrong_settings_and_strangers_are_refused() -> None:
    with pytest.raises(ValueError, match="motif_nodes is 1"):
        build(motif_nodes=1)
    with pytest.raises(ValueError, match="at least 1"):
        build(num_motifs=0)
    with pytest.raises(ValueError, match="is no motif"):
        Motif(3, (1, 1))
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="not image classification"):
        SPACE.network(SPACE.reference(), TaskShape((8,), (10,)), generator)
    with pytest.raises(ValueError, match="no member"):
        SPACE.network(Architecture("hierarchical", (0,) * 46), IMAGES, generator)
