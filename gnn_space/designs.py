"""Hand-designed graph networks as members of the graph space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nas_core.architecture import Choice

FULL_WIDTH = 1.0


@dataclass(frozen=True)
class Design:
    """A network by what it has in each of its blocks; convolutions have the full width, nothing is pooled at the end.

    Attributes:
        num_blocks: blocks.
        preferences: for the role of a choice ("conv" of conv_1; "head") the option that the design has, and behind it
            those that come nearest to it, in this order; a role is absent where it does not matter.
        ratio: share of the nodes that a pooling keeps.
    """

    num_blocks: int
    preferences: Mapping[str, tuple[str, ...]]
    ratio: float = 0.8

    def is_possible(self, choices: Sequence[Choice]) -> bool:
        """Return whether all that the design has is among the options; the depth need not be."""
        roles = {choice.name.rpartition("_")[0] or choice.name: choice.options for choice in reversed(choices)}
        return all(wanted[0] in roles[role] for role, wanted in self.preferences.items() if role in roles)

    def nearest(self, choices: Sequence[Choice]) -> tuple[int, ...]:
        """Return the decisions that come nearest to the design, those that do not matter included."""
        num_blocks = min(self.num_blocks, len(choices[0].options))
        decisions = [num_blocks - 1]
        for choice in choices[1:]:
            role, _, block = choice.name.rpartition("_")
            if role in ("ratio", "width"):
                wanted = self.ratio if role == "ratio" else FULL_WIDTH
                decisions.append(_nearest_number(choice.options, wanted))
            elif role == "pooling" and block == str(num_blocks):
                decisions.append(_first_known(choice.options, ("none",)))
            else:
                decisions.append(_first_known(choice.options, self.preferences.get(role or choice.name, ())))
        return tuple(decisions)


_PLAIN = {
    "conv": ("gcn",),
    "activation": ("relu",),
    "normalization": ("none",),
    "connection": ("none",),
    "pooling": ("none",),
    "readout": ("mean_max", "mean_max_sum", "mean"),
    "combination": ("sum", "last"),
    "head": ("mlp", "linear"),
}

HGP_SL = Design(
    3,
    {**_PLAIN, "pooling": ("hgpsl", "sag", "topk"), "structure": ("sparsemax_k_hop", "sparsemax_all_pairs")},
)
"""HGP-SL's published network (Zhang et al. 2019, arXiv:1911.05954): three GCN convolutions with ReLU, the pooling after
the first two, with ratio 0.8 and edges learnt by sparsemax over pairs within hops, the mean and maximum of each block
summed, and a classifier of three layers. Differs from the authors' code: there is no dropout, and after a pooling GCN
gives each node a loop of weight 1 in the place of the learnt weight S_ii, where theirs takes S_ii as it is (the paper:
1 + S_ii). Their ReLU on each readout changes nothing, since the features are not negative."""

GCN_OF_GRAPHS = Design(3, _PLAIN)
"""HGP-SL's network without its pooling."""

TOPK = Design(3, {**_PLAIN, "pooling": ("topk",)})
"""HGP-SL's network with TopK pooling (Gao and Ji 2019, arXiv:1905.05178) in the place of its own."""

GIN = Design(
    4,
    {
        **_PLAIN,
        "conv": ("gin",),
        "normalization": ("batch_norm",),
        "readout": ("sum",),
        "combination": ("concatenation",),
    },
)
"""The graph isomorphism network (Xu et al. 2019, arXiv:1810.00826): GIN convolutions with batch normalization, the sums
of all blocks side by side. Differs from the paper: at most four blocks for its five, and no readout of the input."""

GCN_OF_NODES = Design(2, {**_PLAIN, "combination": ("last", "sum"), "head": ("linear",)})
"""Two GCN convolutions (Kipf and Welling 2017, arXiv:1609.02907). Differs from the paper: no dropout, and the
classifier is a linear layer behind the second convolution."""

GAT_OF_NODES = Design(2, {**GCN_OF_NODES.preferences, "conv": ("gat_4",), "activation": ("elu",)})
"""Two GAT convolutions (Velickovic et al. 2018, arXiv:1710.10903) with ELU. Differs from the paper as the GCN does, and
has four heads."""


def _first_known(options: Sequence[str], preferred: Sequence[str]) -> int:
    """Return the place of the first preferred option that there is, else 0."""
    return next((options.index(option) for option in preferred if option in options), 0)


def _nearest_number(options: Sequence[str], wanted: float) -> int:
    return min(range(len(options)), key=lambda place: abs(float(options[place]) - wanted))
