"""Upload one record to MLflow, exactly once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

from tasks.tracking.entries import Entry
from tasks.tracking.lineage import RECORD_TAG
from tasks.tracking.model import register_model, unregister_models
from tasks.tracking.record import DatasetRecord, RunRecord
from tasks.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Metric

# MLflow refuses more in one batch.
NUM_METRICS_A_BATCH = 800
NUM_PARAMETERS_A_BATCH = 100

Item = TypeVar("Item")


@dataclass(frozen=True)
class PublishResult:
    """Where a record is in MLflow.

    Args:
        run_id: the stage's run.
        created: whether this call uploaded it; False where it was there.
        num_runs: how many runs this call made, children included.
    """

    run_id: str
    created: bool
    num_runs: int


def publish(entry: Entry, store: Store) -> PublishResult:
    """Upload the run of `entry`, its children and its model, unless a finished run with its record id is there.

    The run is marked finished last. One that an interrupted upload left unfinished is deleted, with its children and
    its registered model, and made again. The caller sees to it that no other process uploads the same entry.

    Args:
        entry: what to upload.
        store: where to.

    Raises:
        Exception: whatever MLflow raises; nothing on disk is changed.
    """
    for run_id, status in _runs_of(store, RECORD_TAG, entry.record.record_id):
        if status == "FINISHED":
            return PublishResult(run_id, created=False, num_runs=0)
        _delete(store, run_id)
    run_id = _create(entry, entry.record, store, entry.lineage)
    links = []
    for child in entry.record.children:
        tags = {RECORD_TAG: f"{entry.record.record_id}.{child.record_id}", "mlflow.parentRunId": run_id}
        child_id = _create(entry, child, store, {**entry.lineage, **tags})
        _finish(child, store, child_id)
        links.append(f"- [{child.name}](#/experiments/{store.experiment_id}/runs/{child_id})")
    if links:
        description = "\n".join([entry.record.description, "", "Runs of its candidates:", "", *links]).strip()
        store.client.set_tag(run_id, "mlflow.note.content", description)
    if entry.record.model is not None and entry.model_folder.is_dir():
        register_model(store.client, entry.record.model, entry.model_folder, run_id)
    _finish(entry.record, store, run_id)
    return PublishResult(run_id, created=True, num_runs=1 + len(links))


def _runs_of(store: Store, tag: str, value: str) -> list[tuple[str, str]]:
    """Return id and status of the runs with this tag."""
    runs = store.client.search_runs([store.experiment_id], f"tags.`{tag}` = '{value}'")
    return [(run.info.run_id, run.info.status) for run in runs]


def _delete(store: Store, run_id: str) -> None:
    """Delete an unfinished run with all that hangs on it, itself last so that a kill here is mended next time."""
    for child_id, _ in _runs_of(store, "mlflow.parentRunId", run_id):
        store.client.delete_run(child_id)
    unregister_models(store.client, run_id)
    store.client.delete_run(run_id)


def _create(entry: Entry, record: RunRecord, store: Store, lineage: Mapping[str, str]) -> str:
    """Make an unfinished run with everything of `record` but children and model; returns its id."""
    from mlflow.entities import Param

    tags = {**record.tags, **lineage}
    if record.description:
        tags["mlflow.note.content"] = record.description
    run = store.client.create_run(store.experiment_id, start_time=record.start_time_ms, tags=tags, run_name=record.name)
    run_id = str(run.info.run_id)
    parameters = [Param(name, str(value)) for name, value in record.parameters.items()]
    batches = zip_longest(
        _batches(_metrics(record), NUM_METRICS_A_BATCH), _batches(parameters, NUM_PARAMETERS_A_BATCH), fillvalue=()
    )
    for metrics_batch, parameters_batch in batches:
        store.client.log_batch(run_id, metrics_batch, parameters_batch)
    if record.datasets:
        store.client.log_inputs(run_id, [_dataset_input(dataset) for dataset in record.datasets])
    folder = entry.artifacts_of(record)
    if folder.is_dir():
        store.client.log_artifacts(run_id, str(folder))
    return run_id


def _finish(record: RunRecord, store: Store, run_id: str) -> None:
    """Mark a run finished at the time when its stage was."""
    store.client.set_terminated(run_id, "FINISHED", end_time=record.end_time_ms)


def _metrics(record: RunRecord) -> list[Metric]:
    """Return final numbers and curves as MLflow's metrics; a curve's axis is its step."""
    from mlflow.entities import Metric

    finals = [Metric(name, float(value), record.end_time_ms, 0) for name, value in record.metrics.items()]
    points = [
        Metric(name, float(value), record.end_time_ms, step)
        for name, curve in record.curves.items()
        for step, value in curve
    ]
    return finals + points


def _dataset_input(dataset: DatasetRecord) -> DatasetInput:
    """Return a data set in MLflow's words."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = json.dumps({"uri": dataset.source})
    return DatasetInput(
        Dataset(name=dataset.name, digest=dataset.digest, source_type="local", source=source),
        [InputTag("mlflow.data.context", dataset.context)],
    )


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield `items` in parts of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
