"""The recurrent controller: an LSTM decides one choice after the other, each knowing those before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge, Gt

from nas_core.architecture import Architecture, Choice, active
from nas_core.controller import Array, Controller
from nas_core.randomness import Streams
from nas_core.space import SearchSpace

if TYPE_CHECKING:
    import torch

    from nas_core.networks.decision_lstm import DecisionLSTM


def build(
    space: SearchSpace,
    streams: Streams,
    *,
    learning_rate: Annotated[float, Gt(0)] = 6e-4,
    num_layers: Annotated[int, Ge(1)] = 2,
    num_units: Annotated[int, Ge(1)] = 35,
    initial_scale: Annotated[float, Gt(0)] = 0.08,
) -> Controller:
    """Return the controller of Zoph & Le 2017 (arXiv:1611.01578), by default with their settings.

    Args:
        space: whose choices are decided, in their order.
        streams: source of the initial parameters.
        learning_rate: of Adam (NASNet, arXiv:1707.07012: 3.5e-4).
        num_layers: of the LSTM (NASNet: 1).
        num_units: of each layer (NASNet: 100).
        initial_scale: parameters are uniform in -scale .. scale at first.
    """
    return RecurrentController(space.choices, streams, learning_rate, num_layers, num_units, initial_scale)


class RecurrentController:
    """p(a) = product over choices t of p(a_t | a_1 .. a_(t-1)), each a softmax of what an LSTM gives.

    Follows the paper in the network and its optimizer. What that leaves open: each decision of each choice has an
    embedding and each choice a linear map of its own; a choice that does not matter is passed with its first option.
    The entropy is that of each choice given the decisions before it, summed over the choices that matter and averaged
    over the architectures of a step.

    The network is built with the first use, so that settings are checked without torch.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        streams: Streams,
        learning_rate: float,
        num_layers: int,
        num_units: int,
        initial_scale: float,
    ) -> None:
        """Keep the settings; see `build`."""
        self._choices = tuple(choices)
        self._streams = streams
        self._learning_rate = learning_rate
        self._num_layers = num_layers
        self._num_units = num_units
        self._initial_scale = initial_scale
        self._trained: tuple[DecisionLSTM, torch.optim.Adam] | None = None

    def draw(self, generator: np.random.Generator, count: int) -> list[tuple[int, ...]]:
        """Return `count` draws of one decision for each choice."""
        decisions, _ = self._walk(generator, count)
        return [tuple(made) for made in decisions]

    def noisy_scores(self, generator: np.random.Generator) -> list[list[float]]:
        """Return the logits met on one draw, with Gumbel noise."""
        _, logits = self._walk(generator, 1)
        return [(row[0] + generator.gumbel(size=row.shape[1])).tolist() for row in logits]

    def log_probabilities(self, architectures: Sequence[Architecture]) -> Array:
        """Return log p of each architecture."""
        import torch

        with torch.no_grad():
            logs, _ = self._logs_and_entropies(architectures)
        found: Array = logs.double().numpy()
        return found

    def ascend(self, architectures: Sequence[Architecture], weights: Sequence[float], entropy_weight: float) -> None:
        """Take one step of Adam."""
        import torch

        _, optimizer = self._network()
        logs, entropies = self._logs_and_entropies(architectures)
        gain = (torch.tensor(weights, dtype=logs.dtype) * logs).sum() + entropy_weight * entropies.mean()
        optimizer.zero_grad()
        torch.autograd.backward(-gain)
        optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the parameters and Adam's moments; None for both before the first use."""
        if self._trained is None:
            return {"network": None, "optimizer": None}
        network, optimizer = self._trained
        return {
            "network": {name: value.clone() for name, value in network.state_dict().items()},
            "optimizer": {
                str(number): {name: value.clone() for name, value in moments.items()}
                for number, moments in optimizer.state_dict()["state"].items()
            },
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._trained = None
        if state["network"] is None:
            return
        network, optimizer = self._network()
        network.load_state_dict(state["network"])
        moments = {
            int(number): {name: value.clone() for name, value in values.items()}
            for number, values in state["optimizer"].items()
        }
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})

    def _network(self) -> tuple[DecisionLSTM, torch.optim.Adam]:
        if self._trained is None:
            import torch

            from nas_core.networks.decision_lstm import DecisionLSTM

            network = DecisionLSTM(
                [len(choice.options) for choice in self._choices],
                self._num_units,
                self._num_layers,
                self._initial_scale,
                self._streams.torch("initial parameters"),
            )
            self._trained = (network, torch.optim.Adam(network.parameters(), lr=self._learning_rate))
        return self._trained

    def _walk(self, generator: np.random.Generator, count: int) -> tuple[list[list[int]], list[Array]]:
        """Return the decisions of so many draws, and for each choice the logits on the way (count, num_options)."""
        import torch

        network, _ = self._network()
        decisions: list[list[int]] = [[] for _ in range(count)]
        last = torch.zeros(count, dtype=torch.int64)
        met: list[Array] = []
        state = None
        with torch.no_grad():
            for place in range(len(self._choices)):
                scores, state = network.step(place, last, state)
                logits = scores.double()
                thresholds = np.cumsum(torch.softmax(logits, 1).numpy(), axis=1)
                # scaled by the last sum, which rounding may leave below 1
                draws = generator.random((count, 1)) * thresholds[:, -1:]
                for made, decision in zip(decisions, (thresholds < draws).sum(axis=1).tolist(), strict=True):
                    made.append(decision)
                    if not active(self._choices[: place + 1], made)[place]:
                        made[place] = 0
                last = torch.tensor([made[place] for made in decisions])
                met.append(logits.numpy())
        return decisions, met

    def _logs_and_entropies(self, architectures: Sequence[Architecture]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return log p and the summed entropy on the way of each architecture, both (num_architectures,)."""
        import torch

        network, _ = self._network()
        decisions = torch.tensor([made.decisions for made in architectures])
        matters = torch.tensor([active(self._choices, made.decisions) for made in architectures])
        logs, entropies = [], []
        for place, logits in enumerate(network(decisions)):
            shares = torch.log_softmax(logits, dim=1)
            logs.append(shares.gather(1, decisions[:, place : place + 1])[:, 0])
            entropies.append(-(shares.exp() * shares).sum(1))
        return (
            (torch.stack(logs, 1) * matters).sum(1),
            (torch.stack(entropies, 1) * matters).sum(1),
        )
