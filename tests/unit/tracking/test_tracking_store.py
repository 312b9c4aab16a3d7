"""A fresh database opened by several processes, and addresses inside it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from tasks.tracking.settings import TrackingSettings
from tasks.tracking.store import create_database, open_store, quiet_mlflow

OPEN = (
    "import sys; from pathlib import Path; from tasks.tracking.settings import TrackingSettings;"
    "from tasks.tracking.store import open_store, quiet_mlflow\n"
    "with quiet_mlflow():\n"
    "    store = open_store(TrackingSettings(), Path(sys.argv[1]))\n"
    "    store.client.create_run(store.experiment_id)"
)


def _open_in_process(root):
    return subprocess.Popen([sys.executable, "-c", OPEN, str(root)], stderr=subprocess.PIPE, text=True)


def test_four_processes_at_once_on_a_fresh_database(tmp_path):
    processes = [_open_in_process(tmp_path) for _ in range(4)]
    assert [process.communicate(timeout=200)[1] for process in processes] == [""] * 4
    assert [process.returncode for process in processes] == [0] * 4
    store = open_store(TrackingSettings(), tmp_path)
    assert len(store.client.search_runs([store.experiment_id])) == 4
    assert len(store.client.search_experiments()) == 2


def test_creation_killed_halfway_leaves_no_database_and_the_next_makes_it(tmp_path):
    process = _open_in_process(tmp_path)
    unfinished = tmp_path / "mlflow.db.new"
    deadline = time.monotonic() + 60
    while not (unfinished.exists() and unfinished.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert unfinished.exists()
    assert not (tmp_path / "mlflow.db").exists()
    store = open_store(TrackingSettings(), tmp_path)
    assert store.client.create_run(store.experiment_id).info.status == "RUNNING"


def test_artifacts_are_absolute_wherever_the_process_runs(checkout, settings, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    store = open_store(settings, checkout)
    assert store.client.get_experiment(store.experiment_id).artifact_location == (checkout / "mlruns").as_uri()
    assert store.uri == f"sqlite:///{checkout}/mlflow.db"


def test_complete_database_is_left_alone(checkout):
    before = (checkout / "mlflow.db").read_bytes()
    create_database(checkout / "mlflow.db", "file:///elsewhere")
    assert (checkout / "mlflow.db").read_bytes() == before


def test_deleted_experiment_is_named(checkout, settings):
    store = open_store(settings, checkout)
    store.client.delete_experiment(store.experiment_id)
    with pytest.raises(ConnectionError, match="restore"):
        open_store(settings, checkout)


def test_other_programs_database_is_refused(tmp_path, settings):
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("CREATE TABLE mine (value)")
    connection.close()
    with quiet_mlflow(), pytest.raises(ConnectionError, match="not MLflow's"):
        open_store(settings, tmp_path)
