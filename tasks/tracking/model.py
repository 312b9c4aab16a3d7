"""The champion in MLflow's registry, exported as a graph or as its files, loaded without unpickling code."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.tracking.record import ModelRecord
from tasks.tracking.store import quiet_mlflow

if TYPE_CHECKING:
    import torch
    from mlflow.tracking import MlflowClient

LoadNetwork = Callable[[Path], "torch.nn.Module"]

PICKLE_VARIABLE = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
MLFLOW_MODEL = "MLmodel"
"""The file that makes a folder an MLflow model."""


def export_model(model: ModelRecord, load_network: LoadNetwork, root: Path, folder: Path) -> None:
    """Write the network of `model` to `folder`: as an MLflow model, or its files where it cannot be one.

    Args:
        model: where the network's files are and, if it takes tensors, an example input.
        load_network: builds the network with its weights from its folder.
        root: where the paths in `model` start.
        folder: a folder that does not exist yet.

    Raises:
        ValueError: the example input is not a float32 batch of two or more, or the files are not the network's.
    """
    if model.example_input is not None:
        _export_graph(root / model.folder, load_network, root / model.example_input, folder)
        return
    folder.mkdir()
    for name in model.files:
        shutil.copyfile(root / model.folder / name, folder / name)
    # what is registered must load again
    load_network(folder)


def _export_graph(network_folder: Path, load_network: LoadNetwork, example_input: Path, folder: Path) -> None:
    """Write an MLflow model in torch.export's format (pt2).

    The graph keeps a free batch size. No requirement is inferred, which would run the network in another process.
    """
    import numpy as np
    import torch

    example = np.load(example_input, allow_pickle=False)
    if example.dtype != np.float32 or example.ndim < 2 or example.shape[0] < 2:
        raise ValueError(
            f"{example_input} is {example.dtype} of shape {example.shape}; give float32 (batch, ...), batch at least 2"
        )
    network = load_network(network_folder).eval()
    with quiet_mlflow():
        import mlflow.pytorch
        from mlflow.models import infer_signature

        with torch.no_grad():
            outputs = network(torch.from_numpy(example)).numpy()
        mlflow.pytorch.save_model(
            network,
            str(folder),
            signature=infer_signature(example, outputs),
            input_example=example,
            serialization_format="pt2",
            pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "torch", "numpy")],
        )


def register_model(client: MlflowClient, model: ModelRecord, folder: Path, run_id: str) -> str:
    """Upload an exported model beside its run, register it and point the alias to it; returns its version.

    Args:
        client: the store.
        model: the registered name and the alias.
        folder: what `export_model` wrote.
        run_id: the run that it belongs to.
    """
    from mlflow.exceptions import MlflowException

    client.log_artifacts(run_id, str(folder), "model")
    try:
        client.get_registered_model(model.registered_name)
    except MlflowException:
        client.create_registered_model(model.registered_name)
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    registered = client.create_model_version(model.registered_name, source, run_id=run_id)
    client.set_registered_model_alias(model.registered_name, model.alias, registered.version)
    return str(registered.version)


def unregister_models(client: MlflowClient, run_id: str) -> None:
    """Delete the registered versions of a run, which an interrupted upload left behind."""
    for registered in client.search_model_versions(f"run_id = '{run_id}'"):
        client.delete_model_version(registered.name, registered.version)


def load_champion(
    uri: str, registered_model: str, alias: str = "champion", load_network: LoadNetwork | None = None
) -> torch.nn.Module:
    """Return the registered network on the CPU; no pickled code is run.

    Args:
        uri: absolute tracking URI.
        registered_model: its name in the registry.
        alias: which version.
        load_network: builds a network from a folder of its files, for one that is registered by them.

    Returns:
        A graph module from float32 (batch, ...) as in its example input to its outputs; or what `load_network` gives.

    Raises:
        ValueError: the network is registered by its files, and there is no `load_network`.
    """
    with quiet_mlflow():
        import mlflow.artifacts
        import mlflow.pytorch
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        champion = client.get_model_version_by_alias(registered_model, alias)
        folder = mlflow.artifacts.download_artifacts(run_id=champion.run_id, artifact_path="model", tracking_uri=uri)
        if not (Path(folder) / MLFLOW_MODEL).exists():
            if load_network is None:
                raise ValueError(f"{registered_model}@{alias} is registered by its files; pass load_network")
            return load_network(Path(folder))
        allowed = os.environ.get(PICKLE_VARIABLE)
        os.environ[PICKLE_VARIABLE] = "false"
        try:
            network: torch.nn.Module = mlflow.pytorch.load_model(folder)
        finally:
            if allowed is None:
                del os.environ[PICKLE_VARIABLE]
            else:
                os.environ[PICKLE_VARIABLE] = allowed
    return network
