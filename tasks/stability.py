"""How much the outputs change when the edges that messages pass by do: the stability of graph networks, measured.

A network of graph filters that vary slowly is promised to be stable: its outputs change by at most a constant times the
size of the perturbation of the shift operator, ||f(S') - f(S)|| <= C ||S' - S|| (Gama, Bruna & Ribeiro 2020,
arXiv:1905.04497). The constant that is reported is the least squares slope through the origin of the outputs' relative
change over the relative size of the perturbation: how steeply outputs follow, not the bound itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core.atomic_files import write_json
from nas_core.randomness import Streams
from nas_core.task import HasPerturbationSize, Task
from tasks.measures import spread

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from nas_core.task import Shift

BATCH_SIZE = 512


@dataclass(frozen=True)
class Point:
    """A shift at one severity.

    Attributes:
        perturbation_size: ||S' - S|| / ||S||, mean over test examples.
        output_changes: by training, see `changes`.
    """

    perturbation_size: float
    output_changes: Mapping[str, float]


def changes(
    networks: Mapping[str, nn.Module],
    task: Task,
    name: str,
    severities: Sequence[int],
    streams: Streams,
    folder: Path,
) -> dict[int, Point]:
    """Return the perturbation's size and every network's change of outputs under a shift, by severity.

    The change is sum_i ||z'_i - z_i|| / sum_i ||z_i|| over test examples i, z_i the logits less their mean over the
    classes, which is all of them that the softmax sees. The ratio of sums, and not the mean of ratios, since a single
    example whose logits are nearly equal would outweigh all others. The examples are shifted as for the accuracy: by
    the same stream of numbers. What was measured before is read from its file.

    Args:
        networks: by key, in evaluation mode on the task's device.
        task: with its test split; it `HasPerturbationSize`.
        name: of the shift; one that leaves the operator as it was changes nothing here, and no network is asked.
        severities: rising.
        streams: each shift and severity draws from a stream of its own.
        folder: where the points are kept.
    """
    path = points_file(name, folder)
    if not path.is_file():
        clean = cache(partial(_clean, networks, task))
        points = [
            _point(networks, task, clean, task.shifts(severity)[name], streams.torch(f"{name} {severity}"))
            for severity in severities
        ]
        write_json(path, [[point.perturbation_size, point.output_changes] for point in points])
    kept = json.loads(path.read_bytes())
    return {severity: Point(*each) for severity, each in zip(severities, kept, strict=True)}


def points_file(name: str, folder: Path) -> Path:
    """Return where the points of a shift are kept."""
    return folder / f"stability-{name}.json"


def measured(
    networks: Mapping[str, nn.Module],
    task: Task,
    names: Sequence[str],
    severities: Sequence[int],
    streams: Streams,
    folder: Path,
) -> dict[str, dict[int, Point]]:
    """Return the points of every shift; none for a task whose networks know no shift operator. See `changes`."""
    if not isinstance(task, HasPerturbationSize):
        return {}
    return {name: changes(networks, task, name, severities, streams, folder) for name in names}


def described(points: Mapping[str, Mapping[int, Point]], keys: Sequence[str]) -> dict[str, Any] | None:
    """Return the stability of one network with spread over its trainings; see `tasks.robustness` for the form.

    Args:
        points: by shift and severity; shifts that change no edge are left out, and where none does, None is returned.
        keys: of the network's trainings.
    """
    structural = {
        name: by_severity
        for name, by_severity in points.items()
        if any(point.perturbation_size > 0 for point in by_severity.values())
    }
    if not structural:
        return None
    everything = [point for by_severity in structural.values() for point in by_severity.values()]
    return {
        "constant": spread([_slope(everything, key) for key in keys]),
        "shifts": {
            name: {
                "constant": spread([_slope(list(by_severity.values()), key) for key in keys]),
                "severities": {
                    str(severity): {
                        "perturbation_size": point.perturbation_size,
                        "output_change": spread([point.output_changes[key] for key in keys]),
                    }
                    for severity, point in by_severity.items()
                },
            }
            for name, by_severity in structural.items()
        },
    }


def slope(sizes: Sequence[float], output_changes: Sequence[float]) -> float:
    """Return the least squares slope through the origin, sum_i x_i y_i / sum_i x_i^2.

    Args:
        sizes: x, not all 0.
        output_changes: y.
    """
    products = math.fsum(size * change for size, change in zip(sizes, output_changes, strict=True))
    return products / math.fsum(size**2 for size in sizes)


def _slope(points: Sequence[Point], key: str) -> float:
    return slope([point.perturbation_size for point in points], [point.output_changes[key] for point in points])


def _point(
    networks: Mapping[str, nn.Module],
    task: Task,
    clean: Callable[[], Mapping[str, Tensor]],
    shift: Shift,
    generator: torch.Generator,
) -> Point:
    """Return the point of a shift at one severity.

    Args:
        networks: by key.
        task: with its test split.
        clean: returns the outputs of all networks on the test split as it is, by key; asked only if an edge changed.
        shift: of the inputs.
        generator: the shift's source of randomness.
    """
    import torch

    from nas_core.training.precision import forward

    assert isinstance(task, HasPerturbationSize)
    sizes: list[Tensor] = []
    moved = {key: torch.zeros((), dtype=torch.float64, device=task.device) for key in networks}
    start = 0
    with torch.no_grad():
        for inputs, labels in task.batches("test", BATCH_SIZE):
            shifted = shift(inputs, generator)
            sizes.append(task.perturbation_sizes(inputs, shifted))
            window = slice(start, start + len(labels))
            start = window.stop
            if sizes[-1].any():
                for key, network in networks.items():
                    difference = _centered(forward(network, shifted, task.device)) - clean()[key][window]
                    moved[key] += difference.norm(dim=1).sum()
    size = float(torch.cat(sizes).mean())
    if size == 0:
        return Point(0.0, dict.fromkeys(networks, 0.0))
    lengths = {key: outputs.norm(dim=1).sum() for key, outputs in clean().items()}
    # a network whose logits are all equal has nothing that could change relative to it
    return Point(size, {key: float(moved[key] / lengths[key]) if lengths[key] > 0 else 0.0 for key in networks})


def _clean(networks: Mapping[str, nn.Module], task: Task) -> dict[str, Tensor]:
    """Return the outputs of all networks on the test split as it is, by key."""
    from nas_core.training.prediction import predict

    return {key: _centered(predict(network, task, "test", BATCH_SIZE)[0]) for key, network in networks.items()}


def _centered(logits: Tensor) -> Tensor:
    """Return logits (num, classes) less their mean over the classes, float64."""
    values = logits.double()
    return values - values.mean(dim=1, keepdim=True)
