"""What every evaluator keeps to; an evaluator inherits this suite by lying in the folder."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import made_up_table
import numpy as np
import pytest
import tiny_graphs
import tiny_images
import torch
import toy_space
import toy_task
import toy_values

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.task import Task
from nas_core.variation import sample

PARAMETERS = Objective("num_parameters", "minimize")
ACCURACY = Objective("validation_accuracy", "maximize")
WITH_TABLES = ("surrogate", "tabular")
WITH_SHARED_WEIGHTS = ("shared_weights",)

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "full_training": {"epochs": 2, "batch_size": 16},
    "low_fidelity": {"epochs": 1, "batch_size": 16},
    "shared_weights": {"num_steps": 2, "batch_size": 16, "num_statistics_batches": 1},
    "surrogate": {"num_examples": 100, "predictor_settings": {"num_trees": 5}},
    "zero_cost": {"batch_size": 8},
}
OBJECTIVES: Mapping[str, tuple[Objective, ...]] = {
    "zero_cost": (PARAMETERS, Objective("synflow", "maximize")),
}


class Silent:
    """A strategy that proposes nothing and learns nothing."""

    def ask(self, count: int) -> list[Proposal]:
        return []

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Forget them."""

    def recommend(self) -> Architecture:
        raise ValueError("this strategy recommends nothing")

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on nothing."""


class Learner(Silent):
    """A strategy that would take part in training shared weights."""

    def learn(self, weights: object) -> None:
        """Learn nothing."""


@dataclass(frozen=True)
class Case:
    """An evaluator on a space and a task, with settings that keep it small."""

    name: str
    space: SearchSpace
    load_task: Callable[[], Task]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        return OBJECTIVES.get(self.name, (ACCURACY, PARAMETERS))

    def build(self, seed: int = 0) -> Evaluator:
        module = catalog.load("evaluator", self.name)
        evaluator: Evaluator = module.build(
            self.space, self.objectives, Streams(seed), self.load_task, **SETTINGS.get(self.name, {}), **self.settings
        )
        return evaluator

    def prepared(self, seed: int = 0) -> Evaluator:
        evaluator = self.build(seed)
        evaluator.prepare(Silent())
        return evaluator

    def proposals(self, count: int) -> list[Proposal]:
        generator = np.random.default_rng(1)
        return [Proposal(sample(self.space, generator)) for _ in range(count)]


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_images.write(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = random.Random(0)
    return made_up_table.write(tmp_path_factory.mktemp("table") / "table.csv", lambda _: generator.uniform(10, 95))


PAIRS = [
    (name, task)
    for name in catalog.names("evaluator")
    for task in ("vectors", "values", "images", "graphs", "nodes")
    if name not in WITH_TABLES or task == "images"
]


@pytest.fixture(params=PAIRS, ids="-".join)
def case(request: pytest.FixtureRequest) -> Case:
    """Every evaluator on each kind of task; a table knows its own space alone, which is one of images."""
    name, task = request.param
    if name in WITH_TABLES:
        space = catalog.load("space", "nasbench201").build()
        path = str(request.getfixturevalue("table"))
        return Case(name, space, toy_task.build, {"path": path, "benchmark": "nasbench201"})
    if task == "vectors":
        return Case(name, toy_space.build(), toy_task.build)
    if task == "values":
        return Case(name, toy_values.build(), toy_values.ValuesTask)
    if task in ("graphs", "nodes"):
        space = catalog.load("space", "gnn_space.space").build(level=task[:-1], width=8, max_blocks=2)
        return Case(name, space, tiny_graphs.GraphsTask if task == "graphs" else tiny_graphs.NodesTask)
    folder = request.getfixturevalue("image_folder")
    space = catalog.load("space", "nasbench201").build(channels=4, cells_per_stage=1, num_stages=2)
    return Case(name, space, lambda: catalog.load("learning task", "image_classification").build(folder))


def scores(evaluations: Sequence[Evaluation]) -> list[tuple[str, Mapping[str, float], str | None]]:
    """Return what must be equal where evaluations are: all but the time they took."""
    return [(each.proposal.architecture.key, dict(each.scores), each.failure) for each in evaluations]


def test_evaluations_come_in_the_order_of_the_proposals_with_the_scores_asked_for(case: Case) -> None:
    proposals = case.proposals(4)
    evaluations = case.prepared().evaluate(proposals)
    assert [each.proposal for each in evaluations] == proposals
    for each in evaluations:
        assert each.failure is None
        assert set(each.scores) == {objective.name for objective in case.objectives}
        assert all(math.isfinite(value) for value in each.scores.values())
        assert each.seconds >= 0


def test_nothing_is_made_of_nothing(case: Case) -> None:
    assert case.prepared().evaluate([]) == []


def test_a_failing_candidate_is_reported_in_one_line_and_not_raised(case: Case) -> None:
    good, other = case.proposals(2)
    stranger = Proposal(Architecture(case.space.name, tuple(99 for _ in case.space.choices)))
    first, failed, last = case.prepared().evaluate([good, stranger, other])
    assert failed.proposal == stranger
    assert failed.failure
    assert "\n" not in failed.failure
    assert not failed.scores
    assert (first.failure, last.failure) == (None, None)


def test_one_seed_gives_one_result(case: Case) -> None:
    proposals = case.proposals(3)
    assert scores(case.prepared(3).evaluate(proposals)) == scores(case.prepared(3).evaluate(proposals))


def test_neither_order_nor_company_matters(case: Case) -> None:
    proposals = case.proposals(3)
    evaluator = case.prepared()
    together = scores(evaluator.evaluate(proposals))
    assert scores(evaluator.evaluate(proposals[::-1])) == together[::-1]
    assert [scores(evaluator.evaluate([proposal]))[0] for proposal in proposals] == together


def test_a_restored_evaluator_goes_on_as_the_other_would(case: Case) -> None:
    proposals = case.proposals(2)
    evaluator = case.prepared()
    evaluator.evaluate(proposals)
    stream = io.BytesIO()
    torch.save(evaluator.state_dict(), stream)
    evaluator.prepare(Silent())
    expected = scores(evaluator.evaluate(proposals))
    stream.seek(0)
    restored = case.build()
    restored.load_state_dict(torch.load(stream, weights_only=True))
    restored.prepare(Silent())
    assert scores(restored.evaluate(proposals)) == expected


def test_the_global_random_state_is_left_alone(case: Case) -> None:
    before = (torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate())  # noqa: NPY002
    case.prepared().evaluate(case.proposals(2))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()  # noqa: NPY002
    assert before[2] == random.getstate()


def test_building_loads_no_data(case: Case) -> None:
    def refuse() -> Task:
        raise AssertionError("the task was loaded by build")

    Case(case.name, case.space, refuse, case.settings).build()


def test_what_loading_the_task_raises_is_no_failure_of_a_candidate(case: Case) -> None:
    if case.name in WITH_TABLES:
        pytest.skip("a table loads no task")

    def broken() -> Task:
        raise FileNotFoundError("train.safetensors is absent")

    evaluator = Case(case.name, case.space, broken, case.settings).build()

    def use() -> None:
        evaluator.prepare(Silent())
        evaluator.evaluate(case.proposals(1))

    with pytest.raises(FileNotFoundError):
        use()


def test_a_fidelity_of_the_proposal_never_raises(case: Case) -> None:
    (proposal,) = case.proposals(1)
    asked = Proposal(proposal.architecture, Fidelity(1, data_fraction=0.5, width=2.0))
    (evaluation,) = case.prepared().evaluate([asked])
    assert evaluation.proposal == asked


def test_check_accepts_what_goes_together(case: Case) -> None:
    catalog.load("evaluator", case.name).check(case.space, Silent(), case.objectives)


def test_check_refuses_a_learner_where_no_weights_are_shared(case: Case) -> None:
    check = catalog.load("evaluator", case.name).check
    if case.name in WITH_SHARED_WEIGHTS:
        check(case.space, Learner(), case.objectives)
    else:
        with pytest.raises(ValueError, match="shared_weights"):
            check(case.space, Learner(), case.objectives)


def test_an_unknown_objective_is_refused_before_anything_is_evaluated(case: Case) -> None:
    unknown = (Objective("beauty", "maximize"),)
    module = catalog.load("evaluator", case.name)

    def set_up() -> None:
        module.check(case.space, Silent(), unknown)
        module.build(case.space, unknown, Streams(0), case.load_task, **case.settings)

    with pytest.raises(ValueError, match="beauty"):
        set_up()
