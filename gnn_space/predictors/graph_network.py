"""A graph convolutional network on cell graphs, along and against the flow of data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from nas_core.member_predictions import CostScale, over_members
from nas_core.predictor import Predictor
from nas_core.randomness import Streams
from nas_core.training.one_thread import one_thread

if TYPE_CHECKING:
    import torch

    from gnn_space.networks.flow_network import FlowNetwork

Array = NDArray[np.float64]

ENCODING = "graph"
BETAS = (0.9, 0.999)


def build(
    streams: Streams,
    *,
    num_members: Annotated[int, Ge(2)] = 3,
    num_layers: Annotated[int, Ge(1)] = 3,
    width: Annotated[int, Ge(1)] = 64,
    num_epochs: Annotated[int, Ge(1)] = 100,
    batch_size: Annotated[int, Ge(1)] = 16,
    learning_rate: Annotated[float, Gt(0)] = 0.003,
    weight_decay: Annotated[float, Interval(ge=0)] = 0.001,
) -> Predictor:
    """Return the graph network (after Wen et al. 2020, arXiv:1912.00848).

    Args:
        streams: source of the initial weights and of the order of the examples.
        num_members: networks, at least 2, so that there is a standard deviation.
        num_layers: graph convolutions.
        width: features of a vertex after each.
        num_epochs: passes over the examples.
        batch_size: examples a step, at most; batches of an epoch are as equal as can be.
        learning_rate: of AdamW at the start; it falls to 0 along a cosine.
        weight_decay: of AdamW.
    """
    return GraphNetwork(streams, num_members, num_layers, width, num_epochs, batch_size, learning_rate, weight_decay)


class GraphNetwork:
    """Networks of graph convolutions whose mean and deviation are predicted (after Wen et al. 2020, arXiv:1912.00848).

    With N(A) = D^-1/2 (A + I) D^-1/2 and D the sums of the rows of A + I, a layer is
    H' = (relu(N(A^T) H W + w) + relu(N(A) H V + v)) / 2; the vertices that are in use are averaged, and two linear
    layers with ReLU between give a cost. The mean squared error is minimized.

    Differs from the paper, as far as remembered: several members; no cascade of a classifier before the regression.
    Differs from NASLib's version of it, by its code: no dropout, where it has .1; N is that of torch-geometric's
    `DenseGCNConv`, with biases, where it divides by the sums of rows and has none; a ReLU in the head, where it has
    none; layers of 64, where it has 4 of 144 and 128 in the head; and settings of training of our own, where it has 300
    epochs of Adam at .0001 in batches of 7. Costs are standardized for the fit, as there. A member depends on the seed
    and its number alone.
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
        weight_decay: float,
    ) -> None:
        """Start without a fit; see `build`."""
        self._streams = streams
        self._num_members = num_members
        self._num_layers = num_layers
        self._width = width
        self._num_epochs = num_epochs
        self._batch_size = batch_size
        self._learning_rate = learning_rate
        self._weight_decay = weight_decay
        self._networks: list[FlowNetwork] = []
        self._cost_scale = CostScale()

    def fit(self, features: Array, costs: Array) -> None:
        """Train every member from its initial weights on all examples.

        Args:
            features: (num_examples, num_vertices, num_vertices + num_labels).
            costs: (num_examples,), at least one.

        Raises:
            ValueError: if the features are no graphs.
        """
        import torch

        if features.ndim != 3 or features.shape[2] <= features.shape[1]:
            raise ValueError(
                f"features have the shape {features.shape}; give cell graphs (examples, vertices, vertices + labels), "
                "by the encoding 'graph' in a space that has them"
            )
        self._cost_scale = CostScale.of(costs)
        inputs = torch.from_numpy(features.astype(np.float32))
        targets = torch.from_numpy(self._cost_scale.standardized(costs).astype(np.float32))
        with one_thread(), torch.enable_grad():
            self._networks = [
                self._trained(inputs, targets, self._streams.torch(f"member {number}"))
                for number in range(self._num_members)
            ]

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return the mean and the standard deviation (n - 1) over the members, each (num_examples,).

        Raises:
            ValueError: if nothing was fitted yet.
        """
        return over_members(self.predict_members(features))

    def predict_members(self, features: Array) -> Array:
        """Return each member's predicted costs, (num_members, num_examples); ValueError before a fit."""
        import torch

        if not self._networks:
            raise ValueError("the predictor was not fitted; call fit(features, costs) first")
        inputs = torch.from_numpy(features.astype(np.float32))
        with one_thread(), torch.no_grad():
            outputs = [network(inputs).double().numpy() for network in self._networks]
        return self._cost_scale.restored(np.stack(outputs))

    def _trained(self, inputs: torch.Tensor, targets: torch.Tensor, generator: torch.Generator) -> FlowNetwork:
        import torch

        from gnn_space.networks.flow_network import FlowNetwork
        from gnn_space.networks.initialization import initialized

        num_labels = inputs.shape[2] - inputs.shape[1]
        network = initialized(lambda: FlowNetwork(num_labels, self._width, self._num_layers), generator)
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=self._learning_rate, betas=BETAS, weight_decay=self._weight_decay, fused=True
        )
        num_batches = -(-len(targets) // self._batch_size)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self._num_epochs * num_batches)
        for _ in range(self._num_epochs):
            for batch in torch.randperm(len(targets), generator=generator).tensor_split(num_batches):
                loss = (network(inputs[batch]) - targets[batch]).square().mean()
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                schedule.step()
        return network
