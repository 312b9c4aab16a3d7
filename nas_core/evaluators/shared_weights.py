"""The evaluator that scores every proposal by the weights of one supernet, trained while the search goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Interval

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import HasSupernet, SearchSpace
from nas_core.strategy import HasFidelities, Strategy
from nas_core.task import Task
from nas_core.training.candidate_network import candidate_network
from nas_core.training.independent_evaluator import evaluate_one
from nas_core.training.scores import (
    SHIFTED_VALIDATION_ACCURACY,
    TRAINED,
    VALIDATION_ACCURACY,
    measure,
    shifted_validation_metric,
    validation_metric,
)
from nas_core.weight_sharing.learns import Learns
from nas_core.weight_sharing.training_plan import TrainingPlan
from nas_core.weight_sharing.uniform_paths import UniformPaths

if TYPE_CHECKING:
    from nas_core.weight_sharing.shared_training import SharedTraining


def check(space: SearchSpace, strategy: Strategy, objectives: Sequence[Objective]) -> None:
    """Raise a ValueError if the space has no supernet, an objective is unknown, or the strategy asks for fidelities."""
    if isinstance(strategy, HasFidelities):
        raise ValueError(
            "evaluator 'shared_weights' knows one fidelity, and the strategy asks for several; use low_fidelity"
        )
    if not isinstance(space, HasSupernet):
        raise ValueError(
            f"space {space.name!r} has no supernet for evaluator 'shared_weights'; use low_fidelity, or another space"
        )
    for objective in objectives:
        if objective.name not in TRAINED:
            catalog.load("proxy", objective.name)


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    load_task: Callable[[], Task],
    *,
    num_steps: int,
    epochs_per_round: Annotated[int, Ge(0)] = 1,
    warmup_epochs: Annotated[int, Ge(0)] = 0,
    batch_size: Annotated[int, Ge(2)] = 64,
    learning_rate: Annotated[float, Gt(0)] = 0.025,
    least_learning_rate: Annotated[float, Ge(0)] = 0.001,
    momentum: Annotated[float, Interval(ge=0, lt=1)] = 0.9,
    weight_decay: Annotated[float, Ge(0)] = 3e-4,
    nesterov: bool = False,
    clip_norm: Annotated[float, Gt(0)] = 5.0,
    augment: bool = True,
    learner_split: Literal["validation", "train"] = "validation",
    num_statistics_batches: Annotated[int, Ge(1)] = 4,
    channel_fraction: Annotated[int, Ge(1)] = 1,
    affine: bool = False,
    autocast: bool = False,
    seen_shifts: tuple[str, ...] = ("speckle_noise",),
    shift_severity: Annotated[int, Interval(ge=1, le=5)] = 3,
) -> SharedWeightsEvaluator:
    """Return the evaluator that trains a supernet at the start of each round and scores single paths through it.

    A strategy that learns takes part in the training; for any other, uniform single paths are trained (Li & Talwalkar
    2019, arXiv:1902.07638; Guo et al. 2020, SPOS, arXiv:1904.00420). For SPOS as published, where all training comes
    before the search, set `epochs_per_round` to 0 and `warmup_epochs` to the length of the training.

    The defaults of the weights' training are those of DARTS (Liu et al. 2019, arXiv:1806.09055), with one cosine over
    ``warmup_epochs + epochs_per_round * num_steps`` epochs. Differs from the paper: that halves the training split,
    one half for the weights and one for alpha; here the weights see the whole training split, and alpha the validation
    split, which is the half that was held out from the search's data, and is also what scores are measured on. With
    `learner_split` "train", scores are on examples that neither saw.

    Args:
        space: has a supernet.
        objectives: the scores to give.
        streams: the source of all randomness.
        load_task: gives the data, when they are first needed.
        num_steps: rounds of the search; later ones train nothing.
        epochs_per_round: passes over the training split at the start of each round.
        warmup_epochs: passes before the first round, on uniform single paths whatever the strategy.
        batch_size: examples in each minibatch of a pair.
        learning_rate: of the weights, at the start.
        least_learning_rate: at the end.
        momentum: of the weights' SGD.
        weight_decay: of the weights.
        nesterov: look ahead by the momentum.
        clip_norm: largest 2-norm of the weights' gradient.
        augment: move (and mirror) training images, those of the learner too.
        learner_split: the split that a strategy's own loss sees.
        num_statistics_batches: training minibatches from which the batch statistics of a path are computed.
        channel_fraction: one channel in so many goes through the mixture (PC-DARTS: 4).
        affine: learnable scale and shift in the mixture's batch normalization.
        autocast: train in bfloat16 where that is safe, which leaves graphs in float32; not together with a
            second-order strategy.
        seen_shifts: distribution shifts over which "shifted_validation_accuracy" is the mean.
        shift_severity: of these.

    Raises:
        ValueError: if settings contradict each other.
    """
    names = tuple(objective.name for objective in objectives)
    plan = TrainingPlan(warmup_epochs, epochs_per_round, num_steps)
    if SHIFTED_VALIDATION_ACCURACY in names and not seen_shifts:
        raise ValueError(f"{SHIFTED_VALIDATION_ACCURACY} is asked for and seen_shifts is empty; name a shift")
    if least_learning_rate > learning_rate:
        raise ValueError(f"least_learning_rate is {least_learning_rate}, above learning_rate {learning_rate}; lower it")
    if nesterov and momentum == 0:
        raise ValueError("nesterov needs momentum above 0; raise momentum, or set nesterov to false")

    def start(task: Task) -> SharedTraining:
        from nas_core.weight_sharing.shared_training import DataRecipe, SharedTraining
        from nas_core.weight_sharing.supernet import Mixing
        from nas_core.weight_sharing.weight_optimizer import WeightRecipe

        return SharedTraining(
            space,
            task,
            streams,
            Mixing(channel_fraction, affine),
            WeightRecipe(learning_rate, least_learning_rate, momentum, weight_decay, nesterov, clip_norm),
            DataRecipe(batch_size, learner_split, augment, num_statistics_batches, autocast),
        )

    return SharedWeightsEvaluator(
        space=space,
        load_task=load_task,
        start=start,
        uniform_paths=UniformPaths(space, streams),
        plan=plan,
        scoring=Scoring(space, names, streams, seen_shifts, shift_severity),
    )


class SharedWeightsEvaluator:
    """Scores single paths through a supernet, which each `prepare` trains for some epochs.

    A path's accuracies are those of the shared weights, with batch statistics of its own; proxies are measured on its
    freshly initialized stand-alone network. Scoring leaves no trace in the weights. On the CPU, with one number of
    threads, going on from a state is bit by bit the same as never having stopped.
    """

    def __init__(
        self,
        space: SearchSpace,
        load_task: Callable[[], Task],
        start: Callable[[Task], SharedTraining],
        uniform_paths: UniformPaths,
        plan: TrainingPlan,
        scoring: Scoring,
    ) -> None:
        """Put the parts together; task and supernet are made when they are first needed."""
        self._space = space
        self._load_task = load_task
        self._start = start
        self._uniform_paths = uniform_paths
        self._plan = plan
        self._scoring = scoring
        self._started: tuple[Task, SharedTraining] | None = None

    def prepare(self, strategy: Strategy) -> None:
        """Train the shared weights for one round, the first time after the warm-up; at the end of the plan do nothing.

        Steps on a loss that is not finite are skipped. Where that were all steps of an epoch, the evaluations fail.
        """
        _, training = self._task_and_training()
        plan = self._plan
        learner = strategy if isinstance(strategy, Learns) else self._uniform_paths
        while training.num_epochs < plan.warmup_epochs:
            training.train_epoch(self._uniform_paths, plan.position(training.num_epochs))
        for _ in range(plan.epochs_per_round):
            if training.num_epochs < plan.num_epochs:
                training.train_epoch(learner, plan.position(training.num_epochs))

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order."""
        if not proposals:
            return []
        task, _ = self._task_and_training()
        return [evaluate_one(partial(self._scores, task, proposal), proposal) for proposal in proposals]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the shared training (None before it started) and of the uniform paths."""
        return {
            "training": None if self._started is None else self._started[1].state_dict(),
            "uniform_paths": self._uniform_paths.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._uniform_paths.load_state_dict(state["uniform_paths"])
        if state["training"] is None:
            self._started = None
        else:
            self._task_and_training()[1].load_state_dict(state["training"])

    def _task_and_training(self) -> tuple[Task, SharedTraining]:
        if self._started is None:
            task = self._load_task()
            self._started = (task, self._start(task))
        return self._started

    def _scores(self, task: Task, proposal: Proposal) -> dict[str, float]:
        if not self._space.is_valid(proposal.architecture):
            raise ValueError(
                f"{proposal.architecture.key} is not a member of space {self._space.name}; propose members"
            )
        if proposal.fidelity is not None:
            raise ValueError(
                f"{proposal.fidelity} is asked for, and shared weights know one fidelity; use evaluator low_fidelity"
            )
        return self._scoring(task, self._task_and_training()[1], proposal.architecture)


@dataclass(frozen=True, slots=True)
class Scoring:
    """Gives the scores of one path by objective name.

    Attributes:
        space: builds the stand-alone network that proxies see.
        objectives: names of the scores.
        streams: the source of its initialization and of the proxies' minibatch.
        seen_shifts: distribution shifts over which "shifted_validation_accuracy" is the mean.
        shift_severity: of these, 1 to 5.
    """

    space: SearchSpace
    objectives: tuple[str, ...]
    streams: Streams
    seen_shifts: tuple[str, ...]
    shift_severity: int

    def __call__(self, task: Task, training: SharedTraining, architecture: Architecture) -> dict[str, float]:
        """Return the scores; they depend on the shared weights and the architecture alone."""
        streams = self.streams.child("evaluation").child(architecture.key)
        scores: dict[str, float] = {}
        if any(name not in TRAINED for name in self.objectives):
            scores = measure(candidate_network(self.space, architecture, task, streams), task, self.objectives, streams)
        if VALIDATION_ACCURACY in self.objectives or SHIFTED_VALIDATION_ACCURACY in self.objectives:
            with training.path(architecture) as path:
                if VALIDATION_ACCURACY in self.objectives:
                    scores[VALIDATION_ACCURACY] = validation_metric(path, task)
                if SHIFTED_VALIDATION_ACCURACY in self.objectives:
                    scores[SHIFTED_VALIDATION_ACCURACY] = shifted_validation_metric(
                        path, task, self.seen_shifts, self.shift_severity, streams.child("shifts")
                    )
        return scores
