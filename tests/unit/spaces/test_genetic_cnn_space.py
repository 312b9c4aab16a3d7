"""The space of Genetic CNN: codes, their graphs, how many differ, and the networks."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.architecture import Architecture
from nas_core.networks.genetic_network import GeneticNetwork
from nas_core.networks.stage_graph import StageGraph
from nas_core.space import HasInheritance, HasReference, HasScales, HasSupernet
from nas_core.spaces.genetic_cnn import GeneticCNN, build
from nas_core.task import TaskShape
from nas_core.weight_sharing.gates import Gates
from nas_core.weight_sharing.supernet import Mixing

SPACE = build()
IMAGES = TaskShape((3, 8, 8), (4,))


def graph(code: str) -> StageGraph:
    return StageGraph.from_bits(code.count("-") + 2, [int(letter) for letter in code if letter != "-"])


def network(space: GeneticCNN, name: str, task: TaskShape = IMAGES) -> GeneticNetwork:
    made = space.network(space.from_code(name), task, torch.Generator().manual_seed(0))
    assert isinstance(made, GeneticNetwork)
    return made


def fill_with_ones(module: torch.nn.Module) -> None:
    """Make convolutions, normalizations and the classifier of single channels identities."""
    for each in module.modules():
        if isinstance(each, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.ones_(each.weight)
        if isinstance(each, torch.nn.Linear):
            torch.nn.init.zeros_(each.bias)
        if isinstance(each, torch.nn.BatchNorm2d):
            each.eps = 0.0


def num_parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_sizes() -> None:
    assert len(SPACE.choices) == 3 + 6 + 10
    assert len(build(nodes=(3, 5)).choices) == 13
    for capability in (HasReference, HasScales, HasSupernet, HasInheritance):
        assert isinstance(SPACE, capability)


@pytest.mark.parametrize(("num_nodes", "num_graphs"), [(2, 2), (3, 6), (4, 31), (5, 302)])
def test_as_many_networks_as_there_are_unlabeled_acyclic_graphs(num_nodes: int, num_graphs: int) -> None:
    # OEIS A003087
    space = build(nodes=(num_nodes,))
    codes = itertools.product((0, 1), repeat=len(space.choices))
    assert len({space.canonical(Architecture("genetic_cnn", code)) for code in codes}) == num_graphs


def test_the_codes_of_the_papers_figure() -> None:
    # four nodes, the last fed by all others, the second by the first
    first = graph("1-00-111")
    assert [first.sources(node) for node in range(4)] == [(), (0,), (), (0, 1, 2)]
    assert (first.nodes(), first.last_nodes()) == ((0, 1, 2, 3), (3,))
    # five nodes, the second of which is isolated
    second = graph("0-10-000-0011")
    assert [second.sources(node) for node in range(5)] == [(), (), (0,), (), (2, 3)]
    assert (second.nodes(), second.last_nodes()) == ((0, 2, 3, 4), (4,))


@pytest.mark.parametrize(
    ("code", "sources"),
    [
        ("1-01-001", [(), (0,), (1,), (2,)]),  # a chain, as in VGGNet
        ("1-01-101", [(), (0,), (1,), (0, 2)]),  # a chain with a connection over it, as in ResNet
        ("1-11-111", [(), (0,), (0, 1), (0, 1, 2)]),  # all connections, as in DenseNet
    ],
)
def test_hand_designed_stages(code: str, sources: list[tuple[int, ...]]) -> None:
    assert [graph(code).sources(node) for node in range(4)] == sources
    # each is the only order of its nodes
    assert graph(code).canonical() == graph(code)


def test_the_reference_is_residual() -> None:
    assert SPACE.to_code(SPACE.reference()) == "1-11/1-01-101/1-01-001-1001"
    assert build(nodes=(2,)).to_code(build(nodes=(2,)).reference()) == "1"


def test_the_order_of_nodes_and_isolated_ones_do_not_matter() -> None:
    names = ("1-00", "0-10", "0-01")
    space = build(nodes=(3,))
    assert {space.to_code(space.canonical(space.from_code(name))) for name in names} == {"0-01"}
    # two branches into one node, which of three earlier ones they are
    wide = build(nodes=(4,))
    assert len({wide.canonical(wide.from_code(name)) for name in ("0-11-000", "0-00-110", "0-00-101")}) == 1
    assert wide.canonical(wide.from_code("0-11-000")) != wide.canonical(wide.from_code("1-10-000"))


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 5).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.booleans(), min_size=10, max_size=10))))
def test_the_canonical_graph_is_the_same_graph(case: tuple[int, list[bool]]) -> None:
    number, bits = case
    one = StageGraph.from_bits(number, [int(bit) for bit in bits[: number * (number - 1) // 2]])
    canonical = one.canonical()

    def degrees(each: StageGraph) -> list[tuple[int, int]]:
        leading = [sum(node in each.sources(target) for target in range(number)) for node in range(number)]
        return sorted((len(each.sources(node)), leading[node]) for node in range(number))

    assert degrees(canonical) == degrees(one)
    assert len(canonical.nodes()) == len(one.nodes())
    assert canonical.bits() <= one.bits()
    assert canonical.canonical() == canonical


def test_names_lead_to_codes() -> None:
    name = "1-01/1-00-111/0-10-000-0011"
    assert SPACE.from_code(name).key == "genetic_cnn:1-0-1-1-0-0-1-1-1-0-1-0-0-0-0-0-0-1-1"
    for wrong in ("", "1-01", "1-01/1-00-111/0-10-000-001", "101/1-00-111/0-10-000-0011", name + "x", name + "1"):
        with pytest.raises(ValueError, match="is no code"):
            SPACE.from_code(wrong)


def test_a_stage_without_connections_has_one_convolution_and_one_with_two_nodes_has_four() -> None:
    space = build(nodes=(2,), channels=4, kernel_size=3)
    classifier = 4 * 4 + 4
    first, other = 9 * 3 * 4 + 8, 9 * 4 * 4 + 8
    assert num_parameters(network(space, "0")) == first + classifier
    assert num_parameters(network(space, "1")) == first + 3 * other + classifier


def test_nodes_sum_up_what_leads_to_them() -> None:
    # identity convolutions, so that a stage counts the paths from its input to its output
    space = build(nodes=(4,), channels=1, kernel_size=1)
    for name, num_paths in (("0-00-000", 1), ("1-01-001", 1), ("1-01-101", 2), ("1-11-111", 4), ("1-00-111", 3)):
        made = network(space, name, TaskShape((1, 1, 1), (1,))).eval()
        fill_with_ones(made)
        assert made(torch.ones(1, 1, 1, 1)).item() == num_paths


@pytest.mark.parametrize("inputs", [(1, 8, 8), (3, 32, 32), (3, 5, 7), (1, 1, 1)])
def test_networks_take_any_image_size(inputs: tuple[int, int, int]) -> None:
    made = SPACE.network(SPACE.reference(), TaskShape(inputs, (7,)), torch.Generator().manual_seed(0))
    assert made(torch.ones(2, *inputs)).shape == (2, 7)


def test_wrong_settings_and_strangers_are_refused() -> None:
    for nodes in ((), (1, 3), (8,)):
        with pytest.raises(ValueError, match="nodes are"):
            build(nodes=nodes)
    with pytest.raises(ValueError, match="kernel_size is 4"):
        build(kernel_size=4)
    with pytest.raises(ValueError, match="at least 1"):
        build(channels=0)
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="not image classification"):
        SPACE.network(SPACE.reference(), TaskShape((8,), (10,)), generator)
    with pytest.raises(ValueError, match="no code of genetic_cnn"):
        SPACE.network(Architecture("genetic_cnn", (2,) * 19), IMAGES, generator)
    with pytest.raises(ValueError, match="bits do not go"):
        StageGraph.from_bits(3, (1, 0))
    with pytest.raises(ValueError, match="earlier nodes"):
        StageGraph((1, 0))


@pytest.mark.parametrize("strength", [1.0, 2.0])
def test_a_shared_stage_by_hand(strength: float) -> None:
    space = build(nodes=(2,), channels=1, kernel_size=1)
    supernet = space.supernet(TaskShape((1, 1, 1), (1,)), torch.Generator().manual_seed(0), Mixing(affine=True)).eval()
    fill_with_ones(supernet)
    absent, present = 0.25, 0.75
    gates = Gates((torch.tensor([absent, present]),), (torch.tensor(strength),))
    # the second node, from which the output comes so far as something leads to it, beside the default input node
    second = strength * present + absent
    expected = absent + (1 - absent) * (1 - absent) * second
    assert supernet(torch.ones(1, 1, 1, 1), gates).item() == pytest.approx(expected)


def test_a_network_takes_over_the_weights_of_its_nodes() -> None:
    supernet = SPACE.supernet(IMAGES, torch.Generator().manual_seed(0))
    made = network(SPACE, "1-01/0-00-000/0-10-000-0011")
    state = SPACE.inherited_state(supernet.state_dict(), made)
    made.load_state_dict(state)
    assert torch.equal(state["stages.2.0.nodes.4.conv.weight"], supernet.state_dict()["stages.2.0.nodes.4.conv.weight"])
    assert "stages.2.0.nodes.1.conv.weight" not in state
    assert state["stages.0.0.first.batch_norm.weight"].tolist() == [1.0] * 8


def test_a_supernet_mixes_all_channels() -> None:
    with pytest.raises(ValueError, match="channel_fraction is 4"):
        SPACE.supernet(IMAGES, torch.Generator().manual_seed(0), Mixing(channel_fraction=4))
