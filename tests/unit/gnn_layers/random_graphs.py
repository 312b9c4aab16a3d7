"""Small random batches of graphs, and modules with random parameters, for the suites of the layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch, graph_batch

Made = TypeVar("Made", bound=nn.Module)


def filled(make: Callable[[], Made], seed: int = 0) -> Made:
    """Return a module that was made on the meta device, with random float64 parameters and fresh buffers."""
    with torch.device("meta"):
        module = make()
    module = module.to_empty(device="cpu").double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-1, 1, generator=generator)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm1d):
                part.reset_running_stats()
    return module


def random_graphs(
    sizes: list[int],
    channels: int,
    seed: int,
    *,
    weighted: bool = True,
    directed: bool = False,
    loops: bool = False,
    density: float = 0.5,
) -> GraphBatch:
    """Return graphs with features in -1..1 and each edge with the probability `density`, weights in 0.1..1.1."""
    generator = torch.Generator().manual_seed(seed)
    edges, offset = [], 0
    for size in sizes:
        here = torch.rand(size, size, generator=generator) < density
        if not directed:
            here = here.triu() | here.triu().T
        if not loops:
            here.fill_diagonal_(False)
        edges.append(here.nonzero().T + offset)
        offset += size
    edge_index = torch.cat([*edges, torch.zeros(2, 0, dtype=torch.int64)], dim=1)
    x = 2 * torch.rand(offset, channels, generator=generator, dtype=torch.float64) - 1
    weight = 0.1 + torch.rand(edge_index.shape[1], generator=generator, dtype=torch.float64)
    return graph_batch(x, edge_index, torch.tensor(sizes, dtype=torch.int64), edge_weight=weight if weighted else None)


def permutation_within_graphs(sizes: list[int], seed: int) -> Tensor:
    """Return a new number for each node (num_nodes,); the graphs keep their places."""
    generator = torch.Generator().manual_seed(seed)
    parts, offset = [], 0
    for size in sizes:
        parts.append(offset + torch.randperm(size, generator=generator))
        offset += size
    return torch.cat([*parts, torch.zeros(0, dtype=torch.int64)])


def renumbered(graphs: GraphBatch, numbers: Tensor) -> GraphBatch:
    """Return the same graphs with node i called ``numbers[i]``."""
    x = torch.empty_like(graphs.x)
    x[numbers] = graphs.x
    return GraphBatch(x, numbers[graphs.edge_index], graphs.sizes, graphs.batch, graphs.edge_weight)


def separate(graphs: GraphBatch) -> list[GraphBatch]:
    """Return the graphs of a batch one by one."""
    parts, start = [], 0
    for size in graphs.sizes.tolist():
        inside = (graphs.edge_index[0] >= start) & (graphs.edge_index[0] < start + size)
        weight = None if graphs.edge_weight is None else graphs.edge_weight[inside]
        x = graphs.x[start : start + size]
        parts.append(graph_batch(x, graphs.edge_index[:, inside] - start, torch.tensor([size]), edge_weight=weight))
        start += size
    return parts
