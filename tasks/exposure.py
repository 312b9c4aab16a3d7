"""Exposes all networks to one shift after the other, or to several at a time in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nas_core import worker_process
from nas_core.randomness import Streams
from nas_core.task import HasPerturbationSize, Task
from tasks import corruption_errors, data, stability
from tasks.finalists import Finalist

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Exposure:
    """All networks and what they are exposed to, in words that reach another process.

    Attributes:
        root: the checkout's top folder.
        device: torch device.
        threads: of torch on the CPU, in each process.
        members: the networks.
        severities: rising.
        seed: root of all randomness.
        folder: where what is measured is kept, in files of each shift's own.
    """

    root: Path
    device: str
    threads: int
    members: tuple[Finalist, ...]
    severities: tuple[int, ...]
    seed: int
    folder: Path

    @property
    def streams(self) -> Streams:
        """The randomness of the shifts."""
        return Streams(self.seed).child("corruptions")

    def task(self) -> Task:
        """Return the learning task with its test split."""
        return data.load_task_with_test(self.root, self.device)

    def networks(self) -> dict[str, nn.Module]:
        """Return every training of every network, by `training_key`."""
        return {
            training_key(member.name, seed): member.network(seed, self.device)
            for member in self.members
            for seed in member.seeds
        }

    def is_done(self, name: str, task: Task) -> bool:
        """Return whether the files say what networks do under a shift."""
        files = [corruption_errors.counts_file(name, self.folder)]
        if isinstance(task, HasPerturbationSize):
            files.append(stability.points_file(name, self.folder))
        return all(path.is_file() for path in files)

    def to(self, name: str, networks: Mapping[str, nn.Module], task: Task) -> None:
        """Measure all networks under one shift, unless the files say that this was done.

        Args:
            name: of the shift.
            networks: as `networks()` returns them.
            task: as `task()` returns it.
        """
        corruption_errors.count(networks, task, name, self.severities, self.streams, self.folder)
        if isinstance(task, HasPerturbationSize):
            stability.changes(networks, task, name, self.severities, self.streams, self.folder)


def training_key(name: str, seed: int) -> str:
    """Return what one training of a network is called in the files."""
    return f"{name} seed {seed}"


def expose_all(
    exposure: Exposure, networks: Mapping[str, nn.Module], task: Task, names: Sequence[str], workers: int
) -> Iterator[str]:
    """Expose the networks to every shift, and yield its name when that is done, at once where it was done before.

    Args:
        exposure: what is measured.
        networks: those of the exposure.
        task: that of the exposure.
        names: of the shifts.
        workers: processes; a single one, and any other device than the CPU, works in this process. What is measured
            does not depend on it.
    """
    left = [name for name in names if not exposure.is_done(name, task)]
    yield from (name for name in names if name not in left)
    if workers == 1 or len(left) < 2 or exposure.device != "cpu":
        for name in left:
            exposure.to(name, networks, task)
            yield name
        return
    with worker_process.process_pool(min(workers, len(left)), num_threads=exposure.threads) as pool:
        try:
            with worker_process.interrupts_blocked():
                found = pool.map(partial(_expose, exposure), left)
            yield from found
        except BaseException:
            worker_process.kill(pool)
            raise


def _expose(exposure: Exposure, name: str) -> str:
    """Expose the networks to a shift, in a process that has loaded nothing."""
    import torch

    torch.set_num_threads(exposure.threads)
    exposure.to(name, exposure.networks(), exposure.task())
    return name
