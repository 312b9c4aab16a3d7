"""An evaluator that looks proposals up among the rows of a benchmark's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.strategy import Strategy


class TableRows(Protocol):
    """The rows of a table: which architecture has which, and what stands in it."""

    @property
    def space(self) -> str:
        """Name of the only space whose architectures have rows."""

    @property
    def epochs(self) -> Sequence[int]:
        """The numbers of training epochs that the table knows, shortest first; none if trainings have no lengths."""

    def row(self, architecture: Architecture) -> int | None:
        """Return the row of an architecture of the space, valid or not; None if it has none."""

    def architectures(self) -> Sequence[Architecture]:
        """Return an architecture of the space for each row, in the order of the rows."""

    def scores(self, row: int, epochs: int | None) -> Mapping[str, float]:
        """Return the scores of a row by objective, after so many epochs; None if trainings have no lengths."""

    def report(self, row: int) -> dict[str, Any]:
        """Return all measurements of a row by name, those on test data included."""

    def absence(self, architecture: Architecture) -> str:
        """Return one line that says that an architecture has no row."""


class TableEvaluator:
    """Looks evaluations up; whatever has a row costs a dictionary's access once it was asked for.

    Every query is an evaluation, repeated ones included, and a table gives the same answer each time. What a search
    chooses by is a score; what was measured on test data is not, and only in `report`.
    """

    def __init__(self, rows: TableRows, epochs: int | None = None) -> None:
        """Keep the rows.

        Args:
            rows: of the table.
            epochs: what a proposal without a fidelity gets, out of those that the rows know; None if they know none.
        """
        self._rows = rows
        self._space = rows.space
        self._epochs = epochs
        self._known: dict[int | None, dict[tuple[int, ...], Mapping[str, float]]] = {
            length: {} for length in (*rows.epochs, epochs)
        }
        self._places: dict[Architecture, int | None] = {}

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing: everything is in the table."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order; what the table does not hold is a failure."""
        usual, space = self._known[self._epochs], self._space
        found = []
        for proposal in proposals:
            architecture = proposal.architecture
            scores = usual.get(architecture.decisions) if proposal.fidelity is None else None
            if scores is None or architecture.space != space:
                found.append(self._looked_up(proposal))
            else:
                found.append(Evaluation(proposal, scores))
        return found

    def architectures(self) -> Sequence[Architecture]:
        """Return everything that has a row, in the order of the rows."""
        return self._rows.architectures()

    def report(self, architecture: Architecture) -> dict[str, Any]:
        """Return all measurements of an architecture by name; for reports, never to choose by.

        Raises:
            ValueError: the architecture is not in the table.
        """
        row = self._row(architecture)
        if row is None:
            raise ValueError(f"{self._rows.absence(architecture)}; ask for a network that is")
        return self._rows.report(row)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: a table does not change."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""

    def _looked_up(self, proposal: Proposal) -> Evaluation:
        architecture, fidelity = proposal.architecture, proposal.fidelity
        if fidelity is not None and not self._knows(fidelity):
            return Evaluation(proposal, failure=self._unknown(fidelity))
        epochs = self._epochs if fidelity is None else fidelity.epochs
        known = self._known[epochs]
        scores = known.get(architecture.decisions) if architecture.space == self._space else None
        if scores is None:
            row = self._row(architecture)
            if row is None:
                return Evaluation(proposal, failure=self._rows.absence(architecture))
            scores = known[architecture.decisions] = MappingProxyType(dict(self._rows.scores(row, epochs)))
        return Evaluation(proposal, scores)

    def _row(self, architecture: Architecture) -> int | None:
        """Return the row of an architecture, which is looked for once."""
        if architecture.space != self._space:
            return None
        if architecture not in self._places:
            self._places[architecture] = self._rows.row(architecture)
        return self._places[architecture]

    def _knows(self, fidelity: Fidelity) -> bool:
        return fidelity.epochs in self._rows.epochs and fidelity.data_fraction == 1 and fidelity.width == 1

    def _unknown(self, fidelity: Fidelity) -> str:
        lengths = [str(epochs) for epochs in self._rows.epochs]
        if not lengths:
            return f"the table has full trainings alone, not {fidelity}"
        listed = " and ".join(filter(None, (", ".join(lengths[:-1]), lengths[-1])))
        return f"the table has only {listed} epochs, not {fidelity}"
