"""What HGP-SL pooling costs, dense and not: `python -m benchmarks.graph_pooling [--graphs 512]`.

Forward and backward passes on one thread over batches of graphs of the sizes of PROTEINS: those of the set itself if
`NAS_DATA_ROOT` has it, else drawn. All implementations run in turns in one process, so that ratios hold on other
machines; times are processor milliseconds, memory is the peak of a process that makes one pass, less what it held
before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.figures import Cell, Table, command_line, measured
from benchmarks.protein_graphs import batch, real_folder

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gnn_space.graph_batch import GraphBatch
    from gnn_space.pooling.hgpsl import HGPSLPooling
    from gnn_space.pooling.pooled import Pooled

RATIO = 0.5
NUM_HOPS = 3
NODE_FEATURES = 3
NAMES = ("sparsemax_all_pairs", "sparsemax_k_hop", "softmax_all_pairs", "softmax_k_hop", "none")
DENSE, PADDED = "dense_over_batch", "padded"


class Pass(Protocol):
    """A forward and backward pass."""

    def __call__(self) -> list[Tensor]:
        """Return the loss and its gradients for the features, and for the parameters."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = command_line("graph_pooling", (__doc__ or "").partition("\n")[0])
    parser.add_argument("--graphs", type=int, default=512, help="graphs of a batch")
    parser.add_argument("--channels", type=int, default=128, help="features of a node")
    parser.add_argument("--repeats", type=int, default=3, help="turns of which the median counts")
    parser.add_argument("--growth", type=int, nargs="*", default=[128, 256, 512, 1024], help="numbers of graphs")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[32, 64, 128, 256, 512], help="nodes of 64 equal graphs"
    )
    parser.add_argument("--no-memory", action="store_true", help="leave out peaks, which take a process each")
    parser.add_argument("--peak", help="print the peak memory of one pass of that implementation, and nothing else")
    parser.add_argument("--equal-size", type=int, default=None, help="with --peak: nodes of every graph")
    chosen = parser.parse_args(arguments)
    if chosen.peak:
        print(_own_peak(chosen.peak, batch(chosen.graphs, chosen.channels, chosen.equal_size)))
        return 0
    settings: dict[str, Cell] = {
        "graphs": chosen.graphs,
        "channels": chosen.channels,
        "ratio": RATIO,
        "num_hops": NUM_HOPS,
        "sizes": "PROTEINS" if real_folder() else "drawn like PROTEINS",
    }
    measured(lambda: _tables(chosen), settings, as_json=chosen.json)
    return 0


def _tables(chosen: Any) -> list[Table]:
    import torch

    torch.set_num_threads(1)
    graphs = batch(chosen.graphs, chosen.channels, None)
    sizes = (graphs.sizes + 1) // 2
    names = (*NAMES, DENSE, PADDED)
    passes = {name: _pooling_pass(name, graphs) for name in names}
    reference = passes[NAMES[0]]()
    errors = {name: _difference(passes[name](), reference) for name in (DENSE, PADDED)}
    seconds = _in_turns(passes, chosen.repeats)
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            1000 * seconds[name],
            seconds[name] / seconds["sparsemax_all_pairs"],
            seconds[name] / seconds["sparsemax_k_hop"],
            _peak_of_a_process(name, chosen, chosen.graphs, None),
            errors.get(name),
        )
        for name in names
    ]
    columns = ("pooling", "processor ms", "x all pairs", "x k hop", "peak MB", "relative difference of gradients")
    words = (
        f"forward and backward: {graphs.num_nodes} nodes, at most {int(graphs.sizes.max())} a graph, "
        f"{graphs.edge_index.shape[1] // 2} edges, {int((sizes**2).sum())} pairs of {int(sizes.sum())} kept nodes"
    )
    tables = [Table(words, columns, tuple(rows))]
    tables.append(_thresholds(graphs, chosen.repeats))
    tables.append(_growth("growth with the number of graphs", chosen, [(count, None) for count in chosen.growth]))
    tables.append(_growth("growth with the size of 64 graphs", chosen, [(64, size) for size in chosen.sizes]))
    tables.append(_networks(chosen))
    return tables


