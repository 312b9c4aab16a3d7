"""Nodes of which nothing is known but their neighbors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from nas_core.robustness.severity import at_severity

if TYPE_CHECKING:
    from gnn_space.graph_batch import GraphBatch

FAMILY = "features"
# share of the nodes that lose their features: up to half, where a neighbor that is still known is the rule. No standard
# is published
SEVERITIES = (0.1, 0.2, 0.3, 0.4, 0.5)


def shift(graphs: GraphBatch, severity: int, generator: torch.Generator) -> GraphBatch:
    """Return the graphs with all features of some nodes at 0, which is the mean where features are standardized.

    Each node loses its features with the same probability, as in the attribute masking of You et al. (2020,
    arXiv:2010.13902). From the same state of the generator, a higher severity masks the same nodes and more.

    Args:
        graphs: any batch, its features as networks take them.
        severity: 1 to 5.
        generator: source of randomness, on the CPU.
    """
    share = at_severity(SEVERITIES, severity)
    masked = (torch.rand(graphs.num_nodes, generator=generator) < share).to(graphs.device)
    return replace(graphs, x=graphs.x.masked_fill(masked[:, None], 0))
