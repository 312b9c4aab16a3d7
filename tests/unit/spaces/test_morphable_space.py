"""The chains of convolution blocks: their choices, sizes by hand, and what each morphism makes of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas_core.architecture import Architecture
from nas_core.networks.chain import Block, Chain
from nas_core.space import HasMorphisms
from nas_core.spaces import morphable
from nas_core.task import TaskShape
from nas_core.variation import sample

TASK = TaskShape(inputs=(3, 8, 8), outputs=(5,))
SPACE = morphable.build(channels=4, num_stages=2, max_blocks=3, widths=(1.0, 2.0))
SMALLEST = Architecture("morphable", (0,) * len(SPACE.choices))


def network(architecture: Architecture) -> nn.Module:
    return SPACE.network(architecture, TASK, torch.Generator().manual_seed(0))


def size(architecture: Architecture) -> int:
    return sum(parameter.numel() for parameter in network(architecture).parameters())


def morphed(*morphisms: str, start: Architecture = SMALLEST) -> Architecture:
    for morphism in morphisms:
        start = SPACE.morphed(start, morphism)
    return start


def chain(architecture: Architecture) -> Chain:
    found = network(architecture).chain
    assert isinstance(found, tuple)
    return found


def skips(architecture: Architecture, stage: int = 0) -> list[str]:
    return [block.skip for block in chain(architecture)[stage]]


def test_choices_of_blocks_that_are_not_there_do_not_matter() -> None:
    names = [choice.name for choice in SPACE.choices]
    assert names[:6] == [
        "stage0.depth",
        "stage0.block0.operation",
        "stage0.block0.width",
        "stage0.block1.operation",
        "stage0.block1.width",
        "stage0.block1.skip",
    ]
    assert len(names) == 2 * (1 + 2 + 3 + 3)
    assert SPACE.choices[5].options == ("none", "add_1", "add_2", "concat_1")
    assert SPACE.choices[8].options == ("none", "add_1", "add_2", "concat_1", "concat_2")
    assert SPACE.is_valid(SMALLEST)
    absent = Architecture("morphable", (0, 0, 0, 1, *(0,) * (len(names) - 4)))
    assert not SPACE.is_valid(absent)


def test_the_first_options_make_one_block_a_stage() -> None:
    assert chain(SMALLEST) == ((Block("conv_3x3", 1.0),),) * 2
    # a 3x3 convolution and batch normalization a stage, a classifier
    assert size(SMALLEST) == (3 * 4 * 9 + 8) + (4 * 8 * 9 + 16) + (8 * 5 + 5)


@pytest.mark.parametrize(
    ("morphisms", "difference"),
    [
        (["deepen:stage0.block0:conv_3x3"], 4 * 4 * 9 + 8),
        (["deepen:stage1.block0:sep_conv_5x5"], 8 * 25 + 8 * 8 + 16),
        (["widen:stage0.block0:2"], 3 * 4 * 9 + 8 + 4 * 8 * 9),
        (["widen:stage1.block0:2"], 4 * 8 * 9 + 16 + 8 * 5),
        (["enlarge:stage1.block0:conv_5x5"], 4 * 8 * (25 - 9)),
        (["separate:stage1.block0:sep_conv_3x3"], 4 * 9 + 4 * 8 - 4 * 8 * 9),
        (["deepen:stage0.block0:conv_3x3", "skip:stage0.block1:add_1"], 4 * 4 * 9 + 8 + 4),
        (["deepen:stage0.block0:conv_3x3", "skip:stage0.block1:add_2"], 4 * 4 * 9 + 8 + 3),
        (["deepen:stage0.block0:conv_3x3", "skip:stage0.block1:concat_1"], (4 + 3) * 4 * 9 + 8),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_sizes_by_hand(morphisms: list[str], difference: int) -> None:
    assert size(morphed(*morphisms)) - size(SMALLEST) == difference


def test_a_skip_connection_over_a_new_block_gets_longer_and_no_longer_than_two() -> None:
    deep = morphed("deepen:stage0.block0:conv_3x3")
    over_one = morphed("skip:stage0.block1:concat_1", start=deep)
    assert skips(morphed("deepen:stage0.block0:conv_3x3", start=over_one)) == ["none", "none", "concat_2"]
    assert skips(morphed("deepen:stage0.block1:conv_3x3", start=over_one)) == ["none", "concat_1", "none"]
    over_two = morphed("skip:stage0.block1:add_2", start=deep)
    names = SPACE.morphisms(over_two)
    assert "deepen:stage0.block1:conv_3x3" in names
    assert "deepen:stage0.block0:conv_3x3" not in names
    beside = morphed("skip:stage0.block1:add_1", "deepen:stage0.block0:conv_3x3", start=deep)
    assert skips(beside) == ["none", "none", "add_1"]


def test_a_skip_connection_over_a_block_that_goes_gets_shorter_or_goes_too() -> None:
    deep = morphed("deepen:stage0.block0:conv_3x3", "deepen:stage0.block1:conv_5x5", "skip:stage0.block2:add_2")
    assert skips(morphed("remove:stage0.block1", start=deep)) == ["none", "add_1"]
    assert skips(morphed("remove:stage0.block2", start=deep)) == ["none", "none"]
    assert skips(morphed("remove:stage0.block0", start=deep)) == ["none", "add_2"]
    twice = morphed("skip:stage0.block1:concat_1", start=deep)
    assert skips(morphed("remove:stage0.block0", start=twice)) == ["none", "add_2"]


def test_what_no_longer_fits_is_not_offered() -> None:
    largest = max((sample(SPACE, np.random.default_rng(seed)) for seed in range(50)), key=size)
    while SPACE.morphisms(largest):
        largest = morphed(SPACE.morphisms(largest)[0], start=largest)
    assert all(len(blocks) == 3 and {block.width for block in blocks} == {2.0} for blocks in chain(largest))
    assert {block.operation for blocks in chain(largest) for block in blocks} == {"conv_5x5"}
    assert not [name for name in SPACE.approximate_morphisms(SMALLEST) if not name.startswith("separate")]
    only = morphable.build(operations=("conv_3x3",))
    names = only.morphisms(Architecture("morphable", (0,) * len(only.choices)))
    assert {name.partition(":")[0] for name in names} == {"deepen", "widen"}


@pytest.mark.parametrize("seed", range(20))
def test_morphisms_lead_to_other_members(seed: int) -> None:
    assert isinstance(SPACE, HasMorphisms)
    parent = sample(SPACE, np.random.default_rng(seed))
    preserving, approximate = SPACE.morphisms(parent), SPACE.approximate_morphisms(parent)
    children = [SPACE.morphed(parent, name) for name in (*preserving, *approximate)]
    assert all(map(SPACE.is_valid, children))
    assert parent not in children
    assert all(size(SPACE.morphed(parent, name)) > size(parent) for name in preserving)
    smaller = [name for name in approximate if not name.startswith("remove")]
    assert all(size(SPACE.morphed(parent, name)) < size(parent) for name in smaller)


def test_what_does_not_apply_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'remove:stage0.block0' does not apply; ask morphisms"):
        SPACE.morphed(SMALLEST, "remove:stage0.block0")
    with pytest.raises(ValueError, match="no member"):
        SPACE.morphisms(Architecture("morphable", (0,)))


def test_the_reference_adds_around_pairs() -> None:
    space = morphable.build(max_blocks=6)
    blocks = [space.choices[place].options[made] for place, made in enumerate(space.reference().decisions)]
    assert [blocks[place] for place, choice in enumerate(space.choices) if choice.name == "stage0.depth"] == ["5"]
    found = [text for text, choice in zip(blocks, space.choices, strict=True) if choice.name.startswith("stage0.block")]
    assert found[4::3][:4] == ["none", "add_2", "none", "add_2"]


def test_a_deeper_network_repeats_the_blocks_of_a_stage() -> None:
    deep = morphed("deepen:stage0.block0:conv_3x3", "skip:stage0.block1:add_1")
    larger = SPACE.scaled(depth=2.0).network(deep, TASK, torch.Generator())
    first, second = chain(deep)[0]
    assert larger.chain == ((first, second, first, second), (Block("conv_3x3", 1.0),) * 2)
    with pytest.raises(ValueError, match="no block is repeated"):
        SPACE.scaled(depth=2.0).transfer(larger, deep, "remove:stage0.block1", TASK, torch.Generator())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": (2.0, 1.0)}, "widths are"),
        ({"widths": ()}, "widths are"),
        ({"widths": (0.0, 1.0)}, "widths are"),
        ({"operations": ()}, "operations are"),
        ({"operations": ("conv_3x3", "conv_3x3")}, "name each once"),
        ({"operations": ("conv_9x9",)}, "operations are"),
        ({"channels": 0}, "channels"),
    ],
)
def test_limits_that_make_no_space_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        morphable.build(**settings)
