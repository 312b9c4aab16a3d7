"""Open an MLflow store: absolute addresses, a database that is complete before anybody sees it, quiet logs."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.tracking.faults import check_reachable, is_empty_database
from tasks.tracking.locking import held
from tasks.tracking.settings import SQLITE_PREFIX, TrackingSettings

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

CREATION_WAIT_SECONDS = 120.0
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True)
class Store:
    """An MLflow store that answered, and the experiment in it."""

    client: MlflowClient
    experiment_id: str
    uri: str


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Keep MLflow and torch.export from printing inside the block; faults are raised, for the caller to say.

    The environment is set for good, where the user has not set it: MLflow reads it at import and at each request.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def open_store(settings: TrackingSettings, root: Path) -> Store:
    """Return the store of `settings`, made where it does not exist yet.

    Args:
        settings: where to track.
        root: the checkout; its mlruns/ takes the artifacts of a SQLite store.

    Raises:
        ConnectionError: the store is away, locked, damaged, read-only or newer; the message has the remedy.
    """
    uri = settings.absolute_uri(root)
    check_reachable(uri)
    artifacts = None
    if uri.startswith(SQLITE_PREFIX):
        artifacts = (root.resolve() / "mlruns").as_uri()
        create_database(Path(uri.removeprefix(SQLITE_PREFIX)), artifacts)
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    return Store(client, _experiment_id(client, settings.experiment, artifacts), uri)


def create_database(path: Path, artifacts_uri: str) -> None:
    """Make MLflow's database at `path` where there is none, once, however many processes ask.

    MLflow's own creation runs a chain of migrations in the file that others already see: several at once, or a kill,
    leave it broken for good. Here it runs in a file of its own, which then takes the name.

    Args:
        path: the database.
        artifacts_uri: where the artifacts of its default experiment go.

    Raises:
        ConnectionError: another process is making it and takes too long.
    """
    if not is_empty_database(path):
        return
    with held(path.with_name(f"{path.name}.lock"), CREATION_WAIT_SECONDS) as got:
        if not got:
            raise ConnectionError(f"another process is creating {path.name} and does not end; stop it")
        if not is_empty_database(path):
            return
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)
        make_store: Callable[[str, str], SqlAlchemyStore] = SqlAlchemyStore
        make_store(f"{SQLITE_PREFIX}{unfinished}", artifacts_uri).engine.dispose()
        unfinished.replace(path)


def _experiment_id(client: MlflowClient, name: str, artifacts_uri: str | None) -> str:
    """Return the id of the experiment, which two processes may try to create at once."""
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifacts_uri))
        except MlflowException:
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise ConnectionError(
            f"experiment {name} is in the deleted state; restore the experiment (mlflow experiments restore) "
            "or set tracking.experiment"
        )
    return str(experiment.experiment_id)
