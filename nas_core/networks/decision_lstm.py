"""A recurrent network that gives scores to the options of one choice after the other, knowing the decisions before."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

State = tuple[Tensor, Tensor]


class DecisionLSTM(nn.Module):
    """An LSTM over the choices of a space: its input is the decision before, its output the logits of the next.

    Every decision of every choice has an embedding of its own, and every choice a linear map without bias to its
    options. A choice that does not matter is passed with its first option.
    """

    def __init__(
        self, num_options: Sequence[int], num_units: int, num_layers: int, scale: float, init: torch.Generator
    ) -> None:
        """Draw all parameters uniformly from -scale to scale.

        Args:
            num_options: of each choice.
            num_units: width of the embeddings and of each layer.
            num_layers: layers of the LSTM.
            scale: above 0.
            init: a CPU generator, the only source of the parameters.
        """
        super().__init__()
        # the first row is what the first step takes
        firsts = list(itertools.accumulate(num_options, initial=1))[:-1]
        with torch.device("meta"):
            self.embedding = nn.Embedding(1 + sum(num_options), num_units)
            self.lstm = nn.LSTM(num_units, num_units, num_layers, batch_first=True)
            self.heads = nn.ModuleList(nn.Linear(num_units, number, bias=False) for number in num_options)
        self.to_empty(device="cpu")
        self.register_buffer("firsts", torch.tensor(firsts), persistent=False)
        self.firsts: Tensor
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-scale, scale, generator=init)

    def forward(self, decisions: Tensor) -> list[Tensor]:
        """Return the logits of each choice, given the decisions before it.

        Args:
            decisions: (num_architectures, num_choices), int64.

        Returns:
            For each choice (num_architectures, num_options).
        """
        rows = (decisions + self.firsts)[:, :-1]
        rows = torch.cat([torch.zeros_like(decisions[:, :1]), rows], dim=1)
        outputs, _ = self.lstm(self.embedding(rows))
        return [head(outputs[:, place]) for place, head in enumerate(self.heads)]

    def step(self, place: int, before: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return the logits (num_draws, num_options) of one choice and the state after it.

        Args:
            place: of the choice, from 0.
            before: (num_draws,), decisions of the choice before it; of no account for the first.
            state: after the choice before it; None for the first.
        """
        rows = torch.zeros_like(before) if place == 0 else before + self.firsts[place - 1]
        output, following = self.lstm(self.embedding(rows[:, None]), state)
        logits: Tensor = self.heads[place](output[:, 0])
        return logits, following
