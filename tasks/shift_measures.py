"""What a network's logits say beyond accuracy: natural shift, unknown classes, and whether its confidence is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core.task import HasShiftSets, Task
from tasks.measures import spread

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nas_core.robustness.calibration import Calibration
    from nas_core.robustness.intervals import Interval
    from nas_core.robustness.temperature_scaling import TemperatureScaling

BATCH_SIZE = 512
DETECTION_METRICS = ("auroc", "aupr_out_positive", "aupr_in_positive", "fpr_at_95_tpr")
CALIBRATION_METRICS = ("expected_calibration_error", "negative_log_likelihood", "brier_score")


@dataclass(frozen=True)
class Logits:
    """The logits of one trained network, float64 on the CPU, and the labels that belong to them.

    Attributes:
        validation: (num, classes), on which all that is fitted is fitted.
        validation_labels: (num,).
        test: (num, classes).
        test_labels: (num,).
        others: on sets of other distributions, by name: (num, classes) and labels (num,).
    """

    validation: torch.Tensor
    validation_labels: torch.Tensor
    test: torch.Tensor
    test_labels: torch.Tensor
    others: Mapping[str, tuple[torch.Tensor, torch.Tensor]]


def logits(networks: Mapping[int, nn.Module], task: Task, sets: Mapping[str, Path]) -> dict[int, Logits]:
    """Return the logits of a network's trainings on all that they are measured with, every set normalized alike.

    Args:
        networks: by seed.
        task: with its test split.
        sets: prepared files of other distributions, by name.
    """
    from nas_core.training.prediction import predict

    others = {name: _on_set(networks, task, path) for name, path in sets.items()}
    found = {}
    for seed, network in networks.items():
        validation, validation_labels = predict(network, task, "validation", BATCH_SIZE)
        test, test_labels = predict(network, task, "test", BATCH_SIZE)
        found[seed] = Logits(
            validation.double().cpu(),
            validation_labels.cpu(),
            test.double().cpu(),
            test_labels.cpu(),
            {name: (outputs[seed], labels) for name, (outputs, labels) in others.items()},
        )
    return found


def shifted_accuracy(
    runs: Mapping[int, Logits], chosen_seed: int, name: str, *, count: str = "num_examples"
) -> dict[str, Any] | None:
    """Return the accuracy on a set of the same classes from elsewhere, over seeds, and that of the chosen network.

    Args:
        runs: by seed.
        chosen_seed: whose network stands for all, with an interval.
        name: of the set; None is returned if it was not prepared.
        count: key of the number of examples.
    """
    from nas_core.robustness.intervals import wilson_interval

    accuracies, losses = [], []
    interval: Interval | None = None
    num_examples = 0
    for seed, run in runs.items():
        if name not in run.others:
            return None
        outputs, labels = run.others[name]
        num_examples = len(labels)
        num_right = int((outputs.argmax(dim=1) == labels).sum())
        accuracies.append(num_right / num_examples)
        losses.append((run.test.argmax(dim=1) == run.test_labels).double().mean().item() - accuracies[-1])
        if seed == chosen_seed:
            interval = wilson_interval(num_right, num_examples)
    assert interval is not None
    return {
        "accuracy": spread(accuracies),
        "accuracy_loss": spread(losses),
        "interval_of_chosen": asdict(interval),
        count: num_examples,
    }


def detection(
    runs: Mapping[int, Logits], scalings: Mapping[int, TemperatureScaling], name: str
) -> dict[str, dict[str, dict[str, Any]]] | None:
    """Return how well each detector tells unknown classes from test examples, by detector and metric.

    Args:
        runs: by seed.
        scalings: the temperature of each seed, fitted on validation.
        name: of the set of unknown classes; None is returned if it was not prepared.
    """
    from nas_core.robustness.out_of_distribution import detection_metrics, energy_score, max_softmax_score

    detectors: dict[str, Callable[[torch.Tensor, float], torch.Tensor]] = {
        "maximum_softmax": lambda values, temperature: max_softmax_score(values),
        "maximum_softmax_scaled": lambda values, temperature: max_softmax_score(values / temperature),
        "energy": lambda values, temperature: energy_score(values),
        "energy_scaled": energy_score,
    }
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for detector, score in detectors.items():
        measured = []
        for seed, run in runs.items():
            if name not in run.others:
                return None
            temperature = scalings[seed].temperature
            measured.append(detection_metrics(score(run.test, temperature), score(run.others[name][0], temperature)))
        found[detector] = {metric: spread([getattr(each, metric) for each in measured]) for metric in DETECTION_METRICS}
    return found


def fitted(runs: Mapping[int, Logits]) -> dict[int, TemperatureScaling]:
    """Return the temperature of each seed's network, fitted on its validation logits alone."""
    from nas_core.robustness.temperature_scaling import fit_temperature

    return {seed: fit_temperature(run.validation, run.validation_labels) for seed, run in runs.items()}


def calibrated(
    runs: Mapping[int, Logits], scalings: Mapping[int, TemperatureScaling], chosen_seed: int, num_bins: int
) -> dict[str, Any]:
    """Return the calibration on test images before and after scaling, and the chosen network's reliability bins.

    Args:
        runs: by seed.
        scalings: the temperature of each seed, fitted on validation.
        chosen_seed: whose network's bins are given.
        num_bins: of the calibration error and the reliability diagram.
    """
    from nas_core.robustness.calibration import calibration

    before = {seed: calibration(run.test, run.test_labels, num_bins) for seed, run in runs.items()}
    after = {seed: calibration(scalings[seed](run.test), run.test_labels, num_bins) for seed, run in runs.items()}
    return {
        "num_bins": num_bins,
        "temperature": spread([scalings[seed].temperature for seed in runs]),
        "num_at_bound": sum(scalings[seed].is_at_bound for seed in runs),
        "before": _calibration_metrics(list(before.values())),
        "after": _calibration_metrics(list(after.values())),
        "reliability_of_chosen": {
            "before": [asdict(each) for each in before[chosen_seed].bins],
            "after": [asdict(each) for each in after[chosen_seed].bins],
        },
    }


def _calibration_metrics(measured: Sequence[Calibration]) -> dict[str, Any]:
    return {metric: spread([getattr(each, metric) for each in measured]) for metric in CALIBRATION_METRICS}


def _on_set(networks: Mapping[int, nn.Module], task: Task, path: Path) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
    """Return the logits of each network on a prepared file, float64 on the CPU, by seed, and the labels."""
    import torch

    from nas_core.training.precision import forward

    if not isinstance(task, HasShiftSets):
        raise ValueError(f"task {task.name!r} reads no other sets; give its class a method shifted_batches()")
    outputs: dict[int, list[torch.Tensor]] = {seed: [] for seed in networks}
    labels = []
    with torch.no_grad():
        for inputs, targets in task.shifted_batches(path, BATCH_SIZE):
            labels.append(targets.cpu())
            for seed, network in networks.items():
                outputs[seed].append(forward(network, inputs, task.device).double().cpu())
    return {seed: torch.cat(each) for seed, each in outputs.items()}, torch.cat(labels)
