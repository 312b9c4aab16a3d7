"""The ways in which a network gets to a second task: a probe of its features, fine-tuning, training from scratch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core.task import Task
from nas_core.training.schedule import TrainingSchedule
from tasks import data, logistic_regression
from tasks.candidate import read_description
from tasks.finalists import Finalist
from tasks.measures import spread
from tasks.training import Job, Outcome, scaled, train_all, trained_network

if TYPE_CHECKING:
    from torch import nn

SPLITS = ("train", "validation", "test")
FINE_TUNING = "fine_tuning"
RETRAINING = "retraining"


@dataclass(frozen=True)
class Plan:
    """How networks are trained on the second task.

    Attributes:
        schedule: of fine-tuning and of training from scratch.
        seeds: of the new head, the order of the examples and, from scratch, all initial weights.
        width: multiple of the channels of networks trained from scratch.
        depth: multiple of their layers: of the cells a stage, of the convolutions a block.
        root: the checkout's top folder.
        work: where checkpoints are kept.
        device: torch device.
        threads: of torch on the CPU.
        workers: processes.
    """

    schedule: TrainingSchedule
    seeds: tuple[int, ...]
    width: float
    depth: float
    root: Path
    work: Path
    device: str
    threads: int
    workers: int

    def jobs(self, member: Finalist, method: str) -> list[Job]:
        """Return the trainings of a network by one method, one a seed.

        Fine-tuning changes all weights of the chosen seed's network, under a new head, and feeds it as it was trained:
        normalized by the first task's statistics. From scratch, the same architecture is made wider and deeper (as
        NASNet stacks its cell, Zoph et al. 2018, arXiv:1707.07012) and the second task's own statistics are used.

        Raises:
            ValueError: the space's networks cannot be scaled.
        """
        tunes = method == FINE_TUNING
        description = read_description(member.folder)
        width, depth = (1.0, 1.0) if tunes else (self.width, self.depth)
        scaled(description.built_space(), width, depth)
        return [
            Job(
                description=description,
                schedule=self.schedule,
                seed=seed,
                folder=self.root / data.TRANSFER,
                checkpoint=self.work / f"{method}-{member.name.replace(' ', '-')}-{seed}.pt",
                device=self.device,
                threads=self.threads,
                width=width,
                depth=depth,
                initial=member.weights(member.chosen_seed) if tunes else None,
                statistics=self.root / data.SEARCH if tunes else None,
            )
            for seed in self.seeds
        ]

    def train(
        self, jobs: Mapping[tuple[str, str], Sequence[Job]], finished: Callable[[Outcome], None]
    ) -> dict[tuple[str, str], list[Outcome]]:
        """Train all jobs side by side and return their outcomes under the same keys."""
        flat = [job for each in jobs.values() for job in each]
        outcomes = iter(train_all(flat, self.workers, finished))
        return {key: [next(outcomes) for _ in each] for key, each in jobs.items()}


def trained(jobs: Sequence[Job], outcomes: Sequence[Outcome], task: Task) -> dict[str, Any]:
    """Return what came of the finished trainings of one network by one method; here the test split is touched, once.

    Args:
        jobs: one a seed.
        outcomes: what came of them.
        task: the second task with its test split, normalized as the jobs saw it.
    """
    from nas_core.training.prediction import predict

    networks = [trained_network(job) for job in jobs]
    test = [float(task.metrics(*predict(network, task, "test"))[task.metric]) for network in networks]
    num_parameters = _num_parameters(networks[0])
    return {
        "validation_accuracy": spread([outcome.validation_accuracy for outcome in outcomes]),
        "test_accuracy": spread(test),
        "seeds": [job.seed for job in jobs],
        "spread_over": "trainings on the second task",
        "num_parameters": num_parameters,
        "num_trained_parameters": num_parameters,
    }


def probed(member: Finalist, task: Task) -> dict[str, Any]:
    """Return what logistic regression makes of the frozen features of a network, for each of its trainings.

    The features are the inputs of the last linear layer in evaluation mode. See `tasks.logistic_regression`.

    Args:
        member: the network.
        task: the second task with its test split, normalized by the first task's statistics, as the network knows it.
    """
    from nas_core.training.features import features, head

    found = []
    num_body = num_head = 0
    for seed in member.seeds:
        network = member.network(seed, str(task.device))
        splits = {}
        for split in SPLITS:
            inputs, labels = features(network, task, split)
            splits[split] = (inputs.double().cpu().numpy(), labels.cpu().numpy())
        found.append(logistic_regression.fit(logistic_regression.standardized(splits)))
        last = head(network)[1]
        num_body = _num_parameters(network) - _num_parameters(last)
        num_head = (last.in_features + 1) * task.shape.outputs[0]
    return {
        "validation_accuracy": spread([each.validation_accuracy for each in found]),
        "test_accuracy": spread([each.test_accuracy for each in found]),
        "seeds": list(member.seeds),
        "spread_over": "trainings on the first task",
        "inverse_penalties": [each.inverse_penalty for each in found],
        "num_parameters": num_body + num_head,
        "num_trained_parameters": num_head,
    }


def _num_parameters(network: nn.Module) -> int:
    from nas_core.training.measurement import num_parameters

    return num_parameters(network)
