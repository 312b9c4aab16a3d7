"""The tables of NAS-Bench-Graph (Qin et al. 2022, arXiv:2206.09166): all networks of its space, as it measured them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.strategy import Strategy

SPACE = "nasbench_graph"
DataSet: TypeAlias = Literal["cora", "citeseer", "pubmed", "cs", "arxiv", "proteins"]
NUM_ARCHITECTURES: Mapping[DataSet, int] = MappingProxyType(
    {"cora": 26_206, "citeseer": 26_206, "pubmed": 26_206, "cs": 26_206, "arxiv": 26_206, "proteins": 2_021}
)
"""Rows of each data set's table."""

OBJECTIVES = ("validation_accuracy", "latency_ms", "num_parameters")
COLUMNS = ("valid_perf", "test_perf", "latency_s", "params")
MACROS = ("0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123")
OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "identity")
"""What the digits of a hash mean: the first one the tree, the others the operations."""

NUM_DIGITS = 5


@dataclass(frozen=True)
class Measurements:
    """What the benchmark knows of one network on one data set; means over its runs.

    Attributes:
        hash: the five digits by which the benchmark knows the network.
        validation_accuracy: from 0 to 1, by which a search chooses; on proteins the area under the ROC curve.
        test_accuracy: likewise on the test nodes; only to be reported.
        latency_ms: of a forward pass over the whole graph, on the benchmark's machine.
        num_parameters: of the benchmark's network.
    """

    hash: int
    validation_accuracy: float
    test_accuracy: float
    latency_ms: float
    num_parameters: int


@runtime_checkable
class NamedSpace(HasBenchmarkNames, SearchSpace, Protocol):
    """A space whose members have names, equal for equal canonical forms."""


class NASBenchGraphTable:
    """Looks evaluations up, those of an architecture under its canonical form.

    A search chooses by the validation accuracy; the test accuracy is no score here: see `report`.
    """

    def __init__(
        self, measurements: Mapping[str, Measurements], space: NamedSpace, objectives: Sequence[str], data_set: str
    ) -> None:
        """Keep the table.

        Args:
            measurements: by the names of canonical forms.
            space: names them.
            objectives: names out of `OBJECTIVES`.
            data_set: named in failures.
        """
        self._measurements = dict(measurements)
        self._space = space
        self._objectives = tuple(objectives)
        self._data_set = data_set

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing: everything is in the table."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order; what the table does not hold is a failure."""
        return [self._evaluation(proposal) for proposal in proposals]

    def report(self, architecture: Architecture) -> dict[str, float]:
        """Return all measurements of a network by name, test accuracy included; for reports, never to choose by.

        Raises:
            ValueError: the network is not in the table.
        """
        found = self._found(architecture)
        if found is None:
            raise ValueError(f"{self._absence(architecture)}; ask for a network of space {SPACE!r} that it trained")
        return dict(vars(found))

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: a table does not change."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""

    def _found(self, architecture: Architecture) -> Measurements | None:
        if not self._space.is_valid(architecture):
            return None
        return self._measurements.get(self._space.to_name(self._space.canonical(architecture)))

    def _absence(self, architecture: Architecture) -> str:
        name = f" ({self._space.to_name(architecture)})" if self._space.is_valid(architecture) else ""
        return f"{architecture.key}{name} is not in the table of {self._data_set}"

    def _evaluation(self, proposal: Proposal) -> Evaluation:
        if proposal.fidelity is not None:
            return Evaluation(proposal, failure=f"the table has full trainings alone, not {proposal.fidelity}")
        found = self._found(proposal.architecture)
        if found is None:
            return Evaluation(proposal, failure=self._absence(proposal.architecture))
        return Evaluation(proposal, {name: float(getattr(found, name)) for name in self._objectives})


