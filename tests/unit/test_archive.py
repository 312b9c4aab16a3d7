"""The archive on disk: what was appended comes back, whatever happened to the file in between."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from nas_core.architecture import Architecture
from nas_core.archive import Archive, Round
from nas_core.evaluation import Evaluation, Fidelity, Proposal

DESCRIPTION = {"search": "evolution", "seed": 3, "objectives": ["validation_accuracy"]}


def evaluation(number: int, failure: str | None = None) -> Evaluation:
    proposal = Proposal(Architecture("numbers", (number, 1)))
    if failure is not None:
        return Evaluation(proposal, seconds=0.5, failure=failure)
    return Evaluation(proposal, {"validation_accuracy": number / 7, "flops": 12}, seconds=0.25)


ROUNDS = (
    Round(0, 2, (evaluation(0), evaluation(1))),
    Round(1, 3, (evaluation(2, failure="RuntimeError: out of memory"), evaluation(3))),
    Round(2, 1, (evaluation(4),)),
)


def opened_rounds(path: Path) -> list[Round]:
    """Return the rounds of a file, opened as its search would."""
    archive = Archive(path, DESCRIPTION)
    archive.close()
    return list(archive.rounds)


def damaged_copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))


@pytest.fixture
def never_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the disk where a file is written hundreds of times."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds ROUNDS."""
    archive = Archive(tmp_path / "archive.jsonl", DESCRIPTION)
    for finished in ROUNDS:
        archive.append(finished)
    archive.close()
    return tmp_path / "archive.jsonl"


def test_what_was_appended_comes_back(path: Path) -> None:
    archive = Archive(path, DESCRIPTION)
    assert list(archive.rounds) == list(ROUNDS)
    assert archive.num_evaluations == 5
    assert archive.evaluations() == [each for finished in ROUNDS for each in finished.evaluations]
    archive.close()


def test_all_parts_of_a_proposal_come_back(tmp_path: Path) -> None:
    parent = Architecture("a:b", (7,))
    proposal = Proposal(Architecture("a:b", (8,)), Fidelity(3, 0.1, 1 / 3), parent, ("wider", "deeper"))
    finished = Round(0, 1, (Evaluation(proposal, {"x": 0.1 + 0.2}, seconds=2.0),))
    archive = Archive(tmp_path / "a", DESCRIPTION)
    archive.append(finished)
    archive.close()
    assert opened_rounds(tmp_path / "a") == [finished]


def test_opening_changes_no_byte_of_a_whole_file(path: Path) -> None:
    content = path.read_bytes()
    opened_rounds(path)
    assert path.read_bytes() == content
    assert damaged_copies(path) == []


def test_every_line_has_the_crc_32_of_what_stands_before_it(path: Path) -> None:
    for line in path.read_text().splitlines():
        body = line[: line.index(', "crc32"')]
        assert json.loads(line)["crc32"] == zlib.crc32(body.encode())


def test_an_archive_without_a_file_remembers_all_the_same() -> None:
    archive = Archive()
    for finished in ROUNDS:
        archive.append(finished)
    assert list(archive.rounds) == list(ROUNDS)


def test_rounds_come_in_order_and_none_after_closing(path: Path) -> None:
    archive = Archive(path, DESCRIPTION)
    with pytest.raises(ValueError, match="round 7 cannot follow 3 finished rounds"):
        archive.append(Round(7, 1, (evaluation(9),)))
    archive.close()
    archive.close()
    with pytest.raises(ValueError, match=r"archive\.jsonl was closed; open the archive again"):
        archive.append(Round(3, 1, (evaluation(9),)))
    assert opened_rounds(path) == list(ROUNDS)


@pytest.mark.usefixtures("never_synced")
def test_cut_at_any_byte_it_opens_to_the_finished_rounds_and_can_be_completed(path: Path) -> None:
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    ends = [len(b"".join(lines[:number])) for number in (1, 3, 5, 6)]  # of the header and of each round
    for length in range(len(content)):
        path.write_bytes(content[:length])
        archive = Archive(path, DESCRIPTION)
        num_whole = sum(end <= length for end in ends[1:])
        assert list(archive.rounds) == list(ROUNDS[:num_whole]), length
        for finished in ROUNDS[num_whole:]:
            archive.append(finished)
        archive.close()
        assert path.read_bytes() == content, length
    assert damaged_copies(path) == []


