"""A small checkout in which all trainings are done: one candidate, an empty rank, and the reference network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import graph_checkout
import numpy as np
import pytest
import yaml

from nas_core.architecture import Architecture
from nas_core.atomic_files import write_json
from nas_core.data import manifest, storage
from nas_core.data.image_set import ImageSet
from nas_core.randomness import Streams
from nas_core.task import TaskShape
from tasks.candidate import Description, write_description, write_weights
from tasks.settings import load
from tasks.stage import Stage

SPACE = {"name": "nasbench201", "channels": 2, "cells_per_stage": 1}
CANDIDATE = Architecture("nasbench201", (3, 1, 2, 1, 3, 1))
REFERENCE = Architecture("nasbench201", (3, 0, 3, 1, 0, 1))
SEEDS = (0, 1)

MakeCheckout = Callable[..., Stage]


@pytest.fixture
def make_checkout(tmp_path: Path) -> MakeCheckout:
    """Return a function that writes a checkout, with sections of params.yaml replaced, and gives a stage in it."""

    def make(name: str = "checkout", **sections: dict[str, Any]) -> Stage:
        root = tmp_path / name
        shift = root / "data/shift"
        _write_data(root / "data/search", root / "data/test", "shapes", num_classes=3, seed=0)
        _write_data(root / "data/transfer", root / "data/transfer_test", "other_shapes", num_classes=4, seed=1)
        storage.write(shift / "natural_shift.safetensors", _images(18, 3, 2))
        storage.write(shift / "out_of_distribution.safetensors", _images(12, 4, 3))
        write_json(
            shift / "shift.json",
            {"format": 1, "names": {"natural_shift": "drawn", "out_of_distribution": "foreign"}},
        )
        _write_trained(root / "results/retrain/0", CANDIDATE, "candidate", {"rank": 0})
        write_json(root / "results/retrain/1/metrics.json", {"format": 1, "status": "empty", "rank": 1})
        _write_trained(root / "results/baselines/reference", REFERENCE, "reference", {})
        for folder in (
            *(root / "data").iterdir(),
            *(root / "results/retrain").iterdir(),
            root / "results/baselines",
        ):
            manifest.write(folder)
        return _stage(root, sections)

    return make


@pytest.fixture
def make_graph_checkout(tmp_path: Path) -> MakeCheckout:
    """Return a function like that of `make_checkout`, with graphs in the place of images."""

    def make(name: str = "checkout", **sections: dict[str, Any]) -> Stage:
        root = tmp_path / name
        graph_checkout.write_checkout(root)
        differing = {**graph_checkout.SECTIONS, **sections}
        space = {"space": graph_checkout.SPACE}
        return _stage(root, {**differing, "search": {**space, **sections.get("search", {})}})

    return make


def _stage(root: Path, sections: dict[str, dict[str, Any]]) -> Stage:
    """Write params.yaml, and return a stage in the checkout."""
    (root / "params.yaml").write_text(yaml.safe_dump(_parameters(sections)))
    work = root / ".work/test"
    work.mkdir(parents=True)
    return Stage("test", root, load(root / "params.yaml"), work)


def _parameters(sections: dict[str, dict[str, Any]]) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "prepare": {"dataset": "digits", "transfer": "printed_letters"},
        "search": {
            "space": SPACE,
            "objectives": ["validation_accuracy"],
            "seeds": [0],
            "budget": {"evaluations": 1},
            "evaluators": {"low_fidelity": {}},
            "strategies": {"random_search": {"evaluator": "low_fidelity"}},
        },
        "select": {"per_strategy": 1, "seeds": [0], "evaluator": {"name": "low_fidelity"}},
        "retrain": {"ranks": [0, 1], "seeds": list(SEEDS), "schedule": {"epochs": 1}},
        "baselines": {"random_architectures": 2},
        "transfer": {
            "methods": ["linear_probe", "fine_tuning", "retraining"],
            "seeds": [3, 4],
            "schedule": {"epochs": 1, "batch_size": 16},
        },
        "robustness": {"corruptions": ["brightness", "gaussian_noise", "saturate"], "severities": [5, 1]},
        "proxies": {},
        "compute": {"device": "cpu", "workers": 1},
    }
    return {name: {**section, **sections.get(name, {})} for name, section in defaults.items()}


def _images(num_images: int, num_classes: int, seed: int) -> ImageSet:
    """Return noise with a bright row whose place says the class."""
    generator = np.random.default_rng(seed)
    labels = np.arange(num_images, dtype=np.int64) % num_classes
    images = generator.integers(0, 120, (num_images, 8, 8, 1), dtype=np.uint8)
    images[np.arange(num_images), 2 * labels] = 230
    return ImageSet(images, labels)


def _write_data(folder: Path, test_folder: Path, name: str, num_classes: int, seed: int) -> None:
    sets = {"train": _images(40, num_classes, seed), "validation": _images(20, num_classes, seed + 10)}
    for split, images in sets.items():
        storage.write(folder / f"{split}.safetensors", images)
    storage.write(test_folder / "test.safetensors", _images(20, num_classes, seed + 20))
    write_json(folder / "dataset.json", {"format": 1, **_described(name, num_classes, 0.3 + 0.1 * seed)})


def _described(name: str, num_classes: int, mean: float) -> dict[str, Any]:
    return {
        "name": name,
        "class_names": [f"row {label}" for label in range(num_classes)],
        "image_shape": [8, 8, 1],
        "channel_mean": [mean],
        "channel_std": [0.25],
    }


def _write_trained(folder: Path, architecture: Architecture, stream: str, extra: dict[str, Any]) -> None:
    """Write what a training leaves behind, with random weights."""
    folder.mkdir(parents=True)
    description = Description(architecture, SPACE, TaskShape((1, 8, 8), (3,)), _described("shapes", 3, 0.3))
    write_description(folder, description)
    for seed in SEEDS:
        generator = Streams(seed).torch(stream)
        network = description.built_space().network(architecture, description.task, generator)
        write_weights(folder / f"network-{seed}.safetensors", network)
    write_json(
        folder / "metrics.json",
        {
            "format": 1,
            "status": "trained",
            "architecture": architecture.key,
            "official_name": "a cell",
            "seeds": list(SEEDS),
            "chosen_seed": 1,
            **extra,
        },
    )
