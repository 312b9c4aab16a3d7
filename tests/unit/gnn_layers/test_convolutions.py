"""What every convolution promises, for each name there is."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import filled, permutation_within_graphs, random_graphs, renumbered, separate
from torch import nn

from gnn_space.convolutions.named import NAMES, convolution
from gnn_space.graph_batch import GraphBatch

CHANNELS = 4
WITHOUT_EDGES = ("linear", "identity")
SIZES = [4, 0, 1, 5]

each = pytest.mark.parametrize("name", NAMES)


def made(name: str, out_channels: int = CHANNELS) -> nn.Module:
    return filled(lambda: convolution(name, CHANNELS, out_channels))


def run(layer: nn.Module, graphs: GraphBatch) -> torch.Tensor:
    outputs: torch.Tensor = layer(graphs.x, graphs.edge_index, graphs.edge_weight)
    return outputs


@each
def test_shape_and_type(name: str) -> None:
    out_channels = CHANNELS if name == "identity" else 8
    graphs = random_graphs(SIZES, CHANNELS, 0)
    for dtype in (torch.float32, torch.float64):
        layer = made(name, out_channels).to(dtype)
        assert graphs.edge_weight is not None
        outputs = layer(graphs.x.to(dtype), graphs.edge_index, graphs.edge_weight.to(dtype))
        assert outputs.shape == (10, out_channels)
        assert outputs.dtype == dtype
        assert layer(graphs.x.to(dtype), graphs.edge_index, None).dtype == dtype


@each
def test_no_weights_are_weights_of_1(name: str) -> None:
    layer, graphs = made(name), random_graphs(SIZES, CHANNELS, 1, weighted=False, loops=True)
    ones = torch.ones(graphs.edge_index.shape[1], dtype=torch.float64)
    torch.testing.assert_close(layer(graphs.x, graphs.edge_index, ones), run(layer, graphs))


@each
@given(
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    seed=st.integers(0, 2**16),
    directed=st.booleans(),
    loops=st.booleans(),
)
@settings(max_examples=10, deadline=None)
def test_equivariance_under_permutations(name: str, sizes: list[int], seed: int, directed: bool, loops: bool) -> None:
    layer, graphs = made(name), random_graphs(sizes, CHANNELS, seed, directed=directed, loops=loops)
    numbers = permutation_within_graphs(sizes, seed)
    torch.testing.assert_close(run(layer, renumbered(graphs, numbers))[numbers], run(layer, graphs))


@each
def test_a_batch_is_its_graphs(name: str) -> None:
    layer, graphs = made(name), random_graphs(SIZES, CHANNELS, 2, loops=True)
    alone = torch.cat([run(layer, graph) for graph in separate(graphs)])
    torch.testing.assert_close(run(layer, graphs), alone)


@each
def test_an_edge_of_weight_0_is_no_edge(name: str) -> None:
    layer, graphs = made(name), random_graphs([6], CHANNELS, 3, directed=True, loops=True)
    assert graphs.edge_weight is not None
    gone = torch.arange(graphs.edge_index.shape[1]) % 3 == 0
    # all edges of node 0 go, so that it is left alone
    gone |= (graphs.edge_index == 0).any(dim=0)
    weight = graphs.edge_weight.masked_fill(gone, 0)
    without = layer(graphs.x, graphs.edge_index[:, ~gone], weight[~gone])
    torch.testing.assert_close(layer(graphs.x, graphs.edge_index, weight), without)


@each
def test_an_edge_fades_in_continuously(name: str) -> None:
    layer, graphs = made(name), random_graphs([6], CHANNELS, 3)
    assert graphs.edge_weight is not None
    faint, gone = graphs.edge_weight.clone(), graphs.edge_weight.clone()
    faint[0], gone[0] = 1e-10, 0
    outputs = [layer(graphs.x, graphs.edge_index, weight) for weight in (faint, gone)]
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-7)


@each
def test_gradients_reach_the_weights_of_the_edges(name: str) -> None:
    layer, graphs = made(name), random_graphs([5], CHANNELS, 4, directed=True, loops=True)
    assert graphs.edge_weight is not None
    x, weight = graphs.x.clone().requires_grad_(), graphs.edge_weight.clone().requires_grad_()
    if name in WITHOUT_EDGES:
        assert torch.autograd.grad(run(layer, graphs).sum() + x.sum(), weight, allow_unused=True) == (None,)
        return
    assert torch.autograd.gradcheck(lambda x, weight: layer(x, graphs.edge_index, weight), (x, weight))
    (gradient,) = torch.autograd.grad(layer(x, graphs.edge_index, weight).square().sum(), weight)
    assert gradient.count_nonzero() > 0


@each
def test_gradients_are_finite_where_all_edges_of_a_node_weigh_0(name: str) -> None:
    layer, graphs = made(name), random_graphs([4], CHANNELS, 5)
    assert graphs.edge_weight is not None
    weight = (graphs.edge_weight * (graphs.edge_index != 0).all(dim=0)).requires_grad_()
    outputs = layer(graphs.x, graphs.edge_index, weight) + 0 * weight.sum()
    outputs.square().sum().backward()
    assert weight.grad is not None
    assert weight.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters() if parameter.grad is not None)


@each
@pytest.mark.parametrize("num_nodes", [0, 1, 3])
def test_graphs_without_edges(name: str, num_nodes: int) -> None:
    layer, graphs = made(name), random_graphs([num_nodes], CHANNELS, 6)
    bare = GraphBatch(graphs.x, graphs.edge_index[:, :0], graphs.sizes, graphs.batch)
    outputs = run(layer, bare)
    assert outputs.shape == (num_nodes, CHANNELS)
    assert outputs.isfinite().all()


@each
def test_every_parameter_is_used(name: str) -> None:
    layer, graphs = made(name), random_graphs([5], CHANNELS, 7)
    if name == "identity":
        assert list(layer.parameters()) == []
        return
    run(layer, graphs).square().sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


@each
def test_arithmetic_that_torch_does_not_count(name: str) -> None:
    graphs = random_graphs([5], CHANNELS, 7)
    num_nodes, num_edges = 5, graphs.edge_index.shape[1]
    layer = made(name)
    if name in WITHOUT_EDGES:
        assert not hasattr(layer, "uncounted_flops")
        return
    messages, loops = 2 * num_edges * CHANNELS, 2 * num_nodes * CHANNELS
    expected = {
        "gcn": messages + loops,
        "gat_1": messages + 3 * loops,
        "gat_4": messages + 3 * loops,
        "gatv2_4": 2 * (messages + loops),
        "gin": messages + loops,
        "cheb_3": 2 * messages,
        "polynomial_3": 3 * messages,
        "arma": 4 * messages,
        "transformer_4": 2 * messages,
    }.get(name, messages)
    assert layer.uncounted_flops(graphs.x, graphs.edge_index, graphs.edge_weight) == expected


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"unknown convolution 'gat'; did you mean 'gat_[14]'") as error:
        convolution("gat", 4, 4)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["gat_4", "gatv2_4", "transformer_4"])
def test_heads_must_divide_the_channels(name: str) -> None:
    with pytest.raises(ValueError, match="out_channels is 6, and there are 4 heads; give a multiple of 4"):
        convolution(name, 4, 6)


def test_the_identity_keeps_its_channels() -> None:
    with pytest.raises(ValueError, match="cannot make 5 channels of 4"):
        convolution("identity", 4, 5)


@pytest.mark.parametrize("module", ["convolutions.named", "readouts.named", "pooling.named", "normalizations.named"])
def test_names_are_known_without_torch(module: str) -> None:
    program = f"import sys, gnn_space.{module} as named; assert named.NAMES; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
