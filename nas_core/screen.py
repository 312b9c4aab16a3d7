"""Screening: cheap scores of candidates that a strategy asks for itself, counted and archived apart."""

from __future__ import annotations

from collections.abc import Sequence

from nas_core.architecture import Architecture
from nas_core.archive import Archive, Round
from nas_core.evaluation import Evaluation, Proposal
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective, rank_key

NUM_TOGETHER = 64
"""Architectures that are scored and archived together; a search that is killed loses no more than these."""


class Screen:
    """Ranks architectures by scores that cost little, such as those of a proxy, and scores none twice.

    What was scored is in an archive of its own, from which a search that goes on takes it again, so that a strategy
    need not keep it in its state. The scores must depend on the architecture and the seed alone.
    """

    def __init__(self, evaluator: Evaluator, objectives: Sequence[Objective], archive: Archive | None = None) -> None:
        """Take up what the archive holds.

        Args:
            evaluator: gives the scores; without a state that changes.
            objectives: at least one; the first decides, the others break ties.
            archive: keeps every evaluation; None keeps them in memory only.
        """
        self._evaluator = evaluator
        self._objectives = tuple(objectives)
        self._archive = Archive() if archive is None else archive
        self._keys: dict[Architecture, tuple[float, ...] | None] = {}
        for evaluation in self._archive.evaluations():
            self._remember(evaluation)

    @property
    def num_evaluations(self) -> int:
        """How many architectures were scored so far, failures included."""
        return self._archive.num_evaluations

    @property
    def num_objectives(self) -> int:
        """How many scores an architecture has."""
        return len(self._objectives)

    def rank_keys(self, architectures: Sequence[Architecture]) -> list[tuple[float, ...] | None]:
        """Return the rank key of each architecture, as of `objectives.rank_key`: lower is better, None for a failure.

        These keys rank among themselves alone, never with those of another evaluator.
        """
        unknown = [architecture for architecture in dict.fromkeys(architectures) if architecture not in self._keys]
        for first in range(0, len(unknown), NUM_TOGETHER):
            proposals = [Proposal(architecture) for architecture in unknown[first : first + NUM_TOGETHER]]
            evaluations = self._evaluator.evaluate(proposals)
            self._archive.append(Round(len(self._archive.rounds), len(proposals), tuple(evaluations)))
            for evaluation in evaluations:
                self._remember(evaluation)
        return [self._keys[architecture] for architecture in architectures]

    def ranked(self, architectures: Sequence[Architecture]) -> list[Architecture]:
        """Return the architectures whose scores did not fail, the best first; of equals the one that came first."""
        keys = self.rank_keys(architectures)
        found = [(key, architecture) for key, architecture in zip(keys, architectures, strict=True) if key is not None]
        return [architecture for _, architecture in sorted(found, key=lambda pair: pair[0])]

    def _remember(self, evaluation: Evaluation) -> None:
        key = None if evaluation.failure is not None else rank_key(evaluation, self._objectives)
        self._keys[evaluation.proposal.architecture] = key
