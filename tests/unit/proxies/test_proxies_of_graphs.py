"""Scores of networks that take graphs, by hand: what counts as a unit, as a weight, as arithmetic."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.normalizations.named import NAMES, normalization
from nas_core import catalog
from nas_core.proxies import fisher, flops, l2_norm, latency_ms, naswot, num_parameters, snip, synflow
from nas_core.training.precision import forward

# two graphs: a path of two nodes, and a triangle
EDGES = torch.tensor([[0, 1, 2, 3, 3, 4, 4, 2], [1, 0, 3, 2, 4, 3, 2, 4]])
FEATURES = torch.tensor([[1.0], [-2.0], [3.0], [-1.0], [5.0]])
GRAPHS = graph_batch(FEATURES, EDGES, torch.tensor([2, 3]))


class Messages(nn.Module):
    """The sum of the neighbors' features, which torch counts no arithmetic for."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return torch.zeros_like(x).index_add(0, edge_index[1], x[edge_index[0]])

    def uncounted_flops(self, x: Tensor, edge_index: Tensor) -> int:
        return 2 * edge_index.shape[1] * x.shape[1]


class Normalization(nn.Module):
    """A normalization that takes more than features."""

    def forward(self, x: Tensor, batch: Tensor) -> Tensor:
        return (x - x.mean(0)) / (1 + x.var(0))

    def unnormalized(self) -> nn.Module:
        return AsItIs()


class AsItIs(nn.Module):
    """Features as they are."""

    def forward(self, x: Tensor, batch: Tensor) -> Tensor:
        return x


class Adapted(nn.Module):
    """A normalization of the graph space on two graphs."""

    def __init__(self, made: nn.Module) -> None:
        super().__init__()
        self.made = made

    def forward(self, x: Tensor, batch: Tensor) -> Tensor:
        outputs: Tensor = self.made(x, batch, 2, None)
        return outputs


class GraphNetwork(nn.Module):
    """Messages, a ReLU on the nodes, and for graphs their sums, a matrix and another ReLU."""

    def __init__(self, matrix: list[list[float]]) -> None:
        super().__init__()
        self.messages = Messages()
        self.normalization = Normalization()
        self.attention = nn.Parameter(torch.tensor([[2.0]]))
        self.stack_bias = nn.Parameter(torch.tensor([[1.0]]))
        self.of_nodes = nn.ReLU()
        self.head = nn.Linear(1, len(matrix), bias=False)
        self.of_graphs = nn.ReLU()
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor(matrix))

    def forward(self, graphs: GraphBatch) -> Tensor:
        x = self.normalization(self.messages(graphs.x, graphs.edge_index), graphs.batch)
        x = self.of_nodes(self.attention * x + self.stack_bias)
        if graphs.target_nodes is None:
            x = x.new_zeros(graphs.num_graphs, 1).index_add(0, graphs.batch, x)
            return self.of_graphs(self.head(x))
        return self.head(x[graphs.target_nodes])


def targets(graphs: GraphBatch) -> Tensor:
    return torch.zeros(len(graphs), dtype=torch.long)


def test_sums_of_messages_are_arithmetic_too() -> None:
    network = GraphNetwork([[1.0], [1.0]])
    # the first graph has 2 edges, and 1 x 2 products of the head
    measured = flops.score(network, GRAPHS, targets(GRAPHS), nn.functional.cross_entropy)
    assert measured == 2 * 2 + 2 * 2
    assert not network.messages._forward_pre_hooks
    assert num_parameters.score(network, GRAPHS, targets(GRAPHS), nn.functional.cross_entropy) == 4
    assert latency_ms.score(network, GRAPHS, targets(GRAPHS), nn.functional.cross_entropy) > 0


def test_synaptic_flow_on_a_graph_by_hand() -> None:
    # ones on the path of two nodes: each gets the message 1, times 2, plus 1, is 3; their sum 6 times 1 + 3 is R = 24
    network = GraphNetwork([[-1.0], [3.0]])
    # the head carries 24, the attention all but the 2 * 4 of the bias, which is no weight
    assert synflow.score(network, GRAPHS, targets(GRAPHS), nn.functional.cross_entropy) == pytest.approx(24 + 16)


class FirstNodes:
    """What a pooling returns: some of the nodes."""

    def __init__(self, x: Tensor, kept: Tensor) -> None:
        self.x = x[kept]
        self.kept = kept

    def kept_rows(self, values: Tensor) -> Tensor:
        return values[self.kept]


class Pooling(nn.Module):
    """Keeps given nodes."""

    def __init__(self, kept: Tensor) -> None:
        super().__init__()
        self.kept = kept

    def forward(self, x: Tensor) -> FirstNodes:
        return FirstNodes(x, self.kept)


class Switches(nn.Module):
    """A ReLU on all nodes, one on those that poolings leave, and their sum."""

    def __init__(self, *kept: list[int]) -> None:
        super().__init__()
        self.poolings = nn.ModuleList(Pooling(torch.tensor(each)) for each in kept)
        self.before, self.after = nn.ReLU(), nn.ReLU()

    def forward(self, graphs: GraphBatch) -> Tensor:
        x = graphs.x
        outputs = self.before(x).sum()
        for pooling in self.poolings:
            x = pooling(x).x
        return outputs + self.after(-x).sum()


def switches(network: nn.Module, graphs: GraphBatch) -> float:
    return naswot.score(network, graphs, targets(graphs), nn.functional.cross_entropy)


