"""What every readout promises, for each name there is, and torch-geometric's own where all nodes are there."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import filled, permutation_within_graphs, random_graphs, renumbered, separate
from torch import Tensor, nn
from torch_geometric.nn import AttentionalAggregation, Set2Set

from gnn_space.graph_batch import GraphBatch
from gnn_space.readouts.named import NAMES, readout, readout_channels

CHANNELS = 3
SIZES = [4, 0, 1, 5]

each = pytest.mark.parametrize("name", NAMES)


def made(name: str) -> nn.Module:
    return filled(lambda: readout(name, CHANNELS))


def run(layer: nn.Module, graphs: GraphBatch, presence: Tensor | None = None) -> Tensor:
    x = graphs.x if presence is None else graphs.x * presence.unsqueeze(1)
    outputs: Tensor = layer(x, graphs.batch, graphs.num_graphs, presence)
    return outputs


@each
def test_shape_type_and_zeros_for_empty_graphs(name: str) -> None:
    graphs = random_graphs(SIZES, CHANNELS, 0)
    for dtype in (torch.float32, torch.float64):
        outputs = made(name).to(dtype)(graphs.x.to(dtype), graphs.batch, 4, None)
        assert outputs.shape == (4, readout_channels(name, CHANNELS))
        assert outputs.dtype == dtype
        assert outputs[1].tolist() == [0.0] * readout_channels(name, CHANNELS)
        assert (outputs[0] != 0).any()


@each
@given(sizes=st.lists(st.integers(0, 5), min_size=1, max_size=3), seed=st.integers(0, 2**16))
@settings(max_examples=10, deadline=None)
def test_invariance_under_permutations(name: str, sizes: list[int], seed: int) -> None:
    layer, graphs = made(name), random_graphs(sizes, CHANNELS, seed)
    numbers = permutation_within_graphs(sizes, seed)
    torch.testing.assert_close(run(layer, renumbered(graphs, numbers)), run(layer, graphs))


@each
def test_a_batch_is_its_graphs(name: str) -> None:
    layer, graphs = made(name), random_graphs(SIZES, CHANNELS, 2)
    torch.testing.assert_close(run(layer, graphs), torch.cat([run(layer, graph) for graph in separate(graphs)]))


@each
def test_presence_of_1_is_none(name: str) -> None:
    layer, graphs = made(name), random_graphs(SIZES, CHANNELS, 3)
    torch.testing.assert_close(run(layer, graphs, torch.ones(10, dtype=torch.float64)), run(layer, graphs))


@each
def test_a_node_of_presence_0_is_no_node(name: str) -> None:
    layer, graphs = made(name), random_graphs([4, 2, 1, 5], CHANNELS, 4)
    presence = torch.tensor([1, 0.3, 0, 0.5, 0, 0, 0.2, 1, 0, 0, 0.1, 0.9], dtype=torch.float64)
    there = presence > 0
    kept = layer(graphs.x[there] * presence[there].unsqueeze(1), graphs.batch[there], 4, presence[there])
    torch.testing.assert_close(run(layer, graphs, presence), kept)
    assert kept[1].count_nonzero() == 0


@each
def test_gradients(name: str) -> None:
    layer, graphs = made(name), random_graphs([3, 0, 2], CHANNELS, 5)
    presence = torch.tensor([1, 0.3, 0.7, 0.5, 0.2], dtype=torch.float64, requires_grad=True)
    x = graphs.x.clone().requires_grad_()

    def outputs(x: Tensor, presence: Tensor) -> Tensor:
        result: Tensor = layer(x * presence.unsqueeze(1), graphs.batch, 3, presence)
        return result

    assert torch.autograd.gradcheck(outputs, (x, presence))


@each
def test_gradients_are_finite_where_nothing_is_there(name: str) -> None:
    layer, graphs = made(name), random_graphs([3], CHANNELS, 5)
    presence = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    x = graphs.x.clone().requires_grad_()
    layer(x * presence.unsqueeze(1), graphs.batch, 1, presence).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@each
@pytest.mark.parametrize("num_graphs", [0, 2])
def test_batches_without_nodes(name: str, num_graphs: int) -> None:
    graphs = random_graphs([0] * num_graphs, CHANNELS, 6)
    assert run(made(name), graphs).tolist() == [[0.0] * readout_channels(name, CHANNELS)] * num_graphs


def test_values_by_hand() -> None:
    x = torch.tensor([[1.0, -2.0], [3.0, -4.0], [5.0, 6.0]])
    batch, presence = torch.tensor([0, 0, 1]), torch.tensor([0.75, 0.25, 1.0])
    assert readout("mean", 2)(x, batch, 2, None).tolist() == [[2.0, -3.0], [5.0, 6.0]]
    assert readout("mean", 2)(x * presence.unsqueeze(1), batch, 2, presence)[0].tolist() == [1.5, -2.5]
    assert readout("max", 2)(x, batch, 2, None).tolist() == [[3.0, -2.0], [5.0, 6.0]]
    assert readout("sum", 2)(x, batch, 2, None).tolist() == [[4.0, -6.0], [5.0, 6.0]]
    assert readout("mean_max", 2)(x, batch, 2, None)[0].tolist() == [3.0, -2.0, 2.0, -3.0]
    assert readout("mean_max_sum", 2)(x, batch, 2, None)[0].tolist() == [3.0, -2.0, 2.0, -3.0, 4.0, -6.0]


def test_attention_by_torch_geometric() -> None:
    ours, graphs = made("attention"), random_graphs(SIZES, CHANNELS, 7)
    theirs = AttentionalAggregation(ours.gate)
    torch.testing.assert_close(run(ours, graphs), theirs(graphs.x, graphs.batch, dim_size=4))


def test_set2set_by_torch_geometric() -> None:
    ours, theirs = made("set2set"), Set2Set(CHANNELS, processing_steps=3).double()
    theirs.lstm.load_state_dict({f"{name}_l0": value for name, value in ours.memory.state_dict().items()})
    graphs = random_graphs([4, 1, 5], CHANNELS, 8)
    torch.testing.assert_close(run(ours, graphs), theirs(graphs.x, graphs.batch, dim_size=3))


def test_arithmetic_that_torch_does_not_count() -> None:
    graphs = random_graphs([5], CHANNELS, 9)
    inputs = graphs.x, graphs.batch, 1, None
    assert made("attention").uncounted_flops(*inputs) == 2 * 5 * CHANNELS
    assert made("set2set").uncounted_flops(*inputs) == 3 * 4 * 5 * CHANNELS


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown readout 'median'; did you mean 'mean'"):
        readout("median", 4)
