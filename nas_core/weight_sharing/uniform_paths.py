"""Training of shared weights on uniform single paths, for strategies that only propose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.variation import sample
from nas_core.weight_sharing.gates import one_hot

if TYPE_CHECKING:
    from nas_core.weight_sharing.learns import SharedWeights


class UniformPaths:
    """A learner that trains, at each pair of minibatches, one valid architecture drawn uniformly.

    Li and Talwalkar 2019 (random search with weight sharing, arXiv:1902.07638) and Guo et al. 2020 (SPOS,
    arXiv:1904.00420). Follows the papers; "uniform" is by decisions, so that networks with several encodings are drawn
    more often.
    """

    def __init__(self, space: SearchSpace, streams: Streams) -> None:
        """Draw from the stream "uniform paths" of `streams`."""
        self._space = space
        self._generator = streams.numpy("uniform paths")

    def learn(self, weights: SharedWeights) -> None:
        """Train one path on the training minibatch; the validation minibatch is not looked at."""
        path = sample(self._space, self._generator)
        weights.step(weights.training_loss(one_hot(self._space.choices, path)))

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator."""
        return {"generator": generator_state(self._generator)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        restore_generator(self._generator, state["generator"])
