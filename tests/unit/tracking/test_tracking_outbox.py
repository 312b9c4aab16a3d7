"""Stages leave records, somebody uploads them once, and no fault of tracking reaches a stage."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tasks.tracking import entries, outbox
from tasks.tracking.__main__ import main
from tasks.tracking.lineage import lock_entry_md5
from tasks.tracking.locking import held
from tasks.tracking.store import open_store


def _names(root, settings):
    store = open_store(settings, root)
    runs = store.client.search_runs([store.experiment_id])
    return sorted(run.info.run_name for run in runs if "mlflow.parentRunId" not in run.data.tags)


@pytest.mark.usefixtures("inside_dvc")
def test_short_stages_only_write_and_a_drain_uploads_all(checkout, settings, make_record, figure, caplog):
    for seed in range(3):
        outbox.submit(make_record(seed, artifacts=(figure,)), checkout, settings)
    (checkout / figure.path).unlink()
    assert len(entries.waiting_paths(checkout)) == 3
    result = outbox.drain(checkout, settings)
    assert result == outbox.DrainResult(("random 0", "random 1", "random 2"), 0)
    assert _names(checkout, settings) == ["random 0", "random 1", "random 2"]
    store = open_store(settings, checkout)
    receipts = entries.receipts(checkout)
    assert all(store.client.list_artifacts(receipt.run_id, "figures") for receipt in receipts)
    assert not [path for path in entries.outbox_folder(checkout).iterdir() if path.name not in ("lock", "sent")]
    assert outbox.drain(checkout, settings) == outbox.DrainResult((), 0)
    assert not caplog.records


@pytest.mark.usefixtures("inside_dvc")
def test_submitting_costs_no_import_of_mlflow(tmp_path):
    program = (
        "import sys; from pathlib import Path; from tasks.tracking import outbox, record, settings;"
        "outbox.submit(record.RunRecord('s', 'n', 0, 1), Path(sys.argv[1]), settings.TrackingSettings());"
        "assert not {'mlflow', 'torch', 'sqlalchemy', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert len(entries.waiting_paths(tmp_path)) == 1


@pytest.mark.usefixtures("inside_dvc")
def test_long_stages_upload_what_waits(checkout, settings, make_record):
    outbox.submit(make_record(0), checkout, settings)
    outbox.submit(make_record(1, end_time_ms=70_000), checkout, settings)
    assert _names(checkout, settings) == ["random 0", "random 1"]


def test_stage_run_by_hand_uploads_at_once_and_again_is_idempotent(checkout, settings, make_record):
    outbox.submit(make_record(), checkout, settings)
    outbox.submit(make_record(), checkout, settings)
    assert _names(checkout, settings) == ["random 0"]


def test_stage_leaves_its_record_to_the_process_that_uploads(checkout, settings, make_record, monkeypatch, caplog):
    with held(entries.outbox_folder(checkout) / "lock", 0) as got:
        assert got
        outbox.submit(make_record(), checkout, settings)
        assert not caplog.records
        monkeypatch.setattr(outbox, "DRAIN_WAIT_SECONDS", 0.1)
        assert outbox.drain(checkout, settings).num_waiting == 1
        assert "another process has been uploading" in caplog.text
    assert outbox.drain(checkout, settings).sent == ("random 0",)


@pytest.mark.usefixtures("inside_dvc")
def test_damaged_record_is_set_aside_and_the_rest_uploaded(checkout, settings, make_record, caplog):
    outbox.submit(make_record(), checkout, settings)
    damaged = entries.outbox_folder(checkout) / "0123.json"
    damaged.write_text('{"format": 1, "rec')
    assert outbox.drain(checkout, settings) == outbox.DrainResult(("random 0",), 0)
    assert "0123.json.damaged-" in caplog.text
    assert len(list(damaged.parent.glob("0123.json.damaged-*"))) == 1


@pytest.mark.usefixtures("inside_dvc")
def test_record_that_mlflow_refuses_waits_and_the_rest_is_uploaded(checkout, settings, make_record, caplog):
    outbox.submit(make_record(0, metrics={"bad:name?!#": 1.0}), checkout, settings)
    outbox.submit(make_record(1), checkout, settings)
    assert outbox.drain(checkout, settings) == outbox.DrainResult(("random 1",), 1)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "random 0 was not uploaded" in line
    assert "\n" not in line


def test_missing_artifact_is_said_and_the_run_logged(checkout, settings, make_record, figure, caplog):
    (checkout / figure.path).unlink()
    outbox.submit(make_record(artifacts=(figure,)), checkout, settings)
    assert _names(checkout, settings) == ["random 0"]
    assert "front.svg" in caplog.text


def test_dvc_lock_entry_is_tagged_once_dvc_has_written_it(checkout, settings, make_record, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "search@random")
    outbox.submit(make_record(0, end_time_ms=70_000), checkout, settings)
    (receipt,) = entries.receipts(checkout)
    assert not receipt.has_lock_tag
    (checkout / "dvc.lock").write_text("schema: '2.0'\nstages:\n  search@random: {cmd: a}\n")
    monkeypatch.setenv("DVC_STAGE", "report")
    outbox.submit(make_record(1, stage="report", end_time_ms=70_000), checkout, settings)
    store = open_store(settings, checkout)
    tags = store.client.get_run(receipt.run_id).data.tags
    assert tags["nasflow.dvc_lock_md5"] == lock_entry_md5(checkout, "search@random")
    assert tags["nasflow.dvc_stage"] == "search@random"


def test_processes_together_upload_each_record_once(checkout, settings, make_record):
    program = (
        "import sys; from pathlib import Path; from tasks.tracking import outbox, record, settings;"
        "number = int(sys.argv[2]);"
        "[outbox.submit(record.RunRecord('s', f'run {number % 2} {i}', 0, 1), Path(sys.argv[1]),"
        " settings.TrackingSettings(experiment='experiment')) for i in range(5)]"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(checkout), str(n)]) for n in range(4)]
    assert [process.wait(timeout=100) for process in processes] == [0] * 4
    outbox.drain(checkout, settings)
    assert _names(checkout, settings) == sorted(f"run {number} {i}" for number in range(2) for i in range(5))


@pytest.mark.usefixtures("inside_dvc")
def test_command_uploads_and_reports(checkout, settings, make_record, capsys):
    (checkout / "params.yaml").write_text("tracking: {uri: null, experiment: experiment}\n")
    outbox.submit(make_record(), checkout, settings)
    assert main(["--status", "--root", str(checkout)]) == 1
    assert capsys.readouterr().out.splitlines()[0] == "waiting random 0"
    damaged = entries.outbox_folder(checkout) / "0.json"
    damaged.write_text("[]")
    assert main(["--status", "--root", str(checkout)]) == 1
    assert "damaged 0.json" in capsys.readouterr().out
    damaged.unlink()
    assert main(["--root", str(checkout)]) == 0
    assert capsys.readouterr().out == "uploaded random 0\n"
    assert main(["--root", str(checkout)]) == 0
    assert main(["--status", "--root", str(checkout)]) == 0
    assert "0 waiting, 1 sent" in capsys.readouterr().out
    (checkout / "params.yaml").write_text("tracking: {url: 1}\n")
    assert main(["--root", str(checkout)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
