"""Graph networks on a device that is not the CPU: what they compute there, and what they ask of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_graphs
import torch
from far_tensors import Far, FarDevice, far_graphs, far_network

from gnn_space.graph_batch import GraphBatch
from gnn_space.space import GraphSpace, build
from nas_core.variation import sample
from nas_core.weight_sharing.gates import Gates

UNASKED = ("none", "topk", "sag", "hgpsl")
ALL_PAIRS = ("none", "sparsemax_all_pairs", "softmax_all_pairs")
OF_NODES = ("none", "topk", "sag", "asap", "hgpsl")
LEVELS: dict[str, tuple[GraphSpace, Any, GraphBatch]] = {
    "graph": (build(width=4), tiny_graphs.GRAPHS, tiny_graphs.batch_of_graphs()),
    "node": (build(level="node", width=4, poolings=OF_NODES), tiny_graphs.NODES, tiny_graphs.node_batch()),
}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def outputs_elsewhere(network: Any, *inputs: Any) -> tuple[torch.Tensor, list[str]]:
    """Return the outputs, brought here, and what the host waited for."""
    with torch.no_grad(), FarDevice() as device:
        outputs = far_network(network)(*inputs)
    return outputs.values, device.questions


@pytest.mark.parametrize("level", LEVELS)
def test_any_member_computes_the_same_on_every_device(level: str) -> None:
    space, task, graphs = LEVELS[level]
    generator = np.random.default_rng(0)
    for seed in range(15):
        member = sample(space, generator)
        network = space.network(member, task, seeded(seed)).train(seed % 2 == 0)
        with torch.no_grad():
            here = network(graphs)
        there, _ = outputs_elsewhere(
            space.network(member, task, seeded(seed)).train(network.training), far_graphs(graphs)
        )
        torch.testing.assert_close(there, here, msg=member.key)


@pytest.mark.parametrize("level", LEVELS)
def test_a_supernet_computes_the_same_on_every_device(level: str) -> None:
    space, task, graphs = LEVELS[level]
    shares = [torch.full((len(choice.options),), 1.0 / len(choice.options)) for choice in space.choices]
    with torch.no_grad():
        here = space.supernet(task, seeded(0))(graphs, Gates(tuple(shares)))
    far = Gates(tuple(Far(share) for share in shares))
    there, _ = outputs_elsewhere(space.supernet(task, seeded(0)), far_graphs(graphs), far)
    torch.testing.assert_close(there, here)


@pytest.mark.parametrize("level", LEVELS)
def test_no_member_without_hops_and_clusters_waits_for_the_device(level: Any) -> None:
    _, task, graphs = LEVELS[level]
    space = build(level=level, width=4, poolings=UNASKED, structures=ALL_PAIRS)
    generator = np.random.default_rng(1)
    for seed in range(15):
        member = sample(space, generator)
        _, questions = outputs_elsewhere(space.network(member, task, seeded(seed)), far_graphs(graphs))
        assert not questions, member.key


def test_clusters_wait_for_the_device() -> None:
    _, task, graphs = LEVELS["graph"]
    space = build(width=4, max_blocks=1, poolings=("edge",))
    member = sample(space, np.random.default_rng(0))
    assert outputs_elsewhere(space.network(member, task, seeded(0)), far_graphs(graphs))[1]
