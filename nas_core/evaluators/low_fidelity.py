"""Train every candidate cheaply: few epochs, a share of the data, a narrow network; or from what it inherits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Interval

from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.task import Task
from nas_core.training.candidate_training import CandidateTraining
from nas_core.training.compatibility import check_search
from nas_core.training.independent_evaluator import IndependentEvaluator
from nas_core.training.inheritance import inheritance
from nas_core.training.schedule import KeptName, OptimizerName, TrainingSchedule

NAME = "low_fidelity"


def check(space: SearchSpace, strategy: Strategy, objectives: Sequence[Objective]) -> None:
    """Raise a ValueError if the strategy learns with shared weights, or an objective is unknown."""
    check_search(NAME, strategy, objectives, trains=True)


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    load_task: Callable[[], Task],
    *,
    epochs: Annotated[int, Ge(1)] = 3,
    data_fraction: Annotated[float, Interval(gt=0, le=1)] = 1.0,
    width: Annotated[float, Gt(0)] = 1.0,
    batch_size: Annotated[int, Ge(2)] = 64,
    learning_rate: Annotated[float, Gt(0)] = 0.1,
    weight_decay: Annotated[float, Ge(0)] = 5e-4,
    augment: bool = False,
    optimizer: OptimizerName = "sgd",
    keep: KeptName = "last",
    seen_shifts: tuple[str, ...] = ("speckle_noise",),
    shift_severity: Annotated[int, Interval(ge=1, le=5)] = 3,
    proxy_batch_size: Annotated[int, Ge(2)] = 64,
    inherit: bool = False,
    distillation: Annotated[float, Interval(ge=0, le=1)] = 0.0,
    folder: Path | None = None,
) -> IndependentEvaluator:
    """Return the evaluator; scores are those of `nas_core.training.candidate_training.CandidateTraining`.

    Settings of the training are those of `nas_core.training.schedule.TrainingSchedule`; those of weights that are
    inherited, of `nas_core.training.inheritance.Inheritance`.

    Raises:
        ValueError: weights are to be inherited in a space without morphisms.
    """
    training = CandidateTraining(
        space=space,
        objectives=tuple(objective.name for objective in objectives),
        streams=streams,
        schedule=TrainingSchedule(
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            augment=augment,
            optimizer=optimizer,
            keep=keep,
        ),
        data_fraction=data_fraction,
        width=width,
        seen_shifts=seen_shifts,
        shift_severity=shift_severity,
        proxy_batch_size=proxy_batch_size,
        inheritance=inheritance(space, inherit=inherit, distillation=distillation, folder=folder),
    )
    return IndependentEvaluator(load_task, training, training.foresee)
