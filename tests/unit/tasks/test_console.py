"""Progress where there is no terminal, and where there is one."""

from __future__ import annotations

import sys

import pytest

from tasks import console
from tasks.console import progress


def test_away_from_a_terminal_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 31.0, 31.0, 40.0, 62.0, 62.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with progress("search", 4) as shown:
        shown.advance()
        shown.advance(note="best 0.5")
        shown.advance()
        shown.advance()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "search  best 0.5: 2/4, 31 s\nsearch: 4/4, 62 s\n"


def test_at_a_terminal_a_bar_that_is_taken_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with progress("search", 4) as shown:
        shown.advance(3, "best 0.5")
    assert shown.done == 3
    assert capsys.readouterr().out == ""
