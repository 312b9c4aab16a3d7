"""The supernet of graph networks: one-hot paths, mixtures by hand, gradients, and learning on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tiny_graphs
import torch
from torch import Tensor

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.networks.mixed_pooling import MixedPooling, Nodes
from gnn_space.networks.selection import Weighted
from gnn_space.networks.vocabulary import BlockNames
from gnn_space.space import GraphSpace, build
from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.variation import sample
from nas_core.weight_sharing.gates import Gates, one_hot
from nas_core.weight_sharing.minibatch_pair import MinibatchPair
from nas_core.weight_sharing.supernet import Mixing
from nas_core.weight_sharing.weight_optimizer import WeightOptimizer, WeightRecipe

CASES = {
    "graph": (build(width=8), tiny_graphs.GRAPHS, tiny_graphs.batch_of_graphs()),
    "node": (
        build(level="node", width=8, poolings=("none", "topk", "asap", "hgpsl")),
        tiny_graphs.NODES,
        tiny_graphs.node_batch(),
    ),
}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uniform(space: GraphSpace) -> tuple[Tensor, ...]:
    return tuple(
        torch.full((len(choice.options),), 1.0 / len(choice.options), requires_grad=True) for choice in space.choices
    )


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[GraphSpace, Any, GraphBatch]:
    """Return a space, its task and a batch."""
    return CASES[request.param]


def test_a_one_hot_supernet_is_the_stand_alone_network_of_any_member(case: tuple[GraphSpace, Any, GraphBatch]) -> None:
    space, task, graphs = case
    supernet = space.supernet(task, seeded(0))
    generator = np.random.default_rng(0)
    for _ in range(60):
        member = sample(space, generator)
        network = space.network(member, task, seeded(1))
        network.load_state_dict(space.inherited_state(supernet.state_dict(), network))
        for train in (True, False):
            outputs = supernet.train(train)(graphs, one_hot(space.choices, member))
            torch.testing.assert_close(outputs, network.train(train)(graphs), msg=member.key)


def test_inherited_weights_are_copies(case: tuple[GraphSpace, Any, GraphBatch]) -> None:
    space, task, _ = case
    supernet = space.supernet(task, seeded(0))
    network = space.network(space.reference(), task, seeded(1))
    state = space.inherited_state(supernet.state_dict(), network)
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    for value in state.values():
        value.zero_()
    assert all(torch.equal(value, before[name]) for name, value in supernet.state_dict().items())


def test_only_active_options_are_run(case: tuple[GraphSpace, Any, GraphBatch]) -> None:
    space, task, graphs = case
    supernet = space.supernet(task, seeded(0))
    run = set()
    for name, module in supernet.named_modules():
        module.register_forward_hook(lambda module, inputs, output, name=name: run.add(name))
    reference = space.reference()
    supernet(graphs, one_hot(space.choices, reference))
    convolutions = [name.split(".") for name in run]
    assert {parts[-1] for parts in convolutions if parts[-2:-1] == ["convolutions"]} == {"gcn"}


def test_a_strength_multiplies_the_gates_of_its_choice(case: tuple[GraphSpace, Any, GraphBatch]) -> None:
    space, task, graphs = case
    supernet = space.supernet(task, seeded(0)).eval()
    options = uniform(space)
    strengths = tuple(torch.tensor(0.5 + 0.1 * place) for place in range(len(options)))
    multiplied = tuple(strength * weights for strength, weights in zip(strengths, options, strict=True))
    torch.testing.assert_close(supernet(graphs, Gates(options, strengths)), supernet(graphs, Gates(multiplied)))


def test_a_gate_that_reaches_nothing_has_a_gradient_of_zero(case: tuple[GraphSpace, Any, GraphBatch]) -> None:
    space, task, graphs = case
    hot = one_hot(space.choices, Architecture(space.name, (0,) * len(space.choices)))
    options = tuple(weights.requires_grad_() for weights in hot.options)
    outputs = space.supernet(task, seeded(0))(graphs, Gates(options, active=hot.active))
    gradients = torch.autograd.grad(outputs.square().sum(), options)
    names = [choice.name for choice in space.choices]
    assert gradients[names.index("conv_3")].abs().sum() == 0
    assert gradients[names.index("conv_1")].abs().sum() > 0


def test_gates_of_the_convolution_mix_what_convolutions_give() -> None:
    space, task, graphs = CASES["node"]
    space = build(
        level="node",
        width=4,
        max_blocks=1,
        convolutions=("gcn", "linear"),
        width_multiples=(1.0, 2.0),
        normalizations=("none",),
        activations=("tanh", "none"),
        connections=("none",),
        poolings=("none",),
        combinations=("last",),
        heads=("linear",),
    )
    supernet = space.supernet(task, seeded(0))
    weights = {"conv_1": [0.3, 0.7], "width_1": [0.2, 0.8], "activation_1": [0.4, 0.6]}
    outputs = supernet(graphs, Gates(tuple(torch.tensor(weights.get(each.name, [1.0])) for each in space.choices)))
    layers = supernet.body.descent.blocks[0].layers
    hidden = []
    for path in ("1", "2"):
        convolutions = layers.paths[path][0].convolutions
        gcn, linear = (convolutions[name](graphs.x, graphs.edge_index, None) for name in ("gcn", "linear"))
        mixture = 0.3 * gcn + 0.7 * linear
        hidden.append(layers.projections[path](0.4 * mixture.tanh() + 0.6 * mixture))
    expected = supernet.body.head.linear(0.2 * hidden[0] + 0.8 * hidden[1])
    torch.testing.assert_close(outputs, expected[graphs.target_nodes])


def test_depths_mix_what_is_combined_of_so_many_blocks() -> None:
    space = build(
        width=4,
        max_blocks=2,
        convolutions=("gcn",),
        width_multiples=(1.0,),
        normalizations=("none",),
        activations=("relu",),
        connections=("none",),
        poolings=("none",),
        readouts=("mean_max",),
        combinations=("sum",),
        heads=("linear",),
    )
    _, task, graphs = CASES["graph"]
    supernet = space.supernet(task, seeded(0))
    gates = Gates((torch.tensor([0.25, 0.75]), *(torch.ones(1) for _ in space.choices[1:])))
    first, second = (supernet.body.head.linear(readout) for readout in _readouts(supernet, graphs))
    bias = supernet.body.head.linear.bias
    torch.testing.assert_close(supernet(graphs, gates), first + 0.75 * (second - bias))


def _readouts(supernet: Any, graphs: GraphBatch) -> list[Tensor]:
    found = []
    for block in supernet.body.descent.blocks:
        convolution = block.layers.paths["1"][0].convolutions["gcn"]
        graphs = replace(graphs, x=convolution(graphs.x, graphs.edge_index, None).relu())
        parts = graphs.x.split(graphs.sizes.tolist())
        found.append(torch.stack([torch.cat([each.amax(dim=0), each.mean(dim=0)]) for each in parts]))
    return found


# a path 0 - 1 - 2 with one feature a node
PATH = graph_batch(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), torch.tensor([3]))
NAMES = BlockNames(1)


def mixed_poolings(weights: dict[str, list[tuple[str, float]]], presence: Tensor | None = None) -> Nodes:
    """Return what poolings of the path give under gates, with a projection of 1."""
    selection = {
        choice: tuple(Weighted(option, torch.tensor(weight)) for option, weight in found)
        for choice, found in weights.items()
    }
    options = {choice: tuple(option for option, _ in found) for choice, found in weights.items()}
    pooling = MixedPooling(NAMES, options, 1)
    for parameter in pooling.parameters():
        torch.nn.init.ones_(parameter)
    return pooling(PATH, presence, selection)


def edges_of(nodes: Nodes) -> dict[tuple[int, int], float]:
    weight = nodes.graphs.edge_weight
    assert weight is not None
    pairs = [tuple(pair) for pair in nodes.graphs.edge_index.T.tolist()]
    assert len(set(pairs)) == len(pairs)
    return dict(zip(pairs, weight.tolist(), strict=True))


def test_a_pooling_and_none_are_mixed_on_all_nodes() -> None:
    nodes = mixed_poolings({NAMES.pooling: [("none", 0.25), ("topk", 0.75)], NAMES.ratio: [("0.5", 1.0)]})
    two, three = np.tanh(2.0), np.tanh(3.0)
    expected = torch.tensor([[0.25], [2 * (0.25 + 0.75 * two)], [3 * (0.25 + 0.75 * three)]])
    torch.testing.assert_close(nodes.graphs.x, expected.float())
    assert nodes.presence is not None
    assert nodes.presence.tolist() == [0.25, 1.0, 1.0]
    assert nodes.kept.tolist() == [0, 1, 2]
    assert edges_of(nodes) == {(0, 1): 0.25, (1, 0): 0.25, (1, 2): 1.0, (2, 1): 1.0}
    assert nodes.graphs.sizes.tolist() == [3]


def test_ratios_are_mixed_on_the_nodes_that_any_of_them_keeps() -> None:
    before = torch.tensor([1.0, 0.5, 1.0])
    ratios = [("0.3", 0.4), ("0.5", 0.6)]
    nodes = mixed_poolings({NAMES.pooling: [("topk", 1.0)], NAMES.ratio: ratios}, before)
    assert nodes.kept.tolist() == [1, 2]
    assert nodes.presence is not None
    torch.testing.assert_close(nodes.presence, torch.tensor([0.3, 1.0]))
    expected = torch.tensor([[0.6 * 2 * np.tanh(2.0)], [3 * np.tanh(3.0)]]).float()
    torch.testing.assert_close(nodes.graphs.x, expected)
    assert edges_of(nodes) == pytest.approx({(0, 1): 0.6, (1, 0): 0.6})


def test_learnt_edges_and_own_edges_are_mixed_pair_by_pair() -> None:
    nodes = mixed_poolings(
        {
            NAMES.pooling: [("none", 0.5), ("hgpsl", 0.5)],
            NAMES.ratio: [("1", 1.0)],
            NAMES.structure: [("none", 0.2), ("softmax_all_pairs", 0.8)],
        }
    )
    assert nodes.presence is not None
    assert nodes.presence.tolist() == pytest.approx([1.0] * 3)
    torch.testing.assert_close(nodes.graphs.x, PATH.x)
    found = edges_of(nodes)
    assert set(found) == {(source, target) for source in range(3) for target in range(3)}
    for target, degree in enumerate((1, 2, 1)):
        learnt = 0.5 * 0.8
        assert sum(found[source, target] for source in range(3)) == pytest.approx(learnt + 0.6 * degree)


@pytest.mark.parametrize("pooling", ["topk", "sag", "asap", "edge", "hgpsl"])
def test_a_mixture_that_is_all_one_pooling_gives_what_that_pooling_gives(pooling: str) -> None:
    space = build(width=8, max_blocks=2, poolings=("none", pooling), ratios=(0.5,), structures=("softmax_all_pairs",))
    _, task, graphs = CASES["graph"]
    supernet = space.supernet(task, seeded(0))
    generator = np.random.default_rng(0)
    places = {choice.name: place for place, choice in enumerate(space.choices)}
    for _ in range(10):
        decisions = list(sample(space, generator).decisions)
        decisions[places["pooling_1"]] = 1
        if decisions[0] == 1:
            decisions[places["pooling_2"]] = 0  # what counts nodes tells a node that is not there from one that is gone
        hot = one_hot(space.choices, Architecture(space.name, tuple(decisions)))
        assert hot.active is not None
        active = list(hot.active)
        active[places["pooling_1"]] = (0, 1)
        for train in (True, False):
            supernet.train(train)
            mixture = supernet(graphs, Gates(hot.options, active=tuple(active)))
            torch.testing.assert_close(mixture, supernet(graphs, hot), rtol=1e-4, atol=1e-5)


def test_a_fraction_of_the_channels_is_refused() -> None:
    space, task, _ = CASES["graph"]
    with pytest.raises(ValueError, match="channel_fraction is 2"):
        space.supernet(task, seeded(0), Mixing(channel_fraction=2))


def test_graphs_are_not_computed_in_half_precision() -> None:
    # a node with more than 256 neighbors would have 256 of them in bfloat16
    _, shape, graphs = CASES["graph"]
    space = build(width=8, poolings=("none", "topk"))
    supernet = space.supernet(shape, seeded(0)).eval()
    task, labels = tiny_graphs.GraphsTask(), torch.zeros(len(graphs), dtype=torch.long)
    optimizer = WeightOptimizer(supernet, WeightRecipe(0.1, 0.0, 0.0, 5.0))
    losses = []
    for autocast in (False, True):
        pair = MinibatchPair(
            supernet, optimizer, task, (graphs, labels), iter([]), epoch=0, progress=0.0, autocast=autocast
        )
        losses.append(pair.training_loss(Gates(uniform(space))))
    assert torch.equal(*losses)


@pytest.mark.parametrize("second_order", [False, True])
def test_darts_learns_and_its_find_is_scored(second_order: bool) -> None:
    space = build(
        width=4,
        max_blocks=2,
        convolutions=("gcn", "gin"),
        width_multiples=(1.0,),
        poolings=("none", "topk", "hgpsl"),
        ratios=(0.5,),
        structures=("sparsemax_all_pairs",),
        normalizations=("none", "batch_norm"),
        activations=("relu",),
    )
    objectives = (Objective("validation_accuracy", "maximize"),)
    strategy = catalog.load("strategy", "darts").build(space, objectives, Streams(0), second_order=second_order)
    module = catalog.load("evaluator", "shared_weights")
    module.check(space, strategy, objectives)
    evaluator = module.build(
        space, objectives, Streams(0), tiny_graphs.GraphsTask, num_steps=2, batch_size=16, num_statistics_batches=1
    )
    evaluator.prepare(strategy)
    (proposal,) = strategy.ask(1)
    (evaluation,) = evaluator.evaluate([proposal])
    assert evaluation.failure is None
    strategy.tell([evaluation])
    assert space.is_valid(strategy.recommend())
