"""A stage as `tasks` has them, on toys: a search in a folder of its own, killed and started again by tests.

``python small_stage.py black_box`` (no torch, no checkpoint: all is played again), ``... weight_sharing`` (a
checkpoint after each round) or ``... inheriting`` (files of weights beside the archive) works in the current folder,
which holds a params.yaml.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import toy_space

from nas_core.archive import Archive
from nas_core.atomic_files import write_json
from nas_core.checkpoint import CheckpointFile
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.search import Budget, Search
from nas_core.strategies import darts, regularized_evolution
from nas_core.strategy import Strategy
from tasks.stage import Stage, run

OBJECTIVES = (Objective("validation_accuracy", "maximize"),)
BLACK_BOX_BUDGET = Budget(11, 2)
WEIGHT_SHARING_BUDGET = Budget(4)
INHERITING_BUDGET = Budget(5, 2)


class DrawnScores:
    """Scores that depend on the architecture alone; one in three fails."""

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [self._evaluate(proposal) for proposal in proposals]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Accept the empty state."""

    def _evaluate(self, proposal: Proposal) -> Evaluation:
        number = int.from_bytes(hashlib.blake2b(proposal.architecture.key.encode(), digest_size=4).digest(), "little")
        if number % 3 == 0:
            return Evaluation(proposal, failure="RuntimeError: drawn to fail")
        return Evaluation(proposal, {"validation_accuracy": number / 2**32})


def black_box(work: Path) -> tuple[Search, Budget]:
    """Return regularized evolution on drawn scores."""
    strategy = regularized_evolution.build(
        toy_space.build(), OBJECTIVES, Streams(0), population_size=4, tournament_size=2
    )
    archive = Archive(work / "archive.jsonl", {"search": "black_box"})
    return Search(strategy, DrawnScores(), archive), BLACK_BOX_BUDGET


def weight_sharing(work: Path) -> tuple[Search, Budget]:
    """Return DARTS on a toy supernet, with a checkpoint after each round."""
    import toy_task

    from nas_core.evaluators import shared_weights

    space, streams = toy_space.build(), Streams(0)
    num_steps = WEIGHT_SHARING_BUDGET.num_rounds
    search = Search(
        darts.build(space, OBJECTIVES, streams.child("strategy")),
        shared_weights.build(
            space, OBJECTIVES, streams.child("evaluator"), toy_task.build, num_steps=num_steps, batch_size=32
        ),
        Archive(work / "archive.jsonl", {"search": "weight_sharing"}),
        CheckpointFile(work / "checkpoint.pt"),
        checkpoint_seconds=0.0,
    )
    return search, WEIGHT_SHARING_BUDGET


def inheriting(work: Path) -> tuple[Search, Budget]:
    """Return hill climbing, the children of which go on from their parents' weights."""
    import tiny_images

    from nas_core.evaluators import low_fidelity
    from nas_core.learning_tasks import image_classification
    from nas_core.spaces import morphable
    from nas_core.strategies import hill_climbing
    from nas_core.task import Task

    space, streams = morphable.build(channels=4, num_stages=1), Streams(0)

    def load_task() -> Task:
        with tempfile.TemporaryDirectory() as images:
            return image_classification.build(tiny_images.write(Path(images)))

    search = Search(
        hill_climbing.build(space, OBJECTIVES, streams.child("strategy"), num_neighbors=2, num_morphisms=2),
        low_fidelity.build(
            space, OBJECTIVES, streams.child("evaluator"), load_task, epochs=1, inherit=True, folder=work / "weights"
        ),
        Archive(work / "archive.jsonl", {"search": "inheriting"}),
    )
    return search, INHERITING_BUDGET


def search(stage: Stage, kind: str) -> None:
    """Run the search and publish its archive and recommendation."""
    kinds = {"black_box": black_box, "weight_sharing": weight_sharing, "inheriting": inheriting}
    loop, budget = kinds[kind](stage.work)
    for _ in loop.rounds(budget):
        pass
    loop.archive.close()
    found = {"recommended": loop.strategy.recommend().key, "num_evaluations": loop.num_evaluations}

    def fill(draft: Path) -> None:
        shutil.copyfile(stage.work / "archive.jsonl", draft / "archive.jsonl")
        write_json(draft / "recommendation.json", found)

    stage.publish("results", fill)


if __name__ == "__main__":
    sys.exit(run("small", partial(search, kind=sys.argv[1])))
