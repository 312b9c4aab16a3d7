"""Reads a YAML document of params.yaml's kind: small, without aliases, each key once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tasks.settings.errors import SettingsError

MAX_BYTES = 1_000_000
MAX_DEPTH = 40


class _Loader(yaml.SafeLoader):
    """YAML as DVC's parser reads it: 1e-3 is a number too."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def read(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Aliases are refused before anything expands them (a few hundred bytes of them can fill the memory of whoever reads
    the file next), and so are repeated keys, of which the last would silently win.

    Raises:
        SettingsError: one line that says what is wrong and where.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); run in the checkout's top folder") from None
    if len(content) > MAX_BYTES:
        raise SettingsError(f"{path} has {len(content)} bytes, more than {MAX_BYTES}; this is not a file of settings")
    try:
        text = content.decode()
        _check_events(path, text)
        document = yaml.load(text, Loader=_Loader)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f" line {mark.line + 1}, column {mark.column + 1}"
        raise SettingsError(f"{path}{place}: {error.problem}; mend the YAML there") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML ({str(error).splitlines()[0]}); mend or restore it") from None
    except ValueError as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{path} holds a value that YAML cannot read ({error}); quote it") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{path} holds {type(document).__name__}; it must be a mapping of sections")
    return document


def _check_events(path: Path, text: str) -> None:
    """Refuse aliases, deep nesting and repeated keys, from the parser's events alone."""
    keys: list[set[str] | None] = []
    expects_key: list[bool] = []
    for event in yaml.parse(text, Loader=_Loader):
        line = 0 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise SettingsError(
                f"{path} line {line}: alias *{event.anchor}; aliases are not allowed, write the value out"
            )
        if isinstance(event, yaml.CollectionEndEvent):
            keys.pop()
            expects_key.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        if keys and keys[-1] is not None:
            if expects_key[-1] and isinstance(event, yaml.ScalarEvent):
                if event.value in keys[-1]:
                    raise SettingsError(f"{path} line {line}: key {event.value!r} stands twice; keep one")
                keys[-1].add(event.value)
            expects_key[-1] = not expects_key[-1]
        if isinstance(event, yaml.CollectionStartEvent):
            keys.append(set() if isinstance(event, yaml.MappingStartEvent) else None)
            expects_key.append(True)
            if len(keys) > MAX_DEPTH:
                raise SettingsError(f"{path} line {line}: nested deeper than {MAX_DEPTH} levels; flatten it")
