"""The NAS-Bench-Graph space: which trees are the same network, names, and the networks."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.nasbench_graph import MACROS, NAME, OPERATIONS, NASBenchGraph, build
from gnn_space.operation_tree import canonical_form
from nas_core.architecture import Architecture
from nas_core.space import HasBenchmarkNames, HasReference, HasScales, HasSupernet
from nas_core.task import TaskShape

SPACE = build()
SMALL = build(width=8)
OF_PROTEINS = build(operations=("gcn", "sage", "arma", "fc", "identity"))
SHAPE = TaskShape((5,), (3,))


def named(name: str) -> Architecture:
    return SPACE.from_name(name)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def graph() -> GraphBatch:
    ring = torch.arange(6)
    edges = torch.stack([torch.cat([ring, (ring + 1) % 6]), torch.cat([(ring + 1) % 6, ring])])
    x = torch.randn(6, 5, generator=seeded(0))
    return graph_batch(x, edges, torch.tensor([6]), target_nodes=torch.tensor([4, 1]))


def members(space: NASBenchGraph) -> list[Architecture]:
    decisions = itertools.product(*(range(len(choice.options)) for choice in space.choices))
    return [member for member in (Architecture(NAME, each) for each in decisions) if space.is_valid(member)]


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        pytest.param("0123-gat-gcn-gin-fc", "0123-gat-gcn-gin-fc", id="a chain of four is itself"),
        pytest.param("0123-gat-identity-gin-fc", "0123-identity-gat-gin-fc", id="an identity inside a chain"),
        pytest.param("0123-gat-gin-fc-identity", "0123-identity-gat-gin-fc", id="an identity that ends a chain"),
        pytest.param("0123-gat-gin-identity-identity", "0123-identity-identity-gat-gin", id="two of them"),
        pytest.param("0000-fc-gat-gin-gcn", "0000-gat-gcn-gin-fc", id="siblings have no order"),
        pytest.param("0001-gat-fc-gcn-gin", "0001-gat-gcn-fc-gin", id="nor have single operations beside a chain"),
        pytest.param("0012-gin-gat-fc-gcn", "0012-gat-gin-gcn-fc", id="nor have two chains"),
        pytest.param("0012-gat-gat-fc-gcn", "0012-gat-gat-gcn-fc", id="that begin alike"),
        pytest.param("0112-gcn-gin-fc-identity", "0122-identity-gcn-gin-fc", id="an identity after a sibling's chain"),
        pytest.param("0111-gcn-gin-fc-identity", "0111-gcn-gin-fc-identity", id="a leaf beside others brings a node"),
        pytest.param(
            "0122-gat-gin-identity-identity", "0122-gat-gin-identity-identity", id="as often as it is asked for"
        ),
        pytest.param("0000-gat-gin-fc-identity", "0111-identity-gat-gin-fc", id="the input is not brought"),
        pytest.param("0001-identity-gat-gcn-gin", "0111-identity-gat-gcn-gin", id="an identity before one of several"),
        pytest.param("0011-identity-gat-identity-gin", "0122-identity-identity-gat-gin", id="the input, further away"),
        pytest.param("0013-identity-gat-gin-fc", "0112-identity-gin-gat-fc", id="an identity before the longer chain"),
    ],
)
def test_trees_that_compute_the_same_have_one_form(name: str, canonical: str) -> None:
    assert SPACE.to_name(SPACE.canonical(named(name))) == canonical
    assert SPACE.to_name(SPACE.canonical(named(canonical))) == canonical


def test_the_form_of_larger_trees() -> None:
    # two chains of two and one of one below an identity, which goes to the front; 9 is the identity
    links, operations = canonical_form((0, 1, 1, 1, 3, 4), (9, 1, 2, 2, 5, 4), 9)
    assert (links, operations) == ((0, 1, 1, 1, 2, 3), (9, 2, 2, 1, 4, 5))
    assert canonical_form((0, 1), (9, 9), 9) == ((0, 1), (9, 9))


def test_there_are_26206_networks_and_canonical_is_idempotent() -> None:
    everything = members(SPACE)
    assert len(everything) == 9 * 9**4 - 9
    canonical = {SPACE.canonical(member) for member in everything}
    assert len(canonical) == 26_206
    assert all(SPACE.is_valid(form) and SPACE.canonical(form) == form for form in canonical)


def test_a_space_of_fewer_operations_has_the_networks_of_these() -> None:
    everything = members(OF_PROTEINS)
    assert len({OF_PROTEINS.canonical(member) for member in everything}) == 2_021
    member = OF_PROTEINS.from_name("0011-identity-arma-identity-gcn")
    assert OF_PROTEINS.to_name(OF_PROTEINS.canonical(member)) == "0122-identity-identity-gcn-arma"


def test_networks_without_an_operation_are_no_members() -> None:
    identity = OPERATIONS.index("identity")
    for macro in range(len(MACROS)):
        nothing = Architecture(NAME, (macro, *[identity] * 4))
        assert not SPACE.is_valid(nothing)
        with pytest.raises(ValueError, match="no member of nasbench_graph"):
            SMALL.network(nothing, SHAPE, seeded(0))


def test_decode_changes_the_identity_that_loses_least() -> None:
    identity_first = [0.0] * 8 + [1.0]
    nearly = [0.0, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.0, 1.0]
    scores = [[0.0] * 8 + [1.0], identity_first, identity_first, nearly, identity_first]
    assert SPACE.to_name(SPACE.decode(scores)) == "0123-identity-identity-cheb-identity"


def test_names_are_trees_and_operations() -> None:
    assert named("0112-gcn-gin-fc-cheb") == Architecture(NAME, (6, 1, 2, 7, 3))
    assert SPACE.to_name(Architecture(NAME, (6, 1, 2, 7, 3))) == "0112-gcn-gin-fc-cheb"
    assert isinstance(SPACE, HasBenchmarkNames)


@pytest.mark.parametrize(
    "name",
    ["", "0112", "0112-gcn-gin-fc", "0021-gcn-gin-fc-gat", "0112-gcn-gin-fc-skip", "0000" + "-identity" * 4],
)
def test_other_texts_are_no_names(name: str) -> None:
    with pytest.raises(ValueError, match="names no network of NAS-Bench-Graph"):
        SPACE.from_name(name)


def test_the_reference_is_two_gcn_layers() -> None:
    assert isinstance(SPACE, HasReference)
    assert SPACE.to_name(SPACE.reference()) == "0123-identity-identity-gcn-gcn"
    assert SPACE.canonical(SPACE.reference()) == SPACE.reference()


def test_there_is_no_supernet_and_the_width_scales() -> None:
    assert not isinstance(SPACE, HasSupernet)
    assert isinstance(SPACE, HasScales)
    assert [SPACE.scaled(width=width).width for width in (0.001, 0.5, 1.0, 1.1)] == [4, 32, 64, 72]
    assert SPACE.scaled(depth=3) == SPACE


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (("gcn", "gat", "identity"), "in the order of gat, gcn"),
        (("gcn", "gcn", "identity"), "give each once"),
        (("gcn", "skip"), "operations are gcn, skip"),
        (("gat", "fc"), "lack gcn, identity"),
    ],
)
def test_operations_are_checked(operations: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(operations=operations)


@pytest.mark.parametrize("width", [0, -4, 6])
def test_a_width_goes_to_the_heads_in_equal_parts(width: int) -> None:
    with pytest.raises(ValueError, match=f"width is {width}; give a positive multiple of 4"):
        build(width=width)


@pytest.mark.parametrize("operation", OPERATIONS[:-1])
@pytest.mark.parametrize(("preprocessing", "postprocessing"), [(False, True), (True, False)])
def test_every_parameter_of_every_operation_learns(operation: str, preprocessing: bool, postprocessing: bool) -> None:
    space = build(width=8, preprocessing=preprocessing, postprocessing=postprocessing)
    network = space.network(named(f"0112-gcn-{operation}-identity-fc"), SHAPE, seeded(0))
    outputs = network(graph())
    assert outputs.shape == (2, 3)
    outputs.square().sum().backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


def test_a_network_by_hand() -> None:
    """An fc of the input, and beside its identity another fc: W relu([relu(bn(f)), g(relu(bn(f)))]) + b."""
    space = build(width=4, postprocessing=False)
    network = space.network(named("0122-identity-fc-fc-identity"), SHAPE, seeded(0)).eval()
    batch = graph()
    first, second, head = (module for module in network.modules() if isinstance(module, nn.Linear))
    hidden = torch.relu(first(batch.x) / (1 + 1e-5) ** 0.5)  # fresh statistics: mean 0, variance 1
    expected: Tensor = head(torch.cat([torch.relu(second(hidden)), hidden], dim=1))[[4, 1]]
    torch.testing.assert_close(network(batch), expected)


def test_equal_trees_are_equal_networks() -> None:
    networks = [
        SMALL.network(named(name), SHAPE, seeded(3)).eval()
        for name in ("0000-fc-gat-identity-gin", "0111-identity-gat-gin-fc")
    ]
    assert torch.equal(networks[0](graph()), networks[1](graph()))


def test_only_nodes_are_classified() -> None:
    network = SMALL.network(SMALL.reference(), SHAPE, seeded(0))
    whole = graph_batch(graph().x, graph().edge_index, torch.tensor([6]))
    with pytest.raises(ValueError, match="give a batch with target_nodes"):
        network(whole)
    with pytest.raises(ValueError, match="takes nodes with features"):
        SMALL.network(SMALL.reference(), TaskShape((3, 8, 8), (4,)), seeded(0))
