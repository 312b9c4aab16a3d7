"""Preparing data: the same bytes again, validation out of train, test sets apart, groups never torn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nas_core.data import manifest, storage
from nas_core.data.image_set import ImageData, ImageSet
from nas_core.randomness import Streams
from tasks import prepare
from tasks.settings import load
from tasks.stage import run
from tasks.tracking import outbox
from tasks.tracking.record import RunRecord

PARAMS = Path(__file__).parents[3] / "params.yaml"
FOLDERS = ("search", "test", "transfer", "transfer_test", "shift")


def prepared(root: Path, **settings: Any) -> int:
    """Run the stage in a folder with some settings changed; return its exit code."""
    document = yaml.safe_load(PARAMS.read_text())
    document["prepare"].update(
        transfer={"name": "printed_letters", "num_images_per_face": 2},
        natural_shift={"name": "printed_digits", "num_images_per_face": 2},
        out_of_distribution={"name": "printed_letters", "letters": "ACE", "num_images_per_face": 1},
    )
    document["prepare"].update(settings)
    root.mkdir(exist_ok=True)
    (root / "params.yaml").write_text(yaml.safe_dump(document))
    return run("prepare", prepare.prepare, identity=prepare.identity, root=root)


def digests(root: Path) -> dict[str, str]:
    """Return the digest of every prepared file."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((root / "data").rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module", autouse=True)
def submitted() -> Iterator[list[RunRecord]]:
    """The runs that are submitted, which go nowhere."""
    runs: list[RunRecord] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "submit", lambda run, *others: runs.append(run))
        yield runs


