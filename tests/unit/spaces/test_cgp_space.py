"""The space of Cartesian genetic programs: the grid, active nodes, shapes that meet, and the networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from nas_core.architecture import Architecture
from nas_core.networks.cartesian_network import CartesianNetwork, padded_sum
from nas_core.networks.cartesian_program import Function, Grid, Step
from nas_core.networks.initialization import initialized
from nas_core.space import HasReference, HasScales
from nas_core.spaces.cgp import CartesianPrograms, build
from nas_core.task import TaskShape
from nas_core.variation import sample

IMAGES = TaskShape((3, 8, 8), (4,))
CONV, RES = Function("conv_block", 4, 3), Function("res_block", 4, 3)
POOL, AVERAGE = Function("max_pool"), Function("avg_pool")
JOIN, SUM = Function("concatenation"), Function("summation")


def small(**changes: Any) -> CartesianPrograms:
    values: dict[str, Any] = {
        "rows": 2,
        "columns": 2,
        "levels_back": 2,
        "min_active": 1,
        "block_channels": (4,),
        "kernel_sizes": (3,),
    }
    return build(**(values | changes))


def program(*steps: tuple[Function, int] | tuple[Function, int, int], shape: TaskShape = IMAGES) -> CartesianNetwork:
    made = [Step(function, tuple(sources)) for function, *sources in steps]
    return initialized(lambda: CartesianNetwork(shape, made), torch.Generator().manual_seed(0))


def test_the_published_grid() -> None:
    space = build()
    assert len(space.choices) == 5 * 30 * 3 + 1
    assert len(space.choices[0].options) == 6 + 4
    assert isinstance(space, HasReference)
    assert isinstance(space, HasScales)
    # from column 10 on, a node reaches 10 columns of 5 nodes and the image no more
    assert [len(space.choices[3 * 5 * column + 1].options) for column in (0, 1, 9, 10, 29)] == [1, 6, 46, 50, 50]
    assert len(space.choices[-1].options) == 50
    names = {function.name for function in build(block="res_block").functions}
    assert {"res_block_128_5", "max_pool", "avg_pool", "concatenation", "summation"} <= names


def test_the_number_of_codes() -> None:
    # two nodes that take the image, two that take it or one of the first two; the output takes any node
    sizes = [len(choice.options) for choice in small().choices]
    assert math.prod(sizes) == 5**4 * (1 * 1) ** 2 * (3 * 3) ** 2 * 4
    # one level back, the second column cannot take the image, nor the output the first column
    assert math.prod(len(choice.options) for choice in small(levels_back=1).choices) == 5**4 * (2 * 2) ** 2 * 2


def test_active_nodes_by_hand() -> None:
    space = small(min_active=1)
    names = [function.name for function in space.functions]
    conv, pool, total = names.index("conv_block_4_3"), names.index("max_pool"), names.index("summation")
    # nodes: 1 = conv(0), 2 = pool(0), 3 = sum(1, 2), 4 = conv(2); the output takes 3
    genes = (conv, 0, 0, pool, 0, 0, total, 1, 2, conv, 2, 1)
    one = Architecture("cgp", (*genes, 2))
    assert [(step.function.name, step.sources) for step in space.steps(one)] == [
        ("conv_block_4_3", (0,)),
        ("max_pool", (0,)),
        ("summation", (1, 2)),
    ]
    # the fourth node is inactive
    assert space.canonical(one) == Architecture("cgp", (*genes[:9], 0, 0, 0, 2))
    # with the fourth as output, the second connection of a block does not count
    other = Architecture("cgp", (*genes, 3))
    assert [step.sources for step in space.steps(other)] == [(0,), (1,)]
    assert space.canonical(other) == Architecture("cgp", (0, 0, 0, pool, 0, 0, 0, 0, 0, conv, 2, 0, 3))


def test_limits_of_active_nodes() -> None:
    space = small(rows=1, columns=4, levels_back=2, min_active=3, max_active=3)
    chain = (0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0)  # each takes the one before
    for output, count in ((0, 3), (1, 4)):
        assert space.is_valid(Architecture("cgp", (*chain, output))) == (count == 3)
    generator = np.random.default_rng(0)
    assert {len(space.steps(sample(space, generator))) for _ in range(20)} == {3}


def test_decode_repairs_by_a_chain_of_the_best_nodes() -> None:
    space = build(min_active=12, max_active=12)
    generator = np.random.default_rng(0)
    for _ in range(5):
        scores = [generator.standard_normal(len(choice.options)).tolist() for choice in space.choices]
        decoded = space.decode(scores)
        assert len(space.steps(decoded)) == 12
        if decoded.decisions[-1] != int(np.argmax(scores[-1])):
            # the chain ends in column 27, of whose nodes the best is taken
            wanted = scores[-1][5 * 7 : 5 * 8]
            assert decoded.decisions[-1] == 5 * 7 + int(np.argmax(wanted))


def test_the_reference_is_a_plain_network() -> None:
    space = build()
    conv32, conv64, conv128, pool = "conv_block_32_3", "conv_block_64_3", "conv_block_128_3", "max_pool"
    made = [step.function.name for step in space.steps(space.reference())]
    assert made == [conv32, conv32, pool, conv64, conv64, pool, conv128, conv128, pool, conv128]
    assert space.canonical(space.reference()) == space.reference()


def test_the_parameters_of_a_network_by_hand() -> None:
    network = program((CONV, 0), (POOL, 1), (RES, 2))
    conv = 9 * 3 * 4 + 8
    residual = 2 * (9 * 4 * 4 + 8)
    classifier = 4 * 4 * 4 * 4 + 4
    assert sum(parameter.numel() for parameter in network.parameters()) == conv + residual + classifier


def test_the_larger_map_is_pooled_and_missing_channels_are_zeros() -> None:
    # the image, pooled twice, meets the image: 2 x 2 pixels of 3 + 3 channels, then 6 + 4
    for size in ((8, 8), (5, 7), (1, 1), (2, 9)):
        shape = TaskShape((3, *size), (4,))
        joined = program((AVERAGE, 0), (POOL, 1), (JOIN, 0, 2), (CONV, 0), (JOIN, 3, 4), (SUM, 4, 5), shape=shape)
        assert joined.classifier.in_features == 10 * math.prod(-(-side // 4) for side in size)
        assert joined(torch.randn(2, 3, *size)).shape == (2, 4)
    images = torch.arange(16.0).reshape(1, 1, 4, 4)
    total = program((AVERAGE, 0), (SUM, 0, 1), shape=TaskShape((1, 4, 4), (4,)))
    total.classifier.weight.data = torch.eye(4)
    total.classifier.bias.data.zero_()
    # the greatest and the mean of each quarter: 5 + 2.5, 7 + 4.5, 13 + 10.5, 15 + 12.5
    assert total(images).tolist() == [[7.5, 11.5, 23.5, 27.5]]
    one, two = torch.ones(1, 1, 1, 1), torch.full((1, 2, 1, 1), 2.0)
    assert padded_sum(one, two).flatten().tolist() == padded_sum(two, one).flatten().tolist() == [3.0, 2.0]


def test_scaled_blocks_are_wider_and_repeated() -> None:
    space = small(block="res_block")
    reference = space.reference()

    def count(each: CartesianPrograms) -> int:
        made = each.network(reference, TaskShape((3, 1, 1), (4,)), torch.Generator().manual_seed(0))
        return sum(parameter.numel() for parameter in made.parameters())

    # a block 3 -> 4, with a classifier of 4 to 4; twice as wide, 3 -> 8; twice as deep, another 4 -> 4
    first, classifier = 9 * 3 * 4 + 9 * 4 * 4 + 16, 4 * 4 + 4
    assert len(space.steps(reference)) == 1
    assert count(space) == first + classifier
    assert count(space.scaled(depth=1.5)) == first + 2 * 9 * 4 * 4 + 16 + classifier
    assert count(space.scaled(width=2.0)) == 9 * 3 * 8 + 9 * 8 * 8 + 32 + 8 * 4 + 4


def test_the_grid_reaches_back_as_told() -> None:
    grid = Grid(rows=2, columns=5, levels_back=2)
    assert [list(grid.reach(column)) for column in (0, 1, 2, 5)] == [[0], [0, 1, 2], [1, 2, 3, 4], [7, 8, 9, 10]]
    for count in range(grid.least_length, grid.columns + 1):
        columns = grid.spread(count)
        assert columns[0] == 0
        assert all(1 <= after - before <= 2 for before, after in zip(columns, (*columns[1:], 5), strict=True))


def test_wrong_settings_and_strangers_are_refused() -> None:
    for changes, message in (
        ({"levels_back": 3}, "levels_back at most columns"),
        ({"min_active": 3}, "min_active is 3"),
        ({"max_active": 1, "levels_back": 1}, "max_active 1"),
        ({"kernel_sizes": (2,)}, "odd kernel sizes"),
        ({"block_channels": ()}, "block channels"),
        ({"block_channels": (4, 4)}, "once each"),
        ({"block": "conv"}, "block is 'conv'"),
    ):
        with pytest.raises(ValueError, match=message):
            small(**changes)
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="not image classification"):
        small().network(small().reference(), TaskShape((8,), (10,)), generator)
    with pytest.raises(ValueError, match="no program"):
        small().network(Architecture("cgp", (9,) * 13), IMAGES, generator)
