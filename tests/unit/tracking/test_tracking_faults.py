"""A store that is locked, away, newer, read-only, full or damaged costs one line and a few seconds, nothing else."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tasks.tracking import entries, faults, outbox
from tasks.tracking.settings import TrackingSettings

SUBMIT = (
    "import sys, time, resource; from pathlib import Path; from tasks.tracking import outbox, record, settings;"
    "limit = int(sys.argv[3]); limit and resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit));"
    "outbox.submit(record.RunRecord('s', 'run', 0, 1, curves={'c': tuple((i, i / 7) for i in range(2000))}),"
    " Path(sys.argv[1]), settings.TrackingSettings(sys.argv[2] or None));"
    "print('the result')"
)


def _submit_in_process(root: Path, *, uri: str = "", limit_bytes: int = 0, prefix: tuple[str, ...] = ()) -> str:
    """Run a stage that submits one record; returns its one line of warning."""
    start = time.monotonic()
    command = [*prefix, sys.executable, "-c", SUBMIT, str(root), uri, str(limit_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert time.monotonic() - start < 15
    assert (done.returncode, done.stdout) == (0, "the result\n"), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("MLflow: ")
    assert "results are safe" in done.stderr
    return done.stderr


def _drains(root: Path) -> bool:
    """Return whether the record that waited is uploaded once the fault is gone."""
    return outbox.drain(root, TrackingSettings()) == outbox.DrainResult(("run",), 0)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_database_that_another_process_holds(checkout):
    with closing(sqlite3.connect(checkout / "mlflow.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert "locked; another process holds the database" in _submit_in_process(checkout)
    assert _drains(checkout)


def test_server_that_refuses(checkout):
    line = _submit_in_process(checkout, uri=f"http://127.0.0.1:{_free_port()}")
    assert "refused" in line
    assert "start the server" in line
    assert _drains(checkout)


def test_server_that_never_answers(checkout):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = _submit_in_process(checkout, uri=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "timed out; look at the server" in line
    assert _drains(checkout)


def test_server_that_answers_health_and_then_hangs(checkout, monkeypatch):
    """The worst server: every request is answered as healthy, and the first real one never is."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                if b"/health" in connection.recv(1000):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        line = _submit_in_process(checkout, uri=f"http://127.0.0.1:{server.getsockname()[1]}")
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=60)
        for connection in kept:
            connection.close()
    assert "look at the server" in line
    assert _drains(checkout)


def test_database_of_a_newer_version(checkout):
    with closing(sqlite3.connect(checkout / "mlflow.db")) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = 'feedc0ffee00'")
        connection.commit()
        assert "version feedc0ffee00, which this MLflow does not know; install" in _submit_in_process(checkout)
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()
    assert _drains(checkout)


def test_database_of_an_older_version(checkout):
    with closing(sqlite3.connect(checkout / "mlflow.db")) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
        connection.commit()
        assert "mlflow db upgrade" in _submit_in_process(checkout)
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()
    assert _drains(checkout)


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b""], ids=["text", "first_page_only"])
def test_damaged_database(checkout, content):
    path = checkout / "mlflow.db"
    whole = path.read_bytes()
    path.write_bytes(content or whole[:4096] + b"\xff" * (len(whole) - 4096))
    assert "the file is damaged; move it away" in _submit_in_process(checkout)
    path.write_bytes(whole)
    assert _drains(checkout)


def test_folder_that_cannot_be_written(checkout):
    (checkout / "file").write_text("")
    line = _submit_in_process(checkout, uri=f"sqlite:///{checkout}/file/mlflow.db")
    assert "a file stands where its folder should be" in line
    assert _drains(checkout)


def test_read_only_file_system(checkout, tmp_path_factory):
    mounted = tmp_path_factory.mktemp("read_only")
    (mounted / "mlflow.db").write_bytes((checkout / "mlflow.db").read_bytes())
    script = f'mount --bind {mounted} {mounted} && mount -o remount,bind,ro {mounted} && exec "$@"'
    prefix = ("unshare", "-rm", "sh", "-c", script, "sh")
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine allows no private mounts (unshare -rm)")
    line = _submit_in_process(checkout, uri=f"sqlite:///{mounted}/mlflow.db", prefix=prefix)
    assert "the database cannot be written" in line
    assert _drains(checkout)


def test_read_only_database_is_explained(checkout):
    connection = sqlite3.connect(f"file:{checkout}/mlflow.db?mode=ro", uri=True)
    with closing(connection), pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("CREATE TABLE mine (value)")
    assert faults.explain(caught.value).endswith(
        "; the database cannot be written; give it write permission or set tracking.uri"
    )


def test_disk_that_fills_while_uploading(checkout):
    size = (checkout / "mlflow.db").stat().st_size
    line = _submit_in_process(checkout, limit_bytes=size + 8192)
    assert "disk" in line
    assert _drains(checkout)


def test_disk_that_is_full_before_the_record_is_written(checkout):
    line = _submit_in_process(checkout, limit_bytes=1000)
    assert "run was not recorded" in line
    assert entries.waiting_paths(checkout) == []
    assert not list(entries.outbox_folder(checkout).rglob("*.json"))


def test_explanations_are_one_line_with_a_remedy():
    assert faults.explain(OSError(28, "No space left on device")) == (
        "[Errno 28] No space left on device; free some space on its disk"
    )
    assert faults.explain(ValueError("two\nlines")) == "ValueError: two lines"
    assert len(faults.explain(ValueError("long " * 1000))) < 250
