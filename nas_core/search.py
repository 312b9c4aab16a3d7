"""The one loop under which every strategy runs in every space with every evaluator."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nas_core.architecture import Architecture
from nas_core.archive import Archive, Round
from nas_core.checkpoint import CheckpointFile
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.evaluator import Evaluator
from nas_core.strategy import Strategy

MOST_REPEATS = 10
"""How many times as many evaluations as are counted a search may have where repeated ones are not."""


@dataclass(frozen=True, slots=True)
class Budget:
    """When a search ends.

    Attributes:
        evaluations: how many evaluations it may use in all, repeated and failed ones included; at least 1.
        round_size: how many proposals a round asks for; at least 1.
        deduplicate: whether repeated queries are free: `evaluations` then counts distinct ones. A strategy that has
            nothing new to propose ends after `MOST_REPEATS` times as many in all.
    """

    evaluations: int
    round_size: int = 1
    deduplicate: bool = False

    def __post_init__(self) -> None:
        if self.evaluations < 1 or self.round_size < 1:
            raise ValueError(f"{self} is no budget; evaluations and round_size are at least 1")

    @property
    def most_evaluations(self) -> int:
        """How many evaluations the budget lasts at most, those that are free included."""
        return self.evaluations * MOST_REPEATS if self.deduplicate else self.evaluations

    @property
    def num_rounds(self) -> int:
        """How many rounds the budget lasts, if the strategy always gives what it is asked for."""
        return math.ceil(self.evaluations / self.round_size)


class Search:
    """A fold over evaluations: prepare, ask, evaluate, remember, tell.

    The archive is the commit log. A search that was killed at any instant goes on from its last checkpoint, plays the
    archived rounds after it again with the archived scores in place of new ones (the strategy must propose the same,
    which is checked), and so comes to the state it had; at most the round in flight is evaluated twice. Checkpoints
    only shorten that replay, so they are written by the clock: one after a round that ends `checkpoint_seconds` or
    more after the last. A checkpoint counts only while the archive holds the very rounds that led to it: one that is
    ahead of an archive that was damaged and cut, or that was left from another archive, is passed over.
    """

    def __init__(
        self,
        strategy: Strategy,
        evaluator: Evaluator,
        archive: Archive | None = None,
        checkpoint: CheckpointFile | None = None,
        *,
        checkpoint_seconds: float = 1.0,
    ) -> None:
        """Put a search together, taking up the state of the checkpoint if there is one."""
        self.strategy = strategy
        self.evaluator = evaluator
        self.archive = Archive() if archive is None else archive
        self._checkpoint = checkpoint
        self._checkpoint_seconds = checkpoint_seconds
        self._num_played = 0
        self._num_evaluations = 0
        self._num_saved = 0
        self._course = hashlib.sha256()
        state = None if checkpoint is None else checkpoint.load()
        if state is not None:
            self._take_up(state)
        self._saved_at = time.monotonic()

    @property
    def num_evaluations(self) -> int:
        """How many evaluations the strategy was told so far."""
        return self._num_evaluations

    def run_round(self, count: int) -> list[Evaluation]:
        """Play one round of up to `count` proposals; an empty list if the strategy has no more to say.

        Raises:
            ValueError: if the archive holds a round that the strategy does not propose again.
        """
        number = self._num_played
        past = self.archive.rounds[number] if number < len(self.archive.rounds) else None
        asked = count if past is None else past.asked
        self.evaluator.prepare(self.strategy)
        proposals = self.strategy.ask(asked)
        if past is not None:
            self._check_same(past, proposals)
            evaluations = list(past.evaluations)
        elif proposals:
            evaluations = self.evaluator.evaluate(proposals)
            if len(evaluations) != len(proposals):
                raise RuntimeError(f"the evaluator gave {len(evaluations)} evaluations for {len(proposals)} proposals")
            self.archive.append(Round(number, asked, tuple(evaluations)))
        else:
            return []
        self.strategy.tell(evaluations)
        self._num_played += 1
        self._num_evaluations += len(evaluations)
        if self._checkpoint is not None:
            self._course.update(_words(self.archive.rounds[number]))
            if time.monotonic() - self._saved_at >= self._checkpoint_seconds:
                self.save()
        return evaluations

    def rounds(self, budget: Budget) -> Iterator[Round]:
        """Play rounds until the budget is used up or the strategy has no more to say; yield each after it is played.

        Rounds that are played again from the archive are yielded too; those before the checkpoint are not.
        """
        queries = self._queries() if budget.deduplicate else None
        num_counted = self._num_evaluations if queries is None else len(queries)
        while num_counted < budget.evaluations and self._num_evaluations < budget.most_evaluations:
            evaluations = self.run_round(min(budget.round_size, budget.evaluations - num_counted))
            if not evaluations:
                # asking in vain may have changed the state, which a later run is to do once, not twice
                return
            if queries is None:
                num_counted = self._num_evaluations
            else:
                queries.update(evaluation.proposal.query for evaluation in evaluations)
                num_counted = len(queries)
            yield self.archive.rounds[self._num_played - 1]
        self.save()

    def save(self) -> None:
        """Write a checkpoint now, if there is a file for it and something new."""
        if self._checkpoint is not None and self._num_saved != self._num_played:
            self._checkpoint.save(
                {
                    "rounds": self._num_played,
                    "evaluations": self._num_evaluations,
                    "course": self._course.hexdigest(),
                    "strategy": self.strategy.state_dict(),
                    "evaluator": self.evaluator.state_dict(),
                }
            )
            self._num_saved = self._num_played
            self._saved_at = time.monotonic()

    def _queries(self) -> set[tuple[Architecture, Fidelity | None]]:
        """Return the distinct queries of the rounds that were played."""
        played = self.archive.rounds[: self._num_played]
        return {evaluation.proposal.query for past in played for evaluation in past.evaluations}

    def _take_up(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint, if the archive holds the rounds that led to it."""
        course = hashlib.sha256()
        for past in self.archive.rounds[: state["rounds"]]:
            course.update(_words(past))
        if course.hexdigest() != state["course"]:
            return
        self._course = course
        self.strategy.load_state_dict(state["strategy"])
        self.evaluator.load_state_dict(state["evaluator"])
        self._num_played = self._num_saved = state["rounds"]
        self._num_evaluations = state["evaluations"]

    def _check_same(self, past: Round, proposals: list[Proposal]) -> None:
        archived = [evaluation.proposal for evaluation in past.evaluations]
        if archived != proposals:
            was, now = ([proposal.architecture.key for proposal in group] for group in (archived, proposals))
            raise ValueError(
                f"round {past.number} of the archive {self.archive.path} holds {was}, the strategy now proposes {now}: "
                "settings or code changed since; move the archive away or go back to what it was made with"
            )


def _words(played: Round) -> bytes:
    """Return what a round was, the clock left out."""
    outcomes = [[each.proposal.architecture.key, dict(each.scores), each.failure] for each in played.evaluations]
    return json.dumps([played.number, played.asked, outcomes]).encode()
