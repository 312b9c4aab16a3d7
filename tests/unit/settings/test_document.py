"""The file itself: not YAML, not text, too large, or made to fill the memory of who reads it."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.settings import SettingsError
from tasks.settings.document import MAX_BYTES, MAX_DEPTH, read

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
RECURSIVE = "a: &a [*a]"

BAD = [
    ("", "params.yaml is empty; restore it"),
    ("# only a comment\n", "params.yaml is empty; restore it"),
    ("- 1\n", "params.yaml holds [1]; it must be a mapping of sections"),
    ("hello", "params.yaml holds 'hello'; it must be a mapping of sections"),
    (b"prepare: \xff", "params.yaml is not UTF-8 text (byte 9); save it as UTF-8"),
    ("prepare: {}".encode("utf-16"), "params.yaml is not UTF-8 text (byte 0); save it as UTF-8"),
    (
        "prepare: [1, 2\nsearch: 3\n",
        "params.yaml line 2, column 7: expected ',' or ']', but got ':'; mend the YAML there",
    ),
    (
        "prepare:\n\tdataset: digits\n",
        "params.yaml line 2, column 1: found character '\\t' that cannot start any token; mend the YAML there",
    ),
    (
        "a: \x00",
        "params.yaml is not YAML (unacceptable character #x0000: special characters are not allowed); mend or restore "
        "it",
    ),
    ("a: 1\n---\nb: 2\n", "params.yaml line 2, column 1: but found another document; mend the YAML there"),
    ("a: 1\nb: 2\na: 3\n", "params.yaml line 3, column 1: key 'a' stands twice; keep one"),
    ("a: {b: 1, 'b': 2}", "params.yaml line 1, column 11: key 'b' stands twice; keep one"),
    ("a: &x 1\nb: *x\n", "params.yaml line 2, column 4: alias *x; aliases are not allowed, write the value out"),
    (
        "a: &x {b: 1}\nc: {<<: *x}",
        "params.yaml line 2, column 9: alias *x; aliases are not allowed, write the value out",
    ),
    (BOMB, "params.yaml line 2, column 8: alias *a; aliases are not allowed, write the value out"),
    (RECURSIVE, "params.yaml line 1, column 8: alias *a; aliases are not allowed, write the value out"),
    (
        "a: !!python/object/apply:os.system [x]",
        "params.yaml line 1, column 4: tag 'tag:yaml.org,2002:python/object/apply:os.system'; tags are not allowed, "
        "write a plain value",
    ),
    (
        "a: !!set {x}",
        "params.yaml line 1, column 4: tag 'tag:yaml.org,2002:set'; tags are not allowed, write a plain value",
    ),
    ("1: 2", "params.yaml: key 1 is no word; quote or rename it"),
    ("a: {b: {~: 2}}", "params.yaml: key null in a.b is no word; quote or rename it"),
    ("true: 2", "params.yaml: key true is no word; quote or rename it"),
    ('"a\\nb": 2', "params.yaml: key 'a\\nb' is no word; quote or rename it"),
    ("? [1]\n: 2\n", "params.yaml line 1, column 3: a key is a list or a mapping; keys are words"),
    ("a: [1, .nan]", "params.yaml: a.1 is nan; write a finite number"),
    ("a: {b: -.inf}", "params.yaml: a.b is -inf; write a finite number"),
    ("a: 1e999", "params.yaml: a is inf; write a finite number"),
    ("a: 0x8000000000000000", "params.yaml: a is beyond 9223372036854775807; write a smaller number"),
    ("a: " + "9" * 5000, "params.yaml: a is beyond 9223372036854775807; write a smaller number"),
    ('a: "\\ud800"', "params.yaml: a is '\\ud800'; it holds half a character, write the text out"),
    ("#" * (MAX_BYTES + 1), "params.yaml has more than 20000 bytes; this is not a file of settings"),
    ("[" * 9000, f"params.yaml line 1, column {MAX_DEPTH + 1}: nested deeper than 20 levels; flatten it"),
    ("{a: " * 4000, "params.yaml line 1, column 81: nested deeper than 20 levels; flatten it"),
]


@pytest.mark.parametrize(("content", "line"), BAD)
def test_a_bad_file_is_one_line(content: str | bytes, line: str, error_of: Callable[[str | bytes], str]) -> None:
    assert error_of(content) == line


@pytest.mark.parametrize(
    "content",
    [BOMB, "[" * (MAX_BYTES - 1), "a: [" + "1," * 9000 + "]", "a: {" + "b" * 15_000, "#" * 50_000_000],
    ids=["aliases", "brackets", "a long list", "a long key", "fifty million bytes"],
)
def test_no_file_costs_much_time(content: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content)
    started = time.process_time()
    with contextlib.suppress(SettingsError):
        read(path)
    assert time.process_time() - started < 5  # half a second


@pytest.mark.parametrize("content", [BOMB, "#" * 50_000_000], ids=["aliases", "fifty million bytes"])
def test_no_file_fills_the_memory(content: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content)
    tracemalloc.start()
    try:
        with pytest.raises(SettingsError):
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.yaml cannot be read \(No such file or directory\); run in the"):
        read(tmp_path / "absent.yaml")
    with pytest.raises(SettingsError, match="cannot be read"):
        read(tmp_path)


def test_plain_values_are_what_they_look_like(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(
        b"\xef\xbb\xbf"
        b"numbers: [1e-3, -2.5E+2, .5, 5., 0o17, 0x1f, 010, +3, -0]\r\n"
        b"words: [no, yes, on, 1:30, 2024-01-01, 2024-13-45, 1_000, '1', <<, =, 0b1]\r\n"
        b"rest: [true, False, null, ~, ]\r\n"
    )
    document = read(path)
    assert document["numbers"] == [0.001, -250.0, 0.5, 5.0, 15, 31, 10, 3, 0]
    words = ["no", "yes", "on", "1:30", "2024-01-01", "2024-13-45", "1_000", "1", "<<", "=", "0b1"]
    assert document["words"] == words
    assert document["rest"] == [True, False, None, None]
