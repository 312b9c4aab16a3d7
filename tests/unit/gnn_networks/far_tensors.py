"""Tensors that are on the CPU and say that they are elsewhere, for tests of what an accelerator would refuse."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from gnn_space.graph_batch import GraphBatch

ELSEWHERE = torch.device("meta")
ASKS = {
    "_local_scalar_dense.default",
    "_unique2.default",
    "bincount.default",
    "equal.default",
    "is_nonzero.default",
    "masked_select.default",
    "nonzero.default",
    "unique_consecutive.default",
    "unique_dim.default",
}
"""Operations for whose result the host waits."""

INDEXING = {"index.Tensor", "index_put.default", "index_put_.default", "_index_put_impl_.default"}


class Far(Tensor):
    """A tensor elsewhere, which holds its values on the CPU."""

    values: Tensor

    @staticmethod
    def __new__(cls, values: Tensor) -> Far:
        dense = values.layout == torch.strided
        layout = {"strides": values.stride(), "storage_offset": values.storage_offset()} if dense else {}
        made: Far = torch.Tensor._make_wrapper_subclass(
            cls,
            values.size(),
            dtype=values.dtype,
            device=ELSEWHERE,
            layout=values.layout,
            **layout,
        )
        made.values = values
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError("far tensors are for a block with FarDevice()")


class FarDevice(TorchDispatchMode):
    """Computes with far tensors as an accelerator would: tensors here and there do not meet, and questions are noted.

    Attributes:
        questions: "operation at file:line" of everything for which the host would wait.
    """

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []

    def __torch_dispatch__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = function.__name__
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        far = [each for each in tensors if isinstance(each, Far)]
        near = [each for each in tensors if not isinstance(each, Far) and each.ndim]
        moves = name == "_to_copy.default"
        to = kwargs.get("device")
        if far:
            assert not near or (name in INDEXING and isinstance(args[0], Far)), f"{name} of tensors here and elsewhere"
            asks = name in ASKS or (name == "repeat_interleave.Tensor" and kwargs.get("output_size") is None)
            by_condition = name in INDEXING and any(each is not None and each.dtype == torch.bool for each in args[1])
            if asks or by_condition or near or (moves and to is not None and to.type == "cpu"):
                self.questions.append(f"{name} at {_place()}")
        if to is not None:
            kwargs["device"] = torch.device("cpu")
        args, kwargs = tree_map(lambda leaf: leaf.values if isinstance(leaf, Far) else leaf, (args, kwargs))
        result = function(*args, **kwargs)
        if (to.type == "cpu") if to is not None else not far:
            return result
        return tree_map(lambda leaf: Far(leaf) if isinstance(leaf, Tensor) else leaf, result)


def far_graphs(graphs: GraphBatch) -> GraphBatch:
    """Return the batch elsewhere, but for its sizes."""
    targets = None if graphs.target_nodes is None else Far(graphs.target_nodes)
    return replace(
        graphs, x=Far(graphs.x), edge_index=Far(graphs.edge_index), batch=Far(graphs.batch), target_nodes=targets
    )


def far_network(network: nn.Module) -> nn.Module:
    """Return the network itself with its parameters and buffers elsewhere."""
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            setattr(module, name, nn.Parameter(Far(parameter.detach()), requires_grad=False))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, Far(buffer))
    return network


def _place() -> str:
    """Return the line of the package that is being run."""
    frames = [frame for frame in traceback.extract_stack() if "gnn_space/" in frame.filename]
    return f"{frames[-1].filename.rpartition('gnn_space/')[2]}:{frames[-1].lineno}" if frames else "elsewhere"
