"""An ensemble of multilayer perceptrons, all members trained in one batched computation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from nas_core.member_predictions import CostScale, over_members
from nas_core.predictor import Predictor
from nas_core.randomness import Streams
from nas_core.training.one_thread import one_thread

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float64]

BETAS = (0.9, 0.99)


def build(
    streams: Streams,
    *,
    num_members: Annotated[int, Ge(2)] = 5,
    num_layers: Annotated[int, Ge(1)] = 10,
    width: Annotated[int, Ge(1)] = 20,
    num_epochs: Annotated[int, Ge(1)] = 150,
    batch_size: Annotated[int, Ge(1)] = 32,
    learning_rate: Annotated[float, Gt(0)] = 0.01,
) -> Predictor:
    """Return the ensemble, by default with the settings of BANANAS (White et al. 2021, arXiv:1910.11858).

    Args:
        streams: source of the initial weights and of the order of the examples.
        num_members: networks, at least 2, so that there is a standard deviation.
        num_layers: hidden layers of each.
        width: units of a hidden layer.
        num_epochs: passes over the examples.
        batch_size: examples a step; the last batch of an epoch may be smaller.
        learning_rate: of Adam.
    """
    return MLPEnsemble(streams, num_members, num_layers, width, num_epochs, batch_size, learning_rate)


class MLPEnsemble:
    """Multilayer perceptrons that differ in initial weights and order of examples (arXiv:1910.11858).

    Each has `num_layers` hidden layers with ReLU and one linear output, Glorot-uniform weights and zero biases, and
    minimizes the mean absolute error with Adam (betas .9 and .99). Mean and standard deviation are over the members.

    Follows the authors' code, but for the scale and the precision: costs are standardized for the fit and put back for
    the prediction, so that the learning rate does not depend on their unit, and all is computed in double precision,
    which in networks of this size takes no longer and leaves no room for Adam to blow up rounding errors.

    The members' weights are stacked to (num_members, inputs, outputs), so a layer is one batched product for all, and
    Adam, being element by element, is one for all as well. Nothing passes between the members: a member depends on the
    seed and its number, not on how many others there are.
    """

    def __init__(
        self,
        streams: Streams,
        num_members: int,
        num_layers: int,
        width: int,
        num_epochs: int,
        batch_size: int,
        learning_rate: float,
    ) -> None:
        """Start without a fit; see `build`."""
        self._streams = streams
        self._num_members = num_members
        self._num_layers = num_layers
        self._width = width
        self._num_epochs = num_epochs
        self._batch_size = batch_size
        self._learning_rate = learning_rate
        self._layers: list[torch.Tensor] = []
        self._cost_scale = CostScale()

    def fit(self, features: Array, costs: Array) -> None:
        """Train every member from its initial weights on all examples.

        Args:
            features: (num_examples, num_features).
            costs: (num_examples,), at least one.
        """
        import torch

        with one_thread(), torch.enable_grad():
            self._fit(features, costs)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return the mean and the standard deviation (n - 1) over the members, each (num_examples,).

        Raises:
            ValueError: if nothing was fitted yet.
        """
        return over_members(self.predict_members(features))

    def predict_members(self, features: Array) -> Array:
        """Return each member's predicted costs, (num_members, num_examples); ValueError before a fit."""
        import torch

        if not self._layers:
            raise ValueError("the ensemble was not fitted; call fit(features, costs) first")
        inputs = torch.from_numpy(features).expand(self._num_members, -1, -1)
        outputs: Array = forward(self._layers, inputs).numpy()
        return self._cost_scale.restored(outputs)

    def _fit(self, features: Array, costs: Array) -> None:
        import torch

        self._cost_scale = CostScale.of(costs)
        inputs = torch.from_numpy(features)
        targets = torch.from_numpy(self._cost_scale.standardized(costs))
        generators = [self._streams.torch(f"member {number}") for number in range(self._num_members)]
        sizes = [inputs.shape[1], *[self._width] * self._num_layers, 1]
        layers = initial_layers(sizes, generators)
        optimizer = torch.optim.Adam(layers, lr=self._learning_rate, betas=BETAS, fused=True)
        ends = list(range(self._batch_size, len(targets), self._batch_size))
        for _ in range(self._num_epochs):
            orders = torch.stack([torch.randperm(len(targets), generator=generator) for generator in generators])
            for batch in torch.tensor_split(orders, ends, dim=1):
                errors = forward(layers, inputs[batch]) - targets[batch]
                # the mean of each member's batch, summed over the members, whose gradients do not mix
                loss = errors.abs().mean(dim=1).sum()
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
        self._layers = [layer.detach() for layer in layers]


def initial_layers(sizes: Sequence[int], generators: Sequence[torch.Generator]) -> list[torch.Tensor]:
    """Return stacked weights and biases, alternating: (num_members, inputs, outputs), (num_members, 1, outputs).

    Args:
        sizes: units of the input, of each hidden layer and of the output.
        generators: one a member, from which its weights alone are drawn.
    """
    import torch

    layers: list[torch.Tensor] = []
    for num_inputs, num_outputs in pairwise(sizes):
        bound = math.sqrt(6 / (num_inputs + num_outputs))
        drawn = [
            torch.rand(num_inputs, num_outputs, generator=generator, dtype=torch.float64) for generator in generators
        ]
        layers.append(((2 * torch.stack(drawn) - 1) * bound).requires_grad_())
        layers.append(torch.zeros(len(generators), 1, num_outputs, dtype=torch.float64, requires_grad=True))
    return layers


def forward(layers: Sequence[torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
    """Return the outputs (num_members, batch) of all members.

    Args:
        layers: as `initial_layers` gives them.
        inputs: (num_members, batch, num_features).
    """
    import torch

    hidden = inputs
    for index in range(0, len(layers) - 2, 2):
        hidden = torch.baddbmm(layers[index + 1], hidden, layers[index]).relu()
    return torch.baddbmm(layers[-1], hidden, layers[-2]).squeeze(2)
