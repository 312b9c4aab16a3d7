"""The supernet: every option of every choice in one body, mixed by gates.

Every choice is a weighted sum of its options, at the place where they differ, so that one module of each kind and size
serves all architectures:

- layers: ``y = sum_w g_w P_w(sum_a g_a act_a(sum_n g_n norm_nw(sum_c g_c conv_cw(x))))`` (`layers`), where the identity
  has a path without width;
- connections (`connection`);
- poolings, with product gates over pooling, ratio and structure, on the union of the kept nodes (`mixed_pooling`);
- readouts (`readouts`), combinations (`combination`), and depths: ``sum_d g_d combine(the first d blocks)`` (`body`);
- heads: ``sum_h g_h head_h(z)`` (`head`).

Where one option a choice is run the computation is that of the stand-alone network, step by step, times gates. Where
the last block of a depth has a pooling that learns edges, those edges take part in deeper networks alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.body import Body
from gnn_space.networks.selection import gated
from nas_core.architecture import Choice
from nas_core.weight_sharing.gates import Gates


class GraphSupernet(nn.Module):
    """A body with all options, called as ``supernet(graphs, gates)``; only the active options are run.

    The strength of a choice multiplies each of its gates.

    Shapes: as those of `gnn_space.networks.stand_alone.StandAlone`.

    Args:
        body: with the modules of all options.
        choices: of the space, in the order of the gates.
    """

    def __init__(self, body: Body, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.body = body
        self.choices = tuple(choices)

    def forward(self, graphs: GraphBatch, gates: Gates) -> Tensor:
        """Return the logits of the mixture."""
        logits: Tensor = self.body(graphs, gated(self.choices, gates))
        # A gate that reaches no output (its choice does not matter) shall have a gradient of zero, not a missing one.
        return logits + 0.0 * sum(weights.sum() for weights in (*gates.options, *(gates.strengths or ())))
