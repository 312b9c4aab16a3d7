"""What a network's logits say beyond accuracy: natural shift, unknown classes, and whether its confidence is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from nas_core.task import Task
from tasks.measures import spread

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nas_core.data.image_set import ImageSet
    from nas_core.robustness.calibration import Calibration
    from nas_core.robustness.intervals import Interval
    from nas_core.robustness.temperature_scaling import TemperatureScaling

BATCH_SIZE = 512
DETECTION_METRICS = ("auroc", "aupr_out_positive", "aupr_in_positive", "fpr_at_95_tpr")
CALIBRATION_METRICS = ("expected_calibration_error", "negative_log_likelihood", "brier_score")


@runtime_checkable
class TakesPixels(Protocol):
    """A task of images that says how a network is given other images."""

    def normalized(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the network's inputs for images in 0..1 (batch, channels, height, width)."""


@dataclass(frozen=True)
class Logits:
    """The logits of one trained network, float64 on the CPU, and the labels that belong to them.

    Attributes:
        validation: (num, classes), on which all that is fitted is fitted.
        validation_labels: (num,).
        test: (num, classes).
        test_labels: (num,).
        natural: on the naturally shifted images, (num, classes); None if there are none.
        natural_labels: (num,).
        foreign: on images of unknown classes, (num, classes); None if there are none.
    """

    validation: torch.Tensor
    validation_labels: torch.Tensor
    test: torch.Tensor
    test_labels: torch.Tensor
    natural: torch.Tensor | None
    natural_labels: torch.Tensor | None
    foreign: torch.Tensor | None


def read_images(folder: Path, name: str) -> ImageSet | None:
    """Return a set of `data/shift`; None if it was not prepared."""
    from nas_core.data import storage

    path = folder / f"{name}.safetensors"
    return storage.read(path) if path.is_file() else None


def logits(network: nn.Module, task: Task, natural: ImageSet | None, foreign: ImageSet | None) -> Logits:
    """Return the logits of a network on all that it is measured with; networks see every set normalized alike."""
    import torch

    from nas_core.training.prediction import predict

    validation, validation_labels = predict(network, task, "validation", BATCH_SIZE)
    test, test_labels = predict(network, task, "test", BATCH_SIZE)
    return Logits(
        validation.double().cpu(),
        validation_labels.cpu(),
        test.double().cpu(),
        test_labels.cpu(),
        None if natural is None else _on_images(network, task, natural),
        None if natural is None else torch.tensor(natural.labels),
        None if foreign is None else _on_images(network, task, foreign),
    )


def natural_shift(runs: Mapping[int, Logits], chosen_seed: int) -> dict[str, Any] | None:
    """Return the accuracy on naturally shifted images, over seeds and with an interval for the chosen network.

    Args:
        runs: by seed.
        chosen_seed: whose network stands for all.
    """
    from nas_core.robustness.intervals import wilson_interval

    accuracies, losses = [], []
    interval: Interval | None = None
    num_images = 0
    for seed, run in runs.items():
        if run.natural is None or run.natural_labels is None:
            return None
        num_images = len(run.natural)
        num_right = int((run.natural.argmax(dim=1) == run.natural_labels).sum())
        accuracies.append(num_right / num_images)
        losses.append((run.test.argmax(dim=1) == run.test_labels).double().mean().item() - accuracies[-1])
        if seed == chosen_seed:
            interval = wilson_interval(num_right, num_images)
    assert interval is not None
    return {
        "accuracy": spread(accuracies),
        "accuracy_loss": spread(losses),
        "interval_of_chosen": asdict(interval),
        "num_images": num_images,
    }


def detection(
    runs: Mapping[int, Logits], scalings: Mapping[int, TemperatureScaling]
) -> dict[str, dict[str, dict[str, Any]]] | None:
    """Return how well each detector tells unknown classes from test images, by detector and metric.

    Args:
        runs: by seed.
        scalings: the temperature of each seed, fitted on validation.
    """
    from nas_core.robustness.out_of_distribution import detection_metrics, energy_score, max_softmax_score

    detectors: dict[str, Callable[[torch.Tensor, float], torch.Tensor]] = {
        "maximum_softmax": lambda values, temperature: max_softmax_score(values),
        "maximum_softmax_scaled": lambda values, temperature: max_softmax_score(values / temperature),
        "energy": lambda values, temperature: energy_score(values),
        "energy_scaled": energy_score,
    }
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, score in detectors.items():
        measured = []
        for seed, run in runs.items():
            if run.foreign is None:
                return None
            temperature = scalings[seed].temperature
            measured.append(detection_metrics(score(run.test, temperature), score(run.foreign, temperature)))
        found[name] = {metric: spread([getattr(each, metric) for each in measured]) for metric in DETECTION_METRICS}
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


def _on_images(network: nn.Module, task: Task, images: ImageSet) -> torch.Tensor:
    import torch

    from nas_core.training.precision import forward

    if not isinstance(task, TakesPixels):
        raise ValueError(f"task {task.name!r} takes no images from elsewhere; give its class a method normalized()")
    pixels = torch.tensor(images.images).permute(0, 3, 1, 2)
    outputs = []
    with torch.no_grad():
        for start in range(0, len(pixels), BATCH_SIZE):
            batch = pixels[start : start + BATCH_SIZE].to(task.device).float() / 255
            outputs.append(forward(network, task.normalized(batch), task.device))
    return torch.cat(outputs).double().cpu()
