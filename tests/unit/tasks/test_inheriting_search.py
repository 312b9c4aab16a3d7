"""A search whose candidates inherit weights: they are kept beside its archive, of each seed apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nas_core.evaluation import Evaluation
from tasks import assembly, data
from tasks.stage import Stage

KEY = "hill_climbing"


def test_weights_are_kept_beside_the_archive_of_each_seed(make_checkout: Callable[..., Stage]) -> None:
    stage = make_checkout(
        search={
            "space": {"name": "morphable", "channels": 4, "num_stages": 1, "max_blocks": 2},
            "budget": {"evaluations": 4, "round_size": 3},
            "evaluators": {"low_fidelity": {"epochs": 1, "inherit": True}},
            "strategies": {KEY: {"evaluator": "low_fidelity", "settings": {"num_neighbors": 3}}},
        }
    )

    def played(folder: Path, seed: int, num_rounds: int) -> list[Evaluation]:
        folder.mkdir(exist_ok=True)
        load_task = partial(data.load_task, stage.root)
        with assembly.search(stage.settings, KEY, seed, load_task, folder) as (loop, budget):
            for _ in itertools.islice(loop.rounds(budget), num_rounds):
                pass
            return loop.archive.evaluations()

    first, *others = played(stage.work, 0, 9)
    assert all(each.failure is None for each in (first, *others))
    assert {each.proposal.parent for each in others} == {first.proposal.architecture}
    num_distinct = len({each.proposal.architecture for each in (first, *others)})
    assert len(list((stage.work / "evaluator-0").glob("*.safetensors"))) == num_distinct
    played(stage.work, 1, 1)
    assert len(list((stage.work / "evaluator-1").glob("*.safetensors"))) == 1
    elsewhere = stage.root / "elsewhere"
    played(elsewhere, 0, 1)
    again = played(elsewhere, 0, 9)
    assert [(each.proposal, each.scores) for each in again] == [
        (each.proposal, each.scores) for each in (first, *others)
    ]