@pytest.mark.usefixtures("never_synced")
def test_any_altered_byte_is_noticed_and_costs_no_round_before_it(path: Path) -> None:
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    round_of_line = [-1, 0, 0, 1, 1, 2]
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    for position in range(len(content)):
        altered = bytearray(content)
        altered[position] ^= 0x01
        path.write_bytes(altered)
        rounds = opened_rounds(path)
        line = max(number for number, start in enumerate(starts) if start <= position)
        assert rounds == list(ROUNDS[: max(round_of_line[line], 0)]), position
        # the last line without its newline looks like one that a kill has torn
        aside = [] if position == len(content) - 1 else [bytes(altered)]
        assert [copy.read_bytes() for copy in damaged_copies(path)] == aside, position
        for copy in damaged_copies(path):
            copy.unlink()


def test_a_damaged_file_is_copied_aside_once_and_can_be_completed(path: Path) -> None:
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    lines[3] = lines[3].replace(b"out of memory", b"0ut of memory")
    for _ in range(2):
        path.write_bytes(b"".join(lines))
        archive = Archive(path, DESCRIPTION)
        assert list(archive.rounds) == [ROUNDS[0]]
        for finished in ROUNDS[1:]:
            archive.append(finished)
        archive.close()
        assert path.read_bytes() == content
        assert [copy.read_bytes() for copy in damaged_copies(path)] == [b"".join(lines)]


def test_lines_that_are_missing_or_stand_twice_are_damage(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    assert opened_rounds(path) == [ROUNDS[0]]
    path.write_bytes(b"".join([*lines[:3], *lines]))
    assert opened_rounds(path) == [ROUNDS[0]]
    assert len(damaged_copies(path)) == 2


@pytest.mark.parametrize("content", [b"notes of somebody", b"\n", b"notes\nof somebody\n", b"\x00" * 50])
def test_a_file_of_another_kind_is_copied_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert opened_rounds(path) == []
    assert [copy.read_bytes() for copy in damaged_copies(path)] == [content]


def test_the_file_of_another_search_is_refused_and_left_alone(path: Path) -> None:
    content = path.read_bytes()
    with pytest.raises(ValueError, match=r"archive\.jsonl belongs to another search .*'seed': 3.*; move it away"):
        Archive(path, {**DESCRIPTION, "seed": 4})
    assert path.read_bytes() == content


def test_another_format_is_refused_and_left_alone(path: Path) -> None:
    body = json.dumps({"format": 2, "search": DESCRIPTION})[:-1]
    content = f'{body}, "crc32": {zlib.crc32(body.encode())}}}\n'.encode()
    path.write_bytes(content)
    with pytest.raises(ValueError, match="has archive format 2, this version reads 1; move it away"):
        Archive(path, DESCRIPTION)
    assert path.read_bytes() == content


def test_a_disk_that_fills_up_amid_a_line_keeps_the_earlier_rounds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = path.read_bytes()
    archive = Archive(path, DESCRIPTION)
    write, left = os.write, [40, 0]

    def write_until_full(descriptor: int, data: bytes) -> int:
        room = left.pop(0)
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:room])

    monkeypatch.setattr(os, "write", write_until_full)
    with pytest.raises(OSError, match=r"No space left on device; earlier rounds are safe: .* run the same"):
        archive.append(Round(3, 1, (evaluation(9),)))
    monkeypatch.undo()
    assert path.read_bytes() == content
    assert len(archive.rounds) == 3
    archive.append(Round(3, 1, (evaluation(9),)))
    archive.close()
    assert opened_rounds(path) == [*ROUNDS, Round(3, 1, (evaluation(9),))]


def test_a_limit_on_the_size_of_files_keeps_the_earlier_rounds(path: Path) -> None:
    content = path.read_bytes()
    limit = len(content) + 40
    program = f"""
import resource, signal, sys
from pathlib import Path
from nas_core.architecture import Architecture
from nas_core.archive import Archive, Round
from nas_core.evaluation import Evaluation, Proposal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
archive = Archive(Path(sys.argv[1]), {DESCRIPTION!r})
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    archive.append(Round(3, 1, (Evaluation(Proposal(Architecture("numbers", (9, 1))), failure="x" * 100),)))
except OSError as error:
    print(error.errno, len(archive.rounds))
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert done.stdout == f"{errno.EFBIG} 3\n"
    assert path.read_bytes() == content


def test_a_short_write_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    archive = Archive(tmp_path / "a", DESCRIPTION)
    for finished in ROUNDS:
        archive.append(finished)
    archive.close()
    monkeypatch.undo()
    assert opened_rounds(tmp_path / "a") == list(ROUNDS)


def test_a_round_is_synced_before_append_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(path, DESCRIPTION)
    sizes: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    archive.append(Round(3, 1, (evaluation(9),)))
    archive.close()
    assert sizes == [path.stat().st_size]
