"""The classifier at the end."""

from __future__ import annotations

from torch import Tensor, nn

from gnn_space.networks.selection import Options, Selection, mixed
from gnn_space.networks.vocabulary import HEAD


class Head(nn.Module):
    """``sum_h g_h head_h(z)``: linear, or mlp, with hidden layers of width and width / 2 and ReLU.

    The mlp is that of HGP-SL (Zhang et al. 2019, arXiv:1911.05954), without its dropout.

    Shapes: (num, in_channels) to (num, classes).

    Args:
        options: that there are.
        in_channels: channels of z.
        width: of the first hidden layer.
        num_classes: classes.
    """

    def __init__(self, options: Options, in_channels: int, width: int, num_classes: int) -> None:
        super().__init__()
        half = max(1, width // 2)
        if "mlp" in options[HEAD]:
            self.mlp = nn.Sequential(
                nn.Linear(in_channels, width),
                nn.ReLU(),
                nn.Linear(width, half),
                nn.ReLU(),
                nn.Linear(half, num_classes),
            )
        if "linear" in options[HEAD]:
            self.linear = nn.Linear(in_channels, num_classes)

    def forward(self, z: Tensor, selection: Selection) -> Tensor:
        """Return the logits."""
        return mixed(
            (weight, self.linear(z) if option == "linear" else self.mlp(z)) for option, weight in selection[HEAD]
        )
