"""Trains networks from scratch for several seeds, side by side, each epoch checkpointed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core import worker_process
from nas_core.architecture import Architecture
from nas_core.checkpoint import CheckpointFile
from nas_core.randomness import Streams
from nas_core.space import HasScales, SearchSpace
from nas_core.training.schedule import TrainingSchedule
from tasks import data
from tasks.candidate import Description, load_body

if TYPE_CHECKING:
    from torch import nn

    from nas_core.task import Task
    from nas_core.training.trainer import Epoch, Trainer


@dataclass(frozen=True)
class Job:
    """One training of one network.

    Attributes:
        description: which network, for which task.
        schedule: how to train.
        seed: of the initial weights, the order of examples and their augmentation.
        folder: prepared training and validation data; the test set is not in it.
        checkpoint: where the training is kept after each epoch.
        device: torch device.
        threads: of torch on the CPU.
        horizontal_flip: part of the augmentation.
        width: multiple of the described space's channels; other than 1 needs a space that `HasScales`.
        depth: multiple of its cells a stage, likewise.
        initial: trained weights of the same network for another task, from which all but the last layer start; None
            starts afresh.
        statistics: folder of the prepared data whose mean and standard deviation normalize the inputs; None is
            `folder`.
    """

    description: Description
    schedule: TrainingSchedule
    seed: int
    folder: Path
    checkpoint: Path
    device: str
    threads: int
    horizontal_flip: bool = False
    width: float = 1.0
    depth: float = 1.0
    initial: Path | None = None
    statistics: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        seed: the job's.
        validation_accuracy: of the network of the epoch that the schedule keeps, in 0..1.
        kept_epoch: that epoch, counted from 1.
        history: for each epoch its number, learning rate, loss, seconds and validation metrics.
        seconds: of all epochs together, validation left out.
    """

    seed: int
    validation_accuracy: float
    kept_epoch: int
    history: tuple[dict[str, Any], ...]
    seconds: float


def train_all(
    jobs: Sequence[Job], workers: int, finished: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """Train every job, up to `workers` at a time in processes of their own; results are in the order of the jobs.

    A job whose checkpoint says that it has finished is not trained again.

    Args:
        jobs: what to train.
        workers: processes; a single one, and any other device than the CPU, trains in this process.
        finished: called with each outcome, in the order of the jobs.
    """
    outcomes: list[Outcome] = []

    def collect(found: Iterable[Outcome]) -> list[Outcome]:
        for outcome in found:
            outcomes.append(outcome)
            finished(outcome)
        return outcomes

    if workers == 1 or len(jobs) < 2 or any(job.device != "cpu" for job in jobs):
        return collect(map(train, jobs))
    with worker_process.process_pool(min(workers, len(jobs)), num_threads=jobs[0].threads) as pool:
        try:
            with worker_process.interrupts_blocked():
                found = pool.map(train, jobs)
            return collect(found)
        except BaseException:
            worker_process.kill(pool)
            raise


def train(job: Job, after_epoch: Callable[[Epoch], None] = lambda epoch: None) -> Outcome:
    """Train one job to its end, from its checkpoint if there is one; `after_epoch` is called with each epoch."""
    import torch

    torch.set_num_threads(job.threads)
    task = _task(job)
    trainer = _trainer(job, task)
    kept = CheckpointFile(job.checkpoint)
    state = kept.load()
    if state is not None:
        trainer.load_state_dict(state)
    for epoch in trainer.history:
        after_epoch(epoch)
    while not trainer.finished:
        epoch = trainer.run_epoch(validate=True)
        kept.save(trainer.state_dict())
        after_epoch(epoch)
    kept_validation = trainer.kept.validation
    assert kept_validation is not None
    history = tuple(asdict(epoch) for epoch in trainer.history)
    seconds = sum(epoch.seconds for epoch in trainer.history)
    return Outcome(job.seed, float(kept_validation[task.metric]), trainer.kept.epoch, history, seconds)


def trained_network(job: Job) -> nn.Module:
    """Return the network that a finished job has trained, in evaluation mode, on the job's device."""
    trainer = _trainer(job, _task(job))
    state = CheckpointFile(job.checkpoint).load()
    if state is None:
        raise ValueError(f"{job.checkpoint} holds no training; train the job first")
    trainer.load_state_dict(state)
    return trainer.network.eval()


def jobs_for(template: Job, architectures: Sequence[Architecture], seeds: Sequence[int]) -> list[Job]:
    """Return a job for every architecture and seed, each with a checkpoint of its own beside the template's."""
    return [
        replace(
            template,
            description=replace(template.description, architecture=architecture),
            seed=seed,
            checkpoint=template.checkpoint.with_name(
                f"{template.checkpoint.stem}-{architecture.key.replace(':', '-')}-{seed}.pt"
            ),
        )
        for architecture in architectures
        for seed in seeds
    ]


def scaled(space: SearchSpace, width: float, depth: float) -> SearchSpace:
    """Return the space with its networks wider and deeper.

    Raises:
        ValueError: the space cannot be scaled, and a multiple is not 1.
    """
    if width == 1 and depth == 1:
        return space
    if not isinstance(space, HasScales):
        raise ValueError(
            f"width is {width} and depth {depth}, but space {space.name} has one size; set both to 1, or give its "
            "class a method scaled()"
        )
    return space.scaled(width=width, depth=depth)


def _task(job: Job) -> Task:
    return data.built_task(job.folder, job.device, horizontal_flip=job.horizontal_flip, statistics=job.statistics)


def _trainer(job: Job, task: Task) -> Trainer:
    from nas_core.training.trainer import Trainer

    streams = Streams(job.seed).child("training").child(job.description.architecture.key)
    space = scaled(job.description.built_space(), job.width, job.depth)
    network = space.network(job.description.architecture, task.shape, streams.torch("init"))
    if job.initial is not None:
        load_body(job.initial, network)
    return Trainer(network, task, job.schedule, streams.torch("order"))
