"""The factorized policy: an independent categorical distribution for each choice."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from nas_core.architecture import Architecture, Choice, active
from nas_core.controller import Array, Controller
from nas_core.randomness import Streams
from nas_core.space import SearchSpace

INITIAL_SCALE = 1e-3
BETAS = (0.9, 0.999)
EPSILON = 1e-8


def build(space: SearchSpace, streams: Streams, *, learning_rate: Annotated[float, Gt(0)] = 0.01) -> Controller:
    """Return the policy of the tabular benchmarks, by default with Adam's rate of NATS-Bench (arXiv:2009.00437).

    Args:
        space: whose choices there are.
        streams: source of the initial logits.
        learning_rate: of Adam (NAS-Bench-201's own command: 0.5; 0.1 replays better with 100 queries).
    """
    return FactorizedPolicy(space.choices, streams.numpy("logits"), learning_rate)


def log_probability_gradient(probabilities: Array, decisions: Sequence[int], matters: Sequence[bool]) -> Array:
    """Return the gradient of log p(decisions) by the logits: 1 - p for what was chosen, -p for the rest.

    Args:
        probabilities: (num_choices, max_options), 0 where a choice has fewer options.
        decisions: the option chosen, for each choice.
        matters: for each choice whether it was drawn at all; the rows of the others are 0.

    Returns:
        An array of the shape of `probabilities`.
    """
    gradient: Array = -probabilities
    gradient[np.arange(len(decisions)), decisions] += 1.0
    if not all(matters):
        gradient[~np.asarray(matters)] = 0.0
    return gradient


def entropy_gradient(probabilities: Array) -> Array:
    """Return the gradient of the summed entropies by the logits: -p_j (log p_j + H) in each choice.

    Args:
        probabilities: (num_choices, max_options), 0 where a choice has fewer options.
    """
    logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
    entropies = -(probabilities * logs).sum(axis=1, keepdims=True)
    gradient: Array = -probabilities * (logs + entropies)
    return gradient


class FactorizedPolicy:
    """logits ~ 1e-3 * N(0, 1), p = softmax(logits) in each choice, moved by Adam.

    Gradient and Adam are written out in numpy: a round on a table takes less time than torch's autograd needs for one
    step (130 microseconds against 10). The entropy is that of all choices, whether they matter or not.
    """

    def __init__(self, choices: Sequence[Choice], generator: np.random.Generator, learning_rate: float) -> None:
        """Draw the initial logits."""
        self._choices = tuple(choices)
        self._learning_rate = learning_rate
        num_options = np.array([len(choice.options) for choice in choices])
        self._exists: NDArray[np.bool_] = np.arange(num_options.max()) < num_options[:, None]
        self._logits: Array = INITIAL_SCALE * generator.standard_normal(self._exists.shape) * self._exists
        self._probabilities = _softmax(self._logits, self._exists)
        self._mean: Array = np.zeros_like(self._logits)
        self._mean_square: Array = np.zeros_like(self._logits)
        self._num_steps = 0

    @property
    def probabilities(self) -> tuple[tuple[float, ...], ...]:
        """The probability of each option, for each choice."""
        return tuple(
            tuple(row[: len(choice.options)])
            for row, choice in zip(self._probabilities.tolist(), self._choices, strict=True)
        )

    def draw(self, generator: np.random.Generator, count: int) -> list[tuple[int, ...]]:
        """Return `count` draws of one decision for each choice."""
        thresholds = self._probabilities.cumsum(axis=1)
        # scaled by the last sum, which rounding may leave below 1
        draws = generator.random((count, len(self._choices), 1)) * thresholds[:, -1:]
        return [self._normalized(decisions) for decisions in (thresholds < draws).sum(axis=2).tolist()]

    def noisy_scores(self, generator: np.random.Generator) -> list[list[float]]:
        """Return the logits with Gumbel noise."""
        scores = self._logits + generator.gumbel(size=self._logits.shape)
        return [row[: len(choice.options)] for row, choice in zip(scores.tolist(), self._choices, strict=True)]

    def log_probabilities(self, architectures: Sequence[Architecture]) -> Array:
        """Return log p of each architecture."""
        logs = np.log(np.where(self._exists, self._probabilities, 1.0))
        places = np.arange(len(self._choices))
        return np.array(
            [
                logs[places, made.decisions][np.asarray(active(self._choices, made.decisions))].sum()
                for made in architectures
            ]
        )

    def ascend(self, architectures: Sequence[Architecture], weights: Sequence[float], entropy_weight: float) -> None:
        """Take one step of Adam."""
        gradients = [
            weight
            * log_probability_gradient(self._probabilities, made.decisions, active(self._choices, made.decisions))
            for made, weight in zip(architectures, weights, strict=True)
        ]
        gradient: Array = functools.reduce(np.add, gradients)
        if entropy_weight:
            gradient += entropy_weight * entropy_gradient(self._probabilities)
        self._num_steps += 1
        first, second = BETAS
        self._mean *= first
        self._mean += (1 - first) * gradient
        self._mean_square *= second
        self._mean_square += (1 - second) * gradient * gradient
        root = np.sqrt(self._mean_square * (1 / (1 - second**self._num_steps)))
        root += EPSILON
        self._logits += self._learning_rate / (1 - first**self._num_steps) * self._mean / root
        self._probabilities = _softmax(self._logits, self._exists)

    def state_dict(self) -> dict[str, Any]:
        """Return the logits and Adam's moments."""
        return {
            "logits": self._logits.tolist(),
            "mean": self._mean.tolist(),
            "mean_square": self._mean_square.tolist(),
            "num_steps": self._num_steps,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._logits = np.array(state["logits"])
        self._probabilities = _softmax(self._logits, self._exists)
        self._mean = np.array(state["mean"])
        self._mean_square = np.array(state["mean_square"])
        self._num_steps = state["num_steps"]

    def _normalized(self, decisions: list[int]) -> tuple[int, ...]:
        flags = active(self._choices, decisions)
        return tuple([decision if flag else 0 for decision, flag in zip(decisions, flags, strict=True)])


def _softmax(logits: Array, exists: NDArray[np.bool_]) -> Array:
    powers: Array = np.exp(logits - logits.max(axis=1, keepdims=True)) * exists
    powers /= powers.sum(axis=1, keepdims=True)
    return powers
