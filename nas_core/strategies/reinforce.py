"""REINFORCE: a controller draws architectures and is moved by the policy gradient of their rewards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Interval

from nas_core import catalog, nested_settings
from nas_core.architecture import Architecture
from nas_core.controller import Controller
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.objectives import Objective
from nas_core.policy_updates import PolicyUpdate, policy_gradient, proximal
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy

MAX_TRIES = 100


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    controller: str = "factorized",
    controller_settings: Mapping[str, bool | int | float | str] | None = None,
    update: Literal["policy_gradient", "ppo"] = "policy_gradient",
    batch_size: Annotated[int, Ge(1)] = 1,
    baseline_decay: Annotated[float, Interval(ge=0, lt=1)] = 0.9,
    reward_scale: Annotated[float, Gt(0)] = 100.0,
    reward_power: Annotated[float, Gt(0)] = 1.0,
    entropy_weight: Annotated[float, Ge(0)] = 0.0,
    clip_range: Annotated[float, Gt(0)] = 0.2,
    num_update_steps: Annotated[int, Ge(1)] = 4,
) -> Strategy:
    """Return REINFORCE, by default with the settings of NATS-Bench (Dong et al. 2021, arXiv:2009.00437).

    Zoph & Le 2017 (arXiv:1611.01578): controller lstm, reward_power 3, reward_scale 1; their reward is the best of the
    last 5 epochs, here it is whatever the evaluator gives. NASNet (Zoph et al. 2018, arXiv:1707.07012; memory):
    controller lstm with num_layers 1, num_units 100 and learning_rate 3.5e-4, update ppo, batch_size 20,
    entropy_weight 1e-5, baseline_decay .95.

    Args:
        space: what is searched.
        objectives: at least one. The first alone is the reward; limits and the other objectives have a say only in
            what is recommended.
        streams: source of randomness.
        controller: name of a module in `nas_core.controllers`, or an import path with a dot.
        controller_settings: settings of its own, the learning rate among them; None for its defaults.
        update: one step up the policy gradient a batch, or PPO's steps.
        batch_size: successes that are awaited before an update.
        baseline_decay: of the moving average that is taken from the reward.
        reward_scale: factor of the reward; 100 makes an accuracy between 0 and 1 a percentage. Adam makes the steps
            almost independent of it.
        reward_power: to which the first objective, negated if it is minimized, is raised, its sign kept.
        entropy_weight: of the policy's entropy beside the rewards.
        clip_range: of PPO.
        num_update_steps: of PPO on one batch (the paper of PPO: 3 to 15 epochs; NASNet does not say).

    Raises:
        ValueError: if there is no such controller or setting of it.
    """
    values = dict(controller_settings or {})
    nested_settings.check("controller", controller, values)
    return Reinforce(
        space,
        objectives,
        streams.numpy("reinforce"),
        catalog.load("controller", controller).build(space, streams.child("controller"), **values),
        proximal(clip_range, num_update_steps) if update == "ppo" else policy_gradient,
        batch_size=batch_size,
        baseline_decay=baseline_decay,
        reward_scale=reward_scale,
        reward_power=reward_power,
        entropy_weight=entropy_weight,
    )


class Reinforce:
    """Policy gradient for architectures (Williams 1992; Zoph & Le 2017; tabular as in arXiv:2009.00437).

    The reward is R = scale * sign(s) |s|^power of the score s; after a batch of evaluations the controller goes up the
    gradient of the mean of (R - b) log p(architecture), where b is the bias-corrected moving average of the rewards,
    R included.

    Follows NATS-Bench's code where one proposal is asked and told at a time and the controller is factorized. What
    that leaves open: choices that do not matter take no part in log p; an invalid draw is drawn again without a
    correction of log p, and after 100 invalid draws the space decodes the controller's scores with Gumbel noise, which
    is a draw that it repairs; where several proposals were asked at once, each gradient is taken at the policy of the
    telling. Failures have no reward and move nothing; neither do others' proposals, which were not drawn from this
    policy, though the best of them may be recommended.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        controller: Controller,
        update: PolicyUpdate,
        *,
        batch_size: int,
        baseline_decay: float,
        reward_scale: float,
        reward_power: float,
        entropy_weight: float,
    ) -> None:
        """Start with nothing told.

        Args:
            space: what is searched.
            objectives: at least one.
            generator: of the draws.
            controller: what is moved.
            update: how it is moved.
            batch_size: see `build`, as for the rest.
            baseline_decay: of the moving average.
            reward_scale: factor of the reward.
            reward_power: of the score.
            entropy_weight: beside the rewards.
        """
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._controller = controller
        self._update = update
        self._batch_size = batch_size
        self._baseline_decay = baseline_decay
        self._reward_scale = reward_scale
        self._reward_power = reward_power
        self._entropy_weight = entropy_weight
        self._num_rewards = 0
        self._reward_average = 0.0
        # (architecture, advantage) of the batch that is not complete yet
        self._batch: list[tuple[Architecture, float]] = []
        # proposals asked for and not told yet: how often each
        self._awaited: dict[Architecture, int] = {}

    @property
    def controller(self) -> Controller:
        """What draws."""
        return self._controller

    def ask(self, count: int) -> list[Proposal]:
        """Return `count` draws from the policy."""
        architectures = [self._draw() for _ in range(count)]
        for architecture in architectures:
            self._awaited[architecture] = self._awaited.get(architecture, 0) + 1
        return [Proposal(architecture) for architecture in architectures]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Take each success that was asked for into the batch, in the order told, and move when it is complete."""
        for evaluation in evaluations:
            key = self._incumbent.consider(evaluation)
            architecture = evaluation.proposal.architecture
            number = self._awaited.pop(architecture, 0)
            if number > 1:
                self._awaited[architecture] = number - 1
            if number and key is not None:
                self._batch.append((architecture, self._advantage(-key[1])))
                if len(self._batch) == self._batch_size:
                    advantages = np.array([advantage for _, advantage in self._batch])
                    self._update(self._controller, [made for made, _ in self._batch], advantages, self._entropy_weight)
                    self._batch = []

    def recommend(self) -> Architecture:
        """Return the best architecture told so far; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, the controller, the baseline, the batch and what is awaited."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "controller": self._controller.state_dict(),
            "num_rewards": self._num_rewards,
            "reward_average": self._reward_average,
            "batch": [[list(architecture.decisions), advantage] for architecture, advantage in self._batch],
            "awaited": [[number, list(architecture.decisions)] for architecture, number in self._awaited.items()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._controller.load_state_dict(state["controller"])
        self._num_rewards = state["num_rewards"]
        self._reward_average = state["reward_average"]
        self._batch = [(Architecture(name, tuple(made)), advantage) for made, advantage in state["batch"]]
        self._awaited = {Architecture(name, tuple(made)): number for number, made in state["awaited"]}

    def _draw(self) -> Architecture:
        # one draw is mostly enough; where it is not, many at once cost a recurrent controller hardly more
        for count in (1, MAX_TRIES - 1):
            for decisions in self._controller.draw(self._generator, count):
                architecture = Architecture(self._space.name, decisions)
                if self._space.is_valid(architecture):
                    return architecture
        return self._space.decode(self._controller.noisy_scores(self._generator))

    def _advantage(self, score: float) -> float:
        reward = self._reward_scale * math.copysign(abs(score) ** self._reward_power, score)
        self._num_rewards += 1
        decay = self._baseline_decay
        self._reward_average = decay * self._reward_average + (1 - decay) * reward
        return reward - self._reward_average / (1 - decay**self._num_rewards)
