"""How what the blocks hand over becomes one vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gnn_space.networks.selection import Options, Selection, mixed
from gnn_space.networks.vocabulary import COMBINATION


class Combination(nn.Module):
    """``sum_m g_m combine_m(z_1, ..., z_d)`` over the ways m to combine the vectors of d blocks.

    last is z_d and sum their sum. concatenation is ``C [z_1 | ... | z_d]``, C a linear map. jk_max and jk_lstm are of
    Xu et al. 2018 (jumping knowledge, arXiv:1806.03536): the maximum in each channel, and the mean weighted by a
    softmax of scores that a bidirectional LSTM over the blocks makes. The hidden size of its two directions together
    is the number of channels, whatever d is; in torch-geometric's JumpingKnowledge it follows from d.

    Shapes: d times (num, channels) to (num, channels).

    Args:
        num_blocks: the largest d.
        options: that there are.
        channels: channels of the vectors.
    """

    def __init__(self, num_blocks: int, options: Options, channels: int) -> None:
        super().__init__()
        if "concatenation" in options[COMBINATION]:
            self.concatenation = nn.ModuleList(
                nn.Linear(channels, channels, bias=number == 0) for number in range(num_blocks)
            )
        if "jk_lstm" in options[COMBINATION]:
            self.attention = BlockAttention(channels)

    def forward(self, views: Sequence[Tensor], selection: Selection) -> Tensor:
        """Return the combined vectors."""
        return mixed((weight, self._combined(option, views)) for option, weight in selection[COMBINATION])

    def _combined(self, option: str, views: Sequence[Tensor]) -> Tensor:
        match option:
            case "last":
                return views[-1]
            case "sum":
                return mixed((None, view) for view in views)
            case "concatenation":
                parts = zip(self.concatenation, views, strict=False)
                return mixed((None, linear(view)) for linear, view in parts)
            case "jk_max":
                return torch.stack(list(views)).amax(dim=0)
            case _:
                outputs: Tensor = self.attention(views)
                return outputs


class BlockAttention(nn.Module):
    """The mean of the blocks' vectors weighted by ``softmax_j(a [forward LSTM_j | backward LSTM_j] + b)``.

    Xu et al. 2018, arXiv:1806.03536, equation of LSTM-attention. Follows the paper.

    Shapes: d times (num, channels) to (num, channels).

    Args:
        channels: channels of the vectors.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // 2)
        self.forward_cell = nn.LSTMCell(channels, hidden)
        self.backward_cell = nn.LSTMCell(channels, hidden)
        self.score = nn.Linear(2 * hidden, 1)

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        """Return the weighted mean."""
        ahead = _states(self.forward_cell, views)
        back = _states(self.backward_cell, views[::-1])[::-1]
        scores = [self.score(torch.cat(pair, dim=1)) for pair in zip(ahead, back, strict=True)]
        weights = torch.cat(scores, dim=1).softmax(dim=1)  # (num, d)
        return mixed((weights[:, block : block + 1], view) for block, view in enumerate(views))


def _states(cell: nn.Module, views: Sequence[Tensor]) -> list[Tensor]:
    states: list[Tensor] = []
    state = None
    for view in views:
        state = cell(view, state)
        states.append(state[0])
    return states
