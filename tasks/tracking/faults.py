"""Faults of a tracking store as one line with a remedy, found in milliseconds and without importing MLflow."""

from __future__ import annotations

import importlib.util
import sqlite3
import urllib.error
import urllib.request
from pathlib import Path

from tasks.tracking.settings import SQLITE_PREFIX

SQLITE_WAIT_SECONDS = 3.0
SERVER_WAIT_SECONDS = 3.0

REMEDIES = (
    ("locked", "another process holds the database; wait for it or stop it"),
    ("readonly", "the database cannot be written; give it write permission or set tracking.uri"),
    ("read-only", "the database cannot be written; give it write permission or set tracking.uri"),
    ("permission denied", "the folder cannot be written; give it write permission or set tracking.uri"),
    ("file exists", "a file stands where its folder should be; move it away or set tracking.uri"),
    ("not a directory", "a file stands where its folder should be; move it away or set tracking.uri"),
    ("unable to open", "the database cannot be opened; make its folder writable or set tracking.uri"),
    ("disk is full", "free some space on its disk"),
    ("no space left", "free some space on its disk"),
    ("file too large", "raise the limit on file size (ulimit -f)"),
    ("disk i/o error", "look at its disk: full, over a limit or failing"),
    ("not a database", "the file is damaged; move it away and a new one is made"),
    ("malformed", "the file is damaged; move it away and a new one is made"),
    ("out-of-date database schema", "back the database up and run: mlflow db upgrade URI"),
    ("in the deleted state", "restore the experiment (mlflow experiments restore) or set tracking.experiment"),
    ("refused", "start the server or set tracking.uri"),
    ("timed out", "look at the server or set tracking.uri"),
    ("name or service not known", "correct the host in tracking.uri"),
    ("no module named", "install the requirements again"),
)


def explain(error: BaseException) -> str:
    """Return `error` as one line that ends in what to do; a plain ConnectionError is this package's own and says it."""
    message = " ".join(str(error).split())
    if type(error) is ConnectionError:
        return message
    lowered = message.lower()
    for sign, remedy in REMEDIES:
        if sign in lowered:
            return f"{_shortened(message)}; {remedy}"
    return f"{type(error).__name__}: {_shortened(message)}"


def check_reachable(uri: str) -> None:
    """Return when the store at `uri` can take a write now.

    Args:
        uri: absolute tracking URI. SQLite files and HTTP servers are looked at; for others MLflow itself must tell.

    Raises:
        ConnectionError: the store cannot; the message is one line with the remedy.
    """
    try:
        if uri.startswith(SQLITE_PREFIX):
            _check_sqlite(Path(uri.removeprefix(SQLITE_PREFIX)))
        elif uri.startswith(("http://", "https://")):
            _check_server(uri)
    except (OSError, sqlite3.Error) as error:
        raise ConnectionError(explain(error)) from error


def is_empty_database(path: Path) -> bool:
    """Return whether there is no database at `path` yet: no file, or one of no bytes."""
    return not path.exists() or path.stat().st_size == 0


def _check_sqlite(path: Path) -> None:
    """Raise where the database cannot be written or is of a version that this MLflow does not know."""
    if is_empty_database(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=SQLITE_WAIT_SECONDS, isolation_level=None
    )
    try:
        connection.execute("BEGIN IMMEDIATE")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" not in tables:
            raise ConnectionError("the database is not MLflow's; set tracking.uri to another file")
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or (None,)
        connection.execute("ROLLBACK")
    finally:
        connection.close()
    if not _is_known(str(revision)):
        raise ConnectionError(
            f"the database has version {revision}, which this MLflow does not know; install the newer MLflow "
            "that made it or set tracking.uri to another file"
        )


def _is_known(revision: str) -> bool:
    """Return whether MLflow has a migration of this name; its package is found without being imported."""
    specification = importlib.util.find_spec("mlflow")
    if specification is None or specification.origin is None:
        raise ConnectionError("no module named mlflow; install the requirements again")
    versions = Path(specification.origin).parent / "store" / "db_migrations" / "versions"
    return any(path.name.startswith(f"{revision}_") for path in versions.glob("*.py"))


def _check_server(uri: str) -> None:
    """Raise where no HTTP server answers; any status is an answer, even a refusal of this address."""
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=SERVER_WAIT_SECONDS):
            return
    except urllib.error.HTTPError as answer:
        answer.close()


def _shortened(message: str) -> str:
    """Return the first part of a message that may carry SQL and a link."""
    head = message.split("[SQL:")[0].split("(Background on")[0].strip()
    return head if len(head) <= 200 else f"{head[:197]}..."
