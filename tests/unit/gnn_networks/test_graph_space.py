"""The graph space: its settings, its choices, and which of its members are the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gnn_space
from gnn_space.space import GraphSpace, build
from nas_core.architecture import Architecture, active
from nas_core.space import HasBaselines, HasInheritance, HasReference, HasScales, HasSupernet


def member(space: GraphSpace, **options: str) -> Architecture:
    """Return the member with the given options and the first ones elsewhere; ``conv_1="gin"``."""
    decisions = [
        choice.options.index(options[choice.name]) if choice.name in options else 0 for choice in space.choices
    ]
    assert options.keys() <= {choice.name for choice in space.choices}
    architecture = Architecture(space.name, tuple(decisions))
    assert space.is_valid(architecture)
    return architecture


def made(space: GraphSpace, architecture: Architecture) -> dict[str, str]:
    """Return the options of the choices that matter."""
    flags = active(space.choices, architecture.decisions)
    return {
        choice.name: choice.options[decision]
        for choice, decision, flag in zip(space.choices, architecture.decisions, flags, strict=True)
        if flag
    }


@pytest.mark.parametrize("level", ["graph", "node"])
def test_a_space_has_its_capabilities(level: Any) -> None:
    space = build(level=level)
    for capability in (HasSupernet, HasReference, HasBaselines, HasScales, HasInheritance):
        assert isinstance(space, capability)


def test_the_choices_of_a_block_stand_together_under_its_name() -> None:
    groups = [choice.group for choice in build(max_blocks=2).choices]
    assert groups == ["", *["block 1"] * 9, *["block 2"] * 9, "", ""]


def test_nodes_have_no_readouts_and_are_pooled_by_topk_at_most() -> None:
    choices = {choice.name: choice.options for choice in build(level="node").choices}
    assert not any(name.startswith(("readout", "structure")) for name in choices)
    assert choices["pooling_1"] == ("none", "topk")


def test_the_first_block_has_no_identity_and_nothing_earlier() -> None:
    choices = {choice.name: choice.options for choice in build().choices}
    assert set(choices["conv_2"]) - set(choices["conv_1"]) == {"identity"}
    assert set(choices["connection_2"]) - set(choices["connection_1"]) == {"dense"}


def test_what_nothing_asks_for_is_no_choice() -> None:
    names = {choice.name for choice in build(poolings=("none", "edge")).choices}
    assert not names & {"ratio_1", "structure_1"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"convolutions": ("gcm",)}, "did you mean 'gcn'"),
        ({"poolings": ("none", "hgpls")}, "did you mean 'hgpsl'"),
        ({"normalizations": ("batchnorm",)}, "did you mean 'batch_norm'"),
        ({"heads": ()}, "heads is empty"),
        ({"readouts": ("sum", "sum")}, "each once"),
        ({"ratios": (0.5, 0.5)}, "ratios is 0.5, 0.5"),
        ({"convolutions": ("identity",)}, "first block may not be identity"),
        ({"connections": ("dense",)}, "first block may not be dense"),
        ({"level": "node", "poolings": ("none", "edge")}, "no way back"),
    ],
)
def test_settings_that_do_not_make_a_space_are_refused_in_one_line(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        build(**settings)
    assert "\n" not in str(raised.value)


def test_only_what_matters_may_be_decided() -> None:
    space = build(max_blocks=2)
    one_block = member(space)
    places = {choice.name: place for place, choice in enumerate(space.choices)}
    for name in ("conv_2", "readout_2", "ratio_1", "structure_1"):
        decisions = list(one_block.decisions)
        decisions[places[name]] = 1
        assert not space.is_valid(Architecture(space.name, tuple(decisions)))
    member(space, pooling_1="topk", ratio_1="0.8")
    member(space, pooling_1="hgpsl", ratio_1="0.8", structure_1="softmax_k_hop")
    identity = member(space, num_blocks="2", conv_2="identity")
    decisions = list(identity.decisions)
    decisions[places["width_2"]] = 1
    assert not space.is_valid(Architecture(space.name, tuple(decisions)))


def test_of_one_block_every_combination_but_a_concatenation_is_its_output() -> None:
    space = build(max_blocks=2)
    for combination in ("sum", "jk_max", "jk_lstm"):
        assert space.canonical(member(space, combination=combination)) == member(space, combination="last")
        two = member(space, num_blocks="2", combination=combination)
        assert space.canonical(two) == two
    concatenation = member(space, combination="concatenation")
    assert space.canonical(concatenation) == concatenation


def test_with_last_the_readouts_of_earlier_blocks_do_not_matter() -> None:
    space = build(max_blocks=3)
    readouts = {"num_blocks": "3", "readout_1": "sum", "readout_2": "set2set", "readout_3": "max"}
    canonical = space.canonical(member(space, combination="last", **readouts))
    assert canonical == member(space, combination="last", num_blocks="3", readout_3="max")
    summed = member(space, combination="sum", **readouts)
    assert space.canonical(summed) == summed


def test_the_structure_that_the_last_pooling_learns_does_not_matter() -> None:
    space = build(max_blocks=2)
    learnt = {f"{role}_{block}": option for block in (1, 2) for role, option in LEARNT.items()}
    canonical = space.canonical(member(space, num_blocks="2", **learnt))
    assert made(space, canonical)["structure_1"] == "softmax_k_hop"
    assert made(space, canonical)["structure_2"] == "none"


LEARNT = {"pooling": "hgpsl", "structure": "softmax_k_hop"}


def test_the_reference_of_graphs_is_the_published_network_of_hgp_sl() -> None:
    space = build()
    options = made(space, space.reference())
    assert (options["num_blocks"], options["combination"], options["head"]) == ("3", "sum", "mlp")
    for block in (1, 2, 3):
        assert options[f"conv_{block}"] == "gcn"
        assert options[f"width_{block}"] == "1"
        assert options[f"activation_{block}"] == "relu"
        assert options[f"normalization_{block}"] == options[f"connection_{block}"] == "none"
        assert options[f"readout_{block}"] == "mean_max"
    assert [options[f"pooling_{block}"] for block in (1, 2, 3)] == ["hgpsl", "hgpsl", "none"]
    assert (options["ratio_1"], options["structure_2"]) == ("0.8", "sparsemax_k_hop")


def test_a_narrow_space_has_a_reference_too() -> None:
    space = build(
        max_blocks=1,
        convolutions=("gin",),
        poolings=("edge",),
        readouts=("sum",),
        combinations=("concatenation",),
        heads=("linear",),
        activations=("tanh",),
        normalizations=("graph_norm",),
        width_multiples=(0.25,),
        ratios=(0.3,),
    )
    assert space.is_valid(space.reference())
    assert space.baselines() == {}


def test_baselines_are_members_that_differ_from_the_reference() -> None:
    graphs, nodes = build(), build(level="node")
    assert set(graphs.baselines()) == {"gcn", "topk", "gin"}
    assert set(nodes.baselines()) == {"gat"}
    for space in (graphs, nodes):
        for baseline in space.baselines().values():
            assert space.is_valid(baseline)
            assert baseline != space.reference()


def test_a_scaled_space_is_wider_and_its_blocks_are_deeper() -> None:
    space = build(width=10).scaled(width=1.1, depth=1.5)
    assert (space.sizes.width, space.sizes.layers_per_block) == (12, 2)


def test_convolutions_have_channels_for_four_heads() -> None:
    sizes = build(width=10).sizes
    assert [sizes.channels(multiple) for multiple in ("0.1", "0.5", "1", "2")] == [4, 8, 12, 20]


def test_a_space_is_made_without_torch() -> None:
    program = """
import sys
sys.modules["torch"] = sys.modules["torch_geometric"] = None
from gnn_space.space import build
for level in ("graph", "node"):
    space = build(level=level)
    assert space.is_valid(space.canonical(space.reference()))
    assert space.baselines()
"""
    folder = Path(gnn_space.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, timeout=60)
    assert done.returncode == 0, done.stderr
