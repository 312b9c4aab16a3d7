"""How much structural noise changes the operator by which networks pass messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_space.graph_batch import GraphBatch


def perturbation_sizes(graphs: GraphBatch, shifted: GraphBatch) -> Tensor:
    """Return ||S' - S|| / ||S|| of every example (num,), 0 where a shift left the edges as they were.

    S = D^-1/2 (A + I) D^-1/2 is the shift operator of a graph (Kipf & Welling 2017, arXiv:1609.02907), D the row sums
    of A + I; the norm is Frobenius'. The stability of graph filters is promised in this size (Gama, Bruna & Ribeiro
    2020, arXiv:1905.04497). Differs from the paper: the Frobenius norm, which is at least the operator norm and needs
    no eigenvalues, and the nodes keep their numbers, so that no permutation has to be looked for. Nothing dense is
    made: both operators are lists of their nonzero entries.

    Args:
        graphs: as they were.
        shifted: the same nodes, with other edges or weights.

    Returns:
        float64, on the device: one a graph; where nodes are asked for, that of their graph.

    Raises:
        ValueError: the nodes are not the same.
    """
    if not torch.equal(graphs.sizes, shifted.sizes):
        raise ValueError("the two batches have graphs of other sizes; give the same graphs before and after a shift")
    before, after = _entries(graphs), _entries(shifted)
    places, index = torch.unique(torch.cat([before[0], after[0]]), return_inverse=True)
    difference = torch.zeros(len(places), dtype=torch.float64, device=graphs.device)
    difference.index_add_(0, index, torch.cat([-before[1], after[1]]))
    changed = _sum_of_squares(places, difference, graphs)
    total = _sum_of_squares(before[0], before[1], graphs)
    # only a graph without nodes has an operator without entries
    sizes = (changed / total.where(total > 0, 1.0)).sqrt()
    return sizes if graphs.target_nodes is None else sizes[graphs.batch[graphs.target_nodes]]


def _entries(graphs: GraphBatch) -> tuple[Tensor, Tensor]:
    """Return the nonzero entries of all shift operators: places, row * num_nodes + column, each once, and values."""
    num_nodes = graphs.num_nodes
    source, target = graphs.edge_index
    joins = source != target
    weight = torch.ones_like(source, dtype=torch.float64) if graphs.edge_weight is None else graphs.edge_weight.double()
    loops = torch.arange(num_nodes, device=graphs.device)
    source, target = torch.cat([source[joins], loops]), torch.cat([target[joins], loops])
    weight = torch.cat([weight[joins], torch.ones_like(loops, dtype=torch.float64)])
    degree = torch.zeros(num_nodes, dtype=torch.float64, device=graphs.device).index_add_(0, target, weight)
    values = weight / (degree[source] * degree[target]).sqrt()
    places, index = torch.unique(target * num_nodes + source, return_inverse=True)
    return places, torch.zeros(len(places), dtype=torch.float64, device=graphs.device).index_add_(0, index, values)


def _sum_of_squares(places: Tensor, values: Tensor, graphs: GraphBatch) -> Tensor:
    """Return the sum of the squares of the entries of each graph (num_graphs,)."""
    graph = graphs.batch[places // graphs.num_nodes]
    total = torch.zeros(graphs.num_graphs, dtype=torch.float64, device=graphs.device)
    return total.index_add_(0, graph, values.square())
