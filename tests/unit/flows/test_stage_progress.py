"""What is printed about the stages of a run."""

from __future__ import annotations

import io
import time

import pytest

from flows.stage_progress import PlainLines, StageProgress, duration, stage_table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (3.24, "3.2 s"), (59.9, "59.9 s"), (245, "4 min 05 s"), (7380, "2 h 03 min")],
)
def test_durations_read_as_people_write_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_rows_follow_the_stages() -> None:
    progress = StageProgress(["prepare", "search"])
    progress.start("prepare")
    progress.start("prepare")
    progress.say("prepare", "half way")
    row = progress.end("prepare", "Completed", "")

    assert (row.state, row.num_attempts, row.text) == ("Completed", 2, "")
    assert row.seconds is not None
    assert progress.rows[1].state == "Waiting"
    assert progress.num_ended == 1


def test_plain_lines_tell_what_ended_and_now_and_then_what_runs() -> None:
    stream = io.StringIO()
    progress = StageProgress(["prepare", "search"])
    with PlainLines(progress, stream, interval_seconds=0.05) as display:
        progress.start("prepare")
        display.note(progress.end("prepare", "Failed", "no such file"))
        progress.start("search")
        progress.say("search", "round 3")
        time.sleep(0.3)

    lines = [line[10:] for line in stream.getvalue().splitlines()]
    assert lines[0] == "[1/2] prepare  Failed  0.0 s: no such file"
    assert lines[1].startswith("running: search 0.")
    assert lines[1].endswith("(round 3)")


def test_the_table_shows_text_of_stages_literally() -> None:
    from rich.console import Console

    progress = StageProgress(["prepare"])
    progress.start("prepare")
    progress.say("prepare", "[red]round[/] 1")
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as capture:
        console.print(stage_table(progress.rows))

    assert "[red]round[/] 1" in capture.get()
