"""What made-up results of a job on graphs are made of; equal arguments write equal bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gnn_space import space as graph_space
from nas_core.architecture import Architecture, active

LEARNING_TASK = "gnn_space.learning_tasks.graph_classification"
GRAPH_SPACE: Mapping[str, Any] = {"name": "gnn_space.space", "level": "graph", "width": 32, "max_blocks": 3}
GRAPH_DATASET = {
    "format": 1,
    "learning_task": LEARNING_TASK,
    "name": "motif",
    "class_names": ["house", "cycle", "crane"],
    "num_node_features": 1,
    "feature_mean": [0.0],
    "feature_std": [1.0],
    "num_examples": {"train": 600, "validation": 200, "test": 360},
    "license": "CC BY 4.0",
    "source": "nowhere",
    "citation": "A. Author & B. <Author> (1998). Motifs.",
}


def graph_network(settings: Mapping[str, Any] = GRAPH_SPACE, **options: str) -> str:
    """Return the key of a network with the options named, the first ones otherwise, where they matter."""
    choices = graph_space.build(**{name: value for name, value in settings.items() if name != "name"}).choices
    decisions = [choice.options.index(options.get(choice.name, choice.options[0])) for choice in choices]
    matters = active(choices, decisions)
    return Architecture(
        graph_space.NAME, tuple(each if there else 0 for each, there in zip(decisions, matters, strict=True))
    ).key


GRAPH_NETWORKS = (
    graph_network(conv_1="gin", pooling_1="topk", readout_1="sum"),
    graph_network(
        num_blocks="3",
        conv_1="gcn",
        conv_2="gat_4",
        conv_3="sage_mean",
        normalization_1="batch_norm",
        pooling_1="hgpsl",
        structure_1="sparsemax_all_pairs",
        pooling_2="hgpsl",
        structure_2="softmax_k_hop",
        connection_2="skip",
        connection_3="dense",
        readout_1="mean_max",
        combination="concatenation",
        head="mlp",
    ),
    graph_network(num_blocks="2", conv_2="gin"),
)
GRAPH_REFERENCE = graph_network(num_blocks="2", pooling_1="sag", combination="sum", head="mlp")


def write_pooling_examples(folder: Path, poolings: Sequence[str], num_graphs: int = 6, num_nodes: int = 18) -> None:
    """Write what poolings made of trees with a ring; the fifth node hangs on nothing, and one learns edges."""
    generator = np.random.default_rng(3)
    graphs = []
    for number in range(num_graphs):
        size = num_nodes + number
        edges = [[int(generator.integers(node)), node] for node in range(1, size)] + [[0, 1], [1, 2], [0, 2]]
        edges = [edge for edge in sorted({(min(edge), max(edge)) for edge in edges}) if 4 not in edge]
        left, levels = list(range(size)), []
        for block, pooling in enumerate(poolings, start=1):
            left = sorted(int(node) for node in generator.permutation(left)[: (len(left) + 1) // 2])
            among = [[*edge, 1.0] for edge in edges if set(edge) <= set(left)]
            if pooling == "hgpsl":
                learnt = generator.permutation([[a, b] for a in left for b in left])[: 2 * len(left)].tolist()
                among = [[a, b, float(generator.uniform(0.05, 0.9))] for a, b in [*learnt, *(e[:2] for e in among)]]
            levels.append({"block": block, "pooling": pooling, "kept": left, "edges": among})
        graphs.append({"num_nodes": size, "edges": [list(edge) for edge in edges], "levels": levels})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pooling_examples.json").write_text(json.dumps(graphs))
