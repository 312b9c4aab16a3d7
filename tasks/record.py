"""Hands what a stage has done to tracking, once its results are on disk."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.stage import Stage
from tasks.tracking import outbox
from tasks.tracking.lineage import output_digests
from tasks.tracking.record import ArtifactRecord, DatasetRecord, ModelRecord, RunRecord
from tasks.tracking.settings import TrackingSettings

Curve = tuple[tuple[int, float], ...]


def submit(
    stage: Stage,
    started: float,
    *,
    identity: object,
    parameters: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    curves: Mapping[str, Curve] | None = None,
    inputs: Sequence[str] = (),
    artifacts: Sequence[ArtifactRecord] = (),
    children: Sequence[RunRecord] = (),
    model: ModelRecord | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Submit one run for a stage; a fault of tracking costs a warning, never a result.

    Args:
        stage: what has finished.
        started: `time.time()` when it began.
        identity: the settings that decide its results; they are logged as parameters, flattened.
        parameters: further parameters.
        metrics: final numbers.
        curves: points (step, value) by name.
        inputs: folders that were read, relative to the root; logged as data sets, with DVC's digest
            where dvc.lock has one.
        artifacts: files to keep beside the run.
        children: trained candidates.
        model: the network to register.
        tags: searchable words.
    """
    digests = {path: _digest(stage, path) for path in inputs}
    in_dvc = output_digests(stage.root)
    record = RunRecord(
        stage=stage.name,
        name=stage.name,
        start_time_ms=int(started * 1000),
        end_time_ms=int(time.time() * 1000),
        parameters={**flattened(identity), **(parameters or {})},
        metrics=dict(metrics or {}),
        curves=dict(curves or {}),
        inputs=digests,
        datasets=tuple(DatasetRecord(path, in_dvc.get(path, own), path, stage.name) for path, own in digests.items()),
        artifacts=tuple(artifacts),
        children=tuple(children),
        model=model,
        tags=dict(tags or {}),
    )
    from tasks.candidate import load_network

    outbox.submit(record, stage.root, tracking_settings(stage), load_network)


def tracking_settings(stage: Stage) -> TrackingSettings:
    """Return where a stage's runs are tracked."""
    chosen = stage.settings.tracking
    return TrackingSettings(chosen.uri, chosen.experiment, chosen.registered_model)


def child(stage: Stage, name: str, started: float, **fields: Any) -> RunRecord:
    """Return the nested run of one trained candidate."""
    return RunRecord(
        stage=stage.name,
        name=name,
        start_time_ms=int(started * 1000),
        end_time_ms=int(time.time() * 1000),
        **fields,
    )


def flattened(value: object, prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one with dotted names; lists as text."""
    if isinstance(value, Mapping):
        flat: dict[str, Any] = {}
        for key, part in value.items():
            flat.update(flattened(part, f"{prefix}.{key}" if prefix else str(key)))
        return flat
    if isinstance(value, list | tuple):
        return {prefix: json.dumps(value)}
    return {prefix: value} if prefix else {}


def _digest(stage: Stage, path: str) -> str:
    """Return the md5 of a file, or of the manifest of a folder: the same in any checkout, whatever DVC knows of it."""
    target = stage.root / path
    target = target / "manifest.json" if target.is_dir() else target
    return hashlib.md5(target.read_bytes(), usedforsecurity=False).hexdigest()
