"""The predicted latency of a candidate as an objective beside others, out of a table of its operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nas_core.evaluation import Proposal
from nas_core.space import HasLocatedOperations, SearchSpace
from nas_core.task import Task
from nas_core.training.independent_evaluator import Score
from nas_core.training.latency_table import LatencyTable, read

PREDICTED_LATENCY = "predicted_latency_ms"


@dataclass(frozen=True)
class WithPredictedLatency:
    """Another score, and the latency that a table predicts.

    Attributes:
        score: gives all other objectives.
        space: says which operations a network runs.
        table: their latencies.
    """

    score: Score
    space: HasLocatedOperations
    table: LatencyTable

    def __call__(self, task: Task, proposal: Proposal) -> Mapping[str, float]:
        """Return the scores of a proposal's architecture by objective name."""
        predicted = self.table.predicted_ms(self.space, proposal.architecture, task.shape)
        return {**self.score(task, proposal), PREDICTED_LATENCY: predicted}


def with_predicted_latency(score: Score, space: SearchSpace, names: Sequence[str], path: str | None) -> Score:
    """Return a score with the predicted latency besides, if that is one of the objectives; else the score itself.

    Args:
        score: of all other objectives.
        space: of the architectures.
        names: of all objectives.
        path: file of the latency table; None for none.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: there is no path, the file is no table, or the space does not say what its networks run.
    """
    if PREDICTED_LATENCY not in names:
        return score
    if not isinstance(space, HasLocatedOperations):
        raise ValueError(
            f"space {space.name!r} does not say which operations its networks run; ask for latency_ms instead of "
            f"{PREDICTED_LATENCY}"
        )
    if path is None:
        raise ValueError(
            f"objective {PREDICTED_LATENCY} needs the evaluator's setting latency_table, a file that python -m "
            "tasks.latency_table writes"
        )
    return WithPredictedLatency(score, space, read(Path(path)))
