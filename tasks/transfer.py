"""Stage `transfer`: takes every trained candidate and the reference to a second task.

``python -m tasks.transfer`` writes ``results/transfer/transfer.json`` and ``metrics/transfer.json``, which alone has a
clock in it. The methods are those of `transfer.methods`:

- ``linear_probe``: multinomial logistic regression on frozen features, its penalty chosen on validation; once for each
  training of the network on the first task.
- ``fine_tuning``: all weights of the chosen seed's network, under a new head, trained under `transfer.schedule`, at its
  learning rate; once for each of `transfer.seeds`.
- ``retraining``: the same architecture in a network `transfer.width` times as wide and `transfer.depth` times as deep,
  trained from scratch under `transfer.schedule`; once for each of `transfer.seeds`.

A network that is kept or continued (the first two) sees inputs normalized by the first task's statistics, as it did in
training; one trained from scratch by those of the second task. Images were resized to the first task's shape before;
graphs have nodes with equally many features in both tasks, and any size: from small graphs to large ones is a transfer
too.
Killed, the stage goes on from the last epoch of every training. A SPREAD is {"mean", "standard_deviation", "values"}
over seeds, accuracies are in 0..1. transfer.json:

    format, device, seeds, schedule, width, depth
    source: name of the first task
    task: {name, num_classes, num_train, num_validation, num_test}
    logistic_regression: {validation_accuracy, test_accuracy, inverse_penalty}: the baseline, on plain features (pixels)
    networks: [rank 0, 1, ..., reference], each
        name ("rank 0", ..., "reference"), rank (null: reference), architecture, official_name, seeds, chosen_seed
        methods: {METHOD: {validation_accuracy: SPREAD, test_accuracy: SPREAD, seeds, spread_over: text,
            num_parameters, num_trained_parameters, normalization: "source" | "own"}};
            a linear_probe has inverse_penalties too, one a seed
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from nas_core.atomic_files import write_json
from nas_core.training.schedule import TrainingSchedule
from tasks import data, logistic_regression, transfer_methods
from tasks.console import progress
from tasks.finalists import finalists, folders
from tasks.record import submit
from tasks.settings import Settings
from tasks.settings.plug_ins import checked_fields
from tasks.stage import Stage, run
from tasks.tracking.record import ArtifactRecord

FORMAT = 1
FOLDER = "results/transfer"
RESULT = f"{FOLDER}/transfer.json"
LINEAR_PROBE = "linear_probe"
ACCURACIES = ("validation_accuracy", "test_accuracy")


def main() -> int:
    """Run the stage; return its exit code."""
    return run("transfer", transfer, inputs=inputs, identity=identity)


def inputs(settings: Settings) -> list[str]:
    """Return the folders that the stage reads."""
    return [data.SEARCH, data.TRANSFER, data.TRANSFER_TEST, *folders(settings.retrain.ranks)]


def identity(settings: Settings) -> object:
    """Return the settings that decide the results."""
    return {"transfer": settings.transfer.model_dump(mode="json"), "ranks": list(settings.retrain.ranks)}


def transfer(stage: Stage) -> None:
    """Train and probe all networks on the second task and write the results."""
    started = time.time()
    settings = stage.settings
    chosen = settings.transfer
    plan = transfer_methods.Plan(
        schedule=checked_fields("params.yaml", "transfer.schedule", TrainingSchedule, chosen.schedule),
        seeds=chosen.seeds,
        width=chosen.width,
        depth=chosen.depth,
        root=stage.root,
        work=stage.work,
        device=stage.device,
        threads=settings.compute.threads,
        workers=settings.compute.workers,
    )
    members = finalists(stage.root, settings.retrain.ranks)
    methods: tuple[str, ...] = tuple(dict.fromkeys(chosen.methods))
    jobs = {
        (member.name, method): plan.jobs(member, method)
        for method in methods
        if method != LINEAR_PROBE
        for member in members
    }
    with progress("transfer: trainings", sum(map(len, jobs.values()))) as shown:
        outcomes = plan.train(
            jobs,
            lambda outcome: shown.advance(1, f"validation accuracy {outcome.validation_accuracy:.4f}"),
        )
    own = data.load_transfer_task(stage.root, stage.device)
    as_source = data.load_transfer_task(stage.root, stage.device, statistics=stage.root / data.SEARCH)
    networks = []
    for member in members:
        found: dict[str, Any] = {}
        for method in methods:
            seen, normalization = (own, "own") if method == transfer_methods.RETRAINING else (as_source, "source")
            key = (member.name, method)
            measured = (
                transfer_methods.trained(jobs[key], outcomes[key], seen)
                if key in jobs
                else transfer_methods.probed(member, seen)
            )
            found[method] = {**measured, "normalization": normalization}
        networks.append({**member.summary(), "methods": found})
    regression = asdict(logistic_regression.on_plain_features(own))
    result = {
        "format": FORMAT,
        "source": json.loads((stage.root / data.SEARCH / "dataset.json").read_bytes())["name"],
        "task": {
            "name": own.name,
            "num_classes": own.shape.outputs[0],
            **{f"num_{split}": own.num_examples(split) for split in transfer_methods.SPLITS},
        },
        "device": stage.device,
        "seeds": list(plan.seeds),
        "schedule": dict(chosen.schedule),
        "width": plan.width,
        "depth": plan.depth,
        "logistic_regression": regression,
        "networks": networks,
    }
    stage.publish(FOLDER, lambda draft: write_json(draft / "transfer.json", result))
    training_seconds = round(sum(outcome.seconds for each in outcomes.values() for outcome in each), 3)
    seconds = round(time.time() - started, 3)
    summaries = {network["name"].replace(" ", "_"): summary(network) for network in networks}
    write_json(
        stage.root / "metrics/transfer.json",
        {
            **summaries,
            "logistic_regression": regression,
            "training_seconds": training_seconds,
            "seconds": seconds,
        },
    )
    submit(
        stage,
        started,
        identity=identity(settings),
        metrics={
            **{
                f"{name}_{method}_{accuracy}": found[accuracy]["mean"]
                for name, each in summaries.items()
                for method, found in each.items()
                for accuracy in ACCURACIES
            },
            "logistic_regression_test_accuracy": regression["test_accuracy"],
            "training_seconds": training_seconds,
            "seconds": seconds,
        },
        inputs=inputs(settings),
        artifacts=[ArtifactRecord(RESULT)],
    )


def summary(network: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the numbers for `dvc metrics` of one network: mean and spread of the accuracies by method."""
    return {
        method: {
            accuracy: {part: found[accuracy][part] for part in ("mean", "standard_deviation")}
            for accuracy in ACCURACIES
        }
        for method, found in network["methods"].items()
    }


if __name__ == "__main__":
    sys.exit(main())
