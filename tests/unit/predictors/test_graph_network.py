"""The graph network: a layer by hand, what its output does not depend on, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gnn_space.networks.flow_network import FlowNetwork
from gnn_space.predictors.graph_network import GraphNetwork, build
from nas_core.randomness import Streams

Array = NDArray[np.float64]
NUM_VERTICES, NUM_LABELS = 5, 4


def examples(num_examples: int) -> tuple[Array, Array]:
    """Random graphs along an order of the vertices, the cost a sum over labels and edges."""
    generator = np.random.default_rng(0)
    edges = np.triu(generator.integers(0, 2, (num_examples, NUM_VERTICES, NUM_VERTICES)), 1)
    inner = generator.integers(2, NUM_LABELS, (num_examples, NUM_VERTICES - 2))
    labels = np.pad(inner, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    graphs = np.concatenate([edges, np.eye(NUM_LABELS)[labels]], axis=2).astype(np.float64)
    return graphs, (inner == 2).sum(axis=1) + 0.3 * edges.sum(axis=(1, 2))


def network(num_layers: int) -> FlowNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FlowNetwork(NUM_LABELS, 6, num_layers)


def test_a_layer_is_the_mean_of_both_directions() -> None:
    graph = torch.from_numpy(examples(1)[0]).float()
    made = network(1)
    for layer in (made.along[0], made.against[0]):
        torch.nn.init.uniform_(layer.bias, -0.5, 0.5, generator=torch.Generator().manual_seed(1))
    edges, labels = graph[0, :, :NUM_VERTICES], graph[0, :, NUM_VERTICES:]

    def convolved(adjacency: torch.Tensor, layer: torch.nn.Module) -> torch.Tensor:
        looped = adjacency + torch.eye(NUM_VERTICES)
        scale = looped.sum(dim=1).rsqrt()
        return (scale[:, None] * looped * scale) @ labels @ layer.lin.weight.T + layer.bias

    hidden = (convolved(edges.T, made.along[0]).relu() + convolved(edges, made.against[0]).relu()) / 2
    torch.testing.assert_close(made(graph), made.head(hidden.mean(dim=0)))


def test_the_order_of_vertices_and_unused_ones_do_not_matter() -> None:
    graphs = torch.from_numpy(examples(8)[0]).float()
    order = torch.tensor([3, 0, 4, 2, 1])
    edges, labels = graphs[:, :, :NUM_VERTICES], graphs[:, :, NUM_VERTICES:]
    permuted = torch.cat([edges[:, order][:, :, order], labels[:, order]], dim=2)
    widened = torch.cat(
        [torch.nn.functional.pad(edges, (0, 2, 0, 2)), torch.nn.functional.pad(labels, (0, 0, 0, 2))], 2
    )
    made = network(3)
    for layer in (*made.along, *made.against):
        torch.nn.init.ones_(layer.bias)
    torch.testing.assert_close(made(permuted), made(graphs))
    torch.testing.assert_close(made(widened), made(graphs))
    backwards = torch.cat([edges.mT, labels], dim=2)
    assert not torch.allclose(made(backwards), made(graphs))


def test_it_learns_a_sum_and_its_members_differ() -> None:
    graphs, costs = examples(150)
    model = build(Streams(0), num_members=2, num_epochs=30)
    model.fit(graphs[:100], costs[:100])
    mean, deviation = model.predict(graphs[100:])
    assert np.corrcoef(mean, costs[100:])[0, 1] > 0.8
    assert (deviation > 0).all()


def test_a_member_depends_on_its_number_and_not_on_how_many_there_are() -> None:
    graphs, costs = examples(12)
    few, many = (GraphNetwork(Streams(0), number, 2, 8, 2, 5, 0.01, 0.0) for number in (2, 3))
    few.fit(graphs, costs)
    many.fit(graphs, costs)
    members = many.predict_members(graphs)
    np.testing.assert_allclose(few.predict(graphs)[0], members[:2].mean(axis=0))
    np.testing.assert_allclose(few.predict(graphs)[1], np.abs(members[0] - members[1]) / 2**0.5)


def test_a_graph_without_an_edge_has_a_finite_prediction() -> None:
    graphs, costs = examples(12)
    graphs[0, :, :NUM_VERTICES] = 0
    graphs[0, 1:-1] = 0
    model = build(Streams(0), num_members=2, width=8, num_epochs=2)
    model.fit(graphs, costs)
    assert np.isfinite(model.predict(graphs)).all()


@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 5), (3, 2, 5, 9)])
def test_what_is_no_graph_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="give cell graphs"):
        build(Streams(0)).fit(np.zeros(shape), np.zeros(3))
