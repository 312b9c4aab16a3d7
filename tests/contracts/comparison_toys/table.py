"""An evaluator whose scores are drawn from the names of architectures, with a test accuracy that only it reports."""

from __future__ import annotations

import functools
import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.task import Task

FULL_EPOCHS = 9


def check(space: SearchSpace, strategy: Strategy, objectives: Sequence[Objective]) -> None:
    """Agree to everything."""


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    load_task: Callable[[], Task],
    *,
    path: str = "",
    seconds: float = 0.0,
    always_fails: bool = False,
    dies_once: str = "",
) -> DrawnTable:
    """Return the evaluator; an evaluation takes some seconds, and a worker may die at the first, leaving a file."""
    return DrawnTable(seconds, always_fails, dies_once)


class DrawnTable:
    """Scores that depend on the architecture, and a little on the epochs, alone."""

    def __init__(self, seconds: float, always_fails: bool, dies_once: str) -> None:
        self._dies_once = dies_once
        self._seconds = seconds
        self._always_fails = always_fails

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [self._evaluate(proposal) for proposal in proposals]

    def report(self, architecture: Architecture) -> dict[str, float]:
        """Return what is no score."""
        return {"test_accuracy": drawn("test", architecture)}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Accept the empty state."""

    def _evaluate(self, proposal: Proposal) -> Evaluation:
        if self._dies_once and not Path(self._dies_once).exists() and multiprocessing.parent_process() is not None:
            Path(self._dies_once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self._seconds)
        if self._always_fails:
            return Evaluation(proposal, failure="it was drawn to fail")
        epochs = FULL_EPOCHS if proposal.fidelity is None else proposal.fidelity.epochs
        score = drawn("validation", proposal.architecture)
        if epochs < FULL_EPOCHS:
            score = 0.9 * score + 0.1 * drawn(f"noise-{epochs}", proposal.architecture)
        return Evaluation(proposal, {"validation_accuracy": score})


@functools.cache
def drawn(what: str, architecture: Architecture) -> float:
    """Return a number from 0 to 1 with two digits, so that some are equal."""
    digest = hashlib.blake2b(f"{what} {architecture.key}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") % 100 / 100
