"""Networks of blocks, read from choices: what a diagram shows, and what is no such network."""

from __future__ import annotations

import pytest

from nas_core.architecture import Choice
from tasks.reporting.block_network import BlockNetwork, PoolingPart, block_network
from tasks.reporting.figures import block_diagram

POOLINGS = ("none", "topk", "edge", "hgpsl")


def graph_choices(num_blocks: int, *, has_pooling: bool = True) -> tuple[Choice, ...]:
    """Return choices like those of a space of graph networks."""
    counts = tuple(str(number) for number in range(1, num_blocks + 1))
    choices = [Choice("num_blocks", counts)]
    for number in range(1, num_blocks + 1):
        group = f"block {number}"
        there = None if number == 1 else ("num_blocks", counts[number - 1 :])
        choices += [
            Choice(f"conv_{number}", ("gcn", "gat_4"), group, there),
            Choice(f"normalization_{number}", ("none", "batch_norm"), group, there),
            Choice(f"width_{number}", ("32", "64"), group, there),
            Choice(f"connection_{number}", ("none", "skip"), group, there),
        ]
        if has_pooling:
            choices += [
                Choice(f"pooling_{number}", POOLINGS, group, there),
                Choice(f"ratio_{number}", ("0.8", "0.5"), group, (f"pooling_{number}", ("topk", "hgpsl"))),
                Choice(f"structure_{number}", ("none", "sparsemax_k_hop"), group, (f"pooling_{number}", "hgpsl")),
                Choice(f"readout_{number}", ("mean", "mean_max"), group, there),
            ]
    if num_blocks > 1:
        choices.append(Choice("combination", ("sum", "concatenation"), active_if=("num_blocks", counts[1:])))
    return *choices, Choice("head", ("linear", "mlp"))


def decided(choices: tuple[Choice, ...], **options: str) -> list[int]:
    """Return decisions: the options named, the first ones otherwise."""
    return [choice.options.index(options.get(choice.name, choice.options[0])) for choice in choices]


def network(choices: tuple[Choice, ...], **options: str) -> BlockNetwork:
    made = block_network(choices, decided(choices, **options))
    assert made is not None
    return made


def test_what_matters_is_shown_alone() -> None:
    made = network(
        graph_choices(3),
        num_blocks="2",
        conv_1="gat_4",
        normalization_1="batch_norm",
        connection_1="skip",
        pooling_1="hgpsl",
        ratio_1="0.5",
        structure_1="sparsemax_k_hop",
        conv_3="gat_4",
        head="mlp",
    )
    first, second = made.blocks
    assert (first.name, first.convolution, first.lines) == ("block 1", "gat 4", ("batch norm", "width 32"))
    assert (first.connection, first.readout) == ("skip", "mean")
    assert first.pooling == PoolingPart("hgpsl", 0.5, "sparsemax k hop")
    assert (second.lines, second.connection, second.pooling) == (("width 32",), "", None)
    assert (made.combination, made.head, made.others) == ("sum", "mlp", ())
    assert made.words == (
        "block 1: gat 4, batch norm, width 32, skip connection, then hgpsl pooling, ratio 0.5, edges sparsemax k hop, "
        "readout mean; block 2: gcn, width 32, readout mean; combination sum; head mlp"
    )


def test_a_pooling_that_learns_no_edges_says_so_and_others_say_nothing() -> None:
    made = network(graph_choices(2), num_blocks="2", pooling_1="hgpsl", pooling_2="edge")
    assert [block.pooling for block in made.blocks] == [
        PoolingPart("hgpsl", 0.8, "nothing learnt"),
        PoolingPart("edge", None, ""),
    ]


def test_what_matters_to_nothing_is_left_out() -> None:
    choices = (
        *graph_choices(2)[:-2],
        Choice("combination", ("last", "sum", "concatenation")),
        Choice("head", ("linear", "mlp")),
    )
    structured = {"pooling_1": "hgpsl", "structure_1": "sparsemax_k_hop"}
    last = network(choices, num_blocks="2", **structured)
    assert ([block.readout for block in last.blocks], last.combination) == (["", "mean"], "")
    alone = network(choices, num_blocks="1", combination="sum", **structured)
    assert alone.combination == ""
    assert alone.blocks[0].pooling == PoolingPart("hgpsl", 0.8, "")  # no convolution sees its edges
    assert network(choices, num_blocks="1", combination="concatenation").combination == "concatenation"


def test_a_width_up_to_one_is_a_share() -> None:
    choices = (Choice("conv_1", ("gcn",), "block"), Choice("width_1", ("0.5",), "block"))
    assert network(choices).blocks[0].lines == ("0.5 \N{MULTIPLICATION SIGN} width",)


@pytest.mark.parametrize(
    ("choices", "options"),
    [
        (graph_choices(4), {"num_blocks": "4", "pooling_1": "hgpsl", "connection_2": "skip", "pooling_4": "topk"}),
        (graph_choices(1), {}),
        (graph_choices(1), {"pooling_1": "edge"}),
        (graph_choices(3, has_pooling=False), {"num_blocks": "3"}),
        (
            tuple(choice for choice in graph_choices(3) if "readout" not in choice.name),
            {"num_blocks": "3", "pooling_1": "topk"},
        ),
        (graph_choices(1, has_pooling=False), {}),
        (graph_choices(1)[1:2], {}),
        ((*graph_choices(2), Choice("dropout", ("0.5",))), {"num_blocks": "1"}),
    ],
)
def test_any_network_of_blocks_can_be_drawn(choices: tuple[Choice, ...], options: dict[str, str]) -> None:
    assert block_diagram.draw(network(choices, **options), "Rank 0").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "choices",
    [
        (Choice("conv_1", ("gcn",)),),  # no group
        (Choice("0->1", ("skip",), "cell"),),
        (Choice("operation_1", ("gcn",), "operations"),),  # no convolution
        (Choice("conv_1", ("gcn",), "block"), Choice("conv_2", ("gcn",), "block")),  # two in a block
        (Choice("conv_1", ("gcn",), "block"), Choice("kernel", ("3",), "block")),
    ],
)
def test_other_choices_make_no_blocks(choices: tuple[Choice, ...]) -> None:
    assert block_network(choices, [0] * len(choices)) is None
