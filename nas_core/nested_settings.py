"""Checks settings for a plug-in that another plug-in is told to use, against the signature of its entry function."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt

from nas_core import catalog


def check(kind: str, name: str, values: Mapping[str, Any]) -> None:
    """Check what a plug-in is to be built with.

    Args:
        kind: of the plug-in, as in `catalog.KINDS`.
        name: of the plug-in.
        values: by the names of its settings.

    Raises:
        ValueError: if there is no such plug-in, or a setting is unknown, missing, of another type or out of range.
    """
    settings = {setting.name: setting for setting in catalog.settings(kind, name)}
    for setting in settings.values():
        if setting.required and setting.name not in values:
            raise ValueError(f"{kind} {name!r} lacks its setting {setting.name}; give it")
    for key, value in values.items():
        if key not in settings:
            near = difflib.get_close_matches(key, settings, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{kind} {name!r} has no setting {key!r}{hint}; allowed: {', '.join(settings)}")
        if not _accepts(settings[key].annotation, value):
            raise ValueError(f"{key} of {kind} {name!r} is {value!r}; allowed: {_text(settings[key].annotation)}")


def _accepts(annotation: Any, value: object) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *bounds = get_args(annotation)
        return _accepts(base, value) and all(_holds(bound, value) for bound in bounds)
    if origin in (Union, types.UnionType):
        return any(_accepts(option, value) for option in get_args(annotation))
    if origin is Literal:
        return value in get_args(annotation)
    if annotation in (None, type(None)):
        return value is None
    if isinstance(value, bool):
        return annotation is bool
    if annotation is float:
        return isinstance(value, int | float)
    return isinstance(value, origin or annotation)


def _holds(bound: Any, value: Any) -> bool:
    if isinstance(bound, GroupedMetadata):
        return all(_holds(one, value) for one in bound)
    match bound:
        case Ge(least):
            return bool(value >= least)
        case Gt(least):
            return bool(value > least)
        case Le(greatest):
            return bool(value <= greatest)
        case Lt(greatest):
            return bool(value < greatest)
        case _:
            raise ValueError(f"{bound!r} is a bound that nested settings do not know; use Ge, Gt, Le, Lt or Interval")


def _text(annotation: Any) -> str:
    """Return the allowed values in words."""
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *bounds = get_args(annotation)
        return " ".join([_text(base), *(str(bound) for bound in bounds)])
    if origin in (Union, types.UnionType):
        return " or ".join(map(_text, get_args(annotation)))
    if origin is Literal:
        return ", ".join(map(repr, get_args(annotation)))
    return str(getattr(annotation, "__name__", annotation))
