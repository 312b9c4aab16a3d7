"""What trainings from scratch have in common, of candidates and of what they are compared with."""

from __future__ import annotations

import time
from typing import Any

from nas_core.architecture import Architecture
from nas_core.training.schedule import TrainingSchedule
from tasks import data
from tasks.candidate import Description, described_data
from tasks.record import Curve, child
from tasks.settings import Settings
from tasks.settings.plug_ins import checked_fields
from tasks.stage import Stage
from tasks.tracking.record import RunRecord
from tasks.training import Job, Outcome


def identity(settings: Settings) -> dict[str, object]:
    """Return the settings that decide the results, for candidates and baselines alike."""
    return {
        "seeds": list(settings.retrain.seeds),
        "schedule": dict(settings.retrain.schedule),
        "space": settings.search.space.model_dump(mode="json"),
        "horizontal_flip": settings.prepare.horizontal_flip,
    }


def template(stage: Stage) -> Job:
    """Return a job under the schedule of `retrain`, for an architecture and a seed that are yet to be put in."""
    settings = stage.settings
    task = data.load_task(stage.root)
    description = Description(
        Architecture("", ()),
        settings.search.space.model_dump(mode="json"),
        task.shape,
        described_data(stage.root / data.SEARCH),
    )
    return Job(
        description=description,
        schedule=checked_fields("params.yaml", "retrain.schedule", TrainingSchedule, settings.retrain.schedule),
        seed=0,
        folder=stage.root / data.SEARCH,
        checkpoint=stage.work / "checkpoint.pt",
        device=stage.device,
        threads=settings.compute.threads,
        horizontal_flip=settings.prepare.horizontal_flip,
    )


def summary(metrics: Any, outcomes: list[Outcome], started: float) -> dict[str, Any]:
    """Return the numbers for `dvc metrics`: means, spreads, sizes and seconds."""
    return {
        "architecture": metrics["architecture"],
        **{
            name: {part: metrics[name][part] for part in ("mean", "standard_deviation")}
            for name in ("validation_accuracy", "test_accuracy")
        },
        "num_parameters": metrics["num_parameters"],
        "flops": metrics["flops"],
        "training_seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
        "seconds": round(time.time() - started, 3),
    }


def logged(metrics: dict[str, Any]) -> dict[str, float]:
    """Return the numbers of a summary under flat names, as MLflow shows them."""
    return {
        "validation_accuracy": metrics["validation_accuracy"]["mean"],
        "validation_accuracy_std": metrics["validation_accuracy"]["standard_deviation"],
        "test_accuracy": metrics["test_accuracy"]["mean"],
        "test_accuracy_std": metrics["test_accuracy"]["standard_deviation"],
        "num_parameters": metrics["num_parameters"],
        "flops": metrics["flops"],
        "training_seconds": metrics["training_seconds"],
    }


def seed_run(stage: Stage, started: float, outcome: Outcome) -> RunRecord:
    """Return the nested run of one seed: its curves and its final validation accuracy."""
    curves: dict[str, Curve] = {
        "training_loss": tuple((epoch["epoch"], epoch["loss"]) for epoch in outcome.history),
        "validation_accuracy": tuple((e["epoch"], next(iter(e["validation"].values()))) for e in outcome.history),
    }
    return child(
        stage,
        f"{stage.name} seed {outcome.seed}",
        started,
        parameters={"seed": outcome.seed},
        metrics={"final_validation_accuracy": outcome.validation_accuracy, "training_seconds": outcome.seconds},
        curves=curves,
    )
