"""Features that were measured badly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nas_core.robustness.noise import standard_normal
from nas_core.robustness.severity import at_severity

if TYPE_CHECKING:
    import torch

    from gnn_space.graph_batch import GraphBatch

FAMILY = "features"
# standard deviation of the noise, where 1 is that of a standardized feature, and the whole of an indicator: from little
# to as much noise as signal. No standard is published
SEVERITIES = (0.1, 0.25, 0.5, 0.75, 1.0)


def shift(graphs: GraphBatch, severity: int, generator: torch.Generator) -> GraphBatch:
    """Return the graphs with x + s n for their features, n ~ N(0, 1) for every feature of every node.

    Args:
        graphs: any batch, its features as networks take them.
        severity: 1 to 5.
        generator: source of randomness, on the CPU.
    """
    deviation = at_severity(SEVERITIES, severity)
    return replace(graphs, x=graphs.x + deviation * standard_normal(graphs.x.shape, generator, graphs.x))
