"""A table of NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635): cells trained on CIFAR-10 for 4 to 108 epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from nas_core.architecture import Architecture
from nas_core.data.nasbench101_table import EPOCHS, TableRow, read
from nas_core.evaluation import Evaluation, Proposal
from nas_core.networks.vertex_cell import VertexCell
from nas_core.objectives import Objective
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.strategy import Strategy

SPACE = "nasbench101"
NUM_EDGES, NUM_INNER = 21, 5
OBJECTIVES = ("validation_accuracy", "num_parameters")
FULL_EPOCHS = EPOCHS[-1]


class NASBench101Table:
    """Looks evaluations up, by the published hash of a cell, so that any graph of a network finds its row.

    A proposal without a fidelity gets the validation accuracy after 108 epochs, as is usual; one of 4, 12, 36 or 108
    epochs that after those. The accuracy is that of one run, the same at every query. A cell that the table does not
    hold is a failed evaluation.
    """

    def __init__(self, rows: Sequence[TableRow], objectives: Sequence[str]) -> None:
        """Keep the table, with the scores of each row made ready.

        Args:
            rows: each hash once.
            objectives: names out of `OBJECTIVES`.
        """
        self._rows = {row.module_hash: row for row in rows}
        self._scores = {
            epochs: {row.module_hash: _scores(row, epochs, objectives) for row in rows} for epochs in EPOCHS
        }
        self._hashes: dict[tuple[int, ...], str | None] = {}

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing: everything is in the table."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order; what the table does not hold is a failure."""
        return [self._evaluation(proposal) for proposal in proposals]

    def report(self, architecture: Architecture) -> dict[str, Any]:
        """Return all measurements of a cell by name.

        Raises:
            ValueError: the cell is not in the table.
        """
        found = self._rows.get(self._hash(architecture) or "")
        if found is None:
            raise ValueError(self._absent(architecture))
        return {
            "module_hash": found.module_hash,
            "num_parameters": found.num_parameters,
            "training_seconds": found.training_seconds,
            **{f"validation_accuracy_{epochs}_epochs": found.validation_accuracies[epochs] for epochs in EPOCHS},
        }

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: a table does not change."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""

    def _evaluation(self, proposal: Proposal) -> Evaluation:
        fidelity = proposal.fidelity
        epochs = FULL_EPOCHS if fidelity is None else fidelity.epochs
        if epochs not in EPOCHS or (fidelity is not None and (fidelity.data_fraction != 1 or fidelity.width != 1)):
            known = ", ".join(map(str, EPOCHS))
            return Evaluation(proposal, failure=f"the table has only {known} epochs, not {fidelity}")
        scores = self._scores[epochs].get(self._hash(proposal.architecture) or "")
        if scores is None:
            return Evaluation(proposal, failure=self._absent(proposal.architecture))
        return Evaluation(proposal, scores)

    def _hash(self, architecture: Architecture) -> str | None:
        """Return the hash of a cell, None if it is none; a hash is worked out once."""
        made = architecture.decisions
        if architecture.space != SPACE or len(made) != NUM_EDGES + NUM_INNER or not set(made[:NUM_EDGES]) <= {0, 1}:
            return None
        if made not in self._hashes:
            pruned = VertexCell.from_bits(made[:NUM_EDGES], made[NUM_EDGES:]).pruned()
            self._hashes[made] = None if pruned is None else pruned.module_hash()
        return self._hashes[made]

    def _absent(self, architecture: Architecture) -> str:
        return (
            f"{architecture.key} is not among the {len(self._rows)} cells of the table; "
            f"restrict the space to them by the setting 'table' of {SPACE!r}"
        )


def build(
    path: str | Path,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    data_set: Literal["cifar10"] = "cifar10",
) -> NASBench101Table:
    """Return the evaluator that looks cells up in a file of the benchmark, or of a part of it.

    Args:
        path: the file; `nas_core.data.nasbench101_table.read` says what it holds.
        space: the space "nasbench101", restricted to the table or not.
        objectives: among `OBJECTIVES`.
        data_set: the only one that the benchmark has.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or of another kind, or the space, an objective or the data set does not fit.
    """
    if space.name != SPACE or not isinstance(space, HasBenchmarkNames):
        raise ValueError(f"space is {space.name!r}; this benchmark knows only {SPACE!r}")
    for objective in objectives:
        if objective.name not in OBJECTIVES:
            raise ValueError(f"objective {objective.name!r} is not in the table; allowed: {', '.join(OBJECTIVES)}")
    if data_set != "cifar10":
        raise ValueError(f"data_set is {data_set!r}; allowed: cifar10")
    return NASBench101Table(read(Path(path)), [objective.name for objective in objectives])


def _scores(row: TableRow, epochs: int, objectives: Sequence[str]) -> Mapping[str, float]:
    """Return the scores of a row by objective, which nobody can change."""
    known = dict(zip(OBJECTIVES, (row.validation_accuracies[epochs], float(row.num_parameters)), strict=True))
    return MappingProxyType({name: known[name] for name in objectives})
