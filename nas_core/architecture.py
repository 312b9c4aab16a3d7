"""What a search decides: choices with named options, and an architecture as one decision for each choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """A categorical choice of a search space.

    Attributes:
        name: unique within its space.
        options: names of the options, at least one, all different.
        group: choices of one group belong together (a cell, a block); empty if none.
        active_if: (name of an earlier choice, options) of which one must be chosen for this choice to matter; a single
            option may be named by itself; None if it always matters. The decision of a choice that does not matter is
            0, and a choice that hangs on one that does not matter does not matter either.
    """

    name: str
    options: tuple[str, ...]
    group: str = ""
    active_if: tuple[str, str | tuple[str, ...]] | None = None

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError(f"choice {self.name!r} has no options; give at least one")
        if len(set(self.options)) != len(self.options):
            raise ValueError(f"choice {self.name!r} names an option twice in {self.options}; make them differ")


@dataclass(frozen=True, slots=True, order=True)
class Architecture:
    """One decision (the index of an option) for each choice of a space, in the order of the choices."""

    space: str
    decisions: tuple[int, ...]

    @property
    def key(self) -> str:
        """The text form, such as ``nasbench201:3-1-0-4-2-2``."""
        return f"{self.space}:{'-'.join(map(str, self.decisions))}"

    @classmethod
    def from_key(cls, key: str) -> Architecture:
        """Return the architecture whose `key` is given.

        Raises:
            ValueError: if the text is not ``space:decision-decision-...`` with decisions >= 0.
        """
        space, separator, text = key.rpartition(":")
        parts = text.split("-")
        if not (separator and space and all(part.isascii() and part.isdigit() for part in parts)):
            raise ValueError(
                f"{key!r} is not an architecture key; write space:decision-decision-..., as nasbench201:3-1-0"
            )
        return cls(space, tuple(map(int, parts)))


def active(choices: Sequence[Choice], decisions: Sequence[int]) -> tuple[bool, ...]:
    """Return for each choice whether it matters, given the decisions (see `Choice.active_if`)."""
    if all(choice.active_if is None for choice in choices):
        return (True,) * len(choices)
    flags: list[bool] = []
    chosen: dict[str, str] = {}
    for choice, decision in zip(choices, decisions, strict=True):
        matters = choice.active_if is None or chosen.get(choice.active_if[0]) in _options(choice.active_if[1])
        flags.append(matters)
        if matters:
            chosen[choice.name] = choice.options[decision]
    return tuple(flags)


def _options(named: str | tuple[str, ...]) -> tuple[str, ...]:
    return (named,) if isinstance(named, str) else named
