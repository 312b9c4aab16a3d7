"""An evaluator that answers repeated queries from memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.evaluator import Evaluator
from nas_core.strategy import Strategy


class RememberingEvaluator:
    """Asks another evaluator for each architecture and fidelity once; failures are remembered too.

    What a repeated query is answered with took no time. The other evaluator's scores must depend on the proposal and
    the seed alone, not on a state that changes.
    """

    def __init__(self, evaluator: Evaluator, past: Iterable[Evaluation] = ()) -> None:
        """Take up what was evaluated before; of equal queries the first counts.

        Args:
            evaluator: without a state.
            past: evaluations of the same search, in order.

        Raises:
            ValueError: the evaluator has a state.
        """
        if evaluator.state_dict():
            raise ValueError(
                "scores of an evaluator that changes while it is used cannot be remembered; set deduplicate to false"
            )
        self._evaluator = evaluator
        self._known: dict[tuple[Architecture, Fidelity | None], Evaluation] = {}
        for evaluation in past:
            self._known.setdefault(evaluation.proposal.query, evaluation)

    def prepare(self, strategy: Strategy) -> None:
        """Prepare the other evaluator."""
        self._evaluator.prepare(strategy)

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order; only what is new is evaluated."""
        new: dict[tuple[Architecture, Fidelity | None], Proposal] = {}
        for proposal in proposals:
            if proposal.query not in self._known:
                new.setdefault(proposal.query, proposal)
        fresh = dict(zip(new, self._evaluator.evaluate(list(new.values())), strict=True))
        self._known.update(fresh)
        # the first that asks takes what is fresh, with its time
        return [
            fresh.pop(proposal.query)
            if proposal.query in fresh
            else replace(self._known[proposal.query], proposal=proposal, seconds=0.0)
            for proposal in proposals
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: what is remembered is in the archive of the search."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
