"""A prepared image set of 8 x 8 pixels: a bright bar whose place tells the class."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nas_core.data import storage
from nas_core.data.image_set import ImageSet

NUM_CLASSES = 4
SHIFTS = ("speckle_noise", "gaussian_blur")


def write(folder: Path, *, channels: int = 1, num_examples: int = 64, with_test: bool = False) -> Path:
    """Write train, validation (and in `folder/test` a test split) and dataset.json; return the folder."""
    generator = np.random.default_rng(0)
    splits = {"train": folder, "validation": folder}
    if with_test:
        splits["test"] = folder / "test"
    for split, place in splits.items():
        labels = np.arange(num_examples) % NUM_CLASSES
        images = generator.integers(0, 90, (num_examples, 8, 8, channels), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 2 * label : 2 * label + 2] += 150
        storage.write(place / f"{split}.safetensors", ImageSet(images, labels))
        if split == "train":
            pixels = images / 255
    description = {
        "format": 1,
        "name": "bars",
        "class_names": [f"bar {label}" for label in range(NUM_CLASSES)],
        "image_shape": [8, 8, channels],
        "num_examples": dict.fromkeys(splits, num_examples),
        "channel_mean": pixels.mean(axis=(0, 1, 2)).tolist(),
        "channel_std": pixels.std(axis=(0, 1, 2)).tolist(),
        "license": "none",
        "source": "drawn here",
        "citation": "",
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    return folder
