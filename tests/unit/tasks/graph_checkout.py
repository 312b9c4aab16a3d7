"""Graphs and trained graph networks, as the last stages find them in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gnn_space.data import storage
from gnn_space.data.graph_set import GraphSet, joined
from nas_core.architecture import Architecture
from nas_core.atomic_files import write_json
from nas_core.data import manifest
from nas_core.randomness import Streams
from nas_core.task import TaskShape
from tasks.candidate import Description, write_description, write_weights

LEARNING_TASK = "gnn_space.learning_tasks.graph_classification"
SPACE: dict[str, Any] = {
    "name": "gnn_space.space",
    "level": "graph",
    "width": 8,
    "max_blocks": 2,
    "convolutions": ["gcn", "sage_mean"],
    "poolings": ["none", "hgpsl"],
    "structures": ["sparsemax_all_pairs"],
    "readouts": ["mean_max"],
    "combinations": ["sum"],
    "heads": ["linear"],
}
SECTIONS: dict[str, dict[str, Any]] = {
    "prepare": {"dataset": "gnn_space.sets.motif", "transfer": "gnn_space.sets.motif"},
    "robustness": {"corruptions": "all", "severities": [5, 1]},
}
"""What differs in params.yaml, `search.space` left out."""

NUM_FEATURES = 3


def write_checkout(root: Path) -> None:
    """Write prepared graphs and the trainings of two networks, with random weights."""
    _write_data(root / "data/search", root / "data/test", "rings", num_classes=3, seed=0)
    _write_data(root / "data/transfer", root / "data/transfer_test", "larger_rings", num_classes=2, seed=1, size=30)
    shift = root / "data/shift"
    storage.write(shift / "natural_shift.safetensors", _graphs(12, 3, 2, 12))
    storage.write(shift / "out_of_distribution.safetensors", _graphs(10, 2, 3, 5))
    storage.write(shift / "base.safetensors", _graphs(9, 3, 4, 10))
    storage.write(shift / "size.safetensors", _graphs(8, 3, 5, 40))
    write_json(
        shift / "shift.json",
        {
            "format": 1,
            "names": {"natural_shift": "drawn", "out_of_distribution": "foreign"},
            "shifted": {"base": 9, "size": 8},
        },
    )
    reference = _description(Architecture("none", ())).built_space().reference()
    other = Architecture(reference.space, (0,) * len(reference.decisions))
    _write_trained(root / "results/retrain/0", other, "candidate", {"rank": 0})
    write_json(root / "results/retrain/1/metrics.json", {"format": 1, "status": "empty", "rank": 1})
    _write_trained(root / "results/baselines/reference", reference, "reference", {})
    for folder in (*(root / "data").iterdir(), *(root / "results/retrain").iterdir(), root / "results/baselines"):
        manifest.write(folder)


def _graphs(num_graphs: int, num_classes: int, seed: int, size: int = 10) -> GraphSet:
    """Return rings with chords whose number says the class; the last graph is a node alone."""
    generator = np.random.default_rng(seed)
    labels = np.arange(num_graphs) % num_classes
    features, edges = [], []
    for index, label in enumerate(labels):
        num_nodes = 1 if index == num_graphs - 1 else size + int(generator.integers(3))
        nodes = np.arange(num_nodes)
        chords = generator.integers(0, num_nodes, (2, 3 * int(label)))
        pairs = np.concatenate([np.stack([nodes, (nodes + 1) % num_nodes]), chords], axis=1)
        pairs = np.unique(np.sort(pairs[:, pairs[0] != pairs[1]], axis=0), axis=1)
        features.append(generator.normal(1.0, 2.0, (num_nodes, NUM_FEATURES)).astype(np.float32))
        edges.append(np.concatenate([pairs, pairs[::-1]], axis=1))
    return joined(features, edges, labels.tolist())


def _write_data(folder: Path, test_folder: Path, name: str, num_classes: int, seed: int, size: int = 10) -> None:
    for split, num_graphs in (("train", 30), ("validation", 15)):
        storage.write(folder / f"{split}.safetensors", _graphs(num_graphs, num_classes, seed, size))
        seed += 10
    storage.write(test_folder / "test.safetensors", _graphs(20, num_classes, seed, size))
    write_json(folder / "dataset.json", {"format": 1, **_described(name, num_classes)})


def _described(name: str, num_classes: int) -> dict[str, Any]:
    return {
        "learning_task": LEARNING_TASK,
        "name": name,
        "class_names": [f"{3 * label} chords" for label in range(num_classes)],
        "num_node_features": NUM_FEATURES,
        "feature_mean": [1.0] * NUM_FEATURES,
        "feature_std": [2.0] * NUM_FEATURES,
    }


def _description(architecture: Architecture) -> Description:
    return Description(architecture, SPACE, TaskShape((NUM_FEATURES,), (3,)), _described("rings", 3))


def _write_trained(folder: Path, architecture: Architecture, stream: str, extra: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    description = _description(architecture)
    write_description(folder, description)
    for seed in (0, 1):
        generator = Streams(seed).torch(stream)
        network = description.built_space().network(architecture, description.task, generator)
        write_weights(folder / f"network-{seed}.safetensors", network)
    metrics = {"architecture": architecture.key, "official_name": None, "seeds": [0, 1], "chosen_seed": 1}
    write_json(folder / "metrics.json", {"format": 1, "status": "trained", **metrics, **extra})
