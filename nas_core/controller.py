"""The controller contract: a parametrized distribution of architectures, moved up weighted log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nas_core.architecture import Architecture

Array = NDArray[np.float64]


class Controller(Protocol):
    """A policy with an optimizer of its own.

    A choice that does not matter is decided as 0 and takes no part in a log-probability.
    """

    def draw(self, generator: np.random.Generator, count: int) -> list[tuple[int, ...]]:
        """Return `count` draws of one decision for each choice, not necessarily of valid architectures."""

    def noisy_scores(self, generator: np.random.Generator) -> list[list[float]]:
        """Return for each choice a score an option, with Gumbel noise: what a space repairs when no draw is valid."""

    def log_probabilities(self, architectures: Sequence[Architecture]) -> Array:
        """Return log p of each architecture, (num_architectures,); invalid draws count as possible."""

    def ascend(self, architectures: Sequence[Architecture], weights: Sequence[float], entropy_weight: float) -> None:
        """Take one step of the optimizer up the gradient of sum_i weights_i log p(a_i) + entropy_weight * entropy."""

    def state_dict(self) -> dict[str, Any]:
        """Return the parameters and the optimizer's moments."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
