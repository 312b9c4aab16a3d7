"""Stand-alone graph networks: shapes, symmetries, edge cases, sizes, and what their poolings show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.networks.stand_alone import StandAlone
from gnn_space.space import GraphSpace, build
from nas_core.architecture import Architecture
from nas_core.networks.pooling import HasPoolingExamples
from nas_core.proxies import naswot
from nas_core.task import TaskShape
from nas_core.variation import sample

TASK = TaskShape(inputs=(3,), outputs=(2,))
SIZES = [10, 8, 13]
NODE_POOLINGS = ("none", "topk", "sag", "asap", "hgpsl")
POOLINGS = (*NODE_POOLINGS, "edge")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_graphs(sizes: list[int], seed: int = 0) -> GraphBatch:
    """Return a ring with random chords of each size; of one or two nodes a path."""
    generator = seeded(seed)
    edges, start = [], 0
    for size in sizes:
        there = torch.rand(size, size, generator=generator) < 0.1
        ring = torch.arange(size)
        there[ring, (ring + 1) % max(1, size)] = True
        there = (there | there.T).fill_diagonal_(False)
        edges.append(there.nonzero().T + start)
        start += size
    x = torch.randn(start, *TASK.inputs, generator=generator, dtype=torch.float64)
    return graph_batch(x, torch.cat(edges, dim=1), torch.tensor(sizes))


def part(graphs: GraphBatch, graph: int) -> GraphBatch:
    """Return one graph of a batch."""
    size = int(graphs.sizes[graph])
    start = int(graphs.sizes[:graph].sum())
    edges = graphs.edge_index[:, graphs.batch[graphs.edge_index[0]] == graph] - start
    return graph_batch(graphs.x[start : start + size], edges, torch.tensor([size]))


def renumbered(graphs: GraphBatch) -> tuple[GraphBatch, Tensor]:
    """Return the same graphs with their nodes in another order, and the new number of each node."""
    starts = graphs.sizes.cumsum(0) - graphs.sizes
    numbers = torch.cat(
        [
            start + torch.randperm(size, generator=seeded(size))
            for start, size in zip(starts.tolist(), graphs.sizes.tolist(), strict=True)
        ]
    )
    x = torch.empty_like(graphs.x)
    x[numbers] = graphs.x
    return graph_batch(x, numbers[graphs.edge_index], graphs.sizes), numbers


def pooled_twice(space: GraphSpace, pooling: str, **others: str) -> Architecture:
    """Return a member of two blocks with the pooling in each, with activations that tell all nodes apart."""
    wanted = {"num_blocks": "2", "structure_1": "sparsemax_all_pairs", **others}
    for block in (1, 2):
        wanted |= {f"activation_{block}": "tanh", f"normalization_{block}": "layer_norm", f"pooling_{block}": pooling}
    decisions = tuple(
        choice.options.index(wanted[choice.name]) if wanted.get(choice.name) in choice.options else 0
        for choice in space.choices
    )
    return space.decode(
        [
            [float(option == decision) for option in range(len(choice.options))]
            for choice, decision in zip(space.choices, decisions, strict=True)
        ]
    )


def network(space: GraphSpace, architecture: Architecture, seed: int = 0) -> StandAlone:
    return space.network(architecture, TASK, seeded(seed)).double()


@pytest.mark.parametrize("num_targets", [None, 5])
def test_nodes_that_are_asked_for_get_logits(num_targets: int | None) -> None:
    space = build(level="node", width=8, max_blocks=2)
    targets = None if num_targets is None else torch.arange(num_targets)
    graphs = replace(random_graphs(SIZES), target_nodes=targets)
    outputs = network(space, pooled_twice(space, "topk"))(graphs)
    assert outputs.shape == (num_targets or sum(SIZES), 2)
    every = network(space, pooled_twice(space, "topk"))(replace(graphs, target_nodes=None))
    torch.testing.assert_close(outputs, every[: len(outputs)])


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("connection", ["none", "skip", "dense"])
def test_the_order_of_the_nodes_does_not_matter_to_graphs(pooling: str, connection: str) -> None:
    space = build(width=8, max_blocks=2)
    made = network(space, pooled_twice(space, pooling, combination="jk_lstm", connection_2=connection)).eval()
    graphs = random_graphs(SIZES)
    other, _ = renumbered(graphs)
    torch.testing.assert_close(made(other), made(graphs))


@pytest.mark.parametrize("combination", ["last", "sum", "concatenation", "jk_max", "jk_lstm"])
@pytest.mark.parametrize("pooling", NODE_POOLINGS)
def test_outputs_of_nodes_follow_their_order(pooling: str, combination: str) -> None:
    space = build(level="node", width=8, max_blocks=2, poolings=NODE_POOLINGS)
    made = network(space, pooled_twice(space, pooling, combination=combination)).eval()
    graphs = random_graphs(SIZES)
    other, numbers = renumbered(graphs)
    torch.testing.assert_close(made(other)[numbers], made(graphs))


@pytest.mark.parametrize(
    ("level", "pooling"), [("graph", name) for name in POOLINGS] + [("node", name) for name in NODE_POOLINGS]
)
def test_a_batch_gives_what_its_graphs_give_one_by_one(level: Any, pooling: str) -> None:
    space = build(level=level, width=8, max_blocks=2, poolings=POOLINGS if level == "graph" else NODE_POOLINGS)
    made = network(space, pooled_twice(space, pooling, combination="concatenation")).eval()
    graphs = random_graphs(SIZES)
    apart = torch.cat([made(part(graphs, graph)) for graph in range(len(SIZES))])
    torch.testing.assert_close(made(graphs), apart)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(0, 3), min_size=1, max_size=3), with_edges=st.booleans())
def test_every_member_learns_from_graphs_at_the_edge_of_being_graphs(
    seed: int, sizes: list[int], with_edges: bool
) -> None:
    graphs = random_graphs(sizes, seed)
    if not with_edges:
        graphs = replace(graphs, edge_index=graphs.edge_index[:, :0])
    for space in (DEFAULT, DEFAULT_OF_NODES):
        made = network(space, sample(space, np.random.default_rng(seed)), seed)
        for train in (True, False):
            outputs = made.train(train)(graphs)
            assert outputs.shape == (len(sizes) if space is DEFAULT else sum(sizes), 2)
            assert outputs.isfinite().all()
        outputs.square().sum().backward()
        assert all(each.grad is None or each.grad.isfinite().all() for each in made.parameters())


DEFAULT = build(width=8)
DEFAULT_OF_NODES = build(level="node", width=8)


def test_the_published_network_has_the_parameters_that_it_should() -> None:
    features, classes, width = 7, 3, 128
    space = build(width=width)
    made = space.network(space.reference(), TaskShape((features,), (classes,)), seeded(0))
    convolutions = features * width + width + 2 * (width * width + width)
    attention = 2 * (2 * width)
    head = 2 * width * width + width + width * 64 + 64 + 64 * classes + classes
    assert sum(each.numel() for each in made.parameters()) == convolutions + attention + head


def test_the_last_linear_layer_is_the_classifier() -> None:
    for space in (DEFAULT, DEFAULT_OF_NODES):
        generator = np.random.default_rng(0)
        for _ in range(20):
            made = network(space, sample(space, generator))
            *_, last = (module for module in made.modules() if isinstance(module, nn.Linear))
            assert last.out_features == 2


@pytest.mark.parametrize("level", ["graph", "node"])
def test_every_member_has_a_score_by_its_switches(level: Any) -> None:
    space = build(level=level, width=8, poolings=POOLINGS if level == "graph" else NODE_POOLINGS)
    generator = np.random.default_rng(0)
    graphs = random_graphs(SIZES)
    inputs = graphs if level == "graph" else replace(graphs, target_nodes=torch.arange(4, 9))
    labels = torch.zeros(len(inputs), dtype=torch.long)
    for _ in range(25):
        made = network(space, sample(space, generator))
        value = naswot.score(made, inputs, labels, nn.functional.cross_entropy)
        has_relus = any(isinstance(module, nn.ReLU) for module in made.modules())
        assert 0 <= value < 1e3
        assert (value > 0) == has_relus


def test_no_parameter_is_without_a_use() -> None:
    generator = np.random.default_rng(1)
    graphs = random_graphs([9, 8, 9, 7], seed=3)
    for _ in range(40):
        architecture = sample(DEFAULT, generator)
        made = network(DEFAULT, architecture).train()
        made(graphs).square().sum().backward()
        idle = {name for name, each in made.named_parameters() if each.grad is None}
        assert all("pooling" in name for name in idle), (architecture, idle)


def test_skip_and_dense_connections_are_what_they_are_called() -> None:
    space = build(width=4, max_blocks=2, convolutions=("linear", "identity"), activations=("none",), level="node")
    graphs = random_graphs([5])
    for connection in ("skip", "dense"):
        names = {"num_blocks": "2", "conv_2": "identity", "connection_2": connection}
        decisions = [choice.options.index(names.get(choice.name, choice.options[0])) for choice in space.choices]
        made = network(space, Architecture(space.name, tuple(decisions)))
        first, second = made.body.descent.blocks
        hidden = first.layers(graphs, None, made.selection)
        twice = torch.cat([hidden, hidden], dim=1)
        expected = 2 * hidden if connection == "skip" else second.connection.dense(twice)
        torch.testing.assert_close(made(graphs), made.body.head.linear(expected))


def test_unpooling_puts_nodes_back_and_adds_what_was_there() -> None:
    space = build(level="node", width=4, max_blocks=1, convolutions=("linear",), activations=("none",))
    names = {"pooling_1": "topk", "ratio_1": "0.5"}
    decisions = [choice.options.index(names.get(choice.name, choice.options[0])) for choice in space.choices]
    made = network(space, Architecture(space.name, tuple(decisions)))
    graphs = random_graphs([4])
    before = made.body.descent.blocks[0].layers(graphs, None, made.selection)
    pooled = made.body.descent.blocks[0].pooling.poolings["topk-0_5"](replace(graphs, x=before))
    assert len(pooled.kept) == 2
    back = before.clone()
    back[pooled.kept] += pooled.graphs.x
    ascent = made.body.views.ascents["1"]
    expected = made.body.head.linear(ascent.convolution(back, graphs.edge_index, None).relu())
    torch.testing.assert_close(made(graphs), expected)


def test_poolings_show_which_nodes_they_kept() -> None:
    graphs = random_graphs(SIZES)
    made = network(DEFAULT, pooled_twice(DEFAULT, "hgpsl", ratio_1="0.5", ratio_2="0.5")).eval()
    assert isinstance(made, HasPoolingExamples)
    examples = made.pooling_examples(graphs, 2)
    assert [example["num_nodes"] for example in examples] == SIZES[:2]
    for graph, example in enumerate(examples):
        own = part(graphs, graph)
        assert example["edges"] == sorted([i, j] for i, j in own.edge_index.T.tolist() if i < j)
        first, second = example["levels"]
        assert [(level["block"], level["pooling"]) for level in (first, second)] == [(1, "hgpsl"), (2, "hgpsl")]
        assert len(first["kept"]) == (SIZES[graph] + 1) // 2
        assert set(second["kept"]) < set(first["kept"]) < set(range(SIZES[graph]))
        into = {node: 0.0 for node in first["kept"]}
        for source, target, weight in first["edges"]:
            assert source in into
            into[target] += weight
        assert list(into.values()) == pytest.approx([1.0] * len(into))
        alone = made.pooling_examples(own, 1)[0]
        assert [level["kept"] for level in alone["levels"]] == [level["kept"] for level in example["levels"]]


def test_a_network_without_pooling_shows_no_levels() -> None:
    made = network(DEFAULT, pooled_twice(DEFAULT, "none"))
    assert all(example["levels"] == [] for example in made.pooling_examples(random_graphs(SIZES), 9))


def test_images_are_refused() -> None:
    with pytest.raises(ValueError, match="give inputs"):
        DEFAULT.network(DEFAULT.reference(), TaskShape((3, 8, 8), (2,)), seeded(0))


def test_a_stranger_is_refused() -> None:
    with pytest.raises(ValueError, match="no member"):
        DEFAULT.network(Architecture("graph_networks", (99,) * len(DEFAULT.choices)), TASK, seeded(0))
