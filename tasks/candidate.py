"""A trained network on disk: its architecture, its weights, and how they become a network again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.atomic_files import write_bytes, write_json
from nas_core.randomness import Streams
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.task import TaskShape

if TYPE_CHECKING:
    from torch import nn

FORMAT = 1
ARCHITECTURE = "architecture.json"
NETWORK = "network.safetensors"
SELECTION = "results/select/selection.json"
PROVENANCE = ("format", "num_examples", "license", "source", "citation")
"""What `dataset.json` says of the data that is of no use to a network that was trained on them."""


@dataclass(frozen=True)
class Description:
    """What architecture.json says: all that is needed to build the network and to feed it.

    Attributes:
        architecture: a member of the space.
        space: the space's plug-in name and settings.
        task: what the network takes and gives.
        data: what `described_data` returns of the data that it was trained on.
    """

    architecture: Architecture
    space: Mapping[str, Any]
    task: TaskShape
    data: Mapping[str, Any]

    def built_space(self) -> SearchSpace:
        """Return the search space."""
        settings = dict(self.space)
        built: SearchSpace = catalog.load("space", settings.pop("name")).build(**settings)
        return built


def described_data(folder: Path) -> dict[str, Any]:
    """Return what `dataset.json` of prepared data says that using a network needs, whatever the learning task.

    That is its learning task, name and class names, the shape and the statistics of its inputs: all but the file's own
    format, how many examples there are, and where they come from.
    """
    described = json.loads((folder / "dataset.json").read_bytes())
    return {name: value for name, value in described.items() if name not in PROVENANCE}


def official_name(space: SearchSpace, architecture: Architecture) -> str | None:
    """Return the name of an architecture in the space's benchmark, if the space has one."""
    return space.to_name(architecture) if isinstance(space, HasBenchmarkNames) else None


def write_description(folder: Path, description: Description) -> None:
    """Write architecture.json into a folder."""
    space = description.built_space()
    write_json(
        folder / ARCHITECTURE,
        {
            "format": FORMAT,
            "architecture": description.architecture.key,
            "official_name": official_name(space, description.architecture),
            "space": dict(description.space),
            "inputs": list(description.task.inputs),
            "outputs": list(description.task.outputs),
            "data": dict(description.data),
        },
    )


def read_description(folder: Path) -> Description:
    """Return what architecture.json says.

    Raises:
        ValueError: if the file is damaged or has another format.
    """
    path = folder / ARCHITECTURE
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(f"{path} has format {content['format']}, this version reads {FORMAT}; retrain")
        return Description(
            Architecture.from_key(content["architecture"]),
            content["space"],
            TaskShape(tuple(content["inputs"]), tuple(content["outputs"])),
            content["data"],
        )
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}); run the stage that writes it again") from None


def write_weights(path: Path, network: nn.Module) -> None:
    """Write all parameters and buffers of a network as safetensors."""
    from safetensors.torch import save

    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_bytes(path, save(tensors))


def load_body(path: Path, network: nn.Module) -> None:
    """Give a network all weights of a file but those of its head: what fine-tuning starts from.

    Args:
        path: weights of the same network for another task, written by `write_weights`.
        network: keeps its own head.

    Raises:
        FileNotFoundError: the file is absent.
        ValueError: the file is damaged, or the weights are another network's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from nas_core.training.features import head

    prefix = f"{head(network)[0]}."
    own = {name: value for name, value in network.state_dict().items() if name.startswith(prefix)}
    try:
        network.load_state_dict({**load(path.read_bytes()), **own})
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} does not fit the network that is to start from it ({reason}); retrain") from None


def load_network(folder: Path, weights: str = NETWORK) -> nn.Module:
    """Return the trained network of a folder, on the CPU, in evaluation mode.

    Args:
        folder: holds architecture.json and the weights.
        weights: name of the safetensors file.

    Raises:
        FileNotFoundError: a file is absent.
        ValueError: a file is damaged, or the weights are another network's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    description = read_description(folder)
    network = description.built_space().network(description.architecture, description.task, Streams(0).torch("init"))
    try:
        network.load_state_dict(load((folder / weights).read_bytes()))
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{folder / weights} does not fit {ARCHITECTURE} ({reason}); retrain") from None
    return network.eval()
