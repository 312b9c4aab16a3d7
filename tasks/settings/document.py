"""Reads a YAML document of params.yaml's kind: small, plain, without aliases, each key once."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from tasks.settings.errors import SettingsError, shown

MAX_BYTES = 20_000
MAX_DEPTH = 20
MAX_NUMBER = 2**63 - 1


class _Loader(yaml.SafeLoader):
    """Plain values mean what they mean in YAML 1.2, as DVC's parser reads them too.

    So 1e-3 is a number, and no, 010, 1:30 and 2024-01-01 are not something else than they look like.
    """


def _whole_number(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    if len(text) > 40:
        return MAX_NUMBER + 1  # refused below; Python itself refuses to read some thousands of digits
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", list("-+.")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def read(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Aliases are refused before anything expands them (a few hundred bytes of them can fill the memory of whoever reads
    the file next), and so are tags, repeated keys, of which the last would silently win, and numbers without a value.

    Raises:
        SettingsError: one line that says what is wrong and where.
    """
    file = path.name
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); run in the checkout's top folder") from None
    if len(content) > MAX_BYTES:
        raise SettingsError(f"{file} has more than {MAX_BYTES} bytes; this is not a file of settings")
    try:
        text = content.decode()
        _check_events(file, text)
        document = yaml.load(text, Loader=_Loader)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f" line {mark.line + 1}, column {mark.column + 1}"
        raise SettingsError(f"{file}{place}: {error.problem}; mend the YAML there") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{file} is not YAML ({str(error).splitlines()[0]}); mend or restore it") from None
    if document is None:
        raise SettingsError(f"{file} is empty; restore it")
    if not isinstance(document, dict):
        raise SettingsError(f"{file} holds {shown(document)}; it must be a mapping of sections")
    _check_values(file, document, "")
    return document


def _check_events(file: str, text: str) -> None:
    """Refuse aliases, tags, deep nesting and repeated keys, from the parser's events alone."""
    keys: list[set[str] | None] = []
    expects_key: list[bool] = []
    for event in yaml.parse(text, Loader=_Loader):
        mark = event.start_mark
        place = file if mark is None else f"{file} line {mark.line + 1}, column {mark.column + 1}"
        if isinstance(event, yaml.AliasEvent):
            raise SettingsError(f"{place}: alias *{event.anchor}; aliases are not allowed, write the value out")
        if isinstance(event, yaml.CollectionEndEvent):
            keys.pop()
            expects_key.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            raise SettingsError(f"{place}: tag {shown(event.tag)}; tags are not allowed, write a plain value")
        if keys and keys[-1] is not None:
            if expects_key[-1]:
                if not isinstance(event, yaml.ScalarEvent):
                    raise SettingsError(f"{place}: a key is a list or a mapping; keys are words")
                if event.value in keys[-1]:
                    raise SettingsError(f"{place}: key {shown(event.value)} stands twice; keep one")
                keys[-1].add(event.value)
            expects_key[-1] = not expects_key[-1]
        if isinstance(event, yaml.CollectionStartEvent):
            keys.append(set() if isinstance(event, yaml.MappingStartEvent) else None)
            expects_key.append(True)
            if len(keys) > MAX_DEPTH:
                raise SettingsError(f"{place}: nested deeper than {MAX_DEPTH} levels; flatten it")


def _check_values(file: str, value: object, location: str) -> None:
    """Refuse keys that are no words, and values that no setting can have."""
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str) or not key.isprintable():
                where = f" in {location}" if location else ""
                raise SettingsError(f"{file}: key {shown(key)}{where} is no word; quote or rename it")
            _check_values(file, part, f"{location}.{key}" if location else key)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _check_values(file, part, f"{location}.{index}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f"{file}: {location} is {value}; write a finite number")
    elif isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise SettingsError(f"{file}: {location} is beyond {MAX_NUMBER}; write a smaller number")
    elif isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise SettingsError(f"{file}: {location} is {shown(value)}; it holds half a character, write the text out")
