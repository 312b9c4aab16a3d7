"""Errors in params.yaml, as one line for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails


class SettingsError(ValueError):
    """A setting is wrong: one line that names the key, what it was, what is allowed and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name that is nearest, or an empty text."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def sentence(file: str, error: ErrorDetails, model: type[BaseModel] | None, prefix: Sequence[str] = ()) -> str:
    """Return one line for a pydantic error.

    Args:
        file: name of the file that was read.
        error: what pydantic reports.
        model: the model that was validated, for the names that are allowed; None if it is not at hand.
        prefix: keys that lead to the validated value.
    """
    location = [part for part in error["loc"] if part not in ("function-after", "function-before")]
    key = ".".join(map(str, [*prefix, *location]))
    received = _shown(error["input"])
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            allowed = _fields(model, location[:-1])
            return f"{file}: {key} is unknown{nearest(str(location[-1]), allowed)}; allowed here: {', '.join(allowed)}"
        case "missing":
            return f"{file}: {key} is missing; add it (see the table of settings in the README)"
        case "value_error":
            return f"{file}: {key}: {context['error']}" if key else f"{file}: {context['error']}"
        case "literal_error":
            choices = str(context["expected"])
            names = [part.strip(" '") for part in choices.replace(" or ", ",").split(",")]
            return f"{file}: {key} is {received}{nearest(str(error['input']), names)}; allowed: {choices}"
        case _:
            return f"{file}: {key} is {received}; {error['msg'][0].lower()}{error['msg'][1:]}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fields(model: type[BaseModel] | None, location: Sequence[object]) -> list[str]:
    """Return the names of the fields of the model that a location leads to, as far as models lead."""
    current: Any = model
    for part in location:
        if current is None:
            return []
        field = current.model_fields.get(part)
        annotation = None if field is None else field.annotation
        if field is None:
            return []
        arguments = getattr(annotation, "__args__", ())
        candidates = [annotation, *arguments]
        current = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if (
            current is not None
            and annotation is not current
            and getattr(annotation, "__origin__", None) in (dict, Mapping)
        ):
            return [name for name in current.model_fields]
    return [] if current is None else list(current.model_fields)
