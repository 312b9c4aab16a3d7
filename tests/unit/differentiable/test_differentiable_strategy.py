"""The strategy that puts the parts together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from fake_weights import QuadraticWeights

from nas_core.architecture import Choice
from nas_core.differentiable.gradient import Relax
from nas_core.differentiable.parameter_optimizer import Adam
from nas_core.differentiable.parts import Parts
from nas_core.differentiable.softmax import Softmax
from nas_core.differentiable.strategy import DifferentiableStrategy
from nas_core.differentiable.unrolled import Unrolled
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces.nasbench201 import NASBench201
from nas_core.strategies import darts
from nas_core.weight_sharing.gates import Gates
from nas_core.weight_sharing.learns import Learns, SharedWeights

SPACE = NASBench201()
BEST = (2, 0, 3, 4, 1, 2)
OBJECTIVES = [Objective("validation_accuracy", "maximize")]


def weights_for() -> QuadraticWeights:
    return QuadraticWeights(SPACE.choices, BEST)


def test_it_refuses_to_propose_or_recommend_before_it_has_learnt() -> None:
    strategy = darts.build(SPACE, OBJECTIVES, Streams(0))
    assert isinstance(strategy, Learns)
    with pytest.raises(ValueError, match="evaluator shared_weights"):
        strategy.ask(1)
    with pytest.raises(ValueError, match="evaluator shared_weights"):
        strategy.recommend()
    assert strategy.ask(0) == []
    strategy.learn(weights_for())
    assert [proposal.architecture for proposal in strategy.ask(5)] == [strategy.recommend()]


@pytest.mark.parametrize("settings", [{"second_order": True}, {"train_weights_first": True}])
def test_variants_of_darts_find_the_best_options(settings: dict[str, Any]) -> None:
    strategy, weights = darts.build(SPACE, OBJECTIVES, Streams(1), **settings), weights_for()
    for _ in range(150):
        strategy.learn(weights)
        weights.assert_untouched()
    assert strategy.recommend().decisions == BEST
    assert weights.num_steps == 150


def test_darts_can_leave_an_option_out() -> None:
    strategy, weights = darts.build(SPACE, OBJECTIVES, Streams(1), exclude_option="none"), weights_for()
    for _ in range(150):
        strategy.learn(weights)
    decisions = strategy.recommend().decisions
    assert decisions[1] != 0
    assert (*decisions[:1], *decisions[2:]) == (*BEST[:1], *BEST[2:])
    with pytest.raises(ValueError, match="nor_conv_3x3"):
        darts.build(SPACE, OBJECTIVES, Streams(1), exclude_option="non")


def test_putting_it_together_does_not_import_torch() -> None:
    code = (
        "import sys\n"
        "from nas_core.spaces import nasbench201\n"
        "from nas_core.strategies import darts\n"
        "from nas_core.evaluators import shared_weights\n"
        "from nas_core.randomness import Streams\n"
        "space = nasbench201.build()\n"
        "strategy = darts.build(space, (), Streams(0), second_order=True)\n"
        "shared_weights.check(space, strategy, ())\n"
        "shared_weights.build(space, (), Streams(0), lambda: None, num_steps=3)\n"
        "strategy.state_dict()\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_penalty_changes_what_is_best() -> None:
    def cost_of_last_option(loss: torch.Tensor, parameters: Sequence[torch.Tensor], gates: Gates) -> torch.Tensor:
        return loss - 10.0 * sum(weights[-1] for weights in gates.options)

    strategy = DifferentiableStrategy(SPACE, Streams(0), Parts(relaxation=Softmax(), penalty=cost_of_last_option))
    weights = weights_for()
    for _ in range(150):
        strategy.learn(weights)
    assert strategy.recommend().decisions == (4,) * 6


@dataclass(frozen=True)
class Noisy:
    """Softmax of alpha plus noise, which must be one for all gates of a gradient."""

    softmax: Softmax
    seen: list[float]

    def initial(self, choices: Sequence[Choice], generator: torch.Generator) -> list[torch.Tensor]:
        return self.softmax.initial(choices, generator)

    def noise(self, parameters: Sequence[torch.Tensor], generator: torch.Generator) -> list[torch.Tensor]:
        return [torch.randn(len(alpha), generator=generator) for alpha in parameters]

    def gates(self, parameters: Sequence[torch.Tensor], noise: Sequence[torch.Tensor], temperature: float) -> Gates:
        self.seen.append(float(noise[0][0]))
        noisy = [alpha + part for alpha, part in zip(parameters, noise, strict=True)]
        return self.softmax.gates(noisy, [], temperature)

    def scores(self, parameters: Sequence[torch.Tensor]) -> list[list[float]]:
        return self.softmax.scores(parameters)


def test_noise_is_drawn_once_a_turn_and_goes_on_after_a_resume() -> None:
    seen: list[float] = []
    parts = Parts(relaxation=Noisy(Softmax(), seen), gradient=Unrolled())
    strategy = DifferentiableStrategy(SPACE, Streams(0), parts)
    strategy.learn(weights_for())
    assert len(seen) == 5  # unrolled step, validation, the two ends, weight step
    assert len(set(seen)) == 1
    state = strategy.state_dict()
    seen.clear()
    strategy.learn(weights_for())
    after = set(seen)
    seen.clear()
    other = DifferentiableStrategy(SPACE, Streams(0), parts)
    other.load_state_dict(state)
    other.learn(weights_for())
    assert set(seen) == after


def test_a_perturbation_reaches_the_weight_step_only() -> None:
    class Spy(QuadraticWeights):
        """Notes the first gate of every loss."""

        def training_loss(self, gates: Gates) -> torch.Tensor:
            trained.append(gates.options[0].tolist())
            assert not gates.options[0].requires_grad
            return super().training_loss(gates)

        def validation_loss(self, gates: Gates) -> torch.Tensor:
            validated.append(gates.options[0].tolist())
            return super().validation_loss(gates)

    def swapped(gates: Gates, weights: SharedWeights, generator: torch.Generator) -> Gates:
        return Gates(tuple(options.flip(0) for options in gates.options))

    trained: list[list[float]] = []
    validated: list[list[float]] = []
    parts = Parts(relaxation=Softmax(1.0), perturbation=swapped, optimizer=Adam(1e-9))
    strategy = DifferentiableStrategy(SPACE, Streams(0), parts)
    strategy.learn(Spy(SPACE.choices, BEST))
    assert trained[0] == pytest.approx(validated[0][::-1], abs=1e-6)


class StopsAtTheThird:
    """Ends after three turns with the parameters that it saw after the first."""

    def __init__(self) -> None:
        self.first: list[torch.Tensor] | None = None
        self.num_seen = 0

    def observe(
        self, weights: SharedWeights, parameters: Sequence[torch.Tensor], relax: Relax
    ) -> list[torch.Tensor] | None:
        self.num_seen += 1
        if self.first is None:
            self.first = [parameter.detach().clone() for parameter in parameters]
        return self.first if self.num_seen == 3 else None

    def state_dict(self) -> dict[str, Any]:
        return {"first": self.first, "num_seen": self.num_seen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.first, self.num_seen = state["first"], state["num_seen"]


@pytest.mark.parametrize("turns_before_resume", [0, 1, 2, 3, 4])
def test_stopping_keeps_earlier_parameters_and_trains_on(turns_before_resume: int) -> None:
    def fresh() -> DifferentiableStrategy:
        return DifferentiableStrategy(SPACE, Streams(0), Parts(relaxation=Softmax(), stopping=StopsAtTheThird()))

    strategy, weights = fresh(), weights_for()
    first: list[torch.Tensor] = []
    for turn in range(5):
        if turn == turns_before_resume:
            state, strategy = strategy.state_dict(), fresh()
            strategy.load_state_dict(state)
        strategy.learn(weights)
        if turn == 0:
            first = strategy.state_dict()["learning"]["parameters"]
    assert weights.num_steps == 5
    assert all(map(torch.equal, first, strategy.state_dict()["learning"]["parameters"]))
    last = strategy.recommend()
    assert [proposal.architecture for proposal in strategy.ask(1)] == [last]
    assert strategy.ask(1) == []
    other = fresh()
    other.load_state_dict(strategy.state_dict())
    assert other.ask(1) == []
    assert other.recommend() == last
