"""Edges that are missing, as if not all relations had been observed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from nas_core.robustness.severity import at_severity

if TYPE_CHECKING:
    from gnn_space.graph_batch import GraphBatch

FAMILY = "structure"
# share of the edges that goes: from within the usual doubt about a relation to nearly half of them, beyond which most
# sparse graphs fall apart. No standard is published; the shares are those of add_edges, so that the two compare
SEVERITIES = (0.05, 0.1, 0.2, 0.3, 0.4)


def shift(graphs: GraphBatch, severity: int, generator: torch.Generator) -> GraphBatch:
    """Return the graphs without some of their edges: each is dropped with the same probability, both directions alike.

    Independent drops, as in the edge perturbation of You et al. (2020, arXiv:2010.13902); the nodes stay, with or
    without neighbors. From the same state of the generator, a higher severity drops the same edges and more.

    Args:
        graphs: any batch.
        severity: 1 to 5.
        generator: source of randomness, on the CPU.
    """
    share = at_severity(SEVERITIES, severity)
    low, high = graphs.edge_index.amin(dim=0), graphs.edge_index.amax(dim=0)
    pairs, pair_of_edge = torch.unique(low * graphs.num_nodes + high, return_inverse=True)
    draws = torch.rand(len(pairs), generator=generator)
    kept = (draws >= share).to(graphs.device)[pair_of_edge]
    return replace(
        graphs,
        edge_index=graphs.edge_index[:, kept],
        edge_weight=None if graphs.edge_weight is None else graphs.edge_weight[kept],
    )
