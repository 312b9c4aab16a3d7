"""Rules on single values of params.yaml, and the types that are used in several sections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeVar
from zoneinfo import available_timezones

from annotated_types import Ge, Gt, Interval, Lt, MinLen
from pydantic import AfterValidator

from tasks.settings.errors import nearest

MAX_SEED = 2**32 - 1
MAX_PROCESSES = 1024
LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
DEVICE = re.compile(r"auto|cpu|cuda(?::[0-9]+)?")

Item = TypeVar("Item")


def distinct(values: tuple[Item, ...]) -> tuple[Item, ...]:
    """Refuse repetitions."""
    seen: set[Item] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value!r} stands twice; name each once")
        seen.add(value)
    return values


def _label(value: str) -> str:
    """Refuse what could not be part of the name of a DVC stage and of a folder."""
    if not LABEL.fullmatch(value):
        raise ValueError("a label begins with a letter and goes on with letters, digits, _ or -")
    return value


def counting_up(ranks: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse anything but 0, 1, 2, ..."""
    if ranks != tuple(range(len(ranks))):
        raise ValueError(f"ranks count up from 0, write {list(range(len(ranks)))}")
    return ranks


def named(value: object) -> object:
    """Read a bare name as a mapping with that name."""
    if isinstance(value, str):
        return {"name": value}
    if not isinstance(value, Mapping):
        raise ValueError("write a name, or a mapping with a name and settings")
    return value


def all_or_names(value: object) -> object:
    """Refuse anything but the word all and lists of names, which become tuples."""
    if value == "all":
        return value
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise ValueError("write all, or a list of names")


def checked_device(value: str) -> str:
    """Refuse what no torch device of ours is called; whether it is there shows when a stage asks for it."""
    if not DEVICE.fullmatch(value):
        raise ValueError(f"it must be auto, cpu, cuda, or cuda:0 and so on{nearest(value, ('auto', 'cpu', 'cuda'))}")
    return value


def checked_timezone(value: str) -> str:
    """Refuse what the time zone database does not know."""
    known = available_timezones()
    if value not in known:
        raise ValueError(f"it is no time zone{nearest(value, sorted(known))}; write one such as UTC or Europe/Berlin")
    return value


Label = Annotated[str, AfterValidator(_label)]
Fraction = Annotated[float, Gt(0), Lt(1)]
Count = Annotated[int, Ge(1)]
NumProcesses = Annotated[int, Interval(ge=1, le=MAX_PROCESSES)]
Seed = Annotated[int, Interval(ge=0, le=MAX_SEED)]
Seeds = Annotated[tuple[Seed, ...], MinLen(1), AfterValidator(distinct)]