def _thresholds(graphs: GraphBatch, num_turns: int) -> Table:
    """Return what the two ways to sparsemax's thresholds cost, on all pairs of kept nodes with normal logits."""
    import torch

    from gnn_space.pooling.sparsemax import thresholds_by_elimination, thresholds_by_sorting

    kept = (graphs.sizes + 1) // 2
    length = torch.repeat_interleave(kept, kept)
    row = torch.repeat_interleave(torch.arange(len(length)), length)
    logits = torch.randn(len(row), generator=torch.Generator().manual_seed(0))
    largest = torch.zeros(len(length)).scatter_reduce(0, row, logits, "amax", include_self=False)
    shifted = logits - largest[row]
    ways = {"elimination (CPU)": thresholds_by_elimination, "sorting (elsewhere)": thresholds_by_sorting}
    passes: dict[str, Pass] = {name: lambda way=way: [way(shifted, row, len(length))] for name, way in ways.items()}
    seconds = _in_turns(passes, num_turns)
    rows = tuple((name, 1000 * spent) for name, spent in seconds.items())
    return Table(f"thresholds of sparsemax over {len(row)} pairs", ("by", "processor ms"), rows)


def _growth(title: str, chosen: Any, batches: list[tuple[int, int | None]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for count, size in batches:
        graphs = batch(count, chosen.channels, size)
        seconds = _in_turns({name: _pooling_pass(name, graphs) for name in NAMES[:2]}, chosen.repeats)
        peaks = [_peak_of_a_process(name, chosen, count, size) for name in NAMES[:2]]
        kept = (graphs.sizes + 1) // 2
        row: tuple[Cell, ...] = (count, graphs.num_nodes, int((kept**2).sum()))
        rows.append(row + tuple(1000 * seconds[name] for name in NAMES[:2]) + tuple(peaks))
    columns = ("graphs", "nodes", "all pairs", "all pairs, ms", "k hop, ms", "all pairs, peak MB", "k hop, peak MB")
    return Table(f"{title}; processor ms", columns, tuple(rows))


def _networks(chosen: Any) -> Table:
    """Return the time of HGP-SL's network with several poolings: three blocks, of which two pool."""
    import torch

    graphs = batch(chosen.graphs, NODE_FEATURES, None)
    passes: dict[str, Pass] = {}
    for name in (*NAMES, DENSE, None):
        poolings = [_pooling(name, chosen.channels) for _ in range(2)] if name else []
        network = _network(chosen.channels, poolings)
        parameters = list(network.parameters())

        def one_pass(network: nn.Module = network, parameters: list[Any] = parameters) -> list[Tensor]:
            loss = network(graphs).square().mean()
            return [loss.detach(), *torch.autograd.grad(loss, parameters)]

        passes[name or "no pooling"] = one_pass
    seconds = _in_turns(passes, chosen.repeats)
    rows = tuple((name, 1000 * spent, spent / seconds["sparsemax_all_pairs"]) for name, spent in seconds.items())
    return Table(
        "HGP-SL's network (three GCN, two poolings), forward and backward",
        ("pooling", "processor ms", "x all pairs"),
        rows,
    )


def _network(channels: int, poolings: Sequence[Callable[[GraphBatch], Pooled]]) -> nn.Module:
    """Return the published network: readouts of every block added up, then a perceptron of three layers."""
    import torch
    import torch.nn.functional as F
    from torch import nn
    from torch_geometric.nn import GCNConv
    from torch_geometric.utils import scatter

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = (NODE_FEATURES, channels, channels)
            layers = [GCNConv(size, channels) for size in sizes]  # type: ignore[abstract]  # torch-geometric's
            self.convolutions = nn.ModuleList(layers)
            self.poolings = nn.ModuleList([pooling for pooling in poolings if isinstance(pooling, nn.Module)])
            self.head = nn.Sequential(
                nn.Linear(2 * channels, channels),
                nn.ReLU(),
                nn.Linear(channels, channels // 2),
                nn.ReLU(),
                nn.Linear(channels // 2, 2),
            )

        def forward(self, graphs: GraphBatch) -> Tensor:
            total: Tensor | float = 0.0
            for number, convolution in enumerate(self.convolutions):
                x = F.relu(convolution(graphs.x, graphs.edge_index, graphs.edge_weight))
                graphs = replace(graphs, x=x)
                if number < len(self.poolings):
                    graphs = self.poolings[number](graphs).graphs
                readouts = [scatter(graphs.x, graphs.batch, 0, graphs.num_graphs, how) for how in ("max", "mean")]
                total = total + F.relu(torch.cat(readouts, 1))
            logits: Tensor = self.head(total)
            return logits

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Network()


def _pooling(name: str, channels: int) -> Any:
    """Return the module of an implementation; all have the same attention vector."""
    import torch

    from benchmarks.dense_graph_pooling import DenseOverBatchPooling, PaddedPooling
    from gnn_space.pooling.hgpsl import HGPSLPooling

    structure: Any = name if name in NAMES else NAMES[0]
    operator: HGPSLPooling = HGPSLPooling(channels, RATIO, structure, num_hops=NUM_HOPS)
    bound = (6 / (1 + 2 * channels)) ** 0.5
    for parameter in operator.parameters():
        torch.nn.init.uniform_(parameter, -bound, bound, generator=torch.Generator().manual_seed(1))
    if name == DENSE:
        return DenseOverBatchPooling(operator)
    return PaddedPooling(operator) if name == PADDED else operator


def _pooling_pass(name: str, graphs: GraphBatch) -> Pass:
    import torch

    pooling = _pooling(name, graphs.x.shape[1])
    given = [graphs.x, *(parameter for parameter in pooling.parameters())]

    def one_pass() -> list[Tensor]:
        if name == PADDED:
            x, weight = pooling(graphs)
        else:
            pooled = pooling(graphs).graphs
            x, weight = pooled.x, pooled.edge_weight
        loss = x.square().sum() if weight is None else x.square().sum() + weight.square().sum()
        return [loss.detach(), *torch.autograd.grad(loss, given)]

    return one_pass


def _difference(found: list[Tensor], expected: list[Tensor]) -> float:
    """Return the largest difference of two passes, relative to the largest number of each tensor."""
    pairs = zip(found, expected, strict=True)
    return max(float((mine - theirs).abs().max() / theirs.abs().max()) for mine, theirs in pairs)


def _in_turns(passes: dict[str, Pass], num_turns: int) -> dict[str, float]:
    """Return the median seconds of each; one turn more is not timed."""
    spent: dict[str, list[float]] = {name: [] for name in passes}
    for turn in range(num_turns + 1):
        for name, one_pass in passes.items():
            start = time.process_time()
            one_pass()
            if turn:
                spent[name].append(time.process_time() - start)
    return {name: median(seconds) for name, seconds in spent.items()}


def _peak_of_a_process(name: str, chosen: Any, num_graphs: int, size: int | None) -> float | None:
    if chosen.no_memory:
        return None
    command = [sys.executable, "-m", "benchmarks.graph_pooling", "--peak", name]
    command += ["--graphs", str(num_graphs), "--channels", str(chosen.channels)]
    command += [] if size is None else ["--equal-size", str(size)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout.split()[-1])


def _own_peak(name: str, graphs: GraphBatch) -> float:
    """Return by how many megabytes one pass raises the memory of this process at its peak."""
    _pooling_pass(name, batch(2, graphs.x.shape[1], 8))()  # what a first pass loads is no part of it
    one_pass = _pooling_pass(name, graphs)
    before = _memory_mb("VmRSS")
    one_pass()
    return _memory_mb("VmHWM") - before


def _memory_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


if __name__ == "__main__":
    sys.exit(main())
