"""One record becomes one finished run with its children, whatever interrupted an earlier upload."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.tracking import entries
from tasks.tracking.entries import Entry, write_entry
from tasks.tracking.lineage import lineage_tags
from tasks.tracking.publish import publish
from tasks.tracking.record import ModelRecord
from tasks.tracking.store import open_store


def _entry(record, root):
    return Entry(record, lineage_tags(record, root), entries.outbox_folder(root) / f"{record.record_id}.json")


def _runs(store):
    return store.client.search_runs([store.experiment_id])


class Interrupted(Exception):
    """The process died at this call."""


class DyingClient:
    """A client that raises at its n-th call, before or after the call had its effect."""

    def __init__(self, client, num_calls, *, after):
        self._client, self._num_calls, self._after = client, num_calls, after

    def __getattr__(self, name):
        method = getattr(self._client, name)

        def call(*positional, **named):
            self._num_calls -= 1
            if self._num_calls == 0 and not self._after:
                raise Interrupted
            result = method(*positional, **named)
            if self._num_calls == 0:
                raise Interrupted
            return result

        return call


def test_run_holds_everything(checkout, settings, make_record, figure):
    record = make_record(artifacts=(figure,), curves={"best": tuple((step, step / 7) for step in range(2001))})
    entry = _entry(record, checkout)
    assert write_entry(entry, checkout) == []
    store = open_store(settings, checkout)
    result = publish(entry, store)
    assert (result.created, result.num_runs) == (True, 3)

    run = store.client.get_run(result.run_id)
    assert (run.info.run_name, run.info.status) == ("random 0", "FINISHED")
    assert (run.info.start_time, run.info.end_time) == (1000, 3000)
    assert run.data.params == {"seed": "0", "nothing": "None"}
    assert run.data.metrics["accuracy"] == 0.75
    history = store.client.get_metric_history(result.run_id, "best")
    assert sorted((point.step, point.value) for point in history) == [(step, step / 7) for step in range(2001)]
    assert run.data.tags["nasflow.record_id"] == record.record_id
    assert run.data.tags["strategy"] == "random"
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest, data.tags[0].value) == ("digits", "0" * 32 + ".dir", "training")
    assert [file.path for file in store.client.list_artifacts(result.run_id, "figures")] == ["figures/front.svg"]
    assert run.info.artifact_uri.startswith((checkout / "mlruns").as_uri())

    children = [run for run in _runs(store) if run.data.tags.get("mlflow.parentRunId") == result.run_id]
    assert {child.info.run_name: child.data.metrics["accuracy"] for child in children} == {
        "candidate 0": 0.5,
        "candidate 1": 0.6,
    }
    for child in children:
        assert f"#/experiments/{store.experiment_id}/runs/{child.info.run_id}" in run.data.tags["mlflow.note.content"]


def test_more_than_a_batch_of_parameters(checkout, settings, make_record):
    record = make_record(parameters={f"p{index}": index for index in range(250)}, children=())
    store = open_store(settings, checkout)
    result = publish(_entry(record, checkout), store)
    assert len(store.client.get_run(result.run_id).data.params) == 250


def test_second_upload_changes_nothing(checkout, settings, make_record):
    store = open_store(settings, checkout)
    first = publish(_entry(make_record(), checkout), store)
    again = publish(_entry(replace(make_record(), start_time_ms=2000), checkout), store)
    assert (again.run_id, again.created, again.num_runs) == (first.run_id, False, 0)
    assert len(_runs(store)) == 3


@pytest.mark.parametrize("after", [False, True])
def test_upload_interrupted_at_any_call_is_made_good(checkout, settings, make_record, figure, after):
    store = open_store(settings, checkout)
    model = ModelRecord("registered", "champion", "results", "x.npy")
    num_calls = 0
    for num_calls in range(1, 100):
        entry = _entry(make_record(num_calls, artifacts=(figure,), model=model), checkout)
        write_entry(entry, checkout)
        entry.model_folder.mkdir()
        (entry.model_folder / "MLmodel").write_text("flavors: {}\n")
        try:
            publish(entry, replace(store, client=DyingClient(store.client, num_calls, after=after)))
        except Interrupted:
            pass
        else:
            break
        result = publish(entry, store)
        query = f"tags.`nasflow.record_id` = '{entry.record.record_id}'"
        (run,) = store.client.search_runs([store.experiment_id], query)
        assert (run.info.run_id, run.info.status) == (result.run_id, "FINISHED")
        (version,) = store.client.search_model_versions(f"run_id = '{run.info.run_id}'")
        assert store.client.get_model_version_by_alias("registered", "champion").version == version.version
    assert num_calls > 15
    assert len(_runs(store)) == 3 * num_calls
    assert {run.info.status for run in _runs(store)} == {"FINISHED"}
    assert len(store.client.search_model_versions("name = 'registered'")) == num_calls
