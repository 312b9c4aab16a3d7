"""The mixed operation: all options of one choice, weighted by the gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from nas_core.networks.operations import Zero
from nas_core.weight_sharing.gates import Gates
from nas_core.weight_sharing.supernet import Mixing


class MixedOperation(nn.Module):
    """The weighted sum of the options of a choice, of which only the active ones are run.

    Formula: ``strength * sum over active i of gate_i * option_i(x)`` (Liu et al. 2019, DARTS, arXiv:1806.09055). With
    partial channels (Xu et al. 2020, PC-DARTS, arXiv:1907.05737) the sum sees only the first 1/K of the channels; the
    others are passed on behind it, and the channels are shuffled, so that the next operation sees others first. The
    strength multiplies the passed channels too. Follows the papers, for operations of stride 1.

    The gate of a `Zero` option adds nothing; it is not computed.

    Shapes: (batch, channels, height, width) to the same.

    Args:
        choice: index of the choice whose gates rule this operation.
        options: one factory an option, called with the number of channels that the option sees.
        channels: channels of the input.
        mixing: which share of the channels is mixed.

    Raises:
        ValueError: the channels cannot be divided by `mixing.channel_fraction`.
    """

    def __init__(
        self, choice: int, options: Sequence[Callable[[int], nn.Module]], channels: int, mixing: Mixing
    ) -> None:
        super().__init__()
        if channels % mixing.channel_fraction:
            raise ValueError(
                f"channel_fraction is {mixing.channel_fraction}, which does not divide {channels} channels; "
                "give a divisor or change the channels"
            )
        self.choice = choice
        self.channel_fraction = mixing.channel_fraction
        self.num_mixed = channels // mixing.channel_fraction
        self.options = nn.ModuleList(option(self.num_mixed) for option in options)
        self._adds_nothing = frozenset(index for index, option in enumerate(self.options) if isinstance(option, Zero))

    def forward(self, inputs: torch.Tensor, gates: Gates) -> torch.Tensor:
        """Return the mixture of the inputs that the gates ask for."""
        if self.channel_fraction == 1:
            outputs = self._mixture(inputs, gates)
        else:
            outputs = torch.cat((self._mixture(inputs[:, : self.num_mixed], gates), inputs[:, self.num_mixed :]), 1)
            outputs = nn.functional.channel_shuffle(outputs, self.channel_fraction)
        return outputs if gates.strengths is None else gates.strengths[self.choice] * outputs

    def _mixture(self, inputs: torch.Tensor, gates: Gates) -> torch.Tensor:
        weights = gates.options[self.choice]
        active = gates.active_options(self.choice)
        outputs: torch.Tensor | None = None
        for index in active:
            if index not in self._adds_nothing:
                term = weights[index] * self.options[index](inputs)
                outputs = term if outputs is None else outputs + term
        return inputs.new_zeros(()).expand_as(inputs) if outputs is None else outputs
