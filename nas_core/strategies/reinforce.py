"""REINFORCE: a categorical distribution for each choice, moved by the policy gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Interval
from numpy.typing import NDArray

from nas_core.architecture import Architecture, Choice, active
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy

Array = NDArray[np.float64]

INITIAL_SCALE = 1e-3
BETAS = (0.9, 0.999)
EPSILON = 1e-8
MAX_TRIES = 100


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    learning_rate: Annotated[float, Gt(0)] = 0.01,
    baseline_decay: Annotated[float, Interval(ge=0, lt=1)] = 0.9,
    reward_scale: Annotated[float, Gt(0)] = 100.0,
) -> Strategy:
    """Return REINFORCE, by default with the settings of NATS-Bench (Dong et al. 2021, arXiv:2009.00437).

    Args:
        space: what is searched.
        objectives: at least one. The first alone is the reward; limits and the other objectives have a say only in
            what is recommended.
        streams: source of randomness.
        learning_rate: of Adam (NAS-Bench-201's own command: 0.5; 0.1 replays better with 100 queries).
        baseline_decay: of the moving average that is taken from the reward.
        reward_scale: what the first objective, negated if it is minimized, is multiplied with; 100 makes an accuracy
            between 0 and 1 a percentage. Adam makes the steps almost independent of it.
    """
    generator = streams.numpy("reinforce")
    return Reinforce(space, objectives, generator, learning_rate, baseline_decay, reward_scale)


def log_probability_gradient(probabilities: Array, decisions: Sequence[int], matters: Sequence[bool]) -> Array:
    """Return the gradient of log p(decisions) by the logits: 1 - p for what was chosen, -p for the rest.

    Args:
        probabilities: (num_choices, max_options), 0 where a choice has fewer options.
        decisions: the option chosen, for each choice.
        matters: for each choice whether it was drawn at all; the rows of the others are 0.

    Returns:
        An array of the shape of `probabilities`.
    """
    gradient: Array = -probabilities
    gradient[np.arange(len(decisions)), decisions] += 1.0
    gradient[~np.asarray(matters)] = 0.0
    return gradient


class Reinforce:
    """Policy gradient on independent categorical distributions (Williams 1992; tabular as in arXiv:2009.00437).

    logits ~ 1e-3 * N(0, 1); p = softmax(logits) in each choice; after an evaluation with reward R, Adam takes one step
    up the gradient of (R - b) log p(architecture), where b is the bias-corrected moving average of the rewards,
    R included.

    Follows NATS-Bench's code where one proposal is asked and told at a time. What that leaves open: choices that do
    not matter take no part in log p; an invalid draw is drawn again without a correction of log p, and after 100
    invalid draws the space decodes the probabilities with Gumbel noise, which is a draw that it repairs; where
    several proposals were asked at once, each gradient is taken at the logits of the telling. Failures have no reward
    and move nothing; neither do others' proposals, which were not drawn from this policy, though the best of them may
    be recommended.

    The gradient and Adam are written out in numpy: a round on a table takes less time than torch's autograd needs for
    one step (130 microseconds against 10).
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        learning_rate: float,
        baseline_decay: float,
        reward_scale: float,
    ) -> None:
        """Draw the initial logits; see `build`."""
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._learning_rate = learning_rate
        self._baseline_decay = baseline_decay
        self._reward_scale = reward_scale
        self._exists = _existing_options(space.choices)
        self._logits: Array = INITIAL_SCALE * generator.standard_normal(self._exists.shape) * self._exists
        self._probabilities = _softmax(self._logits, self._exists)
        self._mean: Array = np.zeros_like(self._logits)
        self._mean_square: Array = np.zeros_like(self._logits)
        self._num_steps = 0
        self._reward_average = 0.0
        # proposals asked for and not told yet: how often each
        self._awaited: dict[Architecture, int] = {}

    @property
    def probabilities(self) -> tuple[tuple[float, ...], ...]:
        """The probability of each option, for each choice."""
        return tuple(
            tuple(row[: len(choice.options)])
            for row, choice in zip(self._probabilities.tolist(), self._space.choices, strict=True)
        )

    def ask(self, count: int) -> list[Proposal]:
        """Return `count` draws from the policy."""
        architectures = [self._draw() for _ in range(count)]
        for architecture in architectures:
            self._awaited[architecture] = self._awaited.get(architecture, 0) + 1
        return [Proposal(architecture) for architecture in architectures]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Take a step for each success that was asked for, in the order told."""
        for evaluation in evaluations:
            key = self._incumbent.consider(evaluation)
            architecture = evaluation.proposal.architecture
            number = self._awaited.pop(architecture, 0)
            if number > 1:
                self._awaited[architecture] = number - 1
            if number and key is not None:
                self._step(architecture, -self._reward_scale * key[1])

    def recommend(self) -> Architecture:
        """Return the best architecture told so far; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, the policy, Adam's moments, the baseline and what is awaited."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "logits": self._logits.tolist(),
            "mean": self._mean.tolist(),
            "mean_square": self._mean_square.tolist(),
            "num_steps": self._num_steps,
            "reward_average": self._reward_average,
            "awaited": [[number, list(architecture.decisions)] for architecture, number in self._awaited.items()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._logits = np.array(state["logits"])
        self._probabilities = _softmax(self._logits, self._exists)
        self._mean = np.array(state["mean"])
        self._mean_square = np.array(state["mean_square"])
        self._num_steps = state["num_steps"]
        self._reward_average = state["reward_average"]
        self._awaited = {Architecture(self._space.name, tuple(made)): number for number, made in state["awaited"]}

    def _draw(self) -> Architecture:
        choices = self._space.choices
        thresholds = np.cumsum(self._probabilities, axis=1)
        for _ in range(MAX_TRIES):
            # scaled by the last sum, which rounding may leave below 1
            draws = self._generator.random((len(choices), 1)) * thresholds[:, -1:]
            decisions = (thresholds < draws).sum(axis=1).tolist()
            flags = active(choices, decisions)
            made = tuple([decision if flag else 0 for decision, flag in zip(decisions, flags, strict=True)])
            architecture = Architecture(self._space.name, made)
            if self._space.is_valid(architecture):
                return architecture
        scores = self._logits + self._generator.gumbel(size=self._logits.shape)
        return self._space.decode(
            [row[: len(choice.options)] for row, choice in zip(scores.tolist(), choices, strict=True)]
        )

    def _step(self, architecture: Architecture, reward: float) -> None:
        self._num_steps += 1
        decay = self._baseline_decay
        self._reward_average = decay * self._reward_average + (1 - decay) * reward
        advantage = reward - self._reward_average / (1 - decay**self._num_steps)
        matters = active(self._space.choices, architecture.decisions)
        gradient = advantage * log_probability_gradient(self._probabilities, architecture.decisions, matters)
        first, second = BETAS
        self._mean = first * self._mean + (1 - first) * gradient
        self._mean_square = second * self._mean_square + (1 - second) * gradient**2
        mean = self._mean / (1 - first**self._num_steps)
        root = np.sqrt(self._mean_square / (1 - second**self._num_steps))
        self._logits = self._logits + self._learning_rate * mean / (root + EPSILON)
        self._probabilities = _softmax(self._logits, self._exists)


def _existing_options(choices: Sequence[Choice]) -> NDArray[np.bool_]:
    num_options = np.array([len(choice.options) for choice in choices])
    return np.arange(num_options.max()) < num_options[:, None]


def _softmax(logits: Array, exists: NDArray[np.bool_]) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True)) * exists
    probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