def test_switches_of_graphs_agree_by_the_mean_over_pairs_of_their_nodes() -> None:
    graphs = replace(GRAPHS, x=torch.tensor([[0.0], [0.0], [3.0], [3.0], [-3.0]]))
    network = GraphNetwork([[1.0], [-1.0], [1.0]])
    network.normalization = AsItIs()
    with torch.no_grad():
        network.stack_bias.fill_(-1.0)
        network.attention.fill_(1.0)
    # nodes of the path: 0 - 1, all off; of the triangle: two have 3 - 3 - 1, one has 6 - 1, so a third is on.
    # Pairs of nodes agree in 1 (path), 2 / 3 (between the graphs) and 1 / 9 + 4 / 9 (triangle) of the one unit; behind
    # the readout 3 units are positive for one graph, negative for the other, or never on: one agrees
    expected = torch.tensor([[1 + 3, 2 / 3 + 1], [2 / 3 + 1, 5 / 9 + 3]], dtype=torch.float64)
    assert switches(network, graphs) == pytest.approx(math.log((expected + torch.eye(2)).det()))


def test_switches_of_nodes_are_those_of_the_nodes_asked_for() -> None:
    nodes = replace(GRAPHS, target_nodes=torch.tensor([0, 2]))
    network = GraphNetwork([[1.0]])
    network.normalization = AsItIs()
    # messages: node 0 gets -2, off; node 2 gets -1 + 5, on: K is the identity
    assert switches(network, nodes) == pytest.approx(2 * math.log(2))


def test_a_graph_has_the_switches_of_the_nodes_that_poolings_left() -> None:
    # on before: 1 of 2, 2 of 3; after two poolings node 0 is left of the one, 3 and 4 of the other: on 0 of 1, 1 of 2
    network = Switches([0, 1, 3, 4], [0, 2, 3])
    before = torch.tensor([[1 / 2, 1 / 2], [1 / 2, 5 / 9]])
    after = torch.tensor([[1, 1 / 2], [1 / 2, 1 / 2]])
    expected = torch.eye(2) + before + after
    assert switches(network, GRAPHS) == pytest.approx(math.log(expected.det()), rel=1e-5)


def test_a_node_that_is_gone_agrees_with_none() -> None:
    # nodes 0 and 1 are asked for, with features 1 and -2; node 0 alone is left, and -1 is off
    nodes = replace(GRAPHS, target_nodes=torch.tensor([0, 1]))
    before, after = torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    expected = torch.eye(2) + before + after
    assert switches(Switches([0, 3, 4]), nodes) == pytest.approx(math.log(expected.det()), rel=1e-5)


def test_a_network_of_graphs_without_relus_scores_0() -> None:
    network = GraphNetwork([[1.0]])
    network.of_graphs = network.of_nodes = nn.Identity()
    assert switches(network, GRAPHS) == 0.0


class OfEdges(nn.Module):
    """A ReLU on the edges."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, graphs: GraphBatch) -> Tensor:
        outputs: Tensor = self.relu(graphs.x[graphs.edge_index[0]]).sum()
        return outputs


def test_relus_on_edges_alone_say_nothing_of_graphs() -> None:
    with pytest.raises(ValueError, match="none of the 1 ReLUs has rows that are known to be of the 2 examples"):
        switches(OfEdges(), GRAPHS)


def test_a_network_of_graphs_runs_as_it_is() -> None:
    network = GraphNetwork([[1.0], [-1.0]])
    torch.testing.assert_close(forward(network, GRAPHS, GRAPHS.device), network(GRAPHS))


@pytest.mark.parametrize("name", NAMES)
def test_normalizations_of_graphs_drop_out_of_the_flow(name: str) -> None:
    network = GraphNetwork([[-1.0], [3.0]])
    made = normalization(name, 1)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(7.0)
    network.normalization = Adapted(made)
    assert synflow.score(network, GRAPHS, targets(GRAPHS), nn.functional.cross_entropy) == pytest.approx(24 + 16)


def test_weights_of_graph_networks_are_matrices_and_attention_vectors() -> None:
    network = GraphNetwork([[3.0], [-4.0]])
    assert l2_norm.score(network, GRAPHS, targets(GRAPHS), nn.functional.cross_entropy) == pytest.approx(2 + 5)
    network.normalization = AsItIs()
    # messages of the path are -2 and 1, of the triangle 4, 8 and 2; times 2, plus 1, those above 0 are 3 and 9, 17, 5.
    # Their sums 3 and 31 are graphs' rows of the head: 9 and 93, and -12 and -124, which are off. The loss is the sum,
    # of derivative 34 by the 3 and 3 * (1 + 4 + 8 + 2) by the 2.
    found = snip.score(network, GRAPHS, targets(GRAPHS), lambda outputs, _: outputs.sum())
    assert found == pytest.approx(3 * 34 + 2 * 45)
    # the head's activations that are on, of derivative 1: half of the mean of 9^2 and 93^2
    found = fisher.score(network, GRAPHS, targets(GRAPHS), lambda outputs, _: outputs.sum())
    assert found == pytest.approx((81 + 93**2) / 4)


@pytest.mark.parametrize("name", ["jacob_cov", "epe_nas", "zen", "linear_regions"])
def test_scores_of_images_are_none_of_graphs(name: str) -> None:
    with pytest.raises(ValueError, match=r"inputs .*of type GraphBatch.*; use a score"):
        catalog.load("proxy", name).score(
            GraphNetwork([[1.0], [2.0]]), GRAPHS, targets(GRAPHS), nn.functional.cross_entropy
        )
