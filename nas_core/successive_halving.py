"""Successive halving in brackets: many architectures start on a low rung, the best share of each rung goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nas_core.architecture import Architecture

Key = tuple[float, ...]


def bracket_sizes(num_rungs: int, reduction_factor: int) -> tuple[tuple[int, ...], ...]:
    """Return for each bracket how many architectures are on each of its rungs; every bracket ends on the highest.

    With s + 1 rungs of S + 1 in all, n = floor((S + 1) / (s + 1)) * factor^s architectures start, and a factor fewer go
    on from rung to rung. Hyperband (Li et al. 2018, arXiv:1603.06560), as in its table 1 and in the code of BOHB's
    authors; the paper's algorithm has n = ceil((S + 1) * factor^s / (s + 1)) instead, which that table does not follow.

    Args:
        num_rungs: S + 1, at least 1.
        reduction_factor: at least 2.
    """
    brackets = []
    for last in range(num_rungs - 1, -1, -1):
        start = num_rungs // (last + 1) * reduction_factor**last
        brackets.append(tuple(start // reduction_factor**place for place in range(last + 1)))
    return tuple(brackets)


@dataclass
class _Bracket:
    """One run of successive halving, at one of its rungs.

    Attributes:
        sizes: how many architectures are on each rung.
        place: which of its rungs it is at.
        expected: how many architectures this rung is to have.
        num_asked: how many of them were asked for.
        waiting: promoted to this rung and not asked for yet, the next one first.
        awaited: asked for and not told yet.
        done: (rank key, architecture) of this rung's successes, as told.
    """

    sizes: tuple[int, ...]
    place: int = 0
    expected: int = 0
    num_asked: int = 0
    waiting: list[Architecture] = field(default_factory=list)
    awaited: dict[Architecture, None] = field(default_factory=dict)
    done: list[tuple[Key, Architecture]] = field(default_factory=list)


class Brackets:
    """Hyperband's brackets, one after the other and round again, without an end.

    A rung is complete when everything on it was told; then the best of it, as many as the next rung takes, are asked
    for there. While a rung waits for what was not told yet, the brackets after it are begun, so that there is always
    something to ask for; what is never told holds up its own bracket alone. Failures are never promoted: a rung on
    which too few succeeded is followed by a smaller one, or by none.
    """

    def __init__(self, space: str, num_rungs: int, reduction_factor: int) -> None:
        """Start before the first bracket.

        Args:
            space: name of the space of the architectures.
            num_rungs: at least 1.
            reduction_factor: at least 2.
        """
        self._space = space
        self._num_rungs = num_rungs
        self._sizes = bracket_sizes(num_rungs, reduction_factor)
        self._active: list[_Bracket] = []
        self._num_begun = 0

    def next(self, start: Callable[[], Architecture | None]) -> tuple[Architecture, int] | None:
        """Return what to ask for next and the number of its rung, from 0; None if there is nothing.

        Args:
            start: gives an architecture that was not given before, or None when there is no more.
        """
        for bracket in list(self._active):
            if bracket.waiting:
                return self._asked(bracket, bracket.waiting.pop(0))
            if bracket.place == 0 and bracket.num_asked < bracket.expected:
                architecture = start()
                if architecture is not None:
                    return self._asked(bracket, architecture)
                # no more to come: the rung is as large as it is
                bracket.expected = bracket.num_asked
                self._go_on(bracket)
                if bracket.waiting:
                    return self._asked(bracket, bracket.waiting.pop(0))
        architecture = start()
        if architecture is None:
            return None
        sizes = self._sizes[self._num_begun % len(self._sizes)]
        self._num_begun += 1
        self._active.append(_Bracket(sizes, expected=sizes[0]))
        return self._asked(self._active[-1], architecture)

    def tell(self, architecture: Architecture, rung: int, key: Key | None) -> None:
        """Take note of a result; what no bracket awaits on that rung changes nothing.

        Args:
            architecture: what was evaluated.
            rung: on which rung.
            key: rank key, lower is better; None for a failure.
        """
        for bracket in self._active:
            if self._rung(bracket) == rung and architecture in bracket.awaited:
                del bracket.awaited[architecture]
                if key is not None:
                    bracket.done.append((key, architecture))
                self._go_on(bracket)
                return

    def state_dict(self) -> dict[str, Any]:
        """Return the brackets that are not finished and how many were begun."""
        return {
            "num_begun": self._num_begun,
            "active": [
                {
                    "sizes": list(bracket.sizes),
                    "place": bracket.place,
                    "expected": bracket.expected,
                    "num_asked": bracket.num_asked,
                    "waiting": [list(architecture.decisions) for architecture in bracket.waiting],
                    "awaited": [list(architecture.decisions) for architecture in bracket.awaited],
                    "done": [[list(key), list(architecture.decisions)] for key, architecture in bracket.done],
                }
                for bracket in self._active
            ],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._num_begun = state["num_begun"]
        self._active = [
            _Bracket(
                sizes=tuple(written["sizes"]),
                place=written["place"],
                expected=written["expected"],
                num_asked=written["num_asked"],
                waiting=[self._member(decisions) for decisions in written["waiting"]],
                awaited={self._member(decisions): None for decisions in written["awaited"]},
                done=[(tuple(key), self._member(decisions)) for key, decisions in written["done"]],
            )
            for written in state["active"]
        ]

    def _member(self, decisions: Sequence[int]) -> Architecture:
        return Architecture(self._space, tuple(decisions))

    def _rung(self, bracket: _Bracket) -> int:
        return self._num_rungs - len(bracket.sizes) + bracket.place

    def _asked(self, bracket: _Bracket, architecture: Architecture) -> tuple[Architecture, int]:
        bracket.num_asked += 1
        bracket.awaited[architecture] = None
        return architecture, self._rung(bracket)

    def _go_on(self, bracket: _Bracket) -> None:
        """Promote, if the rung is complete; drop the bracket if it is at its end."""
        if bracket.num_asked < bracket.expected or bracket.awaited:
            return
        # of equals the one told first goes on, so the comparison leaves the architecture out
        best = sorted(bracket.done, key=lambda done: done[0])
        bracket.place += 1
        size = bracket.sizes[bracket.place] if bracket.place < len(bracket.sizes) else 0
        bracket.waiting = [architecture for _, architecture in best[:size]]
        bracket.expected = len(bracket.waiting)
        bracket.num_asked = 0
        bracket.done = []
        if not bracket.waiting:
            # by identity: two brackets may be equal
            self._active = [other for other in self._active if other is not bracket]
