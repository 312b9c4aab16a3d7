"""The table of NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326): every cell of the space, trained and measured."""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.strategy import Strategy

SPACE = "nasbench201"
NUM_CELLS = 15_625
NUM_EDGES = 6
OBJECTIVES = ("validation_accuracy", "num_parameters", "flops")
SEARCH_EPOCHS = 12
FULL_EPOCHS = 200
PREFIXES = MappingProxyType({"cifar10": "c10", "cifar100": "c100"})
NUM_CLASSES = MappingProxyType({"cifar10": 10, "cifar100": 100})

STAGE_CHANNELS = (16, 32, 64)
CELLS_PER_STAGE = 5
IMAGE_PIXELS = 32 * 32


@dataclass(frozen=True)
class Measurements:
    """What the benchmark knows of one cell on one data set; accuracies from 0 to 1.

    Attributes:
        index: the official index.
        validation_accuracy: after 12 epochs, by which a search chooses.
        test_accuracy_12_epochs: after the same 12 epochs.
        validation_accuracy_200_epochs: after 200 epochs.
        test_accuracy: after 200 epochs, the mean over seeds; only to be reported.
        num_parameters: of the benchmark's network.
        flops: of its forward pass on one image, 2 x multiply-accumulates.
    """

    index: int
    validation_accuracy: float
    test_accuracy_12_epochs: float
    validation_accuracy_200_epochs: float
    test_accuracy: float
    num_parameters: int
    flops: int


class NASBench201Table:
    """Looks evaluations up.

    The usual protocol chooses by the validation accuracy after 12 epochs and reports the test accuracy after 200, which
    is no score here: see `report`. A proposal's fidelity of 200 epochs gets the validation accuracy after those.
    """

    def __init__(self, measurements: Mapping[tuple[int, ...], Measurements], objectives: Sequence[str]) -> None:
        """Keep the table, with the scores of each cell made ready.

        Args:
            measurements: by the decisions of a cell.
            objectives: names out of `OBJECTIVES`.
        """
        self._measurements = dict(measurements)
        self._scores = {
            key: _scores(found, found.validation_accuracy, objectives) for key, found in measurements.items()
        }
        self._full_scores = {
            key: _scores(found, found.validation_accuracy_200_epochs, objectives) for key, found in measurements.items()
        }

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing: everything is in the table."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order; what the table does not hold is a failure."""
        return [self._evaluation(proposal) for proposal in proposals]

    def report(self, architecture: Architecture) -> dict[str, float]:
        """Return all measurements of a cell by name, test accuracy included; for reports, never to choose by.

        Raises:
            ValueError: the cell is not in the table.
        """
        found = self._measurements.get(architecture.decisions) if architecture.space == SPACE else None
        if found is None:
            raise ValueError(f"{architecture.key} is not in the table; ask for a cell of space {SPACE!r}")
        return dict(vars(found))

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: a table does not change."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""

    def _evaluation(self, proposal: Proposal) -> Evaluation:
        architecture, fidelity = proposal.architecture, proposal.fidelity
        table = self._scores
        if fidelity is not None:
            if (
                fidelity.epochs not in (SEARCH_EPOCHS, FULL_EPOCHS)
                or fidelity.data_fraction != 1
                or fidelity.width != 1
            ):
                return Evaluation(
                    proposal, failure=f"the table has only {SEARCH_EPOCHS} and {FULL_EPOCHS} epochs, not {fidelity}"
                )
            if fidelity.epochs == FULL_EPOCHS:
                table = self._full_scores
        scores = table.get(architecture.decisions)
        if scores is None or architecture.space != SPACE:
            return Evaluation(proposal, failure=f"{architecture.key} is not in the table")
        return Evaluation(proposal, scores)


def build(
    path: str | Path,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    data_set: Literal["cifar10", "cifar100"] = "cifar10",
) -> NASBench201Table:
    """Return the evaluator that looks cells up in a file of the benchmark.

    The file is CSV, gzipped or not, with one row for each of the 15,625 cells and at least the columns ``index``,
    ``arch`` (the official string) and, in percent, ``c10_val_12ep``, ``c10_test_12ep``, ``c10_val_200ep``,
    ``c10_test_200ep`` (``c100_...`` for CIFAR-100). Parameters and FLOPs are computed from the benchmark's skeleton: 16
    channels, 5 cells in each of 3 stages, images of 32 x 32, whatever skeleton the space would build.

    Args:
        path: the file.
        space: the space "nasbench201".
        objectives: among `OBJECTIVES`.
        data_set: whose accuracies to use.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, incomplete or of another kind, or the space or an objective does not fit.
    """
    if space.name != SPACE or not isinstance(space, HasBenchmarkNames):
        raise ValueError(f"space is {space.name!r}; this benchmark knows only {SPACE!r}")
    for objective in objectives:
        if objective.name not in OBJECTIVES:
            raise ValueError(f"objective {objective.name!r} is not in the table; allowed: {', '.join(OBJECTIVES)}")
    if data_set not in PREFIXES:
        raise ValueError(f"data_set is {data_set!r}; allowed: {', '.join(PREFIXES)}")
    measurements = _measurements(Path(path), space, data_set)
    return NASBench201Table(measurements, [objective.name for objective in objectives])


