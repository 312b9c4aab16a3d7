"""What the HGP-SL operator may not do: be dense over the batch, or go through its graphs one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.pooling.hgpsl import HGPSLPooling, Structure

CHANNELS = 8
SIZE = 12


class Recorder(TorchDispatchMode):
    """Counts operations, and keeps how many numbers the largest result has, gradients included."""

    def __init__(self) -> None:
        super().__init__()
        self.num_operations = 0
        self.largest = 0

    def __torch_dispatch__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        sizes = [leaf._nnz() if leaf.is_sparse else leaf.numel() for leaf in tensors]
        self.num_operations += 1
        self.largest = max(self.largest, *sizes, 0)
        return result


def paths(num_graphs: int) -> GraphBatch:
    """Returns paths of equal size."""
    node = torch.arange(num_graphs * SIZE)
    source = node[node % SIZE != SIZE - 1]
    edge_index = torch.stack((torch.cat((source, source + 1)), torch.cat((source + 1, source))))
    x = torch.randn(len(node), CHANNELS, generator=torch.Generator().manual_seed(0))
    return graph_batch(x, edge_index, torch.full((num_graphs,), SIZE))


def recorded(structure: Structure, graphs: GraphBatch) -> Recorder:
    graphs.x.requires_grad_()
    with torch.device(graphs.device):
        pooling = HGPSLPooling(CHANNELS, 0.5, structure)
    with Recorder() as recorder:
        pooled = pooling(graphs).graphs
        loss = pooled.x.sum() + (0.0 if pooled.edge_weight is None else pooled.edge_weight.square().sum())
        loss.backward()
    return recorder


@pytest.mark.parametrize(
    "structure", ["none", "sparsemax_all_pairs", "softmax_all_pairs", "sparsemax_k_hop", "softmax_k_hop"]
)
def test_nothing_is_dense_over_the_batch(structure: Structure) -> None:
    num_graphs = 500
    kept = SIZE // 2
    # the features of all nodes, all pairs, or all walks of 3 hops on a path: at most 2 ** 3 a node
    largest = num_graphs * max(SIZE * CHANNELS, kept * kept, kept * 8)
    assert recorded(structure, paths(num_graphs)).largest <= largest


@pytest.mark.parametrize("structure", ["none", "sparsemax_all_pairs", "softmax_all_pairs"])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_number_of_operations_does_not_grow_with_the_graphs(structure: Structure, device: str) -> None:
    few, many = (recorded(structure, paths(num_graphs).to(device)).num_operations for num_graphs in (50, 500))
    # on the CPU a few passes more may be needed to find the thresholds of more rows
    assert many <= few + (40 if device == "cpu" else 0)
