"""A small record, and a checkout whose MLflow database is copied, since making one takes seconds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.tracking.record import ArtifactRecord, DatasetRecord, RunRecord
from tasks.tracking.settings import TrackingSettings
from tasks.tracking.store import create_database, quiet_mlflow


@pytest.fixture
def settings() -> TrackingSettings:
    return TrackingSettings(experiment="experiment")


@pytest.fixture
def make_record() -> Callable[..., RunRecord]:
    def make(seed: int = 0, **changes: object) -> RunRecord:
        children = tuple(
            RunRecord("search@random", f"candidate {rank}", 1000, 1500, {"rank": rank}, {"accuracy": 0.5 + rank / 10})
            for rank in range(2)
        )
        fields: dict[str, object] = {
            "stage": "search@random",
            "name": f"random {seed}",
            "start_time_ms": 1000,
            "end_time_ms": 3000,
            "parameters": {"seed": seed, "nothing": None},
            "metrics": {"accuracy": 0.75, "seconds": 2.0},
            "curves": {"best_accuracy": tuple((step, step / 4) for step in range(4))},
            "inputs": {"data/search": "0" * 32 + ".dir"},
            "datasets": (DatasetRecord("digits", "0" * 32 + ".dir", "data/search", "training"),),
            "tags": {"strategy": "random"},
            "description": "A *search*.",
            "children": children,
        }
        return RunRecord(**{**fields, **changes})

    return make


@pytest.fixture
def figure(tmp_path: Path) -> ArtifactRecord:
    (tmp_path / "front.svg").write_text("<svg/>")
    return ArtifactRecord("front.svg", "figures")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow")
    with quiet_mlflow():
        create_database(folder / "mlflow.db", (folder / "mlruns").as_uri())
    return folder / "mlflow.db"


@pytest.fixture
def checkout(tmp_path: Path, empty_database: Path) -> Path:
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    return tmp_path


@pytest.fixture
def inside_dvc(by_hand: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short stage that DVC runs: it submits and does not upload."""
    monkeypatch.setenv("DVC_STAGE", "search@random")


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DVC_STAGE", "NASFLOW_PIPELINE_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
