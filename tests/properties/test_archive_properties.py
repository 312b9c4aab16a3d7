"""Laws of the archive, for rounds of any content and damage of any kind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.architecture import Architecture
from nas_core.archive import Archive, Round
from nas_core.evaluation import Evaluation, Fidelity, Proposal

DESCRIPTION = {"search": "any", "seed": 0}

architectures = st.builds(
    Architecture, st.text(min_size=1, max_size=5), st.lists(st.integers(0, 99), min_size=1, max_size=4).map(tuple)
)
fidelities = st.builds(Fidelity, st.integers(1, 9), st.floats(0.01, 1.0), st.floats(0.1, 4.0))
proposals = st.builds(
    Proposal,
    architectures,
    st.none() | fidelities,
    st.none() | architectures,
    st.lists(st.text(max_size=5), max_size=3).map(tuple),
)
# microseconds are all that is kept of the clock
seconds = st.integers(0, 10**9).map(lambda number: round(number / 1e6, 6))
scores = st.dictionaries(
    st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False) | st.integers(), min_size=1, max_size=3
)
evaluations = st.builds(Evaluation, proposals, scores, seconds) | st.builds(
    lambda proposal, clock, failure: Evaluation(proposal, seconds=clock, failure=failure),
    proposals,
    seconds,
    st.text(max_size=20),
)


@st.composite
def courses(draw: st.DrawFn) -> list[Round]:
    """Draw rounds as a search plays them."""
    sizes = draw(st.lists(st.integers(1, 3), max_size=4))
    return [
        Round(number, draw(st.integers(size, 5)), tuple(draw(evaluations) for _ in range(size)))
        for number, size in enumerate(sizes)
    ]


def write(path: Path, rounds: list[Round]) -> bytes:
    """Add rounds to a file and return its content."""
    archive = Archive(path, DESCRIPTION)
    for finished in rounds:
        archive.append(finished)
    archive.close()
    return path.read_bytes()


def read(path: Path) -> list[Round]:
    archive = Archive(path, DESCRIPTION)
    archive.close()
    return list(archive.rounds)


@given(courses())
@settings(max_examples=40, deadline=None)
def test_any_rounds_come_back_exactly(course: list[Round]) -> None:
    with tempfile.TemporaryDirectory() as folder, patch("os.fsync"), patch("os.fdatasync"):
        write(Path(folder, "a"), course)
        assert read(Path(folder, "a")) == course


@given(courses(), st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_damaged_a_prefix_comes_back_and_nothing_is_lost(course: list[Round], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, patch("os.fsync"), patch("os.fdatasync"):
        path = Path(folder, "a")
        content = write(path, course)
        start = data.draw(st.integers(0, len(content)), "start")
        end = data.draw(st.integers(start, len(content)), "end")
        damaged = content[:start] + data.draw(st.binary(max_size=30), "in their place") + content[end:]
        path.write_bytes(damaged)
        rounds = read(path)
        assert rounds == course[: len(rounds)]
        kept, copies = path.read_bytes(), list(Path(folder).glob("a.damaged-*"))
        # what was cut is a torn end, or the whole file was copied aside
        assert copies or damaged.startswith(kept) or content.startswith(damaged)
        assert [copy.read_bytes() for copy in copies] in ([], [damaged])
        assert write(path, course[len(rounds) :]) == content
