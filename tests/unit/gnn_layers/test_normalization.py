"""What every normalization promises, for each name there is, and torch's and torch-geometric's own as oracles."""

from __future__ import annotations

import copy

import pytest
import torch
from random_graphs import filled, random_graphs
from torch import Tensor, nn
from torch_geometric.nn import GraphNorm, LayerNorm

from gnn_space.normalizations.named import NAMES, normalization
from nas_core.weight_sharing.batch_statistics import path_statistics

CHANNELS = 3
SIZES = [4, 0, 1, 5]

each = pytest.mark.parametrize("name", NAMES)


def made(name: str) -> nn.Module:
    return filled(lambda: normalization(name, CHANNELS))


def some_presence() -> Tensor:
    return torch.tensor([1, 0.3, 0, 0.5, 0, 0, 0.2, 1, 0.4, 0.6], dtype=torch.float64)


def dense_batch_norm(ours: nn.Module) -> nn.BatchNorm1d:
    theirs = nn.BatchNorm1d(CHANNELS).double()
    theirs.load_state_dict(ours.norm.state_dict())
    return theirs


@each
@pytest.mark.parametrize("training", [True, False])
def test_shape_and_type(name: str, training: bool) -> None:
    graphs = random_graphs(SIZES, CHANNELS, 0)
    for dtype in (torch.float32, torch.float64):
        layer = made(name).to(dtype).train(training)
        for presence in (None, some_presence().to(dtype)):
            outputs = layer(graphs.x.to(dtype), graphs.batch, 4, presence)
            assert outputs.shape == graphs.x.shape
            assert outputs.dtype == dtype


@each
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("num_nodes", [0, 1])
def test_hardly_any_nodes(name: str, training: bool, num_nodes: int) -> None:
    layer, graphs = made(name).train(training), random_graphs([num_nodes, 0], CHANNELS, 1)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    for presence in (None, torch.ones(num_nodes, dtype=torch.float64), torch.zeros(num_nodes, dtype=torch.float64)):
        x = graphs.x.clone().requires_grad_()
        outputs = layer(x, graphs.batch, 2, presence)
        outputs.sum().backward()
        assert outputs.isfinite().all()
        assert x.grad is not None
        assert x.grad.isfinite().all()
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())


@each
@pytest.mark.parametrize("training", [True, False])
def test_presence_of_1_is_none(name: str, training: bool) -> None:
    first, graphs = made(name).train(training), random_graphs(SIZES, CHANNELS, 2)
    second = copy.deepcopy(first)
    ones = torch.ones(10, dtype=torch.float64)
    torch.testing.assert_close(first(graphs.x, graphs.batch, 4, ones), second(graphs.x, graphs.batch, 4, None))
    torch.testing.assert_close(first.state_dict(), second.state_dict())


@each
def test_a_node_of_presence_0_is_no_node(name: str) -> None:
    first, graphs, presence = made(name), random_graphs(SIZES, CHANNELS, 3), some_presence()
    second, there = copy.deepcopy(first), presence > 0
    kept = second(graphs.x[there], graphs.batch[there], 4, presence[there])
    torch.testing.assert_close(first(graphs.x, graphs.batch, 4, presence)[there], kept)
    torch.testing.assert_close(first.state_dict(), second.state_dict())


@each
def test_gradients(name: str) -> None:
    layer, graphs = made(name), random_graphs([4, 1], CHANNELS, 4)
    presence = torch.tensor([1, 0.3, 0.7, 0.5, 0.2], dtype=torch.float64, requires_grad=name.startswith(("b", "g")))
    x = graphs.x.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, presence: layer(x, graphs.batch, 2, presence), (x, presence))


def test_batch_norm_by_torch() -> None:
    ours, graphs = made("batch_norm"), random_graphs([4, 5], CHANNELS, 5)
    theirs = dense_batch_norm(ours)
    for presence in (None, torch.ones(9, dtype=torch.float64)):
        torch.testing.assert_close(ours(graphs.x, graphs.batch, 2, presence), theirs(graphs.x))
    torch.testing.assert_close(ours.norm.state_dict(), theirs.state_dict())
    torch.testing.assert_close(ours.eval()(graphs.x, graphs.batch, 2, None), theirs.eval()(graphs.x))


def test_batch_norm_of_whole_presences_is_that_of_the_nodes_that_are_there() -> None:
    ours, graphs = made("batch_norm"), random_graphs(SIZES, CHANNELS, 6)
    theirs = dense_batch_norm(ours)
    presence = (some_presence() > 0).double()
    outputs = ours(graphs.x, graphs.batch, 4, presence)
    torch.testing.assert_close(outputs[presence > 0], theirs(graphs.x[presence > 0]))
    torch.testing.assert_close(ours.norm.state_dict(), theirs.state_dict())


def test_batch_norm_counts_a_node_of_presence_1_in_3_a_third() -> None:
    # presences 1 and 1/3: weights 3/4 and 1/4; of 4 and 0 the mean is 3 and the variance 3
    layer = filled(lambda: normalization("batch_norm", 1))
    with torch.no_grad():
        layer.norm.weight.fill_(1)
        layer.norm.bias.zero_()
    x, presence = torch.tensor([[4.0], [0.0]], dtype=torch.float64), torch.tensor([1, 1 / 3], dtype=torch.float64)
    outputs = layer(x, torch.tensor([0, 0]), 1, presence)
    deviation = (3 + layer.norm.eps) ** 0.5
    torch.testing.assert_close(outputs, torch.tensor([[1.0], [-3.0]], dtype=torch.float64) / deviation)
    torch.testing.assert_close(layer.norm.running_mean.item(), 0.3)
    torch.testing.assert_close(layer.norm.running_var.item(), 0.9 + 0.1 * 3 / (1 - 10 / 16))


def test_batch_norm_under_the_statistics_of_a_path() -> None:
    layer, presence = made("batch_norm"), some_presence()
    batches = [random_graphs(SIZES, CHANNELS, seed) for seed in range(3)]

    def gather() -> None:
        for graphs in batches:
            layer(graphs.x, graphs.batch, 4, presence)

    with path_statistics(layer, gather):
        means = [(presence.unsqueeze(1) * graphs.x).sum(dim=0) / presence.sum() for graphs in batches]
        torch.testing.assert_close(layer.norm.running_mean, torch.stack(means).mean(dim=0))
        assert layer.norm.num_batches_tracked == 3
    assert layer.norm.num_batches_tracked == 0


def test_layer_norm_by_torch_geometric() -> None:
    ours, graphs = made("layer_norm"), random_graphs(SIZES, CHANNELS, 7)
    theirs = LayerNorm(CHANNELS, mode="node").double()
    theirs.load_state_dict(ours.norm.state_dict())
    torch.testing.assert_close(ours(graphs.x, graphs.batch, 4, None), theirs(graphs.x, graphs.batch))


def test_graph_norm_by_torch_geometric() -> None:
    ours, graphs = made("graph_norm"), random_graphs(SIZES, CHANNELS, 8)
    theirs = GraphNorm(CHANNELS).double()
    state = ours.state_dict()
    theirs.load_state_dict({"weight": state["scale"], "bias": state["shift"], "mean_scale": state["mean_scale"]})
    torch.testing.assert_close(ours(graphs.x, graphs.batch, 4, None), theirs(graphs.x, graphs.batch, 4))


def test_no_normalization_changes_nothing() -> None:
    graphs = random_graphs(SIZES, CHANNELS, 9)
    assert made("none")(graphs.x, graphs.batch, 4, None) is graphs.x


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown normalization 'batchnorm'; did you mean 'batch_norm'"):
        normalization("batchnorm", 4)
