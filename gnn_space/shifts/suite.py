"""The shifts of graphs by name: the other files of this folder."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gnn_space import shifts

if TYPE_CHECKING:
    import torch

    from gnn_space.graph_batch import GraphBatch


@dataclass(frozen=True)
class GraphShift:
    """A shift by name: `graph_shift(graphs, severity, generator)` returns the shifted graphs.

    The nodes, their order and the graphs that they belong to stay; edges or features change. The same state of the
    generator, which is on the CPU, gives the same result on every device.

    Attributes:
        name: the file's name in this folder.
        family: "structure" or "features".
        function: the file's `shift`.
    """

    name: str
    family: str
    function: Callable[[GraphBatch, int, torch.Generator], GraphBatch]

    def __call__(self, graphs: GraphBatch, severity: int, generator: torch.Generator) -> GraphBatch:
        """Return the shifted graphs.

        Args:
            graphs: as networks take them.
            severity: 1 to 5.
            generator: source of randomness, on the CPU.

        Raises:
            ValueError: the severity is not as above.
        """
        return self.function(graphs, severity, generator)


def names() -> tuple[str, ...]:
    """Return the names of all shifts, in the order of the alphabet, without importing torch."""
    own = __name__.rpartition(".")[2]
    return tuple(sorted(module.name for module in pkgutil.iter_modules(shifts.__path__) if module.name != own))


def families() -> dict[str, str]:
    """Return the family of every shift."""
    return {name: shift(name).family for name in names()}


def at_severity(severity: int) -> dict[str, Callable[[GraphBatch, torch.Generator], GraphBatch]]:
    """Return every shift by name, as a function of (graphs, generator).

    Args:
        severity: 1 to 5.
    """

    def held(found: GraphShift) -> Callable[[GraphBatch, torch.Generator], GraphBatch]:
        return lambda graphs, generator: found(graphs, severity, generator)

    return {name: held(shift(name)) for name in names()}


def shift(name: str) -> GraphShift:
    """Return the shift of that name.

    Raises:
        ValueError: there is no such shift; the message suggests the nearest name.
    """
    if name not in names():
        nearest = difflib.get_close_matches(name, names(), n=1, cutoff=0.0)[0]
        raise ValueError(f"no shift is named {name!r}; did you mean {nearest!r}? There are: {', '.join(names())}")
    module = importlib.import_module(f"{shifts.__name__}.{name}")
    return GraphShift(name, module.FAMILY, module.shift)
