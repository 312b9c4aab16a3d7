"""Random damage to params.yaml ends in success or in one line, never in anything else."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.settings import SettingsError, load

TEXT = (Path(__file__).parents[3] / "params.yaml").read_text()
ORIGINAL: dict[str, Any] = yaml.safe_load(TEXT)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every node below a value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in entries:
        yield (*path, key)
        yield from nodes(part, (*path, key))


PATHS = list(nodes(ORIGINAL))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-2, 12),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["digits", "low_fidelity", "darts", "all", "auto", ".", "..", "a.b", "1e-3", "* * * * *"]),
    st.lists(st.one_of(st.integers(-1, 3), st.text(max_size=3), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(-1, 3), max_size=2),
    st.just({"name": "printed_digits"}),
)


def damaged(document: Any, path: tuple[Any, ...], how: str, value: Any) -> None:
    """Delete, replace or rename a node."""
    *parents, key = path
    for parent in parents:
        document = document[parent]
    if how == "delete":
        del document[key]
    elif how == "rename" and isinstance(document, dict):
        document[str(value)] = document.pop(key)
    else:
        document[key] = value


def outcome(content: bytes) -> str:
    """Return the error of a file with some content, or an empty text; anything but a SettingsError passes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "params.yaml"
        path.write_bytes(content)
        try:
            load(path)
        except SettingsError as error:
            return str(error)
    return ""


def is_one_line(error: str) -> bool:
    """Return whether an error is nothing, or one line about the file."""
    return error == "" or (error.startswith("params.yaml") and len(error.splitlines()) == 1 and "pydantic" not in error)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(["delete", "replace", "rename"]), VALUES), min_size=1)
)
def test_damaged_nodes(damages: list[tuple[tuple[Any, ...], str, Any]]) -> None:
    document = copy.deepcopy(ORIGINAL)
    for path, how, value in damages[:2]:
        try:
            damaged(document, path, how, value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier damage took the place away
    text = yaml.safe_dump(document, allow_unicode=True)
    assert is_one_line(outcome(text.encode(errors="surrogatepass")))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, len(TEXT)), st.integers(0, 40), st.binary(max_size=6))
def test_damaged_bytes(start: int, length: int, replacement: bytes) -> None:
    content = TEXT.encode()
    assert is_one_line(outcome(content[:start] + replacement + content[start + length :]))