@pytest.fixture(scope="module")
def digits(submitted: list[RunRecord], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the embedded digits were prepared."""
    root = tmp_path_factory.mktemp("prepared")
    assert prepared(root) == 0
    return root


def test_every_folder_is_sealed_and_holds_what_it_should(digits: Path) -> None:
    for name in FOLDERS:
        manifest.verify(digits / "data" / name)
    files = {name.removeprefix("data/") for name in digests(digits) if not name.endswith("manifest.json")}
    assert files == {
        "search/train.safetensors",
        "search/validation.safetensors",
        "search/dataset.json",
        "test/test.safetensors",
        "transfer/train.safetensors",
        "transfer/validation.safetensors",
        "transfer/dataset.json",
        "transfer_test/test.safetensors",
        "shift/natural_shift.safetensors",
        "shift/out_of_distribution.safetensors",
        "shift/shift.json",
    }


def test_the_parts_are_disjoint_and_together_the_whole(digits: Path) -> None:
    parts = {
        "train": storage.read(digits / "data/search/train.safetensors"),
        "validation": storage.read(digits / "data/search/validation.safetensors"),
        "test": storage.read(digits / "data/test/test.safetensors"),
    }
    from sklearn.datasets import load_digits

    # 1,797 digits: a fifth is 359 for the test, a fifth of the other 1,438 is 288 for validation
    assert {name: len(part) for name, part in parts.items()} == {"train": 1150, "validation": 288, "test": 359}
    images = np.concatenate([part.images for part in parts.values()]).reshape(1797, -1)
    original = np.rint(load_digits().data * 255 / 16).astype(np.uint8)
    assert sorted(map(bytes, images)) == sorted(map(bytes, original))
    for part in parts.values():
        shares = np.bincount(part.labels) / len(part)
        assert shares.min() > 0.08
        assert shares.max() < 0.12
    described = json.loads((digits / "data/search/dataset.json").read_bytes())
    pixels = parts["train"].images / 255
    assert described["channel_mean"] == pytest.approx([pixels.mean()])
    assert described["channel_std"] == pytest.approx([pixels.std()])
    assert described["num_examples"] == {"train": 1150, "validation": 288, "test": 359}


def test_the_numbers_are_in_the_metrics_and_the_learning_task_in_the_data(digits: Path) -> None:
    metrics = json.loads((digits / "metrics/prepare.json").read_bytes())
    assert metrics["seconds"] > 0
    numbers = metrics["num_examples"]
    assert {name: numbers[name] for name in ("train", "validation", "test")} == {
        "train": 1150,
        "validation": 288,
        "test": 359,
    }
    for name, path in {
        "transfer_train": "transfer/train",
        "transfer_validation": "transfer/validation",
        "transfer_test": "transfer_test/test",
        "natural_shift": "shift/natural_shift",
        "out_of_distribution": "shift/out_of_distribution",
    }.items():
        assert numbers[name] == len(storage.read(digits / f"data/{path}.safetensors"))
    for folder in ("search", "transfer"):
        described = json.loads((digits / f"data/{folder}/dataset.json").read_bytes())
        assert described["learning_task"] == "image_classification"


def test_a_run_is_submitted(digits: Path, submitted: list[RunRecord]) -> None:
    run = submitted[0]
    assert (run.stage, run.parameters["dataset.name"], run.metrics["num_examples_validation"]) == (
        "prepare",
        "digits",
        288,
    )


def test_the_same_settings_give_the_same_bytes(digits: Path, tmp_path: Path) -> None:
    assert prepared(tmp_path) == 0
    assert digests(tmp_path) == digests(digits)


def test_another_seed_splits_otherwise_and_an_absent_shift_is_absent(digits: Path, tmp_path: Path) -> None:
    assert prepared(tmp_path, seed=1, natural_shift=None, out_of_distribution=None, num_examples=200) == 0
    first, second = digests(digits), digests(tmp_path)
    assert first["data/test/test.safetensors"] != second["data/test/test.safetensors"]
    assert len(storage.read(tmp_path / "data/search/train.safetensors")) == 160
    assert len(storage.read(tmp_path / "data/search/validation.safetensors")) == 40
    assert len(storage.read(tmp_path / "data/test/test.safetensors")) == 359
    shift = json.loads((tmp_path / "data/shift/shift.json").read_bytes())
    assert shift["names"] == {}
    assert not list((tmp_path / "data/shift").glob("*.safetensors"))


def test_other_images_take_the_size_of_the_main_ones(digits: Path) -> None:
    for name in ("transfer/train", "transfer_test/test", "shift/natural_shift", "shift/out_of_distribution"):
        assert storage.read(digits / f"data/{name}.safetensors").image_shape == (8, 8, 1)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"natural_shift": "printed_letters"}, "prepare.natural_shift printed_letters has classes"),
        ({"num_examples": 11}, "prepare: "),
        ({"validation_fraction": 0.001}, "prepare: "),
        ({"dataset": "mnist", "download": False, "folder": "nowhere"}, "prepare: "),
        ({"out_of_distribution": {"name": "printed_letters", "letters": "A"}}, "prepare: letters is 'A'; give two or "),
    ],
)
def test_what_cannot_be_prepared_is_one_line(
    settings: dict[str, Any], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepared(tmp_path, **settings) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: prepare: ")
    assert reason in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def grouped(num_groups: int = 10, test: ImageSet | None = None) -> ImageData:
    """Return images that say by their value which group they are of."""
    labels = np.arange(40 * num_groups, dtype=np.int64) % 4
    origin = np.arange(40 * num_groups) // 40
    images = np.broadcast_to(origin.astype(np.uint8)[:, None, None, None], (len(labels), 2, 2, 1)).copy()
    groups = tuple(f"face {number}" for number in origin)
    return ImageData("faces", tuple("abcd"), ImageSet(images, labels, groups), test, "none", "here", "nobody")


def test_images_of_one_origin_stay_in_one_part() -> None:
    settings = load(PARAMS).prepare
    foreign = ImageSet(np.full((8, 2, 2, 1), 200, dtype=np.uint8), np.arange(8, dtype=np.int64) % 4)
    parts = prepare._parts(grouped(test=foreign), settings, Streams(0))
    train, validation = (set(np.unique(parts[name].images)) for name in ("train", "validation"))
    assert len(train) == 8
    assert len(validation) == 2
    assert not train & validation
    assert parts["test"] is foreign


def test_the_test_part_of_a_set_without_one_tears_no_group_either() -> None:
    parts = prepare._parts(grouped(), load(PARAMS).prepare, Streams(0))
    origins = [set(np.unique(parts[name].images)) for name in ("train", "validation", "test")]
    assert sum(map(len, origins)) == 10
    assert set.union(*origins) == set(range(10))


def test_a_smaller_share_of_examples_is_taken_from_the_training_part_alone() -> None:
    loaded = replace(grouped(), train=replace(grouped().train, groups=None))
    settings = load(PARAMS).prepare.model_copy(update={"num_examples": 100})
    parts = prepare._parts(loaded, settings, Streams(0))
    assert {name: len(part) for name, part in parts.items()} == {"train": 80, "validation": 20, "test": 80}


def test_folds_tear_no_group_and_are_the_same_whichever_is_the_test_part() -> None:
    settings = load(PARAMS).prepare.model_copy(update={"folds": 5})
    tests = []
    for fold in range(5):
        parts = prepare._parts(grouped(), settings.model_copy(update={"fold": fold}), Streams(0))
        origins = [set(np.unique(parts[name].images)) for name in ("train", "validation", "test")]
        assert sum(map(len, origins)) == 10
        tests.append(origins[2])
    assert set.union(*tests) == set(range(10))
    assert sum(map(len, tests)) == 10