def skeleton_parameters(kernel_sizes: Sequence[int], num_classes: int) -> int:
    """Return the number of parameters of the benchmark's network of a cell.

    Args:
        kernel_sizes: of the convolutions among the cell's operations, dead ones included.
        num_classes: outputs of the classifier.
    """
    first, last = STAGE_CHANNELS[0], STAGE_CHANNELS[-1]
    total = 3 * first * 9 + 2 * first + 2 * last + (last + 1) * num_classes
    for before, after in itertools.pairwise(STAGE_CHANNELS):
        total += before * after * 9 + after * after * 9 + before * after + 4 * after
    for channels in STAGE_CHANNELS:
        total += CELLS_PER_STAGE * sum(channels * channels * size * size + 2 * channels for size in kernel_sizes)
    return total


def skeleton_flops(kernel_sizes: Sequence[int], num_classes: int) -> int:
    """Return the FLOPs (2 x multiply-accumulates, of convolutions and the classifier) on one image; see above."""
    first, last = STAGE_CHANNELS[0], STAGE_CHANNELS[-1]
    macs = 3 * first * 9 * IMAGE_PIXELS + last * num_classes
    for stage, channels in enumerate(STAGE_CHANNELS):
        pixels = IMAGE_PIXELS // 4**stage
        if stage:
            macs += pixels * (channels // 2 * channels * 9 + channels * channels * 9 + channels // 2 * channels)
        macs += CELLS_PER_STAGE * pixels * sum(channels * channels * size * size for size in kernel_sizes)
    return 2 * macs


def _scores(found: Measurements, validation_accuracy: float, objectives: Sequence[str]) -> Mapping[str, float]:
    """Return the scores of a cell by objective, which nobody can change."""
    known = dict(zip(OBJECTIVES, (validation_accuracy, float(found.num_parameters), float(found.flops)), strict=True))
    return MappingProxyType({name: known[name] for name in objectives})


def _measurements(path: Path, space: HasBenchmarkNames, data_set: str) -> dict[tuple[int, ...], Measurements]:
    """Return what the file says, checked."""
    prefix, num_classes = PREFIXES[data_set], NUM_CLASSES[data_set]
    columns = ("index", "arch", *(f"{prefix}_{rest}" for rest in ("val_12ep", "test_12ep", "val_200ep", "test_200ep")))
    rows = _rows(path)
    missing = [column for column in columns if not rows or column not in rows[0]]
    if missing:
        raise ValueError(f"{path} lacks the columns {', '.join(missing)}; give the accuracy table of NAS-Bench-201")
    places = [rows[0].index(column) for column in columns]
    costs = {
        (num_1x1, num_3x3): (
            skeleton_parameters([1] * num_1x1 + [3] * num_3x3, num_classes),
            skeleton_flops([1] * num_1x1 + [3] * num_3x3, num_classes),
        )
        for num_1x1, num_3x3 in itertools.product(range(NUM_EDGES + 1), repeat=2)
    }
    found: dict[tuple[int, ...], Measurements] = {}
    for number, row in enumerate(rows[1:], start=2):
        try:
            index, name, *percents = (row[place] for place in places)
            architecture = space.from_name(name)
            accuracies = [float(percent) / 100.0 for percent in percents]
            if not all(math.isfinite(accuracy) and 0.0 <= accuracy <= 1.0 for accuracy in accuracies):
                raise ValueError(f"an accuracy of {percents} is not from 0 to 100 percent")
            first, first_test, full, full_test = accuracies
            num_parameters, flops = costs[name.count("nor_conv_1x1"), name.count("nor_conv_3x3")]
            found[architecture.decisions] = Measurements(
                int(index), first, first_test, full, full_test, num_parameters, flops
            )
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}, line {number}: {error}; take the file from its source again") from None
    if not len(rows) - 1 == len(found) == NUM_CELLS:
        raise ValueError(
            f"{path} has {len(rows) - 1} rows for {len(found)} cells; the table has {NUM_CELLS}, each once; "
            "take the file from its source again"
        )
    return found


def _rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file, gzipped or not."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no {path}; give the path of the accuracy table of NAS-Bench-201") from None
    try:
        text = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode()
        return list(csv.reader(text.splitlines()))
    except (EOFError, OSError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged ({error}); take the file from its source again") from None
