"""What is kept of a network that was trained for several seeds: weights, predictions, an exported program, metrics."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core.atomic_files import write_bytes, write_json, write_text
from nas_core.networks.pooling import HasPoolingExamples
from nas_core.task import Inputs, Task
from tasks import data
from tasks.candidate import NETWORK, official_name, write_description, write_weights
from tasks.curves import csv_text
from tasks.measures import spread
from tasks.training import Job, Outcome, trained_network

if TYPE_CHECKING:
    import torch
    from torch import nn

PREDICTIONS = "predictions.safetensors"
PROGRAM = "program.pt2"
POOLING_EXAMPLES = "pooling_examples.json"
NUM_POOLING_EXAMPLES = 8


@dataclass(frozen=True)
class Trained:
    """A finished training for several seeds.

    Attributes:
        metrics: what metrics.json says; no clock in it, so that the same training gives the same bytes.
        logits: on validation and test, by "validation-SEED" and "test-SEED", each (num_examples, classes).
        networks: the trained network of each seed, in evaluation mode, on the task's device.
    """

    metrics: Mapping[str, Any]
    logits: Mapping[str, torch.Tensor]
    networks: Mapping[int, nn.Module]

    @property
    def chosen_seed(self) -> int:
        """The seed whose network stands for all: the best on validation."""
        seed: int = self.metrics["chosen_seed"]
        return seed


def measured(jobs: Sequence[Job], outcomes: Sequence[Outcome], task: Task) -> Trained:
    """Return the measures of the finished jobs of one architecture; this is where the test set is touched, once.

    Args:
        jobs: of one architecture, one a seed.
        outcomes: what came of them.
        task: with its test split.
    """
    from nas_core.training.measurement import flops, num_parameters
    from nas_core.training.prediction import predict

    networks = {job.seed: trained_network(job) for job in jobs}
    logits: dict[str, torch.Tensor] = {}
    test_accuracies = []
    for seed, network in networks.items():
        logits[f"validation-{seed}"], logits["validation_labels"] = predict(network, task, "validation")
        logits[f"test-{seed}"], logits["test_labels"] = predict(network, task, "test")
        test_accuracies.append(float(task.metrics(logits[f"test-{seed}"], logits["test_labels"])[task.metric]))
    best = max(outcomes, key=lambda outcome: outcome.validation_accuracy)
    described = jobs[0].description
    architecture, space = described.architecture, described.built_space()
    example = next(iter(task.batches("train", 1)))[0][:1]
    metrics = {
        "learning_task": described.data.get("learning_task", data.IMAGE_CLASSIFICATION),
        "architecture": architecture.key,
        "canonical": space.canonical(architecture).key,
        "official_name": official_name(space, architecture),
        "seeds": [job.seed for job in jobs],
        "chosen_seed": best.seed,
        "kept_epochs": [outcome.kept_epoch for outcome in outcomes],
        "validation_accuracy": spread([outcome.validation_accuracy for outcome in outcomes]),
        "test_accuracy": spread(test_accuracies),
        "num_test": task.num_examples("test"),
        "num_parameters": num_parameters(networks[best.seed]),
        "flops": flops(networks[best.seed], example),
        "device": str(task.device),
    }
    return Trained(metrics, {name: value.cpu() for name, value in logits.items()}, networks)


def fill(
    draft: Path,
    trained: Trained,
    jobs: Sequence[Job],
    outcomes: Sequence[Outcome],
    task: Task,
    extra: Mapping[str, Any],
) -> None:
    """Write everything that is kept into a folder; `extra` goes into metrics.json too."""
    from safetensors.torch import save

    chosen = trained.networks[trained.chosen_seed]
    write_description(draft, jobs[0].description)
    for seed, network in trained.networks.items():
        write_weights(draft / f"network-{seed}.safetensors", network)
    shutil.copyfile(draft / f"network-{trained.chosen_seed}.safetensors", draft / NETWORK)
    write_bytes(draft / PREDICTIONS, save({name: value.contiguous() for name, value in trained.logits.items()}))
    _write_pooling_examples(draft / POOLING_EXAMPLES, chosen, task)
    exported = _export(draft / PROGRAM, chosen, next(iter(task.batches("train", 2)))[0])
    write_text(draft / "curve.csv", _curve(outcomes))
    write_json(draft / "metrics.json", {"format": 1, "status": "trained", **trained.metrics, **exported, **extra})


def _export(path: Path, network: nn.Module, example: Inputs) -> dict[str, str | None]:
    """Write the network as an exported program and return what metrics.json says of it.

    A network whose inputs are no tensor is not exported: the shapes within a graph network follow from the values of
    its inputs (how many nodes and edges a pooling leaves), which a graph of operations cannot be told ahead.
    """
    from torch import Tensor

    if isinstance(example, Tensor):
        _write_program(path, network, example)
        return {"program": path.name}
    reason = f"inputs are {type(example).__name__}, and programs take tensors; load {NETWORK} with architecture.json"
    return {"program": None, "no_program": reason}


def _write_program(path: Path, network: nn.Module, example: torch.Tensor) -> None:
    """Write the network as an exported program that takes batches of any size of normalized images."""
    import torch

    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(network.cpu().eval(), (example.cpu(),), dynamic_shapes=({0: batch},))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    write_bytes(path, buffer.getvalue())


def _write_pooling_examples(path: Path, network: nn.Module, task: Task) -> None:
    """Write what a network keeps of the first validation graphs; one that pools nothing gets no file.

    Args:
        path: of the file.
        network: in evaluation mode, on the task's device.
        task: gives the graphs.
    """
    if not isinstance(network, HasPoolingExamples):
        return
    graphs = next(iter(task.batches("validation", NUM_POOLING_EXAMPLES)))[0]
    examples = network.pooling_examples(graphs, NUM_POOLING_EXAMPLES)
    if any(example["levels"] for example in examples):
        write_json(path, examples)


def _curve(outcomes: Sequence[Outcome]) -> str:
    rows = [
        (outcome.seed, epoch["epoch"], epoch["loss"], next(iter(epoch["validation"].values())))
        for outcome in outcomes
        for epoch in outcome.history
    ]
    return csv_text(("seed", "epoch", "training_loss", "validation_accuracy"), rows)
