"""Scores of a candidate by training it from scratch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nas_core.evaluation import Fidelity, Proposal
from nas_core.randomness import Streams
from nas_core.space import HasScales, SearchSpace
from nas_core.task import Task
from nas_core.training.candidate_network import candidate_network
from nas_core.training.schedule import TrainingSchedule
from nas_core.training.scores import (
    SHIFTED_VALIDATION_ACCURACY,
    TRAINED,
    VALIDATION_ACCURACY,
    measure,
    shifted_validation_metric,
    validation_metric,
)

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class CandidateTraining:
    """Trains a network from scratch, once a seed, and gives the scores asked for; a function of task and proposal.

    A proposal's own fidelity replaces `data_fraction`, `width` and the schedule's `epochs` (the warm-up in proportion).
    Initialization, order of the examples and augmentation follow from the seed of the streams, the architecture's key
    and the number of the seed, so that neither order nor company matters. Proxies are measured before training, on the
    initialization of the first seed, and of the network at full width, whatever width is trained: what it costs is
    asked of the network that would be built in the end. Accuracies are those of the epoch that the schedule keeps, as
    the mean over the seeds.

    Attributes:
        space: builds the networks.
        objectives: names of the scores.
        streams: root of all randomness.
        schedule: how to train.
        num_seeds: trainings from different initializations, at least 1.
        data_fraction: share of the training split, in (0, 1].
        width: channel multiplier, above 0; other than 1 needs a space that `HasScales`.
        seen_shifts: distribution shifts over which "shifted_validation_accuracy" is the mean.
        shift_severity: of these, 1 to 5.
        proxy_batch_size: examples in the minibatch that proxies see.
    """

    space: SearchSpace
    objectives: tuple[str, ...]
    streams: Streams
    schedule: TrainingSchedule
    num_seeds: int = 1
    data_fraction: float = 1.0
    width: float = 1.0
    seen_shifts: tuple[str, ...] = ()
    shift_severity: int = 3
    proxy_batch_size: int = 64

    def __post_init__(self) -> None:
        if self.num_seeds < 1:
            raise ValueError(f"num_seeds is {self.num_seeds}; give at least 1")
        if SHIFTED_VALIDATION_ACCURACY in self.objectives and not self.seen_shifts:
            raise ValueError(f"{SHIFTED_VALIDATION_ACCURACY} is asked for and seen_shifts is empty; name a shift")
        Fidelity(self.schedule.epochs, self.data_fraction, self.width)
        _scaled(self.space, self.width)

    def __call__(self, task: Task, proposal: Proposal) -> Mapping[str, float]:
        """Return the scores of a proposal by objective name.

        Raises:
            FloatingPointError: the training diverged.
            ValueError: the fidelity asks for a width that the space cannot give.
            RuntimeError: the network does not run, or the memory is exhausted.
        """
        fidelity = proposal.fidelity or Fidelity(self.schedule.epochs, self.data_fraction, self.width)
        evaluation = self.streams.child("evaluation").child(proposal.architecture.key)
        trainings = [
            self._train(task, proposal, fidelity, evaluation.child(str(seed)), measured=seed == 0)
            for seed in range(self.num_seeds)
        ]
        return {
            name: math.fsum(scores[name] for scores in trainings if name in scores)
            / sum(name in scores for scores in trainings)
            for name in self.objectives
        }

    def _train(
        self, task: Task, proposal: Proposal, fidelity: Fidelity, streams: Streams, *, measured: bool
    ) -> dict[str, float]:
        space = _scaled(self.space, fidelity.width)
        network = candidate_network(space, proposal.architecture, task, streams)
        scores: dict[str, float] = {}
        if measured and not set(self.objectives) <= set(TRAINED):
            scores |= measure(
                network if fidelity.width == 1 else candidate_network(self.space, proposal.architecture, task, streams),
                task,
                self.objectives,
                streams,
                batch_size=self.proxy_batch_size,
            )
        if VALIDATION_ACCURACY in self.objectives or SHIFTED_VALIDATION_ACCURACY in self.objectives:
            self._fit(network, task, fidelity, streams)
        if VALIDATION_ACCURACY in self.objectives:
            scores[VALIDATION_ACCURACY] = validation_metric(network, task)
        if SHIFTED_VALIDATION_ACCURACY in self.objectives:
            scores[SHIFTED_VALIDATION_ACCURACY] = shifted_validation_metric(
                network, task, self.seen_shifts, self.shift_severity, streams.child("shifts")
            )
        return scores

    def _fit(self, network: nn.Module, task: Task, fidelity: Fidelity, streams: Streams) -> None:
        from nas_core.training.trainer import Trainer

        warmup_epochs = self.schedule.warmup_epochs * fidelity.epochs / self.schedule.epochs
        schedule = replace(self.schedule, epochs=fidelity.epochs, warmup_epochs=warmup_epochs)
        trainer = Trainer(network, task, schedule, streams.torch("examples"), data_fraction=fidelity.data_fraction)
        while not trainer.finished:
            trainer.run_epoch()


def _scaled(space: SearchSpace, width: float) -> SearchSpace:
    if width == 1:
        return space
    if not isinstance(space, HasScales):
        raise ValueError(f"width is {width}, but the networks of space {space.name!r} have one width; set width to 1")
    return space.scaled(width=width)
