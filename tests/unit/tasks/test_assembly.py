"""From settings to the parts of a search."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from nas_core import parallel
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from tasks import assembly, data
from tasks.settings import Settings, load
from tasks.settings.parts import ObjectiveSettings, PlugIn
from tasks.stage import Stage

PARAMS = Path(__file__).parents[3] / "params.yaml"


def no_task() -> Any:
    raise AssertionError("nothing asked for data yet")


@pytest.fixture(scope="module")
def settings() -> Settings:
    """The project's own settings."""
    return load(PARAMS)


def test_accuracies_are_maximized_and_a_proxy_has_its_own_goal() -> None:
    assert (assembly.objective("validation_accuracy").goal, assembly.objective("flops").goal) == (
        "maximize",
        "minimize",
    )
    limited = assembly.objective(ObjectiveSettings(name="latency_ms", limit=3.0))
    assert (limited.name, limited.goal, limited.unit, limited.limit) == ("latency_ms", "minimize", "ms", 3.0)
    with pytest.raises(ValueError, match="objective 'speed' is unknown; allowed: validation_accuracy, "):
        assembly.objective("speed")


def test_a_search_overrides_what_is_common(settings: Settings) -> None:
    assert settings.search.budget_of("bananas").round_size == 10
    assert settings.search.budget_of("darts").evaluations == 20
    assert settings.search.budget_of("random_search").model_dump() == settings.search.budget.model_dump()
    assert settings.search.evaluator_of("darts") == PlugIn(name="shared_weights", epochs_per_round=1)


def test_a_label_is_not_the_name_where_there_is_one(tmp_path: Path) -> None:
    document = yaml.safe_load(PARAMS.read_text())
    document["search"]["evaluators"]["quick"] = {"name": "low_fidelity", "epochs": 1}
    document["search"]["strategies"] = {
        "first": {"strategy": "random_search", "evaluator": "quick", "objectives": ["synflow"]},
        "second": {"strategy": "random_search", "evaluator": "quick"},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(document))
    settings = load(tmp_path / "params.yaml")
    assert settings.search.evaluator_of("first") == PlugIn(name="low_fidelity", epochs=1)
    assert [goal.name for goal in assembly.objectives(settings, "first")] == ["synflow"]
    assert [goal.name for goal in assembly.objectives(settings, "second")] == ["validation_accuracy", "flops"]
    with assembly.search(settings, "first", 0, no_task, tmp_path) as (loop, budget):
        assert (budget.evaluations, budget.round_size) == (40, 1)
        assert loop.num_evaluations == 0


def test_the_seed_decides_the_proposals(settings: Settings) -> None:
    space = assembly.space(settings)
    goals = assembly.objectives(settings, "random_search")
    proposals = [assembly.strategy(settings, "random_search", space, goals, seed).ask(5) for seed in (0, 0, 1)]
    assert proposals[0] == proposals[1]
    assert proposals[0] != proposals[2]


def test_evaluators_load_no_data_when_they_are_built(settings: Settings) -> None:
    space = assembly.space(settings)
    for key in settings.search.strategies:
        assembly.evaluator(settings.search.evaluator_of(key), space, assembly.objectives(settings, key), 0, no_task, 5)


def test_a_search_goes_on_from_its_folder(make_checkout: Callable[..., Stage]) -> None:
    stage = make_checkout(
        search={
            "objectives": ["num_parameters"],
            "budget": {"evaluations": 4},
            "evaluators": {"zero_cost": {}},
            "strategies": {"random_search": {"evaluator": "zero_cost"}},
        }
    )

    def played(folder: Path, num_rounds: int) -> list[Proposal]:
        """Play up to so many rounds and return all that was ever proposed."""
        folder.mkdir(exist_ok=True)
        load_task = partial(data.load_task, stage.root)
        with assembly.search(stage.settings, "random_search", 0, load_task, folder) as (loop, budget):
            for _ in itertools.islice(loop.rounds(budget), num_rounds):
                pass
            return [each.proposal for each in loop.archive.evaluations()]

    assert len(played(stage.work, 1)) == 1
    assert len(played(stage.work, 0)) == 1
    assert played(stage.work, 9) == played(stage.root / "elsewhere", 9)
    assert len(played(stage.work, 9)) == 4


def test_a_search_with_a_screen_keeps_the_cheap_scores_apart(make_checkout: Callable[..., Stage]) -> None:
    key = "assisted_evolution"
    stage = make_checkout(
        search={
            "objectives": ["num_parameters"],
            "budget": {"evaluations": 5},
            "evaluators": {"zero_cost": {}},
            "strategies": {
                key: {
                    "evaluator": "zero_cost",
                    "screen": {"name": "zero_cost", "objectives": ["flops"], "batch_size": 4},
                    "settings": {"pool_size": 6, "population_size": 3},
                }
            },
        }
    )
    load_task = partial(data.load_task, stage.root)

    def played(folder: Path, num_rounds: int) -> tuple[list[Proposal], int]:
        """Play up to so many rounds; return all that was ever proposed, and how many cheap scores there are."""
        folder.mkdir(exist_ok=True)
        with assembly.search(stage.settings, key, 0, load_task, folder) as (loop, budget):
            for _ in itertools.islice(loop.rounds(budget), num_rounds):
                pass
            proposals = [each.proposal for each in loop.archive.evaluations()]
        with closing(assembly.screen_archive(stage.settings, key, 0, folder)) as archive:
            assert all(set(each.scores) == {"flops"} for each in archive.evaluations())
            return proposals, archive.num_evaluations

    assert played(stage.work, 0) == ([], 0)
    proposals, num_screened = played(stage.work, 2)
    assert (len(proposals), num_screened) == (2, 6)
    assert played(stage.work, 9) == played(stage.root / "elsewhere", 9)
    proposals, num_screened = played(stage.work, 9)
    assert (len(proposals), num_screened) == (5, 6)


class Scripted:
    """An evaluator without state that scores by what this process is; a test's proposal may make it hang."""

    def prepare(self, strategy: Any) -> None:
        """Do nothing."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return the number of torch's threads; hang at the architecture (1,)."""
        import torch

        found = []
        for proposal in proposals:
            if proposal.architecture.decisions == (1,):
                time.sleep(600)
            found.append(Evaluation(proposal, {"threads": float(torch.get_num_threads())}, 0.1))
        return found

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Do nothing."""


def test_workers_have_the_threads_that_are_set() -> None:
    proposal = Proposal(Architecture("toy", (0,)))
    with assembly.side_by_side(Scripted, workers=2, threads=2) as evaluator:
        assert evaluator.evaluate([proposal])[0].scores == {"threads": 2.0}


def test_one_worker_is_this_process_unless_there_is_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with assembly.side_by_side(Scripted, workers=1, threads=1) as evaluator:
        assert isinstance(evaluator, Scripted)
    monkeypatch.setattr(parallel, "STARTUP_SECONDS", 0.0)
    hanging, other = (Proposal(Architecture("toy", (choice,))) for choice in (1, 0))
    with assembly.side_by_side(Scripted, workers=1, threads=1, timeout_seconds=15.0) as evaluator:
        (scored,) = evaluator.evaluate([other])
        assert scored.failure is None
    with assembly.side_by_side(Scripted, workers=1, threads=1, timeout_seconds=1.0) as evaluator:
        (failed,) = evaluator.evaluate([hanging])
        assert failed.failure == "took longer than the limit of 1 seconds"
