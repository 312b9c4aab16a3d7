"""Known networks: what was proposed or told already, whatever name it went by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nas_core.architecture import Architecture
from nas_core.space import SearchSpace
from nas_core.variation import sample

MAX_REPEATS = 1000


class KnownNetworks:
    """A set of architectures in which those of equal canonical form, being one network, count as one."""

    def __init__(self, space: SearchSpace, form: Callable[[Architecture], Architecture] | None = None) -> None:
        """Start with none of the space's networks known.

        Args:
            space: whose networks count.
            form: what architectures that count as one have in common; None is the space's canonical form.
        """
        self._space = space
        self._form = space.canonical if form is None else form
        # a dictionary, because its order is the same in every process
        self._canonical: dict[Architecture, None] = {}

    def __contains__(self, architecture: Architecture) -> bool:
        """Return whether the architecture's network is known."""
        return self._form(architecture) in self._canonical

    def add(self, architecture: Architecture) -> None:
        """Make a network known; members of other spaces are left out."""
        if architecture.space == self._space.name:
            self._canonical[self._form(architecture)] = None

    def sample_new(self, count: int, generator: np.random.Generator) -> list[Architecture]:
        """Return uniform samples of unknown networks and make them known.

        Returns:
            `count` architectures, or fewer if 1,000 samples in a row were known.
        """
        found: list[Architecture] = []
        num_repeats = 0
        while len(found) < count and num_repeats < MAX_REPEATS:
            architecture = sample(self._space, generator)
            if architecture in self:
                num_repeats += 1
            else:
                num_repeats = 0
                self.add(architecture)
                found.append(architecture)
        return found

    def state(self) -> list[list[int]]:
        """Return the decisions of the canonical forms, in the order in which they became known."""
        return [list(architecture.decisions) for architecture in self._canonical]

    def restore(self, state: Sequence[Sequence[int]]) -> None:
        """Take on what `state` gave."""
        self._canonical = {Architecture(self._space.name, tuple(decisions)): None for decisions in state}
