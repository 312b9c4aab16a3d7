"""What is special to the evaluators that train or score candidates one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import toy_space
from torch import nn
from toy_task import ToyTask

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.task import TaskShape
from nas_core.training.candidate_training import CandidateTraining
from nas_core.training.independent_evaluator import IndependentEvaluator
from nas_core.training.schedule import TrainingSchedule
from nas_core.variation import sample

ACCURACY = "validation_accuracy"
SHIFTED = "shifted_validation_accuracy"


@dataclass(frozen=True)
class RecordingSpace(toy_space.ToySpace):
    """The toy space, whose networks do what a test tells them to."""

    change: Callable[[nn.Module], nn.Module] = lambda network: network

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        return self.change(toy_space.ToySpace.network(self, architecture, task, init))

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> RecordingSpace:
        return replace(self, width=round(self.width * width))


def training(objectives: tuple[str, ...] = (ACCURACY,), **changes: Any) -> CandidateTraining:
    recipe = CandidateTraining(RecordingSpace(), (ACCURACY,), Streams(0), TrainingSchedule(epochs=2, batch_size=16))
    return replace(recipe, objectives=objectives, **changes)


def proposal(fidelity: Fidelity | None = None) -> Proposal:
    return Proposal(sample(toy_space.build(), np.random.default_rng(0)), fidelity)


def evaluate(recipe: CandidateTraining, asked: Proposal | None = None) -> Evaluation:
    (evaluation,) = IndependentEvaluator(ToyTask, recipe).evaluate([asked or proposal()])
    return evaluation


def failing_with(error: BaseException) -> RecordingSpace:
    def fail(network: nn.Module) -> nn.Module:
        raise error

    return RecordingSpace(change=fail)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes\ndo not\n fit"),
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError("no room"),
        FloatingPointError("the loss is nan"),
        ValueError("expected more than 1 value"),
    ],
)
def test_what_a_bad_candidate_raises_is_a_failure_in_one_line(error: Exception) -> None:
    evaluation = evaluate(training(space=failing_with(error)))
    assert evaluation.failure == f"{type(error).__name__}: {' '.join(str(error).split())}"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TypeError("a bug"), FileNotFoundError("no data")])
def test_what_no_candidate_is_to_blame_for_passes(error: BaseException) -> None:
    with pytest.raises(type(error)):
        evaluate(training(space=failing_with(error)))


def test_a_loss_that_is_not_finite_is_a_failure() -> None:
    def spoil(network: nn.Module) -> nn.Module:
        nn.init.constant_(next(network.parameters()), float("nan"))
        return network

    failure = evaluate(training(space=RecordingSpace(change=spoil))).failure
    assert failure is not None
    assert "loss is nan" in failure


def test_the_fidelity_of_a_proposal_replaces_the_settings() -> None:
    asked = proposal(Fidelity(epochs=3, data_fraction=0.5, width=0.5))
    by_proposal = evaluate(training(), asked)
    by_settings = evaluate(
        training(schedule=TrainingSchedule(epochs=3, batch_size=16), data_fraction=0.5, width=0.5), proposal()
    )
    assert by_proposal.scores == by_settings.scores


def test_the_width_is_that_of_the_trained_network() -> None:
    built: list[int] = []

    def record(network: nn.Module) -> nn.Module:
        built.append(sum(parameter.numel() for parameter in network.parameters()))
        return network

    for width in (0.5, 1.0, 2.0):
        evaluate(training(space=RecordingSpace(change=record), width=width))
    assert len(built) == 3
    assert built[0] < built[1] < built[2]


def test_costs_are_those_of_the_network_at_full_width() -> None:
    costs = ("num_parameters", "flops")
    full, narrow = (evaluate(training((ACCURACY, *costs), width=width)).scores for width in (1.0, 0.5))
    asked = evaluate(training((ACCURACY, *costs)), proposal(Fidelity(2, width=0.5))).scores
    for cost in costs:
        assert full[cost] == narrow[cost] == asked[cost]


def test_a_width_that_the_space_cannot_give_is_refused_or_fails() -> None:
    with pytest.raises(ValueError, match="set width to 1"):
        training(space=toy_space.build(), width=2.0)
    failure = evaluate(training(space=toy_space.build()), proposal(Fidelity(1, width=2.0))).failure
    assert failure is not None
    assert "set width to 1" in failure


def test_the_warm_up_shrinks_with_the_epochs_of_a_proposal() -> None:
    recipe = training(schedule=TrainingSchedule(epochs=10, batch_size=16, warmup_epochs=2))
    assert evaluate(recipe, proposal(Fidelity(1))).failure is None


def test_accuracy_is_the_mean_over_seeds() -> None:
    one, three = (evaluate(training((ACCURACY, "num_parameters"), num_seeds=count)) for count in (1, 3))
    assert one.scores["num_parameters"] == three.scores["num_parameters"]
    # 48 validation examples: a mean over three seeds is a multiple of 1 / 144
    assert three.scores[ACCURACY] * 144 == pytest.approx(round(three.scores[ACCURACY] * 144))
    assert three.scores[ACCURACY] != one.scores[ACCURACY]


def test_shifted_accuracy_is_an_objective_and_needs_its_shifts() -> None:
    recipe = training((ACCURACY, SHIFTED), seen_shifts=("offset",), shift_severity=5)
    scores = evaluate(recipe).scores
    assert set(scores) == {ACCURACY, SHIFTED}
    assert scores[SHIFTED] < scores[ACCURACY]
    with pytest.raises(ValueError, match="name a shift"):
        training((SHIFTED,), seen_shifts=())


def test_nothing_is_trained_where_only_proxies_are_asked_for() -> None:
    def freeze(network: nn.Module) -> nn.Module:
        return network.requires_grad_(False)

    assert evaluate(training(("num_parameters",), space=RecordingSpace(change=freeze))).failure is None


@pytest.mark.parametrize("name", [ACCURACY, SHIFTED])
def test_zero_cost_refuses_what_needs_training(name: str) -> None:
    check = catalog.load("evaluator", "zero_cost").check
    with pytest.raises(ValueError, match=r"trains nothing.*use evaluator low_fidelity"):
        check(toy_space.build(), object(), [Objective(name, "maximize")])


def test_low_fidelity_is_full_training_with_less() -> None:
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 16, "augment": False}
    found = []
    for name in ("low_fidelity", "full_training"):
        build = catalog.load("evaluator", name).build
        evaluator = build(toy_space.build(), [Objective(ACCURACY, "maximize")], Streams(5), ToyTask, **settings)
        found.append(evaluator.evaluate([proposal()])[0].scores)
    assert found[0] == found[1]


@pytest.mark.parametrize("evaluator", ["full_training", "low_fidelity"])
def test_optimizer_and_kept_epoch_are_settings(evaluator: str) -> None:
    generator = np.random.default_rng(0)
    proposals = [Proposal(sample(toy_space.build(), generator)) for _ in range(6)]

    def accuracies(**settings: Any) -> list[float]:
        module, goals = catalog.load("evaluator", evaluator), (Objective(ACCURACY, "maximize"),)
        built = module.build(
            toy_space.build(),
            goals,
            Streams(0),
            partial(ToyTask, spread=4.0),
            epochs=6,
            batch_size=8,
            learning_rate=0.02,
            **settings,
        )
        return [evaluation.scores[ACCURACY] for evaluation in built.evaluate(proposals)]

    last, best = accuracies(optimizer="adam"), accuracies(optimizer="adam", keep="best")
    assert last != accuracies()
    assert all(one <= other for one, other in zip(last, best, strict=True))
    assert last != best
