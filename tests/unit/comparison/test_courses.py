"""Courses: what was reached when, and what of them survives on disk."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tasks.comparison.course import Course, Step, from_json, values_on
from tasks.comparison.courses_file import CoursesFile

FIRST = Course(0, (Step(1.0, 0.5, 0.25), Step(3.0, 0.75, 0.5)), 4, 1, 3, 0, 0.125)
SECOND = Course(1, (Step(2.0, 0.25, None),), 4, 0, 4, 2, 0.5)


def test_a_step_counts_until_the_next() -> None:
    assert [FIRST.at(cost) for cost in (0.5, 1, 2.9, 3, 9)] == [None, *FIRST.steps[:1] * 2, *FIRST.steps[1:] * 2]


def test_values_at_costs() -> None:
    costs = np.array([0.5, 1.0, 2.0, 3.0, 4.0])
    nan = math.nan
    np.testing.assert_equal(
        values_on([FIRST, SECOND], costs), [[nan, 0.5, 0.5, 0.75, 0.75], [nan, nan, 0.25, 0.25, 0.25]]
    )
    np.testing.assert_equal(values_on([FIRST], costs, reported=True), [[nan, 0.25, 0.25, 0.5, 0.5]])
    assert np.isnan(values_on([Course(2, (), 4, 4, 4, 0, 0.1)], costs)).all()


def test_a_course_comes_back_from_json() -> None:
    assert from_json(FIRST.to_json()) == FIRST


def test_courses_are_kept_in_the_order_of_their_seeds(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "x.jsonl"
    kept = CoursesFile(path)
    assert kept.courses == {}
    kept.add([SECOND])
    kept.add([FIRST])
    assert list(kept.courses.items()) == [(0, FIRST), (1, SECOND)]
    assert list(CoursesFile(path).courses.items()) == [(0, FIRST), (1, SECOND)]


def test_a_torn_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    CoursesFile(path).add([FIRST, SECOND])
    whole = path.read_bytes()
    first = whole.splitlines(keepends=True)[0]
    for length in range(len(first) + 1, len(whole)):
        path.write_bytes(whole[:length])
        kept = CoursesFile(path)
        assert kept.courses == {0: FIRST}
        assert path.read_bytes() == first
    kept.add([SECOND])
    assert path.read_bytes() == whole
    assert [each.name for each in tmp_path.iterdir()] == ["x.jsonl"]


def test_a_damaged_line_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    CoursesFile(path).add([FIRST, SECOND])
    damaged = path.read_bytes().replace(b"0.75", b"0.95")
    path.write_bytes(damaged)
    assert CoursesFile(path).courses == {1: SECOND}
    (aside,) = tmp_path.glob("x.jsonl.damaged-*")
    assert aside.read_bytes() == damaged


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.symlink_to("/dev/full")
    kept = CoursesFile.__new__(CoursesFile)
    kept.path = path
    with pytest.raises(OSError):
        kept.add([FIRST])