def build(
    path: str | Path,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    data_set: DataSet = "cora",
) -> NASBenchGraphTable:
    """Return the evaluator that looks networks up in a file of the benchmark.

    The file is NumPy's npz. It holds for each data set ``NAME_hash`` (rows,), integers whose five digits (with leading
    zeros) are the place in `MACROS` and four places in `OPERATIONS`, and ``NAME_table`` (rows, 4), and for all
    ``columns``: valid_perf, test_perf, latency_s, params (millions).

    The benchmark trained 26,206 networks, but on proteins the 2,021 of gcn, sage, arma, fc and identity alone. What it
    did not train is a failure; give the space these operations to search there.

    Args:
        path: the file.
        space: the space "nasbench_graph", of any operations and width.
        objectives: among `OBJECTIVES`.
        data_set: whose measurements to use.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, incomplete or of another kind, or the space or an objective does not fit.
    """
    if space.name != SPACE or not isinstance(space, NamedSpace):
        raise ValueError(f"space is {space.name!r}; this benchmark knows only {SPACE!r}")
    for objective in objectives:
        if objective.name not in OBJECTIVES:
            raise ValueError(f"objective {objective.name!r} is not in the table; allowed: {', '.join(OBJECTIVES)}")
    if data_set not in NUM_ARCHITECTURES:
        raise ValueError(f"data_set is {data_set!r}; allowed: {', '.join(NUM_ARCHITECTURES)}")
    hashes, table = _arrays(Path(path), data_set)
    return NASBenchGraphTable(
        _measurements(hashes, table), space, [objective.name for objective in objectives], data_set
    )


def hash_name(number: int) -> str:
    """Return the name of the network of a hash, as ``0112-gcn-gin-fc-identity`` of 61278."""
    macro, *operations = map(int, f"{number:0{NUM_DIGITS}}")
    return "-".join([MACROS[macro], *(OPERATIONS[digit] for digit in operations)])


def _measurements(hashes: NDArray[Any], table: NDArray[Any]) -> dict[str, Measurements]:
    """Return the rows of checked arrays by the names of their networks."""
    return {
        hash_name(number): Measurements(number, validation, test, 1e3 * seconds, round(1e6 * millions))
        for number, (validation, test, seconds, millions) in zip(hashes.tolist(), table.tolist(), strict=True)
    }


def _arrays(path: Path, data_set: DataSet) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the hashes and the table of a data set, checked."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            found = [arrays[name] for name in ("columns", f"{data_set}_hash", f"{data_set}_table")]
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no {path}; give the path of the tables of NAS-Bench-Graph") from None
    except KeyError as error:
        raise ValueError(f"{path} has no {error}; give the tables of NAS-Bench-Graph") from None
    except (EOFError, OSError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} is damaged, or no npz ({reason}); take the file from its source again") from None
    problem = _problem(found[0], found[1], found[2], NUM_ARCHITECTURES[data_set])
    if problem:
        raise ValueError(f"{path}, {data_set}: {problem}; take the file from its source again")
    return found[1], found[2]


def _problem(columns: NDArray[Any], hashes: NDArray[Any], table: NDArray[Any], num_rows: int) -> str | None:
    """Return what is wrong with the arrays; None if nothing is."""
    if columns.tolist() != list(COLUMNS):
        return f"columns are {columns.tolist()}, not {', '.join(COLUMNS)}"
    if hashes.shape != (num_rows,) or table.shape != (num_rows, len(COLUMNS)):
        return f"hashes {hashes.shape} and table {table.shape} are not {num_rows} rows of {len(COLUMNS)} columns"
    if hashes.dtype.kind not in "iu" or table.dtype.kind != "f":
        return f"hashes are {hashes.dtype} and the table {table.dtype}, not integers and floating point"
    digits = hashes[:, None] // 10 ** np.arange(NUM_DIGITS)[::-1] % 10
    limits = np.array([len(MACROS), *[len(OPERATIONS)] * (NUM_DIGITS - 1)])
    wrong = hashes[(digits >= limits).any(axis=1) | (hashes < 0) | (hashes >= 10**NUM_DIGITS)]
    if wrong.size:
        return f"hash {wrong[0]} is not five digits from 0 to {len(OPERATIONS) - 1}"
    if np.unique(hashes).size != num_rows:
        return "a hash occurs twice"
    accuracies, costs = table[:, :2], table[:, 2:]
    if not (np.isfinite(table).all() and (accuracies >= 0).all() and (accuracies <= 1).all() and (costs > 0).all()):
        return "an accuracy is not from 0 to 1, or a latency or size not above 0"
    return None
