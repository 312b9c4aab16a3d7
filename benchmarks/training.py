"""What trainings cost beside each other: `python -m benchmarks.training [--cells 5]`.

On the prepared data, with the space and the settings of params.yaml: an evaluation at low fidelity, a training in full,
an epoch of DARTS and of uniform paths, and one path of the supernet against the stand-alone network of the same cell.
All are measured in one run, so that their ratios hold where the seconds do not.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Cell, Table, command_line, measured
from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Proposal
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import HasSupernet, SearchSpace
from nas_core.variation import sample
from tasks import assembly, data
from tasks.settings import Settings, load

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nas_core.task import Task

OBJECTIVES = (Objective("validation_accuracy", "maximize"),)
BATCH_SIZE = 64
STREAMS = Streams(0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = command_line("training", (__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(), help="folder of params.yaml and data/")
    parser.add_argument("--cells", type=int, default=5, help="random networks over which medians are taken")
    parser.add_argument("--full-epochs", type=int, default=None, help="of a full training; else as params.yaml has it")
    parser.add_argument(
        "--shared-epochs", type=int, default=3, help="epochs of the supernet, of which the median counts"
    )
    parser.add_argument("--steps", type=int, default=30, help="minibatches that a path and a network are timed on")
    chosen = parser.parse_args(arguments)
    settings: dict[str, Cell] = {"cells": chosen.cells, "batch_size": BATCH_SIZE}
    measured(lambda: _tables(chosen), settings, as_json=chosen.json)
    return 0


def _tables(chosen: Any) -> list[Table]:
    import torch

    settings = load(chosen.root / "params.yaml")
    torch.set_num_threads(settings.compute.threads)
    space = assembly.space(settings)
    task = data.load_task(chosen.root, horizontal_flip=settings.prepare.horizontal_flip)
    generator = STREAMS.numpy("cells")
    cells = [sample(space, generator) for _ in range(chosen.cells)]
    build = functools.partial(_evaluator, space, task)
    cheap = _low_fidelity(settings)
    named = ", ".join(f"{name} {value}" for name, value in cheap.items()) or "its defaults"
    epochs = chosen.full_epochs or int(settings.retrain.schedule["epochs"])

    _median_seconds(build("full_training", epochs=1), cells[:1])  # the first steps of a process are slow
    epoch = _median_seconds(build("full_training", epochs=1), cells)
    spent: list[tuple[str, float]] = [
        ("one epoch of a stand-alone network, and its validation", epoch),
        (
            f"one evaluation by low_fidelity ({named})",
            _median_seconds(build("low_fidelity", **cheap), cells),
        ),
        (f"one training in full ({epochs} epochs)", _median_seconds(build("full_training", epochs=epochs), cells)),
    ]
    tables = [
        Table(
            f"median seconds over {len(cells)} cells, {settings.compute.threads} thread(s)",
            ("what", "seconds", "in epochs"),
            tuple((name, seconds, seconds / epoch) for name, seconds in spent),
        )
    ]
    if isinstance(space, HasSupernet):
        tables += [_shared(space, task, cells, chosen.shared_epochs, epoch), _path(space, task, cells, chosen.steps)]
    return tables


def _low_fidelity(settings: Settings) -> dict[str, Any]:
    """Return the settings of low_fidelity in params.yaml; its defaults where no search uses it."""
    chosen = [settings.search.evaluator_of(key) for key in settings.search.strategies]
    return next((each.settings for each in chosen if each.name == "low_fidelity"), {})


def _evaluator(space: SearchSpace, task: Task, name: str, **settings: Any) -> Evaluator:
    built: Evaluator = catalog.load("evaluator", name).build(space, OBJECTIVES, STREAMS, lambda: task, **settings)
    return built


def _median_seconds(evaluator: Evaluator, cells: Sequence[Architecture]) -> float:
    return median(evaluation.seconds for evaluation in evaluator.evaluate([Proposal(cell) for cell in cells]))


def _shared(space: SearchSpace, task: Task, cells: Sequence[Architecture], num_epochs: int, epoch: float) -> Table:
    """Return what an epoch of the supernet and the score of a path cost; one epoch of each kind is not timed."""
    rows: list[tuple[Cell, ...]] = []
    for name, words in (("darts", "DARTS, first order: all options"), ("random_search", "uniform single paths")):
        strategy = catalog.load("strategy", name).build(space, OBJECTIVES, STREAMS.child(name))
        evaluator = _evaluator(space, task, "shared_weights", num_steps=num_epochs + 1, batch_size=BATCH_SIZE)
        seconds = []
        for _ in range(num_epochs + 1):
            start = time.perf_counter()
            evaluator.prepare(strategy)
            seconds.append(time.perf_counter() - start)
        rows.append((f"one epoch of the supernet, {words}", median(seconds[1:]), median(seconds[1:]) / epoch))
        if name == "random_search":
            score = _median_seconds(evaluator, cells)
            rows.append(("the score of one path, its batch statistics included", score, score / epoch))
    return Table("shared weights", ("what", "seconds", "in epochs of a stand-alone network"), tuple(rows))


def _path(space: SearchSpace, task: Task, cells: Sequence[Architecture], num_steps: int) -> Table:
    """Return the time of forward and backward passes: one path of the supernet against the same stand-alone network."""
    from nas_core.weight_sharing.gates import one_hot

    assert isinstance(space, HasSupernet)
    inputs, targets = next(iter(task.batches("train", BATCH_SIZE)))
    shared: Any = space.supernet(task.shape, STREAMS.torch("supernet"))
    supernet: nn.Module = shared.to(task.device).train()
    paths, networks = [], []
    for number, cell in enumerate(cells):
        network = space.network(cell, task.shape, STREAMS.torch(f"network {number}")).to(task.device).train()
        gates = one_hot(space.choices, cell, task.device)
        # in turns, so that both see the same load
        pair = _in_turns(
            functools.partial(_step, supernet, (inputs, gates), targets, task),
            functools.partial(_step, network, (inputs,), targets, task),
            num_steps,
        )
        paths.append(pair[0])
        networks.append(pair[1])
    ratios = sorted(path / network for path, network in zip(paths, networks, strict=True))
    return Table(
        f"forward and backward pass of {len(targets)} images: a one-hot path of the supernet (no scale and shift in "
        f"its batch normalization) against the stand-alone network; medians over {len(cells)} cells",
        ("path, ms", "network, ms", "ratio", "lowest ratio", "highest ratio"),
        ((1000 * median(paths), 1000 * median(networks), median(ratios), ratios[0], ratios[-1]),),
    )


def _in_turns(first: Callable[[], None], second: Callable[[], None], num_steps: int) -> tuple[float, float]:
    """Return the median seconds of each, called in turns; the first two turns are not timed."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(num_steps + 2):
        for call, spent in zip((first, second), seconds, strict=True):
            start = time.perf_counter()
            call()
            if turn >= 2:
                spent.append(time.perf_counter() - start)
    return median(seconds[0]), median(seconds[1])


def _step(module: nn.Module, inputs: tuple[Any, ...], targets: torch.Tensor, task: Task) -> None:
    module.zero_grad()
    task.loss(module(*inputs), targets).backward()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    sys.exit(main())
