"""Records that wait in the outbox: each a JSON file, beside it a folder with copies of its files."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nas_core.atomic_files import write_json
from tasks.tracking.record import RunRecord, from_json, to_json

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """A record that waits to be uploaded.

    Args:
        record: the run.
        lineage: its tags of lineage.
        path: the JSON file; what was copied lies beside it, in a folder of the same stem.
    """

    record: RunRecord
    lineage: Mapping[str, str]
    path: Path

    @property
    def folder(self) -> Path:
        """Return the folder with copies of the artifacts and the exported model."""
        return self.path.with_suffix("")

    def artifacts_of(self, record: RunRecord) -> Path:
        """Return the folder with the artifacts of `record`, the entry's own or a child's; it may be absent."""
        return self.folder / record.record_id

    @property
    def model_folder(self) -> Path:
        """Return the folder of the exported model; it may be absent."""
        return self.folder / "model"


@dataclass(frozen=True)
class Receipt:
    """What is left of an entry after its upload."""

    record_id: str
    stage: str
    run_id: str
    uri: str
    sent_at_ms: int
    has_lock_tag: bool


def outbox_folder(root: Path) -> Path:
    """Return the folder of the records that wait."""
    return root / ".work" / "outbox"


def write_entry(entry: Entry, root: Path) -> list[str]:
    """Put `entry` on disk, its files first and the JSON last, so that an entry that is seen is whole.

    Args:
        entry: what to write.
        root: where the paths of the artifacts start.

    Returns:
        The artifacts that are absent, which the run will lack.
    """
    absent = []
    for record in (entry.record, *entry.record.children):
        for artifact in record.artifacts:
            source = root / artifact.path
            if not source.is_file():
                absent.append(artifact.path)
                continue
            target = entry.artifacts_of(record) / artifact.folder
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / source.name)
    write_json(entry.path, {"format": FORMAT, "record": to_json(entry.record), "lineage": dict(entry.lineage)})
    return absent


def read_entry(path: Path) -> Entry:
    """Return the entry that `path` holds.

    Raises:
        ValueError: it is damaged or of another format.
        OSError: it cannot be read.
    """
    document = json.loads(path.read_bytes())
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"{path.name} is not an outbox record of format {FORMAT}")
    if not isinstance(document.get("record"), dict) or not isinstance(document.get("lineage"), dict):
        raise ValueError(f"{path.name} lacks its record or lineage")
    return Entry(from_json(document["record"]), document["lineage"], path)


def waiting_paths(root: Path) -> list[Path]:
    """Return the files of the waiting records, oldest first."""
    found = []
    for path in outbox_folder(root).glob("[!.]*.json"):
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def mark_sent(entry: Entry, run_id: str, uri: str, root: Path) -> None:
    """Replace `entry` by its receipt in sent/; a kill in between is harmless, the next upload finds the run."""
    receipt = Receipt(
        record_id=entry.record.record_id,
        stage=entry.record.stage,
        run_id=run_id,
        uri=uri,
        sent_at_ms=time.time_ns() // 1_000_000,
        has_lock_tag=False,
    )
    write_receipt(receipt, root)
    entry.path.unlink(missing_ok=True)
    shutil.rmtree(entry.folder, ignore_errors=True)


def write_receipt(receipt: Receipt, root: Path) -> None:
    """Put `receipt` on disk in the place of an older one of the same record."""
    write_json(_sent_folder(root) / f"{receipt.record_id}.json", {"format": FORMAT, **vars(receipt)})


def receipts(root: Path) -> list[Receipt]:
    """Return all readable receipts, oldest first."""
    found = []
    for path in _sent_folder(root).glob("[!.]*.json"):
        try:
            document = json.loads(path.read_bytes())
            if document.pop("format") == FORMAT:
                found.append(Receipt(**document))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return sorted(found, key=lambda receipt: (receipt.sent_at_ms, receipt.record_id))


def quarantine(path: Path) -> Path:
    """Rename a damaged file so that nobody reads it again, and return its new path."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    path.rename(aside)
    return aside


def _sent_folder(root: Path) -> Path:
    """Return the folder of the receipts."""
    return outbox_folder(root) / "sent"
