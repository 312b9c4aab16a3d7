"""Scores of a candidate by training it, from scratch or from what it inherits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nas_core.evaluation import Fidelity, Proposal
from nas_core.randomness import Streams
from nas_core.space import HasScales, SearchSpace
from nas_core.task import Task
from nas_core.training.candidate_network import candidate_network
from nas_core.training.inheritance import Inheritance, descendant, inherits, is_approximate
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
    """Trains a network, once a seed, and gives the scores asked for; a function of task, proposal and kept weights.

    It starts from scratch, unless it inherits: then a proposal whose morphisms lead from its parent starts from what
    they make of the parent's trained weights of the same seed, with the same schedule. A proposal that names a parent
    and no way from it starts from scratch.

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
        inheritance: how candidates inherit weights; None if they do not.
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
    inheritance: Inheritance | None = None

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
        trainings = [self._scores(task, proposal, seed) for seed in range(self.num_seeds)]
        return {
            name: math.fsum(scores[name] for scores in trainings if name in scores)
            / sum(name in scores for scores in trainings)
            for name in self.objectives
        }

    def foresee(self, proposals: Sequence[Proposal]) -> None:
        """Note the order of proposals, before any of them is trained, for those that inherit from them."""
        if self.inheritance is not None and self.inheritance.kept is not None and self._trains:
            self.inheritance.kept.claim(proposals)

    @property
    def _trains(self) -> bool:
        return bool(set(self.objectives) & set(TRAINED))

    def _scores(self, task: Task, proposal: Proposal, seed: int) -> dict[str, float]:
        fidelity, streams = self._fidelity(proposal), self._streams(proposal, seed)
        network = candidate_network(_scaled(self.space, fidelity.width), proposal.architecture, task, streams)
        scores: dict[str, float] = {}
        if seed == 0 and not set(self.objectives) <= set(TRAINED):
            scores |= measure(
                network if fidelity.width == 1 else candidate_network(self.space, proposal.architecture, task, streams),
                task,
                self.objectives,
                streams,
                batch_size=self.proxy_batch_size,
            )
        if self._trains:
            network = self._trained(task, proposal, seed, network)
        if VALIDATION_ACCURACY in self.objectives:
            scores[VALIDATION_ACCURACY] = validation_metric(network, task)
        if SHIFTED_VALIDATION_ACCURACY in self.objectives:
            scores[SHIFTED_VALIDATION_ACCURACY] = shifted_validation_metric(
                network, task, self.seen_shifts, self.shift_severity, streams.child("shifts")
            )
        return scores

    def _trained(self, task: Task, proposal: Proposal, seed: int, fresh: nn.Module) -> nn.Module:
        """Return the trained network of a proposal, whose weights are kept if candidates inherit."""
        network, teacher = fresh, None
        if self.inheritance is not None and inherits(proposal):
            space = _scaled(self.space, self._fidelity(proposal).width)
            parent = self._parent(task, proposal, seed)
            init = self._streams(proposal, seed).torch("morphisms")
            network = descendant(space, parent, proposal, task.shape, init).to(task.device)
            if self.inheritance.distillation and is_approximate(space, proposal):
                teacher = parent.to(task.device)
        self._fit(network, task, proposal, seed, teacher)
        if self.inheritance is not None and self.inheritance.kept is not None:
            self.inheritance.kept.save(proposal, seed, network)
        return network

    def _parent(self, task: Task, proposal: Proposal, seed: int) -> nn.Module:
        """Return the trained network of a proposal's parent, on the CPU; trained again where its weights are gone."""
        assert self.inheritance is not None
        assert proposal.parent is not None
        kept = self.inheritance.kept
        if kept is None:
            raise ValueError("inherit is true, and no folder was given to keep weights in; propose no parent here")
        lineage = kept.lineage(proposal.parent)
        width, own_width = self._fidelity(lineage).width, self._fidelity(proposal).width
        if width != own_width:
            raise ValueError(
                f"{proposal.parent.key} was trained at width {width:g}, so that no network of width {own_width:g} can "
                "inherit its weights; propose one width for all"
            )
        network = candidate_network(
            _scaled(self.space, width), lineage.architecture, task, self._streams(lineage, seed)
        )
        if not kept.load(lineage.architecture, seed, network):
            if lineage.parent == lineage.architecture:
                raise ValueError(f"{lineage.architecture.key} was never trained but from itself; train it first")
            network = self._trained(task, lineage, seed, network)
        return network.cpu()

    def _fit(self, network: nn.Module, task: Task, proposal: Proposal, seed: int, teacher: nn.Module | None) -> None:
        from nas_core.training.distillation import Distillation
        from nas_core.training.trainer import Trainer

        fidelity = self._fidelity(proposal)
        warmup_epochs = self.schedule.warmup_epochs * fidelity.epochs / self.schedule.epochs
        share = 0.0 if self.inheritance is None else self.inheritance.distillation
        trainer = Trainer(
            network,
            task,
            replace(self.schedule, epochs=fidelity.epochs, warmup_epochs=warmup_epochs),
            self._streams(proposal, seed).torch("examples"),
            data_fraction=fidelity.data_fraction,
            distillation=None if teacher is None else Distillation(teacher, share),
        )
        while not trainer.finished:
            trainer.run_epoch()

    def _fidelity(self, proposal: Proposal) -> Fidelity:
        return proposal.fidelity or Fidelity(self.schedule.epochs, self.data_fraction, self.width)

    def _streams(self, proposal: Proposal, seed: int) -> Streams:
        return self.streams.child("evaluation").child(proposal.architecture.key).child(str(seed))


def _scaled(space: SearchSpace, width: float) -> SearchSpace:
    if width == 1:
        return space
    if not isinstance(space, HasScales):
        raise ValueError(f"width is {width}, but the networks of space {space.name!r} have one width; set width to 1")
    return space.scaled(width=width)
