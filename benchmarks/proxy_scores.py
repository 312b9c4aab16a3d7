"""What a zero-cost score takes, in forward and backward passes of the same network, and whether memory stays flat.

`python -m benchmarks.proxy_scores [--networks 5] [--scores 500] [--proxies NAME ...]`. Networks are random cells of
NAS-Bench-201 at the benchmark's size (16 channels, 5 cells a stage) on a batch of 128 random images of 32 x 32. Each
network's bare forward and backward pass of the loss and each of its scores are timed in turns, by processor seconds of
one thread, so that ratios hold on other machines. Then one process scores many networks by naswot.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import Cell, Table, command_line, measured
from nas_core import catalog
from nas_core.randomness import Streams
from nas_core.spaces import nasbench201
from nas_core.task import TaskShape
from nas_core.variation import sample

if TYPE_CHECKING:
    from torch import nn

SHAPE = TaskShape((3, 32, 32), (10,))
BATCH_SIZE = 128
PASSES = "forward and backward"
PROXIES = ("naswot", "synflow", "l2_norm", "jacob_cov", "epe_nas", "grad_norm", "snip", "plain", "fisher", "flops")
MARKS = (50, 500)
"""After how many scores the memory is read, where as many are taken."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line("proxy_scores", "Measure what zero-cost scores take.")
    parser.add_argument("--networks", type=int, default=5, help="that every score is timed on (5)")
    parser.add_argument("--scores", type=int, default=500, help="in one process, for its memory; 0 for none (500)")
    parser.add_argument("--proxies", nargs="+", default=list(PROXIES), help=f"to time ({', '.join(PROXIES)})")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    settings: dict[str, Cell] = {"networks": chosen.networks, "scores": chosen.scores, "seed": chosen.seed}

    def tables() -> list[Table]:
        import torch

        torch.set_num_threads(1)
        found = [_times(chosen.proxies, chosen.networks, chosen.seed)]
        return [*found, _memory(chosen.scores, chosen.seed)] if chosen.scores else found

    measured(tables, {**settings, "batch_size": BATCH_SIZE}, as_json=chosen.json)
    return 0


def resident_mib() -> float:
    """Return the memory of this process that is in use."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no VmRSS; run this on Linux")


def _times(proxies: Sequence[str], num_networks: int, seed: int) -> Table:
    """Return processor seconds of each score, and their ratio to those of the passes of the same network."""
    seconds: dict[str, list[float]] = {name: [] for name in (PASSES, *proxies)}
    networks = _networks(seed)
    for _ in range(num_networks):
        network = next(networks)
        _seconds(lambda network=network: _passes(copy.deepcopy(network)))
        for name in seconds:
            own = copy.deepcopy(network)
            score = (lambda own=own: _passes(own)) if name == PASSES else (lambda own=own, name=name: _score(name, own))
            seconds[name].append(_seconds(score))
    rows = []
    for name, taken in seconds.items():
        ratios = [own / passes for own, passes in zip(taken, seconds[PASSES], strict=True)]
        rows.append((name, median(taken), median(ratios), min(ratios), max(ratios)))
    columns = ("what", "seconds, median", "x forward and backward, median", "lowest", "highest")
    return Table(f"processor seconds over {num_networks} networks", columns, tuple(rows))


def _memory(num_scores: int, seed: int) -> Table:
    """Return the memory after scores by naswot, each of another network."""
    networks = _networks(seed)
    rows = []
    for number in range(1, num_scores + 1):
        _score("naswot", next(networks))
        if number in (*MARKS, num_scores):
            rows.append((number, resident_mib()))
    return Table("resident memory of one process, MiB", ("scores by naswot", "MiB"), tuple(rows))


def _networks(seed: int) -> Iterator[nn.Module]:
    """Give random networks."""
    space, streams = nasbench201.build(), Streams(seed).child("proxy_scores")
    generator, init = streams.numpy("cells"), streams.torch("initialization")
    while True:
        yield space.network(sample(space, generator), SHAPE, init)


def _passes(network: nn.Module) -> None:
    from torch.nn.functional import cross_entropy

    inputs, targets = _minibatch()
    cross_entropy(network.train()(inputs), targets).backward()


def _score(name: str, network: nn.Module) -> float:
    from torch.nn.functional import cross_entropy

    inputs, targets = _minibatch()
    return float(catalog.load("proxy", name).score(network, inputs, targets, cross_entropy))


def _minibatch() -> tuple[object, object]:
    import torch

    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(BATCH_SIZE, *SHAPE.inputs, generator=generator)
    return inputs, torch.randint(SHAPE.outputs[0], (BATCH_SIZE,), generator=generator)


def _seconds(do: Callable[[], object]) -> float:
    start = time.process_time()
    do()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
