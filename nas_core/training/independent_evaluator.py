"""The evaluator that scores every proposal by itself and has no state."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from nas_core.evaluation import Evaluation, Proposal
from nas_core.strategy import Strategy
from nas_core.task import Task

Score = Callable[[Task, Proposal], Mapping[str, float]]
"""Returns the scores of a proposal by objective name; they depend on the proposal and fixed settings alone."""

CANDIDATE_ERRORS = (RuntimeError, ValueError, ArithmeticError, MemoryError)
"""What a bad candidate raises: a diverging loss, a network that does not fit, an accelerator out of memory."""

MAX_REASON = 500
"""Characters of the reason of a failure; the rest is cut."""


Foresee = Callable[[Sequence[Proposal]], None]


class IndependentEvaluator:
    """Scores proposals one after the other, each by itself.

    The task is loaded once, before the first proposal; what that raises is nobody's failure and passes.
    """

    def __init__(self, load_task: Callable[[], Task], score: Score, foresee: Foresee | None = None) -> None:
        """Remember how to load the task and how to score a proposal on it.

        Args:
            load_task: loads it.
            score: of a proposal.
            foresee: takes note of proposals, in their order, before any of them is scored; None if none need be taken.
        """
        self._load_task = load_task
        self._score = score
        self._foresee = foresee
        self._task: Task | None = None

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing: no weights are shared."""

    def foresee(self, proposals: Sequence[Proposal]) -> None:
        """Take note of proposals that are about to be evaluated."""
        if self._foresee is not None:
            self._foresee(proposals)

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order."""
        self.foresee(proposals)
        if self._task is None and proposals:
            self._task = self._load_task()
        if self._task is None:
            return []
        return [evaluate_one(partial(self._score, self._task, proposal), proposal) for proposal in proposals]

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: nothing changes."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Accept the empty state."""
        if state:
            raise ValueError(f"this evaluator has no state, received {sorted(state)}; give the state of its own kind")


def evaluate_one(score: Callable[[], Mapping[str, float]], proposal: Proposal) -> Evaluation:
    """Return the evaluation of a proposal by what `score` gives; an error that a bad candidate raises is a failure.

    Raises:
        RuntimeError: the accelerator is at fault; it fails every later candidate of this process too.
    """
    start = time.perf_counter()
    try:
        return Evaluation(proposal, dict(score()), time.perf_counter() - start)
    except CANDIDATE_ERRORS as error:
        if _is_device_fault(error):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
    return Evaluation(proposal, seconds=time.perf_counter() - start, failure=reason[:MAX_REASON])


def _is_device_fault(error: Exception) -> bool:
    """Return whether an accelerator is at fault, and not merely out of memory, which the next candidate may fit in."""
    if not isinstance(error, RuntimeError):
        return False
    import torch

    if isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error):
        return False
    return isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)
