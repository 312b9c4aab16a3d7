"""The poolings by the names that users type."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from gnn_space.pooling.hgpsl import Structure

NAMES = ("topk", "sag", "asap", "edge", "hgpsl")
USES_RATIO = ("topk", "sag", "asap", "hgpsl")


def pooling(name: str, channels: int, *, ratio: float, structure: Structure) -> nn.Module:
    """Return the pooling of a name, a `gnn_space.pooling.pooled.Pooling`.

    Args:
        name: one of NAMES.
        channels: channels of the nodes.
        ratio: share of the nodes of each graph that is kept, in (0, 1]; only those of USES_RATIO look at it.
        structure: which edges are learnt and how; only hgpsl looks at it.

    Raises:
        ValueError: for an unknown name, or a ratio or structure that the pooling cannot have.
    """
    if name == "topk":
        from gnn_space.pooling.topk import TopKPooling

        return TopKPooling(channels, ratio)
    if name == "sag":
        from gnn_space.pooling.sag import SAGPooling

        return SAGPooling(channels, ratio)
    if name == "asap":
        from gnn_space.pooling.asap import ASAPooling

        return ASAPooling(channels, ratio)
    if name == "edge":
        from gnn_space.pooling.edge import EdgePooling

        return EdgePooling(channels)
    if name == "hgpsl":
        from gnn_space.pooling.hgpsl import HGPSLPooling

        return HGPSLPooling(channels, ratio, structure)
    near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.0)[0]
    raise ValueError(f"unknown pooling {name!r}; did you mean {near!r}? allowed: {', '.join(NAMES)}")
