"""Errors in params.yaml, as one line for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

MAX_SHOWN = 80

RULES: Mapping[str, str] = MappingProxyType(
    {
        "greater_than": "it must be above {gt}",
        "greater_than_equal": "it must be at least {ge}",
        "less_than": "it must be below {lt}",
        "less_than_equal": "it must be at most {le}",
        "multiple_of": "it must be a multiple of {multiple_of}",
        "int_type": "write a whole number",
        "int_from_float": "write a whole number",
        "float_type": "write a number",
        "bool_type": "write true or false",
        "string_type": "write a text",
        "tuple_type": "write a list, such as [a, b]",
        "list_type": "write a list, such as [a, b]",
        "model_type": "write a mapping of settings (key: value)",
        "mapping_type": "write a mapping of settings (key: value)",
        "dict_type": "write a mapping of settings (key: value)",
        "too_short": "it needs at least {min_length}",
        "string_too_short": "it needs at least {min_length}",
        "too_long": "it may have at most {max_length}",
        "string_too_long": "it may have at most {max_length}",
    }
)
"""What to do about an error of pydantic, by its type; any other type keeps pydantic's own words."""


class SettingsError(ValueError):
    """A setting is wrong: one line that names the key, what it was, what is allowed and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name that is nearest, or an empty text."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


@contextmanager
def located(file: str, location: str) -> Iterator[None]:
    """Give errors of plug-ins the place in params.yaml that they are about."""
    try:
        yield
    except SettingsError:
        raise
    except Exception as error:
        # a plug-in is anybody's code and may raise anything; ValueErrors are written for people
        kind = "" if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: "
        reason = " ".join(str(error).split())
        raise SettingsError(f"{file}: {location}{': ' if location else ''}{kind}{reason}") from None


def shown(value: object) -> str:
    """Return a value as YAML writes it, cut if it is long."""
    words = {None: "null", True: "true", False: "false"}
    text = words[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def sentence(
    file: str, failed: ValidationError, document: object, model: type[BaseModel], prefix: Sequence[str] = ()
) -> str:
    """Return one line for what pydantic found wrong first.

    Args:
        file: name of the file that was read.
        failed: what pydantic reports.
        document: what was validated.
        model: the model that it was validated against, for the names that are allowed.
        prefix: keys that lead to the validated value.
    """
    error = _most_telling(failed.errors())
    location = _keys(document, error)
    key = ".".join(map(str, [*prefix, *location]))
    rule = RULES.get(error["type"])
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            allowed = _fields(model, location[:-1])
            near = nearest(str(location[-1]), allowed)
            return f"{file}: {key} is unknown{near}; allowed here: {', '.join(allowed) or 'nothing'}"
        case "missing":
            return f"{file}: {key} is missing; add it"
        case "value_error" if isinstance(error["input"], Mapping):
            return f"{file}: {key}: {context['error']}"  # a rule on several keys of a section, which names them
        case "value_error":
            rule = str(context["error"])
        case "literal_error":
            names = [name.strip(" '") for name in str(context["expected"]).replace(" or ", ",").split(",")]
            return f"{file}: {key} is {shown(error['input'])}{nearest(str(error['input']), names)}; allowed: " + (
                ", ".join(names)
            )
    words = (
        f"{error['msg'][0].lower()}{error['msg'][1:]}"
        if rule is None
        else rule.format(
            **{name: f"{bound:g}" if isinstance(bound, float) else bound for name, bound in context.items()}
        )
    )
    return f"{file}: {key} is {shown(error['input'])}; {words}"


def _most_telling(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """Return the first error; a misspelt key, which is both a missing and an unknown one, counts as unknown."""
    first = errors[0]
    if first["type"] != "missing":
        return first
    parent, name = list(first["loc"][:-1]), str(first["loc"][-1])
    for error in errors:
        if (
            error["type"] == "extra_forbidden"
            and list(error["loc"][:-1]) == parent
            and nearest(str(error["loc"][-1]), [name])
        ):
            return error
    return first


def _keys(document: object, error: ErrorDetails) -> list[str | int]:
    """Return the keys of the document that lead to an error: its location without pydantic's names of types."""
    found: list[str | int] = []
    current = document
    for number, part in enumerate(error["loc"], start=1):
        inner = _inner(current, part)
        if inner or (error["type"] == "missing" and number == len(error["loc"])):
            found.append(part)
            current = next(iter(inner), None)
    return found


def _inner(value: object, part: str | int) -> list[object]:
    """Return what a key or an index leads to in a value, or nothing if it is none of it."""
    if isinstance(value, Mapping):
        return [value[part]] if part in value else []
    return [value[part]] if isinstance(value, list) and isinstance(part, int) else []


def _fields(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return the names of the fields of the model that a location leads to, through mappings and lists of models."""
    current: type[BaseModel] = model
    in_container = False
    for part in location:
        if in_container:
            in_container = False
            continue
        parts = list(_parts(current.model_fields[str(part)].annotation))
        found = next((each for each in parts if isinstance(each, type) and issubclass(each, BaseModel)), None)
        if found is None:
            return []
        current = found
        in_container = any(get_origin(each) in (Mapping, tuple) for each in parts)
    return list(current.model_fields)


def _parts(annotation: object) -> Iterator[object]:
    """Give an annotation and all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
