"""The parameters of a differentiable method while they learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nas_core.differentiable.gradient import Relax
from nas_core.differentiable.parts import Parts
from nas_core.randomness import Streams
from nas_core.space import SearchSpace

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.gates import Gates
    from nas_core.weight_sharing.learns import SharedWeights


class Learning:
    """Architecture parameters with their optimizer and the generators of noise: all that has tensors."""

    def __init__(self, space: SearchSpace, streams: Streams, parts: Parts) -> None:
        """Start from the relaxation's initial parameters."""
        self.parts = parts
        self.generators = {name: streams.torch(name) for name in ("noise", "perturbation")}
        initial = parts.relaxation.initial(space.choices, streams.torch("parameters"))
        self.parameters = [parameter.requires_grad_() for parameter in initial]
        self.optimizer = parts.optimizer(self.parameters)
        self.num_turns = 0
        self.stopped = False

    def play(self, weights: SharedWeights) -> None:
        """Play one turn; after the stopping rule fired, only the weights are still trained."""
        turn = _Turn(self, weights)
        if self.stopped:
            turn.train_weights(turn.draw())
        else:
            self.parts.order(turn)
            last = self.parts.stopping.observe(weights, self.parameters, turn.relax(turn.noise))
            if last is not None:
                self._put(last)
                self.stopped = True
        self.num_turns += 1

    def state_dict(self) -> dict[str, Any]:
        """Return parameters, optimizer state, generator states and counters."""
        per_parameter = self.optimizer.state_dict()["state"]
        return {
            "parameters": [parameter.detach().clone() for parameter in self.parameters],
            "optimizer": [_copied(per_parameter.get(index, {})) for index in range(len(self.parameters))],
            "generators": {name: generator.get_state() for name, generator in self.generators.items()},
            "num_turns": self.num_turns,
            "stopped": int(self.stopped),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._put(state["parameters"])
        per_parameter = {index: _copied(values) for index, values in enumerate(state["optimizer"]) if values}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": per_parameter, "param_groups": groups})
        for name, generator in self.generators.items():
            generator.set_state(state["generators"][name])
        self.num_turns = state["num_turns"]
        self.stopped = bool(state["stopped"])

    def _put(self, values: Sequence[torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.copy_(value)


class _Turn:
    """Implements `nas_core.differentiable.order.Turn` on one pair of minibatches."""

    def __init__(self, learning: Learning, weights: SharedWeights) -> None:
        self.num_turns = learning.num_turns
        self.epoch = weights.epoch
        self.noise: list[torch.Tensor] = []
        self._learning = learning
        self._weights = weights
        self._temperature = learning.parts.temperature(weights.progress)

    def draw(self) -> list[torch.Tensor]:
        learning = self._learning
        self.noise = learning.parts.relaxation.noise(learning.parameters, learning.generators["noise"])
        return self.noise

    def relax(self, noise: Sequence[torch.Tensor]) -> Relax:
        def gates(parameters: Sequence[torch.Tensor]) -> Gates:
            return self._learning.parts.relaxation.gates(parameters, noise, self._temperature)

        return gates

    def gradient(self, noise: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        parts = self._learning.parts
        return parts.gradient(self._weights, self._learning.parameters, self.relax(noise), parts.penalty)

    def update_parameters(self, gradient: Sequence[torch.Tensor]) -> None:
        import torch

        if not all(bool(torch.isfinite(part).all()) for part in gradient):
            return
        for parameter, part in zip(self._learning.parameters, gradient, strict=True):
            parameter.grad = part
        self._learning.optimizer.step()
        self._learning.optimizer.zero_grad(set_to_none=True)

    def train_weights(self, noise: Sequence[torch.Tensor]) -> None:
        gates = self.relax(noise)([parameter.detach() for parameter in self._learning.parameters])
        perturb = self._learning.parts.perturbation
        perturbed = perturb(gates, self._weights, self._learning.generators["perturbation"])
        self._weights.step(self._weights.training_loss(perturbed))


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    return {name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in values.items()}
