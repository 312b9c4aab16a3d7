"""A look-up table of latencies: each operation of a space measured once on a device, and added up for any network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas_core.architecture import Architecture
from nas_core.atomic_files import write_json
from nas_core.space import HasAdditiveOperations, HasLocatedOperations
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch

FORMAT = 1
WARMUP, REPEATS = 10, 50
REMEDY = "measure one by python -m tasks.latency_table"


@dataclass(frozen=True)
class OptionLatencies:
    """What each option costs where every option adds its own, in milliseconds.

    The expected latency of a distribution over options is ``fixed_ms + sum_c sum_o p[c][o] options_ms[c][o]``.

    Attributes:
        fixed_ms: of what every network runs.
        options_ms: of each option of each choice.
    """

    fixed_ms: float
    options_ms: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LatencyTable:
    """Latencies of operations on one device, in evaluation mode.

    The latency of a network is predicted as the sum over the operations that it runs, as in Cai et al. 2019
    (ProxylessNAS, arXiv:1812.00332) and Wu et al. 2019 (FBNet, arXiv:1812.03443). Differs from both: the fixed parts of
    the networks and the sums of feature maps are operations like the others.

    Attributes:
        operations_ms: median of a forward pass, by the key of the operation.
        device: its name.
        num_threads: of torch.
        batch_size: examples in the pass.
        torch_version: that measured.
    """

    operations_ms: Mapping[str, float]
    device: str
    num_threads: int
    batch_size: int
    torch_version: str

    def __post_init__(self) -> None:
        for key, value in self.operations_ms.items():
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"the latency of {key!r} is {value}; it is a number of milliseconds, at least 0")

    def predicted_ms(self, space: HasLocatedOperations, architecture: Architecture, task: TaskShape) -> float:
        """Return the predicted latency of a network.

        Raises:
            ValueError: an operation that the network runs is not in the table.
        """
        return self._total(space.operation_counts(architecture, task))

    def options(self, space: HasAdditiveOperations, task: TaskShape) -> OptionLatencies:
        """Return what each option of each choice costs.

        Raises:
            ValueError: an operation of the space is not in the table.
        """
        rows = space.option_counts(task)
        return OptionLatencies(
            self._total(space.fixed_counts(task)), tuple(tuple(map(self._total, row)) for row in rows)
        )

    def _total(self, counts: Mapping[str, int]) -> float:
        missing = sorted(counts.keys() - self.operations_ms.keys())
        if missing:
            raise ValueError(
                f"the latency table of {self.device} has no {missing[0]!r}: it is of another space, size or data set; "
                f"{REMEDY}"
            )
        return math.fsum(number * self.operations_ms[key] for key, number in counts.items())


def measured(
    space: HasLocatedOperations, task: TaskShape, device: torch.device, *, batch_size: int = 1
) -> LatencyTable:
    """Return the table of a device: medians of forward passes of the operations, in turns, after some that warm up.

    Args:
        space: says which operations there are.
        task: what its networks take and give.
        device: to measure on.
        batch_size: examples in a pass.
    """
    import torch

    from nas_core.training.measurement import device_name, latencies_ms

    generator = torch.Generator().manual_seed(0)
    operations = space.located_operations(task)
    modules = [
        (operation.make().to(device), torch.randn(batch_size, *operation.input_shape, generator=generator).to(device))
        for operation in operations.values()
    ]
    found = dict(zip(operations, latencies_ms(modules, warmup=WARMUP, repeats=REPEATS), strict=True))
    return LatencyTable(found, device_name(device), torch.get_num_threads(), batch_size, torch.__version__)


def write(path: Path, table: LatencyTable) -> None:
    """Write a table as JSON."""
    write_json(path, {"format": FORMAT, **asdict(table)})


def read(path: Path) -> LatencyTable:
    """Return the table of a file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged, or of another format.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no latency table {path}; {REMEDY}")
    try:
        content = json.loads(path.read_bytes())
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        return LatencyTable(**content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is no latency table of format {FORMAT} ({reason}); {REMEDY}") from None
