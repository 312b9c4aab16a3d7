"""The networks that the last stages compare: every candidate that was trained, and the reference network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.candidate import load_network

if TYPE_CHECKING:
    from torch import nn

REFERENCE = "reference"
REFERENCE_FOLDER = "results/baselines/reference"


@dataclass(frozen=True)
class Finalist:
    """A network that was trained for several seeds.

    Attributes:
        name: "rank 0", "rank 1", ... or "reference".
        rank: of a candidate; None for the reference.
        folder: its weights and architecture.json.
        architecture: its key.
        official_name: its name in the space's benchmark, if it has one.
        seeds: of the trainings.
        chosen_seed: the one that is best on validation.
    """

    name: str
    rank: int | None
    folder: Path
    architecture: str
    official_name: str | None
    seeds: tuple[int, ...]
    chosen_seed: int

    def weights(self, seed: int) -> Path:
        """Return the file with the weights of one training."""
        return self.folder / f"network-{seed}.safetensors"

    def network(self, seed: int, device: str) -> nn.Module:
        """Return the network of one training, on the device, in evaluation mode."""
        return load_network(self.folder, self.weights(seed).name).to(device)

    def summary(self) -> dict[str, Any]:
        """Return what result files say of who this is."""
        return {
            "name": self.name,
            "rank": self.rank,
            "architecture": self.architecture,
            "official_name": self.official_name,
            "seeds": list(self.seeds),
            "chosen_seed": self.chosen_seed,
        }


def folders(ranks: Sequence[int]) -> list[str]:
    """Return the folders of results, relative to the root, that finalists are read from."""
    return [*(f"results/retrain/{rank}" for rank in ranks), "results/baselines"]


def finalists(root: Path, ranks: Sequence[int]) -> list[Finalist]:
    """Return the trained candidates in the order of their ranks, then the reference; empty ranks are left out."""
    found = [
        _finalist(f"rank {rank}", rank, root / f"results/retrain/{rank}", metrics)
        for rank, metrics in results_of(root, tuple(ranks)).items()
    ]
    reference = root / REFERENCE_FOLDER
    metrics = json.loads((reference / "metrics.json").read_bytes())
    return [*found, _finalist(REFERENCE, None, reference, metrics)]


def results_of(root: Path, ranks: tuple[int, ...]) -> dict[int, dict[str, Any]]:
    """Return metrics.json of every rank that was trained."""
    found = {rank: json.loads((root / f"results/retrain/{rank}/metrics.json").read_bytes()) for rank in ranks}
    return {rank: metrics for rank, metrics in found.items() if metrics["status"] == "trained"}


def _finalist(name: str, rank: int | None, folder: Path, metrics: dict[str, Any]) -> Finalist:
    return Finalist(
        name,
        rank,
        folder,
        metrics["architecture"],
        metrics["official_name"],
        tuple(metrics["seeds"]),
        metrics["chosen_seed"],
    )
