"""The archive of a search: every evaluation of every finished round, append-only, in memory and on disk."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nas_core.architecture import Architecture
from nas_core.atomic_files import sync_folder
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.quarantine import quarantine

FORMAT = 1
_CHECKSUM = ', "crc32": '


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of the loop.

    Attributes:
        number: counted from 0.
        asked: how many proposals the strategy was asked for.
        evaluations: what came of those that it gave.
    """

    number: int
    asked: int
    evaluations: tuple[Evaluation, ...]


class Archive:
    """The finished rounds of one search.

    On disk it is JSON lines: a header, then a line an evaluation, each with a CRC-32. A round is written with one call
    and synced before `append` returns, so that a crash costs at most the round in flight. When a file is opened, an
    unfinished last round (a torn line, or lines of it missing) is cut off. Where a line before that is damaged, the
    file is copied aside and cut before the damage; the search plays those rounds again.
    """

    def __init__(self, path: Path | None = None, description: Mapping[str, Any] | None = None) -> None:
        """Open an archive.

        Args:
            path: the file, made if absent; None keeps the archive in memory only.
            description: JSON values that identify the search; a file of another search is refused.

        Raises:
            ValueError: if the file holds another search or another format.
        """
        self._rounds: list[Round] = []
        self._num_evaluations = 0
        self._descriptor: int | None = None
        self.path = path
        if path is not None:
            self._open(path, dict(description or {}))

    @property
    def rounds(self) -> Sequence[Round]:
        """The finished rounds."""
        return self._rounds

    @property
    def num_evaluations(self) -> int:
        """How many evaluations the finished rounds hold."""
        return self._num_evaluations

    def evaluations(self) -> list[Evaluation]:
        """Return all evaluations in order."""
        return [evaluation for finished in self._rounds for evaluation in finished.evaluations]

    def append(self, finished: Round) -> None:
        """Add a round; on disk before this returns, if the archive has a file.

        Raises:
            OSError: if it cannot be written (a full disk, say); the file keeps its earlier rounds.
        """
        if finished.number != len(self._rounds):
            raise ValueError(f"round {finished.number} cannot follow {len(self._rounds)} finished rounds")
        if self.path is not None:
            self._write("".join(map(_sealed, _lines(finished))).encode())
        self._rounds.append(finished)
        self._num_evaluations += len(finished.evaluations)

    def close(self) -> None:
        """Close the file, if any."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self, path: Path, description: dict[str, Any]) -> None:
        content = path.read_bytes() if path.exists() else b""
        end = content.find(b"\n") + 1
        header = _opened(content[:end])
        own_header = _sealed({"format": FORMAT, "search": description}).encode()
        if header is None and not own_header.startswith(content):
            quarantine(path, content)
        elif header is not None and header.get("format") != FORMAT:
            raise ValueError(
                f"{path} has archive format {header.get('format')}, this version reads {FORMAT}; move it away"
            )
        elif header is not None and header.get("search") != json.loads(json.dumps(description)):
            raise ValueError(
                f"{path} belongs to another search ({header.get('search')}); move it away or use its settings"
            )
        keep = 0 if header is None else self._read(path, content, end)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        if keep < len(content):
            os.ftruncate(self._descriptor, keep)
            os.fsync(self._descriptor)
        if keep == 0:
            self._write(own_header)
            sync_folder(path.parent)

    def _read(self, path: Path, content: bytes, start: int) -> int:
        """Read the rounds from byte `start` on; return the byte after the last finished one."""
        keep, position, pending = start, start, list[Evaluation]()
        while (end := content.find(b"\n", position) + 1) > 0:
            line = _opened(content[position:end])
            expected = (len(self._rounds), len(pending))
            if line is None or (line.get("round"), line.get("index")) != expected:
                quarantine(path, content)
                break
            pending.append(_evaluation(line))
            position = end
            if len(pending) == line["of"]:
                self._rounds.append(Round(line["round"], line["asked"], tuple(pending)))
                self._num_evaluations += len(pending)
                keep, pending = end, []
        return keep

    def _write(self, data: bytes) -> None:
        if self._descriptor is None:
            raise ValueError(f"{self.path} was closed; open the archive again to add to it")
        length = os.fstat(self._descriptor).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
            os.fdatasync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, length)
            remedy = "earlier rounds are safe: make the disk writable and run the same command again"
            raise OSError(error.errno, f"{error.strerror}; {remedy}", str(self.path)) from error


def _lines(finished: Round) -> list[dict[str, Any]]:
    of = len(finished.evaluations)
    lines = []
    for index, evaluation in enumerate(finished.evaluations):
        proposal = evaluation.proposal
        line: dict[str, Any] = {"round": finished.number, "index": index, "of": of, "asked": finished.asked}
        line["architecture"] = proposal.architecture.key
        if proposal.fidelity is not None:
            line["fidelity"] = asdict(proposal.fidelity)
        if proposal.parent is not None:
            line["parent"] = proposal.parent.key
        if proposal.morphisms:
            line["morphisms"] = list(proposal.morphisms)
        if evaluation.failure is None:
            line["scores"] = dict(evaluation.scores)
        else:
            line["failure"] = evaluation.failure
        line["seconds"] = round(evaluation.seconds, 6)
        lines.append(line)
    return lines


def _evaluation(line: Mapping[str, Any]) -> Evaluation:
    fidelity = line.get("fidelity")
    parent = line.get("parent")
    proposal = Proposal(
        Architecture.from_key(line["architecture"]),
        None if fidelity is None else Fidelity(**fidelity),
        None if parent is None else Architecture.from_key(parent),
        tuple(line.get("morphisms", ())),
    )
    return Evaluation(proposal, line.get("scores", {}), line["seconds"], line.get("failure"))


def _sealed(value: dict[str, Any]) -> str:
    """Return the JSON line of a value, with its checksum as the last member."""
    body = json.dumps(value, allow_nan=False)[:-1]
    return f"{body}{_CHECKSUM}{zlib.crc32(body.encode())}}}\n"


def _opened(line: bytes) -> dict[str, Any] | None:
    """Return the value of a JSON line, or None if it is torn or altered."""
    body, separator, checksum = line.rpartition(_CHECKSUM.encode())
    if not separator or checksum != f"{zlib.crc32(body)}}}\n".encode():
        return None
    value: dict[str, Any] = json.loads(body + b"}")
    return value
