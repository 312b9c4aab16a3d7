"""`python -m tasks.model`: which network it names, when it says so, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from tasks import model
from tasks.measures import spread
from tasks.tracking.entries import Receipt, write_receipt
from tasks.tracking.settings import TrackingSettings
from tasks.tracking.store import open_store, quiet_mlflow

ARCHITECTURE = "nasbench201:3-0-3-1-0-1"


@pytest.fixture(autouse=True)
def with_ranks(tmp_path: Path) -> Callable[[int], None]:
    """Write the project's params.yaml with three ranks, and return a function that gives it another number of them."""

    def write(num_ranks: int) -> None:
        document = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())
        document["retrain"]["ranks"] = list(range(num_ranks))
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(document))

    write(3)
    return write


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Path]:
    def write(rank: int, validation: float, test: list[float], **more: str | None) -> Path:
        folder = tmp_path / f"results/retrain/{rank}"
        folder.mkdir(parents=True)
        metrics = {
            "format": 1,
            "status": "trained",
            "rank": rank,
            "architecture": ARCHITECTURE,
            "official_name": "|a~0|" if rank else None,
            "seeds": list(range(len(test))),
            "validation_accuracy": spread([validation] * len(test)),
            "test_accuracy": spread(test),
            "num_test": 100,
            **more,
        }
        (folder / "metrics.json").write_text(json.dumps(metrics))
        return folder

    return write


def test_best_on_validation_is_named(
    trained: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(0, 0.90, [0.99, 0.99])
    trained(1, 0.92, [0.90, 0.92])
    assert model.main([], tmp_path) == 0
    assert capsys.readouterr().out == (
        "|a~0|: test accuracy 91.00 +- 1.41 % (2 seeds, 100 images); "
        "results/retrain/1/network.safetensors, results/retrain/1/program.pt2; not registered\n"
    )


def test_what_an_earlier_run_with_more_ranks_left_does_not_count(
    trained: Callable[..., Path], with_ranks: Callable[[int], None], tmp_path: Path
) -> None:
    trained(0, 0.90, [0.9])
    trained(2, 0.95, [0.9])
    assert model.champion(tmp_path)["rank"] == 2
    with_ranks(2)
    assert model.champion(tmp_path)["rank"] == 0


def test_error_in_the_settings_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "params.yaml").unlink()
    assert model.main([], tmp_path) == 1
    assert "params.yaml" in capsys.readouterr().err


def test_ranks_count_as_numbers(
    trained: Callable[..., Path], with_ranks: Callable[[int], None], tmp_path: Path
) -> None:
    with_ranks(11)
    trained(10, 0.9, [0.9])
    trained(9, 0.9, [0.9])
    assert model.champion(tmp_path)["rank"] == 9


def test_one_seed_has_no_spread(
    trained: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(0, 0.9, [0.9])
    assert model.main([], tmp_path) == 0
    assert f"{ARCHITECTURE}: test accuracy 90.00 % (1 seed, 100 images);" in capsys.readouterr().out


def test_json_says_the_same(trained: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained(0, 0.9, [0.9, 0.9])
    assert model.main(["--json"], tmp_path) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["test_accuracy"] == {"mean": 0.9, "standard_deviation": 0.0}
    assert answer["weights"] == "results/retrain/0/network.safetensors"
    assert answer["registered"] is None


def test_nothing_trained_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "results/retrain/0"
    empty.mkdir(parents=True)
    (empty / "metrics.json").write_text('{"status": "empty", "rank": 0, "reason": "none"}')
    assert model.main([], tmp_path) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "error: no candidate has been trained yet; run `python -m flows.pipeline` or `dvc repro` first\n"
    )


def test_damaged_result_is_named(
    trained: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (trained(0, 0.9, [0.9]) / "metrics.json").write_text('{"status": "trained"')
    assert model.main([], tmp_path) == 1
    assert "retrain/0/metrics.json is damaged" in capsys.readouterr().err


def test_import_is_light() -> None:
    code = "import sys, tasks.model; print([m for m in ('torch', 'mlflow', 'numpy', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_registered_only_if_the_champion_is_this_network(tmp_path: Path) -> None:
    assert model.registered(tmp_path, ARCHITECTURE) is None
    with quiet_mlflow():
        store = open_store(TrackingSettings(), tmp_path)
        run = store.client.create_run(store.experiment_id, tags={"winner": ARCHITECTURE})
        store.client.create_registered_model("nasflow")
        source = f"{run.info.artifact_uri}/model"
        version = store.client.create_model_version("nasflow", source, run_id=run.info.run_id)
        store.client.set_registered_model_alias("nasflow", "champion", version.version)
    assert model.registered(tmp_path, ARCHITECTURE) is None  # no report was uploaded from here
    write_receipt(Receipt("0" * 32, "report", run.info.run_id, store.uri, 1, False), tmp_path)
    assert model.registered(tmp_path, ARCHITECTURE) == "models:/nasflow@champion"
    assert model.registered(tmp_path, "nasbench201:0-0-0-0-0-0") is None


def test_store_that_is_away_counts_as_not_registered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "params.yaml").write_text("tracking: {uri: 'http://127.0.0.1:9'}\n")
    write_receipt(Receipt("0" * 32, "report", "run", "http://127.0.0.1:9", 1, False), tmp_path)
    assert model.registered(tmp_path, ARCHITECTURE) is None
    assert "MLflow was not asked" in capsys.readouterr().err


def test_classify_an_image_of_any_size(
    trained: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    from nas_core.architecture import Architecture
    from nas_core.randomness import Streams
    from nas_core.task import TaskShape
    from tasks.candidate import Description, write_description, write_weights

    folder = trained(0, 0.9, [0.9])
    known = {"name": "x", "class_names": ["zero", "one", "two"], "image_shape": [8, 8, 1], "channel_mean": [0.3],
             "channel_std": [0.4]}  # fmt: skip
    space = {"name": "nasbench201", "channels": 2, "cells_per_stage": 1}
    description = Description(Architecture.from_key(ARCHITECTURE), space, TaskShape((1, 8, 8), (3,)), known)
    write_description(folder, description)
    network = description.built_space().network(description.architecture, description.task, Streams(0).torch("init"))
    write_weights(folder / "network.safetensors", network)
    image = tmp_path / "image.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)).save(image)
    assert model.main(["--json", "--classify", str(image)], tmp_path) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["class"] in known["class_names"]
    assert 1 / 3 <= answer["probability"] <= 1
    (tmp_path / "text.png").write_text("no image")
    assert model.main(["--classify", str(tmp_path / "text.png")], tmp_path) == 1
    assert "is no image that can be read" in capsys.readouterr().err
    assert model.main(["--classify", str(tmp_path / "absent.png")], tmp_path) == 1
    assert "absent.png" in capsys.readouterr().err


def test_a_network_of_graphs_is_named_and_classifies_no_image(
    trained: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(0, 0.9, [0.8], learning_task="gnn_space.learning_tasks.graph_classification", program=None)
    assert model.main([], tmp_path) == 0
    assert capsys.readouterr().out == (
        f"{ARCHITECTURE}: test accuracy 80.00 % (1 seed, 100 graphs); results/retrain/0/network.safetensors; "
        "not registered\n"
    )
    assert model.main(["--json"], tmp_path) == 0
    assert json.loads(capsys.readouterr().out)["program"] is None
    assert model.main(["--classify", "image.png"], tmp_path) == 1
    assert capsys.readouterr().err == (
        "error: the final model classifies graphs, not image files; leave out --classify\n"
    )
