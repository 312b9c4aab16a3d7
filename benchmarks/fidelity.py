"""How well cheap trainings rank networks as full trainings do: `python -m benchmarks.fidelity [--cells 30]`.

Random cells of the space of params.yaml are trained on the prepared data by the evaluator low_fidelity in many settings
and by full_training with several seeds; every accuracy is that of the validation split, and the test split is never
opened. The rank correlations tell which setting of low_fidelity to put into params.yaml.
"""

from __future__ import annotations

import functools
import itertools
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Cell, Table, command_line, measured
from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.variation import sample
from tasks import assembly, data
from tasks.settings import load

Array = NDArray[np.float64]

ACCURACY = Objective("validation_accuracy", "maximize")
CONFIDENCE_LEVEL = 0.95


@dataclass(frozen=True)
class Trainings:
    """What one setting of an evaluator made of every cell.

    Attributes:
        accuracies: (num_cells,) on the validation split.
        seconds: median of one training.
    """

    accuracies: Array
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = command_line("fidelity", __doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(), help="folder of params.yaml and data/")
    parser.add_argument("--cells", type=int, default=30, help="distinct random networks, at least 4")
    parser.add_argument("--epochs", type=int, nargs="+", default=[2, 3, 4], help="of low_fidelity")
    parser.add_argument("--data-fractions", type=float, nargs="+", default=[1.0, 0.5, 0.25], help="of low_fidelity")
    parser.add_argument("--widths", type=float, nargs="+", default=[1.0, 0.5], help="of low_fidelity")
    parser.add_argument("--full-epochs", type=int, nargs="+", default=[12, 40], help="of full_training")
    parser.add_argument("--seeds", type=int, default=2, help="full trainings of each cell, at least 2")
    parser.add_argument("--resamples", type=int, default=2000, help="bootstrap resamples of the cells")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    if chosen.cells < 4 or chosen.seeds < 2:
        parser.error(f"--cells is {chosen.cells} and --seeds {chosen.seeds}; give at least 4 and 2")
    settings: dict[str, Cell] = {"cells": chosen.cells, "seeds": chosen.seeds, "seed": chosen.seed}
    measured(lambda: _tables(chosen, chosen.root), settings, as_json=chosen.json)
    return 0


def rank_correlations(first: Array, second: Array) -> tuple[float, float]:
    """Return Spearman's rho and Kendall's tau-b, which count ties; 0 where one side is all ties.

    Args:
        first: (num_cells,).
        second: likewise.
    """
    from scipy.stats import kendalltau, spearmanr

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0, 0.0
    return float(spearmanr(first, second).statistic), float(kendalltau(first, second).statistic)


def bootstrap_interval(first: Array, second: Array, num_resamples: int, generator: np.random.Generator) -> list[float]:
    """Return the ends of the percentile interval of Spearman's rho over resampled cells (Efron 1979)."""
    draws = generator.integers(0, len(first), (num_resamples, len(first)))
    found = [rank_correlations(first[draw], second[draw])[0] for draw in draws]
    outside = (1 - CONFIDENCE_LEVEL) / 2
    return [float(end) for end in np.quantile(found, [outside, 1 - outside])]


def largest_correlation(between_seeds: float, num_seeds: int) -> float:
    """Return the correlation with the mean of noisy seeds that knowing the true order gives: sqrt(n r / (1 + (n-1) r)).

    Spearman (1910) and Brown (1910), for equally noisy seeds with r between any two; 0 where r is not above 0.
    """
    if between_seeds <= 0:
        return 0.0
    return math.sqrt(num_seeds * between_seeds / (1 + (num_seeds - 1) * between_seeds))


def accuracy_of_choice(cheap: Array, full: Array) -> float:
    """Return the full accuracy of the cell that is best by the cheap one; the mean where several tie for best."""
    return float(full[cheap == cheap.max()].mean())


