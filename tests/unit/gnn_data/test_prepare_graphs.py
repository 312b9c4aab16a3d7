"""Preparing graphs: own parts and shifted sets, folds, companions, the same bytes again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gnn_space.data import storage
from gnn_space.data.graph_set import GraphSet
from nas_core.data import manifest
from tasks import data, prepare
from tasks.settings import SettingsError, load
from tasks.stage import run
from tasks.tracking import outbox

PARAMS = Path(__file__).parents[3] / "gnn_space" / "params.yaml"
MOTIF = {"name": "gnn_space.sets.motif", "num_train": 60, "num_validation": 12, "num_test": 18}
TINY = {"name": "gnn_space.sets.tu_dataset", "collection": "TINY"}


def prepared(root: Path, **settings: Any) -> int:
    """Run the stage in a folder with these settings; return its exit code."""
    document = yaml.safe_load(PARAMS.read_text())
    document["prepare"] = {"dataset": MOTIF, "transfer": {**MOTIF, "seed": 1}, "download": False, **settings}
    root.mkdir(exist_ok=True)
    (root / "params.yaml").write_text(json.dumps(document))
    return run("prepare", prepare.prepare, identity=prepare.identity, root=root)


def write_collection(root: Path, num_graphs: int = 30) -> Path:
    """Write graphs that are paths of 2, 3, ... nodes, in turn of two classes."""
    folder = root / "TUDataset" / "TINY" / "raw"
    folder.mkdir(parents=True)
    sizes = [2 + number for number in range(num_graphs)]
    begins = np.cumsum([1, *sizes])
    pairs = [
        (begin + step, begin + step + 1) for begin, size in zip(begins, sizes, strict=False) for step in range(size - 1)
    ]
    (folder / "TINY_A.txt").write_text("".join(f"{a}, {b}\n{b}, {a}\n" for a, b in pairs))
    indicator = "".join(f"{number + 1}\n" * size for number, size in enumerate(sizes))
    (folder / "TINY_graph_indicator.txt").write_text(indicator)
    (folder / "TINY_graph_labels.txt").write_text("".join(f"{number % 2}\n" for number in range(num_graphs)))
    return root


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((root / "data").rglob("*"))
        if path.is_file()
    }


def read(root: Path, name: str) -> GraphSet:
    return storage.read(root / "data" / f"{name}.safetensors")


@pytest.fixture(autouse=True)
def nothing_is_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "submit", lambda run, *others: None)


def test_motif_graphs_with_their_parts_and_shifts(tmp_path: Path) -> None:
    root = tmp_path / "first"
    assert prepared(root, natural_shift={**MOTIF, "seed": 2}) == 0
    for folder in ("search", "test", "transfer", "transfer_test", "shift"):
        manifest.verify(root / "data" / folder)
    sizes = {name: len(read(root, name)) for name in ("search/train", "search/validation", "test/test")}
    assert sizes == {"search/train": 60, "search/validation": 12, "test/test": 18}
    shift = json.loads((root / "data/shift/shift.json").read_bytes())
    assert shift["names"] == {"natural_shift": "motif"}
    assert shift["shifted"] == {name: {"num_examples": 18} for name in ("base", "correlation", "size")}
    assert all(len(read(root, f"shift/{name}")) == 18 for name in ("base", "correlation", "size", "natural_shift"))
    numbers = json.loads((root / "metrics/prepare.json").read_bytes())["num_examples"]
    assert (numbers["train"], numbers["transfer_train"], numbers["shift_base"]) == (60, 60, 18)
    again = tmp_path / "again"
    assert prepared(again, natural_shift={**MOTIF, "seed": 2}) == 0
    assert digests(again) == digests(root)
    task = data.load_task_with_test(root)
    assert task.name == "motif"
    assert task.num_examples("test") == 18
    assert data.load_transfer_task(root, statistics=root / data.SEARCH).num_examples("train") == 60


def test_folds_divide_everything_and_validation_comes_out_of_the_rest(tmp_path: Path) -> None:
    folder = str(write_collection(tmp_path))
    tests, seen = [], []
    for fold in range(5):
        root = tmp_path / str(fold)
        assert prepared(root, dataset=TINY, transfer=TINY, folder=folder, folds=5, fold=fold) == 0
        parts = {name: read(root, name) for name in ("search/train", "search/validation", "test/test")}
        sizes = {name: set(part.sizes.tolist()) for name, part in parts.items()}
        assert set.union(*sizes.values()) == set(range(2, 32))
        assert sum(map(len, parts.values())) == 30
        assert np.bincount(parts["test/test"].labels).tolist() == [3, 3]
        tests.append(sizes["test/test"])
        seen.append(digests(root)["data/transfer_test/test.safetensors"])
    assert set.union(*tests) == set(range(2, 32))
    assert sum(map(len, tests)) == 30
    # the second task knows no folds
    assert len(set(seen)) == 1


def test_large_graphs_are_kept_for_the_size_shift(tmp_path: Path) -> None:
    folder = str(write_collection(tmp_path))
    assert prepared(tmp_path / "out", dataset={**TINY, "hold_out_largest": 0.2}, transfer=TINY, folder=folder) == 0
    large = read(tmp_path / "out", "shift/size")
    assert sorted(large.sizes.tolist()) == [26, 27, 28, 29, 30, 31]
    rest = [read(tmp_path / "out", name) for name in ("search/train", "search/validation", "test/test")]
    assert max(int(part.sizes.max()) for part in rest) == 25
    assert sum(map(len, rest)) == 24


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"folds": 5}, "prepare.folds is 5, but motif has a test part of its own"),
        ({"transfer": {**MOTIF, "node_features": "degree"}}, "motif has 33 features a node, the main set has 1"),
        ({"natural_shift": {**MOTIF, "motifs": ["bull", "house"]}}, "natural_shift gnn_space.sets.motif has classes"),
        ({"dataset": TINY, "transfer": TINY, "folds": 25}, "prepare: "),
    ],
)
def test_what_does_not_go_together_is_one_line(
    settings: dict[str, Any], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write_collection(tmp_path))
    assert prepared(tmp_path / "out", folder=folder, **settings) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: prepare: ")
    assert reason in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out/data").exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"folds": 5, "fold": 5}, "fold is 5; allowed: 0 to 4, as folds is 5"),
        ({"fold": 1}, "fold is 1; allowed: 0 alone, as folds is null"),
        ({"folds": 1}, "folds"),
        ({"horizontal_flip": True}, "prepare.horizontal_flip is true, but gnn_space.learning_tasks.graph"),
        ({"transfer": "digits"}, "prepare.transfer is digits, a set for image_classification"),
        ({"dataset": {**MOTIF, "bias": 2}}, "bias"),
        ({"dataset": {**MOTIF, "motifs": ["hut"]}}, "motifs"),
        ({"dataset": "gnn_space.sets.tu_dataset"}, "collection"),
        ({"dataset": {**TINY, "node_features": "atoms"}}, "node_features"),
        ({"dataset": {**TINY, "hold_out_largest": 1.0}}, "hold_out_largest"),
    ],
)
def test_nonsense_in_the_settings_is_one_line(settings: dict[str, Any], reason: str, tmp_path: Path) -> None:
    document = yaml.safe_load(PARAMS.read_text())
    document["prepare"] = {"dataset": MOTIF, "transfer": MOTIF, **settings}
    (tmp_path / "params.yaml").write_text(json.dumps(document))
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "params.yaml")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
