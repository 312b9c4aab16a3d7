"""The one strategy of all differentiable methods; a method is a recipe of parts (see `nas_core.strategies.darts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nas_core.architecture import Architecture
from nas_core.differentiable.learning import Learning
from nas_core.differentiable.parts import Parts
from nas_core.evaluation import Evaluation, Proposal
from nas_core.randomness import Streams
from nas_core.space import SearchSpace

if TYPE_CHECKING:
    from nas_core.weight_sharing.learns import SharedWeights


class DifferentiableStrategy:
    """Learns architecture parameters by gradient, one step a pair of minibatches, and proposes what they decode to.

    Its tensors are made at the first `learn`, so that putting one together needs no torch.
    """

    def __init__(self, space: SearchSpace, streams: Streams, parts: Parts) -> None:
        """Put a method together; it draws from streams below "parameters", "noise" and "perturbation"."""
        self._space = space
        self._streams = streams
        self._parts = parts
        self._learning: Learning | None = None
        self._proposed_the_last = False

    def learn(self, weights: SharedWeights) -> None:
        """Play one turn; after the stopping rule fired, only the weights are still trained."""
        if self._learning is None:
            self._learning = Learning(self._space, self._streams, self._parts)
        self._learning.play(weights)

    def ask(self, count: int) -> list[Proposal]:
        """Return the present architecture as the one proposal; nothing more once it was proposed after stopping.

        Raises:
            ValueError: before the first `learn`.
        """
        if count < 1 or self._proposed_the_last:
            return []
        architecture = self.recommend()
        self._proposed_the_last = self._learning is not None and self._learning.stopped
        return [Proposal(architecture)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn nothing: the parameters learn from gradients alone."""

    def recommend(self) -> Architecture:
        """Return what the parameters decode to.

        Raises:
            ValueError: before the first `learn`.
        """
        if self._learning is None:
            raise ValueError(
                "a differentiable strategy has learnt nothing yet; let evaluator shared_weights train it for at least "
                "one epoch before it is asked"
            )
        parts = self._parts
        return parts.decoding(self._space, parts.relaxation.scores(self._learning.parameters))

    def state_dict(self) -> dict[str, Any]:
        """Return the parameters, their optimizer's state, the generators' and the stopping rule's."""
        return {
            "learning": None if self._learning is None else self._learning.state_dict(),
            "stopping": self._parts.stopping.state_dict(),
            "proposed_the_last": int(self._proposed_the_last),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._learning = None
        if state["learning"] is not None:
            self._learning = Learning(self._space, self._streams, self._parts)
            self._learning.load_state_dict(state["learning"])
        self._parts.stopping.load_state_dict(state["stopping"])
        self._proposed_the_last = bool(state["proposed_the_last"])
