"""Small random graphs, and prepared folders of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from gnn_space.data import storage
from gnn_space.data.graph_set import GraphSet, joined
from gnn_space.data.statistics import feature_statistics

NUM_CLASSES = 3


def random_graphs(num_graphs: int = 24, seed: int = 0, num_features: int = 2) -> GraphSet:
    """Return graphs of 1 to 7 nodes, some without edges, that say by their first feature which graph they are."""
    generator = np.random.default_rng(seed)
    features, edges, labels = [], [], []
    for number in range(num_graphs):
        size = int(generator.integers(1, 8))
        adjacent = np.triu(generator.random((size, size)) < 0.4, 1)
        edges.append(np.argwhere(adjacent | adjacent.T).T.astype(np.int64))
        x = generator.normal(3.0, 2.0, (size, num_features)).astype(np.float32)
        x[:, 0] = number
        features.append(x)
        labels.append(number % NUM_CLASSES)
    return joined(features, edges, labels)


def write(folder: Path, num_features: int = 2, with_test: bool = True) -> Path:
    """Write a prepared data set; return its folder, in which `test` is the test part."""
    splits = {"train": folder, "validation": folder, **({"test": folder / "test"} if with_test else {})}
    for seed, (split, place) in enumerate(splits.items()):
        storage.write(place / f"{split}.safetensors", random_graphs(24, seed, num_features))
    mean, std = feature_statistics(random_graphs(24, 0, num_features).x)
    description = {
        "format": 1,
        "learning_task": "gnn_space.learning_tasks.graph_classification",
        "name": "random graphs",
        "class_names": [f"class {label}" for label in range(NUM_CLASSES)],
        "num_node_features": num_features,
        "feature_mean": mean,
        "feature_std": std,
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    return folder
