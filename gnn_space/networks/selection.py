"""Which options of each choice a network runs and how much each counts: one for stand-alone networks and supernets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from torch import Tensor

from gnn_space.networks.vocabulary import COMBINATION
from nas_core.architecture import Architecture, Choice, active
from nas_core.weight_sharing.gates import Gates


class Weighted(NamedTuple):
    """An option that is run.

    Attributes:
        option: its name.
        weight: the scalar that its output is multiplied by; None is exactly 1.
    """

    option: str
    weight: Tensor | None


Selection: TypeAlias = Mapping[str, tuple[Weighted, ...]]
"""For the name of each choice the options to run; a choice that is not made is absent."""

Options: TypeAlias = Mapping[str, tuple[str, ...]]
"""For the name of each choice the options that a network has modules for."""


def chosen(choices: Sequence[Choice], architecture: Architecture) -> dict[str, tuple[Weighted, ...]]:
    """Return the selection of one architecture: the chosen option of each choice that matters, with no weight."""
    matters = active(choices, architecture.decisions)
    return {
        choice.name: (Weighted(choice.options[decision], None),)
        for choice, decision, flag in zip(choices, architecture.decisions, matters, strict=True)
        if flag
    }


def gated(choices: Sequence[Choice], gates: Gates) -> dict[str, tuple[Weighted, ...]]:
    """Return the selection that gates ask for: the active options, each with its gate times the choice's strength."""
    selection: dict[str, tuple[Weighted, ...]] = {}
    for index, choice in enumerate(choices):
        weights = gates.options[index]
        if gates.strengths is not None:
            weights = gates.strengths[index] * weights
        selection[choice.name] = tuple(
            Weighted(choice.options[option], weights[option]) for option in gates.active_options(index)
        )
    return selection


def views_needed(selection: Selection, depth: int) -> tuple[int, ...]:
    """Return the numbers of the blocks whose outputs the combinations of a network of `depth` blocks read."""
    only_last = all(option == "last" for option, _ in selection[COMBINATION])
    return (depth,) if only_last else tuple(range(1, depth + 1))


def product(*weights: Tensor | None) -> Tensor | None:
    """Return the product of weights, of which None is exactly 1."""
    result: Tensor | None = None
    for weight in weights:
        if weight is not None:
            result = weight if result is None else result * weight
    return result


def times(weight: Tensor | None, value: Tensor) -> Tensor:
    """Return ``weight * value``, and the value itself where there is no weight."""
    return value if weight is None else weight * value


def mixed(terms: Iterable[tuple[Tensor | None, Tensor]]) -> Tensor:
    """Return ``sum of weight * value`` over at least one (weight, value)."""
    total: Tensor | None = None
    for weight, value in terms:
        term = times(weight, value)
        total = term if total is None else total + term
    if total is None:
        raise ValueError("a choice has no active option; run at least one of each")
    return total


def key(option: str) -> str:
    """Return the name of an option's module, in which there may be no dot: ``0_5`` for ``0.5``."""
    return option.replace(".", "_")
