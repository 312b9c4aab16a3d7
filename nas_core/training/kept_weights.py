"""Trained weights of a search's candidates, kept on disk for the candidates that are derived from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core.architecture import Architecture
from nas_core.atomic_files import write_json
from nas_core.evaluation import Fidelity, Proposal
from nas_core.quarantine import quarantine

if TYPE_CHECKING:
    from torch import nn

FORMAT = 1


@dataclass(frozen=True)
class KeptWeights:
    """A folder with two kinds of files, each written once and atomically.

    A *lineage* says by which proposal an architecture was first asked for; it is claimed in the order of the proposals,
    before any of a round is trained. Of all trainings of an architecture, only those of that proposal keep their
    weights, one safetensors file for each seed of a candidate. What is kept is thereby a function of the order of the
    proposals alone: neither the number of workers nor a kill amid a round changes what children inherit. Since weights
    follow from their lineage, files that are lost or damaged cost a training, and change nothing.

    On disk a candidate takes four bytes a parameter (and a few for the statistics of batch normalization) for each of
    its seeds: a search of 100 networks of a million parameters takes 400 MB. Nothing is taken away during a search.

    Attributes:
        folder: of one search with one seed; made when it is first needed.
    """

    folder: Path

    def claim(self, proposals: Sequence[Proposal]) -> None:
        """Note by which proposal each architecture is asked for, if it never was before; in this order."""
        for proposal in proposals:
            path = self._path(proposal.architecture, ".json")
            if not path.exists():
                write_json(path, {"format": FORMAT, **_described(proposal)})

    def lineage(self, architecture: Architecture) -> Proposal:
        """Return the proposal by which an architecture was first asked for.

        Raises:
            OSError: nothing is known of it, or the file is damaged.
        """
        path = self._path(architecture, ".json")
        remedy = "remove the folder with the archive of this search, and start it again"
        if not path.exists():
            raise FileNotFoundError(f"nothing in {self.folder} says how {architecture.key} was trained; {remedy}")
        try:
            return _proposal(json.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError) as error:
            raise OSError(f"{path} is damaged ({error}); {remedy}") from error

    def save(self, proposal: Proposal, seed: int, network: nn.Module) -> None:
        """Keep the weights of a candidate's seed if they are the architecture's first; on disk before this returns.

        Raises:
            OSError: the file system refused.
        """
        from nas_core.data import tensor_file

        path = self._path(proposal.architecture, f"-{seed}.safetensors")
        if self.lineage(proposal.architecture) == proposal and not path.exists():
            tensor_file.write(path, {name: value.numpy(force=True) for name, value in network.state_dict().items()})

    def load(self, architecture: Architecture, seed: int, network: nn.Module) -> bool:
        """Give an architecture's network its kept weights; return whether there are any.

        A damaged file is put aside and counts as none.
        """
        import torch

        from nas_core.data import tensor_file

        path = self._path(architecture, f"-{seed}.safetensors")
        expected = network.state_dict()
        try:
            arrays = tensor_file.read(path, expected)
        except FileNotFoundError:
            return False
        except ValueError:
            quarantine(path, path.read_bytes())
            path.unlink(missing_ok=True)
            return False
        # a single number comes back as an array of one
        network.load_state_dict(
            {name: torch.from_numpy(array).reshape(expected[name].shape) for name, array in arrays.items()}
        )
        return True

    def _path(self, architecture: Architecture, ending: str) -> Path:
        """Return the path of a file; keys may be longer than names of files may be."""
        return self.folder / (hashlib.sha256(architecture.key.encode()).hexdigest()[:32] + ending)


def _described(proposal: Proposal) -> dict[str, Any]:
    return {
        "architecture": proposal.architecture.key,
        "fidelity": None if proposal.fidelity is None else asdict(proposal.fidelity),
        "parent": None if proposal.parent is None else proposal.parent.key,
        "morphisms": list(proposal.morphisms),
    }


def _proposal(value: dict[str, Any]) -> Proposal:
    return Proposal(
        Architecture.from_key(value["architecture"]),
        None if value["fidelity"] is None else Fidelity(**value["fidelity"]),
        None if value["parent"] is None else Architecture.from_key(value["parent"]),
        tuple(value["morphisms"]),
    )
