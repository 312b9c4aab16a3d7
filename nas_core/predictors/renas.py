"""ReNAS: a convolutional network on feature tensors that learns the order of architectures, not their costs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from nas_core.member_predictions import over_members
from nas_core.predictor import Predictor
from nas_core.randomness import Streams
from nas_core.training.one_thread import one_thread

if TYPE_CHECKING:
    import torch
    from torch import nn

Array = NDArray[np.float64]

ENCODING = "tensor"
CHANNELS_OF_SECOND_CONVOLUTION = 128
HIDDEN_UNITS = (120, 84)


def build(
    streams: Streams,
    *,
    num_members: Annotated[int, Ge(1)] = 3,
    num_epochs: Annotated[int, Ge(1)] = 200,
    batch_size: Annotated[int, Ge(2)] = 1024,
    learning_rate: Annotated[float, Gt(0)] = 0.001,
) -> Predictor:
    """Return the relativistic predictor (Xu et al. 2021, ReNAS, arXiv:1910.01523), by default as published, times 3.

    Args:
        streams: source of the initial weights and of the order of the examples.
        num_members: networks; the paper has 1, which has no uncertainty.
        num_epochs: passes over the examples.
        batch_size: examples a step, at most; batches of an epoch are as equal as can be.
        learning_rate: of Adam.
    """
    return ReNAS(streams, num_members, num_epochs, batch_size, learning_rate)


def ranking_loss(scores: torch.Tensor, costs: torch.Tensor) -> torch.Tensor:
    """Return the mean of log(1 + exp(-(f_i - f_j) sign(y_i - y_j))) over all ordered pairs i != j.

    Two of equal cost count log 2, whatever their scores, and have no gradient (Xu et al. 2021, arXiv:1910.01523).

    Args:
        scores: f, (num_examples,), at least two.
        costs: y, (num_examples,).

    Returns:
        A scalar.
    """
    from torch.nn import functional

    margins = (scores[:, None] - scores) * (costs[:, None] - costs).sign()
    losses = functional.softplus(-margins)
    return (losses.sum() - losses.diagonal().sum()) / (losses.numel() - len(scores))


class ReNAS:
    """Networks that score architectures so that pairs come in the right order (Xu et al. 2021, arXiv:1910.01523).

    Each is conv3x3 to twice the channels, BN, ReLU, conv3x3 to 128, BN, ReLU, then linear layers of 120, 84 and 1 with
    ReLU between, on feature tensors standardized entry by entry; Adam minimizes `ranking_loss`.

    Follows the paper. Differs from it, and from the authors' code: several members, whose mean and deviation are
    predicted; a score, which has no unit, becomes a cost by giving each member's scores of the training examples the
    mean and the standard deviation of the costs, which keeps the order; the last epoch's weights are used, not those of
    the epoch that ordered the training examples best. A member depends on the seed and its number alone.
    """

    def __init__(
        self, streams: Streams, num_members: int, num_epochs: int, batch_size: int, learning_rate: float
    ) -> None:
        """Start without a fit; see `build`."""
        self._streams = streams
        self._num_members = num_members
        self._num_epochs = num_epochs
        self._batch_size = batch_size
        self._learning_rate = learning_rate
        self._networks: list[nn.Module] = []
        self._center = np.zeros(())
        self._scale = np.ones(())
        # each member's cost = offset + slope * score
        self._offsets = np.zeros(0)
        self._slopes = np.ones(0)

    def fit(self, features: Array, costs: Array) -> None:
        """Train every member from its initial weights on all examples.

        Args:
            features: (num_examples, channels, height, width).
            costs: (num_examples,), at least one.

        Raises:
            ValueError: if the features are no tensors.
        """
        import torch

        if features.ndim != 4:
            raise ValueError(
                f"features have the shape {features.shape}; give feature tensors (examples, channels, height, width), "
                "by the encoding 'tensor' in a space that has them"
            )
        self._center = features.mean(axis=0)
        deviation = features.std(axis=0)
        self._scale = np.where(deviation > 0, deviation, 1.0)
        inputs = self._inputs(features)
        with one_thread(), torch.enable_grad():
            self._networks = [
                self._trained(inputs, torch.from_numpy(costs), self._streams.torch(f"member {number}"))
                for number in range(self._num_members)
            ]
        scores = self._scores(inputs)
        spread = scores.std(axis=1)
        self._slopes = np.where(spread > 0, costs.std() / np.where(spread > 0, spread, 1.0), 0.0)
        self._offsets = costs.mean() - self._slopes * scores.mean(axis=1)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return the mean and the standard deviation (n - 1; 0 of one member) over the members, each (num_examples,).

        Raises:
            ValueError: if nothing was fitted yet.
        """
        return over_members(self.predict_members(features))

    def predict_members(self, features: Array) -> Array:
        """Return each member's predicted costs, (num_members, num_examples); ValueError before a fit."""
        if not self._networks:
            raise ValueError("the predictor was not fitted; call fit(features, costs) first")
        return self._offsets[:, None] + self._slopes[:, None] * self._scores(self._inputs(features))

    def _inputs(self, features: Array) -> torch.Tensor:
        import torch

        return torch.from_numpy(((features - self._center) / self._scale).astype(np.float32))

    def _scores(self, inputs: torch.Tensor) -> Array:
        """Return (num_members, num_examples)."""
        import torch

        with one_thread(), torch.no_grad():
            scores = [network.eval()(inputs).squeeze(1).double().numpy() for network in self._networks]
        return np.stack(scores)

    def _trained(self, inputs: torch.Tensor, costs: torch.Tensor, generator: torch.Generator) -> nn.Module:
        import torch

        network = convolutional_network(tuple(inputs.shape[1:]), generator).train()
        optimizer = torch.optim.Adam(network.parameters(), lr=self._learning_rate)
        # equal parts, since a last batch of one example has no pair
        num_batches = -(-len(costs) // self._batch_size)
        for _ in range(self._num_epochs if len(costs) > 1 else 0):
            for batch in torch.randperm(len(costs), generator=generator).tensor_split(num_batches):
                loss = ranking_loss(network(inputs[batch]).squeeze(1), costs[batch])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
        return network


def convolutional_network(shape: tuple[int, ...], generator: torch.Generator) -> nn.Module:
    """Return the freshly initialized network, (batch, *shape) -> (batch, 1).

    Args:
        shape: (channels, height, width) of a feature tensor.
        generator: the only source of the initial weights, with torch's default distributions.
    """
    from torch import nn

    from nas_core.networks.initialization import initialized

    channels, height, width = shape

    def make() -> nn.Module:
        layers: list[nn.Module] = []
        for before, after in pairwise((channels, 2 * channels, CHANNELS_OF_SECOND_CONVOLUTION)):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers.append(nn.Flatten())
        for before, after in pairwise((CHANNELS_OF_SECOND_CONVOLUTION * height * width, *HIDDEN_UNITS)):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(HIDDEN_UNITS[-1], 1))

    return initialized(make, generator)
