"""The network of NAS-Bench-Graph: operations in a tree, whose leaves are joined and classified."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gnn_space.convolutions.cheb import ChebyshevConvolution
from gnn_space.convolutions.named import convolution
from gnn_space.graph_batch import GraphBatch
from nas_core.task import TaskShape

CONVOLUTIONS = {
    "gat": "gat_4",
    "gcn": "gcn",
    "gin": "gin",
    "sage": "sage_mean",
    "arma": "arma",
    "graph": "kgnn",
    "fc": "linear",
    "identity": "identity",
}
NUM_CHEBYSHEV_TERMS = 2


class TreeNetwork(nn.Module):
    """Classifies nodes: each operation takes one output, ``op(ReLU(BN(x)))``, and the leaves are joined.

    The classes are ``W ReLU([leaves]) + b``, with another linear layer before it if there is postprocessing. The input
    is neither normalized nor rectified before an operation, but behind preprocessing it is, as behind an operation.

    Qin et al. 2022, arXiv:2206.09166; follows the authors' code, which normalizes before the identity too. Differs from
    it: no dropout; GIN's network has two layers, not one, and a trained epsilon; ARMA has two stacks of two steps, not
    one of one; nothing is normalized whose output nobody takes.

    Args:
        task: (features,) and (classes,).
        links: for each operation the number of the one whose output it takes, counted from 1; 0 is the input.
        operations: names, as many as links.
        width: features of a node after an operation.
        preprocessing: whether a linear layer makes `width` features of the input.
        postprocessing: whether one makes `width` features of the joined leaves.

    Raises:
        ValueError: the task does not classify nodes by features.
    """

    def __init__(
        self,
        task: TaskShape,
        *,
        links: Sequence[int],
        operations: Sequence[str],
        width: int,
        preprocessing: bool,
        postprocessing: bool,
    ) -> None:
        super().__init__()
        if len(task.inputs) != 1 or len(task.outputs) != 1:
            raise ValueError(
                f"a tree of graph convolutions takes nodes with features and gives classes, not {task}; use a task of "
                "nodes, or another space"
            )
        channels = [width if preprocessing else task.inputs[0]]
        hidden = [preprocessing]
        self.links = tuple(links)
        self.leaves = tuple(number for number in range(1, len(links) + 1) if number not in links)
        self.preprocessing = nn.Linear(task.inputs[0], width) if preprocessing else nn.Identity()
        self.normalizations = nn.ModuleList()
        self.operations = nn.ModuleList()
        for link, operation in zip(links, operations, strict=True):
            hidden.append(hidden[link] or operation != "identity")
            channels.append(width if hidden[-1] else channels[link])
            before = nn.Sequential(nn.BatchNorm1d(channels[link]), nn.ReLU()) if hidden[link] else nn.Identity()
            self.normalizations.append(before)
            self.operations.append(_operation(operation, channels[link], channels[-1]))
        joined = sum(channels[leaf] for leaf in self.leaves)
        self.postprocessing = nn.Linear(joined, width) if postprocessing else nn.Identity()
        self.head = nn.Linear(width if postprocessing else joined, task.outputs[0])

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Return (num_targets, classes).

        Raises:
            ValueError: no nodes are asked for.
        """
        if graphs.target_nodes is None:
            raise ValueError("a tree of graph convolutions classifies nodes; give a batch with target_nodes")
        outputs = [self.preprocessing(graphs.x)]
        for link, before, operation in zip(self.links, self.normalizations, self.operations, strict=True):
            outputs.append(operation(before(outputs[link]), graphs.edge_index, graphs.edge_weight))
        leaves = [outputs[leaf].index_select(0, graphs.target_nodes) for leaf in self.leaves]
        classes: Tensor = self.head(self.postprocessing(torch.relu(torch.cat(leaves, dim=1))))
        return classes


def _operation(name: str, in_channels: int, out_channels: int) -> nn.Module:
    """Return the convolution of an operation."""
    if name == "cheb":
        return ChebyshevConvolution(in_channels, out_channels, num_terms=NUM_CHEBYSHEV_TERMS)
    return convolution(CONVOLUTIONS[name], in_channels, out_channels)
