"""The evaluator that trains a supernet and scores single paths through it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.evaluators import shared_weights
from nas_core.learning_tasks.image_classification import Description, ImageClassification
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces.nasbench201 import NASBench201

SPACE = NASBench201(channels=4, cells_per_stage=1)
ACCURACY = Objective("validation_accuracy", "maximize")
CONVOLUTIONS = Proposal(Architecture("nasbench201", (3, 3, 3, 3, 3, 3)))
SKIPS = Proposal(Architecture("nasbench201", (1, 1, 1, 1, 1, 1)))


def bright_quadrants(num: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noise images of 8x8 whose class is the brighter quadrant."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (num,), generator=generator)
    images = torch.randint(100, (num, 1, 8, 8), generator=generator)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = 4 * (label // 2), 4 * (label % 2)
        image[0, row : row + 4, column : column + 4] += 150
    return images.to(torch.uint8), labels


def load_task() -> ImageClassification:
    return ImageClassification(
        Description("quadrants", ("a", "b", "c", "d"), (8, 8, 1), (0.3,), (0.25,)),
        {"train": bright_quadrants(49, 0), "validation": bright_quadrants(30, 1)},
        torch.device("cpu"),
        horizontal_flip=False,
    )


def evaluator_of(num_steps: int = 4, objectives: tuple[Objective, ...] = (ACCURACY,), **settings: Any) -> Any:
    settings = {"batch_size": 16, "augment": False, **settings}
    return shared_weights.build(SPACE, objectives, Streams(0).child("e"), load_task, num_steps=num_steps, **settings)


def strategy_of(name: str) -> Any:
    return catalog.load("strategy", name).build(SPACE, [ACCURACY], Streams(0).child("s"))


def scores(evaluations: list[Evaluation]) -> list[Any]:
    return [(evaluation.proposal, dict(evaluation.scores), evaluation.failure) for evaluation in evaluations]


def play(strategy: Any, evaluator: Any) -> list[Any]:
    evaluator.prepare(strategy)
    evaluations = evaluator.evaluate(strategy.ask(2))
    strategy.tell(evaluations)
    return scores(evaluations)


def through_a_file(state: Any) -> Any:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)


@pytest.mark.parametrize("name", ["darts", "random_search"])
@pytest.mark.parametrize("rounds_before", [0, 2])
def test_going_on_from_a_state_is_bit_by_bit_the_same(name: str, rounds_before: int) -> None:
    strategy, evaluator = strategy_of(name), evaluator_of(augment=True, warmup_epochs=1)
    for _ in range(rounds_before):
        play(strategy, evaluator)
    state = through_a_file({"strategy": strategy.state_dict(), "evaluator": evaluator.state_dict()})
    rest = [play(strategy, evaluator) for _ in range(2)]
    other, again = strategy_of(name), evaluator_of(augment=True, warmup_epochs=1)
    other.load_state_dict(state["strategy"])
    again.load_state_dict(state["evaluator"])
    assert [play(other, again) for _ in range(2)] == rest
    one, two = evaluator.state_dict()["training"], again.state_dict()["training"]
    assert all(torch.equal(value, two["supernet"][name]) for name, value in one["supernet"].items())
    assert one["num_epochs"] == two["num_epochs"] == 1 + rounds_before + 2


def test_scores_depend_on_neither_order_nor_company_and_leave_no_trace() -> None:
    evaluator = evaluator_of()
    evaluator.prepare(strategy_of("random_search"))
    before = evaluator.state_dict()
    both = scores(evaluator.evaluate([CONVOLUTIONS, SKIPS]))
    assert scores(evaluator.evaluate([SKIPS, CONVOLUTIONS])) == both[::-1]
    assert scores(evaluator.evaluate([CONVOLUTIONS])) == both[:1]
    after = evaluator.state_dict()
    for name, value in before["training"]["supernet"].items():
        assert torch.equal(value, after["training"]["supernet"][name])
    for name, state in before["training"]["generators"].items():
        assert torch.equal(state, after["training"]["generators"][name])


def test_darts_trains_weights_that_tell_good_paths() -> None:
    strategy, evaluator = strategy_of("darts"), evaluator_of(2, epochs_per_round=6, learning_rate=0.1)
    for _ in range(2):
        play(strategy, evaluator)
    (evaluation,) = evaluator.evaluate([CONVOLUTIONS])
    assert evaluation.scores["validation_accuracy"] > 0.6
    assert evaluation.seconds > 0


@pytest.mark.parametrize(
    "settings", [{"learner_split": "train"}, {"channel_fraction": 2, "affine": True}, {"autocast": True}]
)
def test_settings_of_the_training_change_it(settings: dict[str, Any]) -> None:
    found = []
    for chosen in ({}, settings):
        strategy, evaluator = strategy_of("darts"), evaluator_of(**chosen)
        ((_, accuracy, _),) = play(strategy, evaluator)
        assert accuracy
        found.append(strategy.state_dict()["learning"]["parameters"][0])
    assert not torch.equal(*found)


def test_uniform_paths_train_weights_too() -> None:
    evaluator = evaluator_of(epochs_per_round=0, warmup_epochs=40, learning_rate=0.1)
    evaluator.prepare(strategy_of("random_search"))
    (evaluation,) = evaluator.evaluate([CONVOLUTIONS])
    assert evaluation.scores["validation_accuracy"] > 0.5


def test_training_ends_with_the_plan() -> None:
    strategy, evaluator = strategy_of("random_search"), evaluator_of(2, epochs_per_round=2, warmup_epochs=1)
    seen = []
    for _ in range(4):
        evaluator.prepare(strategy)
        seen.append(evaluator.state_dict()["training"]["num_epochs"])
    assert seen == [3, 5, 5, 5]


def test_a_diverged_supernet_fails_its_paths_and_nothing_else() -> None:
    task: Any = load_task()
    strategy = strategy_of("darts")
    evaluator = shared_weights.build(SPACE, [ACCURACY], Streams(0), lambda: task, num_steps=4, batch_size=16)
    healthy = task.loss
    task.loss = lambda outputs, targets: float("nan") * healthy(outputs, targets)
    ((_, found, failure),) = play(strategy, evaluator)
    assert found == {}
    assert "lower learning_rate" in failure
    assert evaluator.state_dict()["training"]["num_skipped_steps"] == 3  # the 49th image is left out
    task.loss = healthy
    ((_, found, failure),) = play(strategy, evaluator)
    assert failure is None
    assert np.isfinite(found["validation_accuracy"])


def test_a_learning_rate_far_too_high_gives_failures_or_finite_scores() -> None:
    strategy, evaluator = strategy_of("darts"), evaluator_of(learning_rate=1e30, clip_norm=1e30)
    for _ in range(3):
        for _, found, failure in play(strategy, evaluator):
            assert (failure is None) == bool(found)


def test_what_cannot_be_scored_is_reported_beside_what_can() -> None:
    evaluator = evaluator_of()
    stranger = Proposal(Architecture("other", (1, 2)))
    longer = Proposal(CONVOLUTIONS.architecture, Fidelity(epochs=3))
    first, second, third = evaluator.evaluate([stranger, CONVOLUTIONS, longer])
    assert first.failure is not None
    assert "not a member" in first.failure
    assert second.failure is None
    assert third.failure is not None
    assert "low_fidelity" in third.failure


def test_proxies_and_shifts_are_objectives_too() -> None:
    objectives = (
        ACCURACY,
        Objective("num_parameters", "minimize"),
        Objective("shifted_validation_accuracy", "maximize"),
    )
    evaluator = evaluator_of(objectives=objectives, seen_shifts=("speckle_noise",))
    (evaluation,) = evaluator.evaluate([SKIPS])
    assert evaluation.failure is None
    assert set(evaluation.scores) == {objective.name for objective in objectives}
    network = SPACE.network(SKIPS.architecture, load_task().shape, torch.Generator())
    assert evaluation.scores["num_parameters"] == sum(weight.numel() for weight in network.parameters())


def test_nothing_is_loaded_before_it_is_needed() -> None:
    def refuse() -> ImageClassification:
        raise AssertionError("loaded")

    evaluator = shared_weights.build(SPACE, [ACCURACY], Streams(0), refuse, num_steps=1)
    state = evaluator.state_dict()
    evaluator.load_state_dict(state)
    assert evaluator.evaluate([]) == []
    with pytest.raises(AssertionError, match="loaded"):
        evaluator.prepare(strategy_of("random_search"))


def test_contradictions_are_refused_early() -> None:
    with pytest.raises(ValueError, match="raise one"):
        evaluator_of(epochs_per_round=0)
    with pytest.raises(ValueError, match="lower it"):
        evaluator_of(learning_rate=1e-4)
    with pytest.raises(ValueError, match="name a shift"):
        evaluator_of(objectives=(Objective("shifted_validation_accuracy", "maximize"),), seen_shifts=())
    shared_weights.check(SPACE, strategy_of("darts"), [ACCURACY])
    with pytest.raises(ValueError, match="unknown proxy"):
        shared_weights.check(SPACE, strategy_of("darts"), [Objective("num_parameter", "minimize")])

    class WithoutSupernet:
        name = "bare"

    with pytest.raises(ValueError, match="no supernet"):
        shared_weights.check(WithoutSupernet(), strategy_of("darts"), [ACCURACY])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["asha", "bohb", "hyperband"])
def test_a_strategy_that_asks_for_fidelities_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="knows one fidelity, and the strategy asks for several"):
        shared_weights.check(SPACE, strategy_of(name), [ACCURACY])
