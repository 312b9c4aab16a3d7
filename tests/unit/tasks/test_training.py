"""Training for several seeds: killed after any epoch it ends with the same network, and side by side as one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_images
import torch

from nas_core.architecture import Architecture
from nas_core.spaces import nasbench201
from nas_core.task import TaskShape
from nas_core.training.schedule import KeptName, TrainingSchedule
from nas_core.training.scores import validation_metric
from tasks import data
from tasks.candidate import Description, write_weights
from tasks.training import Job, Outcome, jobs_for, scaled, train, train_all, trained_network

SPACE = {"name": "nasbench201", "channels": 2, "cells_per_stage": 1}
ARCHITECTURE = Architecture("nasbench201", (3, 1, 2, 1, 3, 1))
OTHER = Architecture("nasbench201", (1, 2, 1, 1, 2, 1))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A training of three epochs on bars."""
    folder = tiny_images.write(tmp_path / "bars")
    shape = TaskShape((1, 8, 8), (tiny_images.NUM_CLASSES,))
    return Job(
        description=Description(ARCHITECTURE, SPACE, shape, {}),
        schedule=TrainingSchedule(epochs=3, batch_size=16),
        seed=5,
        folder=folder,
        checkpoint=tmp_path / "training.pt",
        device="cpu",
        threads=1,
    )


def without_clock(outcome: Outcome) -> tuple[Any, ...]:
    """Return what two trainings have in common if they are the same."""
    history = [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in outcome.history]
    return outcome.seed, outcome.validation_accuracy, outcome.kept_epoch, history


def weights(job: Job) -> dict[str, torch.Tensor]:
    """Return the weights of a finished job."""
    return trained_network(job).state_dict()


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("num_epochs", [1, 2, 3])
def test_a_training_that_was_killed_after_an_epoch_ends_the_same(
    num_epochs: int, keep: KeptName, job: Job, tmp_path: Path
) -> None:
    job = replace(job, schedule=replace(job.schedule, keep=keep))

    def kill(epoch: Any) -> None:
        if epoch.epoch == num_epochs:
            raise KeyboardInterrupt

    undisturbed = replace(job, checkpoint=tmp_path / "undisturbed.pt")
    expected = train(undisturbed)
    with pytest.raises(KeyboardInterrupt):
        train(job, kill)
    assert without_clock(train(job)) == without_clock(expected)
    for name, value in weights(undisturbed).items():
        assert torch.equal(weights(job)[name], value), name


def test_the_accuracy_is_that_of_the_network_that_is_kept(job: Job) -> None:
    job = replace(job, schedule=TrainingSchedule(epochs=4, batch_size=16, learning_rate=0.5, keep="best"))
    outcome = train(job)
    accuracies = [epoch["validation"]["accuracy"] for epoch in outcome.history]
    assert outcome.validation_accuracy == max(accuracies) == accuracies[outcome.kept_epoch - 1]
    task = data.built_task(job.folder, job.device)
    assert validation_metric(trained_network(job), task) == outcome.validation_accuracy


def test_a_finished_job_is_not_trained_again(job: Job) -> None:
    first = train(job)
    written = job.checkpoint.stat().st_mtime_ns
    assert train(job) == first  # the seconds too
    assert job.checkpoint.stat().st_mtime_ns == written


def test_side_by_side_is_as_one_by_one(job: Job, tmp_path: Path) -> None:
    job = replace(job, schedule=TrainingSchedule(epochs=1, batch_size=16))
    alone = jobs_for(replace(job, checkpoint=tmp_path / "alone.pt"), [ARCHITECTURE, OTHER], [0])
    together = jobs_for(replace(job, checkpoint=tmp_path / "together.pt"), [ARCHITECTURE, OTHER], [0])
    finished: list[Outcome] = []
    expected = train_all(alone, 1)
    found = train_all(together, 2, finished.append)
    assert [without_clock(outcome) for outcome in found] == [without_clock(outcome) for outcome in expected]
    assert finished == found


def test_jobs_for_every_architecture_and_seed_have_checkpoints_of_their_own(job: Job) -> None:
    jobs = jobs_for(job, [ARCHITECTURE, OTHER], [0, 1])
    assert [(each.description.architecture, each.seed) for each in jobs] == [
        (ARCHITECTURE, 0),
        (ARCHITECTURE, 1),
        (OTHER, 0),
        (OTHER, 1),
    ]
    assert len({each.checkpoint for each in jobs}) == 4
    assert {each.checkpoint.parent for each in jobs} == {job.checkpoint.parent}
    assert not [each for each in jobs if ":" in each.checkpoint.name]


def test_the_seed_decides_the_training(job: Job, tmp_path: Path) -> None:
    other = replace(job, seed=6, checkpoint=tmp_path / "other.pt")
    assert train(job).history[0]["loss"] != train(other).history[0]["loss"]


def test_fine_tuning_starts_from_the_body_and_keeps_its_own_head(job: Job, tmp_path: Path) -> None:
    space = nasbench201.build(channels=2, cells_per_stage=1)
    trained = space.network(ARCHITECTURE, TaskShape((1, 8, 8), (7,)), torch.Generator().manual_seed(9))
    write_weights(tmp_path / "trained.safetensors", trained)
    job = replace(
        job, initial=tmp_path / "trained.safetensors", schedule=TrainingSchedule(epochs=1, learning_rate=1e-9)
    )
    train(job)
    tuned, given = weights(job), trained.state_dict()
    body = [name for name in given if given[name].shape == tuned[name].shape and name.endswith("weight")]
    assert len(body) > 3
    for name in body:
        torch.testing.assert_close(tuned[name], given[name], rtol=0, atol=1e-5)


def test_what_was_never_trained_has_no_network(job: Job) -> None:
    with pytest.raises(ValueError, match=r"training\.pt holds no training; train the job first"):
        trained_network(job)


def test_a_space_of_one_size_cannot_be_scaled() -> None:
    class OneSize:
        name = "toy"

    assert scaled(OneSize(), 1.0, 1.0).name == "toy"
    with pytest.raises(ValueError, match=r"width is 2\.0 and depth 1\.0, but space toy has one size; set both to 1"):
        scaled(OneSize(), 2.0, 1.0)
