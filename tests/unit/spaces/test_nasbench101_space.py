"""The NAS-Bench-101 space: validity, canonical form, names, paths, feature tensors, and its restriction to cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nas_core.architecture import Architecture
from nas_core.networks.vertex_cell import VertexCell
from nas_core.space import HasBenchmarkNames, HasFeatureTensor, HasMembers, HasPathEncoding, HasReference, HasScales
from nas_core.spaces.nasbench101 import NASBench101Members, build
from nas_core.task import TaskShape
from nas_core.variation import mutate, neighbors, sample

SPACE = build()
SMALL = build(channels=6, cells_per_stage=1, num_stages=2)
CHAIN = "101001000100001000001"
NAMES = ("1,", "111,1", "101101,00", CHAIN + ",00000", CHAIN + ",00001")


def members(*names: str) -> NASBench101Members:
    cells = []
    for name in names:
        bits, operations = name.split(",")
        cells.append(VertexCell.from_bits([int(bit) for bit in bits], [int(digit) for digit in operations]))
    return NASBench101Members(SMALL, cells, 2)


def test_its_capabilities() -> None:
    for capability in (HasReference, HasBenchmarkNames, HasScales, HasPathEncoding, HasFeatureTensor):
        assert isinstance(SPACE, capability)
    for capability in (HasMembers, HasBenchmarkNames, HasPathEncoding, HasFeatureTensor):
        assert isinstance(members(*NAMES), capability)
    assert not isinstance(SPACE, HasMembers)


def test_a_member_leads_from_input_to_output_by_at_most_nine_edges() -> None:
    assert SPACE.is_valid(SPACE.from_name(CHAIN + ",01201"))
    edges = np.array([int(bit) for bit in CHAIN])
    nowhere = edges.copy()
    nowhere[-1] = 0
    many = edges.copy()
    many[[1, 3, 6]] = 1
    # a tenth edge counts only where it is on a path
    for bits, valid in ((edges, True), (nowhere, False), (many, True)):
        assert SPACE.is_valid(Architecture("nasbench101", (*bits.tolist(), *(0,) * 5))) == valid
    many[10] = 1
    assert not SPACE.is_valid(Architecture("nasbench101", (*many.tolist(), *(0,) * 5)))


def test_names_are_those_of_graphs_of_any_size() -> None:
    residual = SPACE.reference()
    assert SPACE.to_name(residual) == "101000000000000101000,00000"
    assert SPACE.from_name("101000000000000101000,00000") == residual == SPACE.from_name("101101,00")
    assert sum(SPACE.path_encoding(residual)) == 2
    for name in ("", "1", "0,", "10110,00", "101101,03", "101201,00", "1" * 21 + ",00000", "1" * 28 + ",000000"):
        with pytest.raises(ValueError, match="names no cell"):
            SPACE.from_name(name)


def test_equal_networks_have_one_canonical_form() -> None:
    # conv then pooling beside pooling: two orders, and with a vertex that leads nowhere
    first = SPACE.from_name("1100100011,022")
    second = SPACE.from_name("1100010101,202")
    assert SPACE.canonical(first) == SPACE.canonical(second)
    assert SPACE.canonical(first) != SPACE.canonical(SPACE.from_name("1100100011,002"))
    dead = list(second.decisions)
    dead[6] = 1
    dead[24] = 2
    assert SPACE.canonical(Architecture("nasbench101", tuple(dead))) == SPACE.canonical(first)


def test_path_encoding_by_hand() -> None:
    # 0 -> 1 -> 3 and 0 -> 3 and 0 -> 1 -> 2 -> 3: (), (1x1,), (1x1, pooling)
    bits = SPACE.path_encoding(SPACE.from_name("101111,12"))
    assert len(bits) == 364
    assert [place for place, bit in enumerate(bits) if bit] == [0, 1 + 1, 1 + 3 + 3 * 1 + 2]


def test_feature_tensor_by_hand() -> None:
    # a 3x3 convolution, then a 1x1, beside the input: the output adds a projection
    tensor = np.array(SPACE.feature_tensor(SPACE.from_name("101101,01")))
    assert tensor.shape == (19, 7, 7)
    kinds = {(0, 1): 1, (1, 2): 2, (0, 6): 4, (2, 6): 4}
    for (i, j), kind in kinds.items():
        assert tensor[0, i, j] == kind
    assert np.count_nonzero(tensor[0]) == len(kinds)
    # weights of the first cell (128 to 128 channels) and of the first of the second stage (128 to 256)
    for cell, before, after, pixels in ((0, 128, 128, 1024), (3, 128, 256, 256), (4, 256, 256, 256)):
        weights = {1: before * after + 9 * after**2, 2: after**2, 6: before * after}
        for i, j in kinds:
            assert tensor[2 + 2 * cell, i, j] == weights[j]
            assert tensor[1 + 2 * cell, i, j] == pixels * weights[j]


def test_decode_repairs_what_is_no_member_by_the_best_path_and_edges() -> None:
    scores = [[0.0, float(place)] for place in range(1, 22)] + [[0.0, 0.0, 1.0]] * 5
    decoded = SPACE.decode(scores)
    assert SPACE.is_valid(decoded)
    assert decoded.decisions[21:] == (2,) * 5
    # every edge is wanted, and no more than nine that matter can be had, the last ones first
    assert decoded.decisions[20] == 1
    nothing = [[1.0, 0.0] if place != 15 else [1.0, 0.9] for place in range(21)] + [[1.0, 0.0, 0.0]] * 5
    # the edge from the input to the output is the least unwanted path
    assert SPACE.decode(nothing) == SPACE.from_name("1,")


@pytest.mark.parametrize("inputs", [(1, 8, 8), (3, 32, 32), (3, 5, 7)])
def test_networks_take_any_image_size(inputs: tuple[int, int, int]) -> None:
    network = SMALL.network(SMALL.reference(), TaskShape(inputs, (7,)), torch.Generator().manual_seed(0))
    assert network(torch.ones(2, *inputs)).shape == (2, 7)


def test_other_tasks_and_strangers_are_refused() -> None:
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="not image classification"):
        SMALL.network(SMALL.reference(), TaskShape((8,), (10,)), generator)
    with pytest.raises(ValueError, match="no cell of nasbench101"):
        SMALL.network(Architecture("nasbench101", (0,) * 26), TaskShape((3, 8, 8), (10,)), generator)


def test_sizes_are_possible() -> None:
    assert build(channels=8).scaled(width=0.1, depth=0.1) == build(channels=5, cells_per_stage=1)
    assert build(channels=8).scaled(width=1.1, depth=2) == build(channels=9, cells_per_stage=6)
    for settings in ({"channels": 4}, {"cells_per_stage": 0}, {"num_stages": 0}):
        with pytest.raises(ValueError, match="is not a space"):
            build(**settings)


def test_a_restricted_space_knows_its_cells_alone() -> None:
    space = members(*NAMES)
    listed = [SPACE.from_name(name) for name in NAMES]
    assert list(space.members()) == listed
    assert {sample(space, np.random.default_rng(seed)) for seed in range(40)} == set(listed)
    assert not space.is_valid(SPACE.from_name("101001,00"))
    with pytest.raises(ValueError, match="not in the table"):
        space.from_name("101001,00")
    assert [space.canonical(member) for member in listed] == listed


def test_its_neighbors_are_the_nearest_cells_however_far_these_are() -> None:
    space = members(*NAMES)
    direct, beside, residual, chain, other_chain = space.members()
    # the other chain differs in one operation
    assert next(neighbors(space, chain)) == other_chain
    # "1,": the edge 0 -> 6 alone; "111,1" has two edges more and another operation, the residual cell three edges more
    assert list(neighbors(space, direct)) == [beside, residual]
    assert {mutate(space, direct, np.random.default_rng(seed)) for seed in range(20)} == {beside, residual}


def test_it_has_no_more_neighbors_than_other_members() -> None:
    cells = [SMALL.from_name(name) for name in NAMES]
    space = NASBench101Members(SMALL, [VertexCell.from_bits(c.decisions[:21], c.decisions[21:]) for c in cells], 18)
    for member in space.members():
        assert sorted(neighbors(space, member)) == sorted(set(space.members()) - {member})


def test_it_decodes_to_the_member_with_the_greatest_sum() -> None:
    space = members(*NAMES)
    for member in space.members():
        scores = [[0.0] * len(choice.options) for choice in space.choices]
        for row, decision in zip(scores, member.decisions, strict=True):
            row[decision] = 1.0
        # the best operation of the last vertex belongs to no member
        scores[-1][2] = 1.5
        assert space.decode(scores) == member


def test_a_restriction_needs_two_members() -> None:
    with pytest.raises(ValueError, match="at least two"):
        members("1,")
    with pytest.raises(ValueError, match="all members"):
        members("1,", "0,")
