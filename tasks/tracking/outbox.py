"""Stages submit their records here; they are uploaded where that is cheap, together, and never at a result's cost.

Importing MLflow and opening its store costs about two seconds of CPU a process, a record some 0.1 s. So a short stage
only writes its record, in milliseconds, and a process that has enough to upload, or is told to drain, uploads all that
waits. One process at a time does so; another that finds it busy leaves its record to it.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.tracking import entries
from tasks.tracking.entries import Entry
from tasks.tracking.faults import check_reachable, explain
from tasks.tracking.lineage import DVC_STAGE_VARIABLE, LOCK_TAG, lineage_tags, lock_entry_md5
from tasks.tracking.locking import held
from tasks.tracking.model import LoadNetwork, export_model
from tasks.tracking.publish import publish
from tasks.tracking.record import ModelRecord, RunRecord
from tasks.tracking.settings import TrackingSettings
from tasks.tracking.store import Store, open_store, quiet_mlflow

LOGGER = logging.getLogger(__name__)
DRAIN_WAIT_SECONDS = 60.0
# Two seconds of start-up are then at most a thirtieth of the time that the waiting stages took.
WORTHWHILE_SECONDS = 60.0
LATER = "results are safe; upload later with: python -m tasks.tracking"


@dataclass(frozen=True)
class DrainResult:
    """What a drain did.

    Args:
        sent: names of the runs that are in MLflow now.
        num_waiting: how many records still wait.
    """

    sent: tuple[str, ...]
    num_waiting: int


def submit(record: RunRecord, root: Path, settings: TrackingSettings, load_network: LoadNetwork | None = None) -> None:
    """Take the record of a stage whose results are on disk; never raises for a fault of tracking.

    Its files are copied now, since the next run of the stage removes them. It is uploaded now where a person runs the
    stage by hand, or where the stages that wait took long enough; otherwise by a later stage or `drain`.

    Args:
        record: what to log.
        root: the checkout.
        settings: where to.
        load_network: builds the network of `record.model` from its folder; needed where there is a model.
    """
    path = entries.outbox_folder(root) / f"{record.record_id}.json"
    with _warned(f"MLflow: {record.name} was not recorded", "results are safe; run the stage again to record it"):
        entry = Entry(record, lineage_tags(record, root), path)
        if record.model is not None:
            with _warned(f"MLflow: the network of {record.name} was not exported", "its run is logged without it"):
                _export(entry, record.model, load_network, root)
        for name in entries.write_entry(entry, root):
            LOGGER.warning("MLflow: %s lacks %s, which does not exist; its run is logged without it", record.name, name)
    with _warned("MLflow: nothing was uploaded", LATER):
        if _is_worthwhile(_waiting(root)):
            _upload(root, settings, wait_seconds=0)


def drain(root: Path, settings: TrackingSettings) -> DrainResult:
    """Upload every record that waits, after whoever is doing so; never raises for a fault of tracking.

    Args:
        root: the checkout.
        settings: where to.
    """
    sent: tuple[str, ...] = ()
    with _warned("MLflow: nothing was uploaded", LATER):
        sent = _upload(root, settings, wait_seconds=DRAIN_WAIT_SECONDS)
    return DrainResult(sent, len(entries.waiting_paths(root)))


@contextmanager
def _warned(what: str, remedy: str) -> Iterator[None]:
    """Turn whatever is raised inside into one line: tracking is a view of results, and must not cost one."""
    try:
        yield
    except Exception as error:
        LOGGER.warning("%s (%s); %s", what, explain(error), remedy)


def _export(entry: Entry, model: ModelRecord, load_network: LoadNetwork | None, root: Path) -> None:
    """Export the entry's network into its folder, unless an earlier submission did."""
    if entry.model_folder.exists():
        return
    if load_network is None:
        raise ValueError("load_network is None; pass the function that builds the network from its folder")
    entry.folder.mkdir(parents=True, exist_ok=True)
    unfinished = entry.folder / f"model.new-{time.time_ns()}"
    export_model(model, load_network, root, unfinished)
    unfinished.rename(entry.model_folder)


def _is_worthwhile(waiting: Sequence[Entry]) -> bool:
    """Return whether to upload now: run by hand, or stages that took ten times what uploading costs."""
    by_hand = not os.environ.get(DVC_STAGE_VARIABLE)
    return bool(waiting) and (by_hand or sum(entry.record.seconds for entry in waiting) >= WORTHWHILE_SECONDS)


def _waiting(root: Path) -> list[Entry]:
    """Return the records that wait, oldest first; damaged ones are set aside."""
    found = []
    for path in entries.waiting_paths(root):
        try:
            found.append(entries.read_entry(path))
        except FileNotFoundError:
            continue
        except ValueError as error:
            aside = entries.quarantine(path)
            LOGGER.warning("MLflow: a waiting record is damaged (%s); it is now %s", explain(error), aside.name)
    return found


def _upload(root: Path, settings: TrackingSettings, wait_seconds: float) -> tuple[str, ...]:
    """Upload until nothing new waits; returns the names of the runs."""
    sent: list[str] = []
    tried: set[str] = set()
    lock = entries.outbox_folder(root) / "lock"
    # A record that came while the lock was held, after the last look, was left to this process: look once more.
    while any(path.stem not in tried for path in entries.waiting_paths(root)):
        with held(lock, wait_seconds) as got:
            if not got:
                if wait_seconds:
                    LOGGER.warning("MLflow: another process has been uploading for %.0f s; %s", wait_seconds, LATER)
                break
            fresh = [entry for entry in _waiting(root) if entry.path.stem not in tried]
            if not fresh:
                continue
            tried.update(entry.path.stem for entry in fresh)
            with quiet_mlflow():
                store = open_store(settings, root)
                sent += _publish_each(fresh, store, root)
                _tag_lock_entries(store, root)
    return tuple(sent)


def _publish_each(fresh: Sequence[Entry], store: Store, root: Path) -> list[str]:
    """Upload these records; one that MLflow refuses waits, and a store that went away ends it."""
    sent = []
    for entry in fresh:
        try:
            result = publish(entry, store)
        except Exception as error:
            check_reachable(store.uri)
            if isinstance(error, OSError) or _is_unavailable(error):
                raise
            LOGGER.warning("MLflow: %s was not uploaded (%s); %s", entry.record.name, explain(error), LATER)
            continue
        entries.mark_sent(entry, result.run_id, store.uri, root)
        sent.append(entry.record.name)
    return sent


def _is_unavailable(error: Exception) -> bool:
    """Return whether MLflow says that its store, and not this record, is at fault."""
    from mlflow.exceptions import MlflowException

    return isinstance(error, MlflowException) and error.error_code == "TEMPORARILY_UNAVAILABLE"


def _tag_lock_entries(store: Store, root: Path) -> None:
    """Tag uploaded runs with the md5 of their dvc.lock entry, which DVC writes only after a stage has ended.

    The newest run of a stage is what dvc.lock describes; the stage that runs now is left for the next time.
    """
    newest = {receipt.stage: receipt for receipt in entries.receipts(root)}
    for stage, receipt in newest.items():
        if receipt.has_lock_tag or receipt.uri != store.uri or stage == os.environ.get(DVC_STAGE_VARIABLE):
            continue
        md5 = lock_entry_md5(root, stage)
        if md5 is not None:
            store.client.set_tag(receipt.run_id, LOCK_TAG, md5)
            entries.write_receipt(replace(receipt, has_lock_tag=True), root)
