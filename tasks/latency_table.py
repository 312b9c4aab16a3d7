"""Measures the latency of every operation of a space once on a device, and how well their sums predict networks.

``python -m tasks.latency_table [--device cpu]`` writes a table for `search.space` of params.yaml and the shape of the
prepared data: give its path as `latency_table` to the evaluator zero_cost, and name predicted_latency_ms among the
objectives. Random networks are measured as a whole beside their prediction; both, and the error, are in the file
``...-check.json`` beside the table.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.atomic_files import write_json
from nas_core.randomness import Streams
from nas_core.space import HasLocatedOperations, SearchSpace
from nas_core.task import TaskShape
from nas_core.training import latency_table
from tasks import assembly, data
from tasks.rank_agreement import agreement
from tasks.settings import SettingsError, load

if TYPE_CHECKING:
    import torch

FORMAT = 1
NUM_RESAMPLES = 2000


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description="Measure the operations of search.space on a device.")
    parser.add_argument("--device", default="cpu", help="torch device (cpu)")
    parser.add_argument("--batch-size", type=int, default=1, help="examples in a forward pass (1)")
    parser.add_argument("--networks", type=int, default=40, help="random networks that are measured as a whole (40)")
    parser.add_argument("--seed", type=int, default=0, help="of the networks (0)")
    parser.add_argument("--file", type=Path, help="of the table (latency/SPACE-DEVICE-BATCH.json)")
    chosen = parser.parse_args(arguments)
    try:
        _run(chosen, root)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: latency_table: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def check(
    space: SearchSpace, table: latency_table.LatencyTable, task: TaskShape, device: torch.device, number: int, seed: int
) -> dict[str, Any]:
    """Return how far predictions are from whole networks, as values for JSON.

    The error is the mean of ``abs(predicted - measured) / measured``.

    Args:
        space: of the networks, which says what they run.
        table: of its operations.
        task: what the networks take and give.
        device: that the table is of.
        number: of random networks, at least 2.
        seed: of the networks.
    """
    import torch

    from nas_core.training.measurement import latencies_ms
    from nas_core.variation import sample

    assert isinstance(space, HasLocatedOperations)
    streams = Streams(seed).child("latency_table")
    generator = streams.numpy("sample")
    members = [sample(space, generator) for _ in range(number)]
    networks = [space.network(member, task, streams.torch("initialization")).to(device) for member in members]
    inputs = torch.randn(table.batch_size, *task.inputs, generator=streams.torch("inputs")).to(device)
    measured = np.array(latencies_ms([(network, inputs) for network in networks]))
    predicted = np.array([table.predicted_ms(space, member, task) for member in members])
    ranks = agreement(predicted, measured, NUM_RESAMPLES, streams.numpy("bootstrap")).spearman
    errors = np.abs(predicted - measured) / measured
    return {
        "format": FORMAT,
        "num_networks": number,
        "seed": seed,
        "mean_absolute_percentage_error": 100 * fmean(errors.tolist()),
        "mean_ratio_of_predicted_to_measured": fmean((predicted / measured).tolist()),
        "spearman": {"estimate": ranks.estimate, "low": ranks.low, "high": ranks.high},
        "networks": [
            {"architecture": member.key, "predicted_ms": prediction, "measured_ms": measurement}
            for member, prediction, measurement in zip(members, predicted.tolist(), measured.tolist(), strict=True)
        ],
    }


def _run(chosen: argparse.Namespace, root: Path) -> None:
    if chosen.batch_size < 1 or chosen.networks < 2:
        raise ValueError(
            f"--batch-size is {chosen.batch_size} and --networks {chosen.networks}; give at least 1 and at least 2"
        )
    settings = load(root / "params.yaml")
    space = assembly.space(settings)
    if not isinstance(space, HasLocatedOperations):
        raise ValueError(f"space {space.name!r} does not say which operations its networks run; use latency_ms")

    import torch

    torch.set_num_threads(settings.compute.threads)
    device = torch.device(chosen.device)
    task = data.load_task(root).shape
    table = latency_table.measured(space, task, device, batch_size=chosen.batch_size)
    name = f"{space.name}-{re.sub('[^a-z0-9]+', '_', chosen.device.lower())}-{chosen.batch_size}.json"
    path = chosen.file or root / "latency" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    found = check(space, table, task, device, chosen.networks, chosen.seed)
    latency_table.write(path, table)
    write_json(path.with_name(f"{path.stem}-check.json"), found)
    ranks = found["spearman"]
    print(
        f"{path}: {len(table.operations_ms)} operations on {table.device}, batch {table.batch_size}, torch "
        f"{table.torch_version}; against {found['num_networks']} whole networks (seed {chosen.seed}): mean absolute "
        f"error {found['mean_absolute_percentage_error']:.1f} %, predicted / measured "
        f"{found['mean_ratio_of_predicted_to_measured']:.2f}, Spearman {ranks['estimate']:.3f} "
        f"[{ranks['low']:.3f}, {ranks['high']:.3f}]"
    )


if __name__ == "__main__":
    sys.exit(main())