def _tables(chosen: Any, root: Path) -> list[Table]:
    """Train everything and return the tables."""
    import torch

    settings = load(root / "params.yaml")
    torch.set_num_threads(settings.compute.threads)
    space = assembly.space(settings)
    cells = distinct_cells(space, chosen.cells, Streams(chosen.seed).numpy("cells"))
    task = data.load_task(root, horizontal_flip=settings.prepare.horizontal_flip)
    trained = functools.partial(_trained, space, cells, lambda: task)
    cheap = {
        (epochs, fraction, width): trained(
            "low_fidelity", Streams(chosen.seed), epochs=epochs, data_fraction=fraction, width=width
        )
        for epochs, fraction, width in itertools.product(chosen.epochs, chosen.data_fractions, chosen.widths)
    }
    full = {
        epochs: [
            trained("full_training", Streams(chosen.seed).child(f"{epochs} epochs, {seed}"), epochs=epochs)
            for seed in range(chosen.seeds)
        ]
        for epochs in chosen.full_epochs
    }
    generator = Streams(chosen.seed).numpy("bootstrap")
    interval = functools.partial(bootstrap_interval, num_resamples=chosen.resamples, generator=generator)
    return [
        _of_full(full),
        *(_of_cheap(cheap, epochs, trainings, interval) for epochs, trainings in full.items()),
    ]


def distinct_cells(space: SearchSpace, number: int, generator: np.random.Generator) -> list[Architecture]:
    """Return random members of a space that are distinct networks."""
    found: dict[Architecture, Architecture] = {}
    while len(found) < number:
        cell = sample(space, generator)
        found.setdefault(space.canonical(cell), cell)
    return list(found.values())


def _trained(
    space: SearchSpace,
    cells: Sequence[Architecture],
    load_task: Callable[[], Any],
    evaluator: str,
    streams: Streams,
    **settings: float,
) -> Trainings:
    built = catalog.load("evaluator", evaluator).build(space, (ACCURACY,), streams, load_task, **settings)
    evaluations: list[Evaluation] = built.evaluate([Proposal(cell) for cell in cells])
    print(f"{evaluator} {settings}", file=sys.stderr, flush=True)
    return Trainings(
        # a training that failed is worth nothing, as it is to a search
        np.array([each.scores.get(ACCURACY.name, 0.0) for each in evaluations]),
        median(each.seconds for each in evaluations),
    )


def _mean(trainings: Sequence[Trainings]) -> Array:
    accuracies: Array = np.mean([each.accuracies for each in trainings], axis=0)
    return accuracies


def _of_full(full: dict[int, list[Trainings]]) -> Table:
    """Return how far full trainings agree with themselves, and what that leaves to anything cheaper."""
    rows = []
    for epochs, trainings in full.items():
        means = _mean(trainings)
        longest = _mean(full[max(full)])
        rho, tau = rank_correlations(trainings[0].accuracies, trainings[1].accuracies)
        rows.append(
            (
                epochs,
                fmean(each.seconds for each in trainings),
                float(means.min()),
                float(np.median(means)),
                float(means.max()),
                rho,
                tau,
                largest_correlation(rho, len(trainings)),
                rank_correlations(means, longest)[0],
            )
        )
    return Table(
        "full_training: seconds of one training, validation accuracy over the cells (mean of the seeds), rank "
        "correlation of the first seed with the second, Spearman with the mean of the seeds that a perfect predictor "
        "can be expected to have, and of that mean with the mean of the longest training",
        ("epochs", "seconds", "lowest", "median", "highest", "spearman", "kendall", "at most", "with longest"),
        tuple(rows),
    )


def _of_cheap(
    cheap: dict[tuple[int, float, float], Trainings],
    epochs: int,
    trainings: Sequence[Trainings],
    interval: Callable[[Array, Array], list[float]],
) -> Table:
    full = _mean(trainings)
    rows = []
    for (cheap_epochs, fraction, width), found in cheap.items():
        rho, tau = rank_correlations(found.accuracies, full)
        low, high = interval(found.accuracies, full)
        choice = accuracy_of_choice(found.accuracies, full)
        rows.append((cheap_epochs, fraction, width, found.seconds, rho, low, high, tau, choice))
    return Table(
        f"low_fidelity against {epochs} epochs (mean of {len(trainings)} seeds): seconds of one evaluation, Spearman "
        f"with its {CONFIDENCE_LEVEL:.0%} bootstrap interval, Kendall, and the full accuracy of the cell it calls best "
        f"(the best has {full.max():.4f})",
        ("epochs", "data", "width", "seconds", "spearman", "low", "high", "kendall", "choice"),
        tuple(rows),
    )


if __name__ == "__main__":
    sys.exit(main())
