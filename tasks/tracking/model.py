"""The champion as an MLflow model: exported as a graph, registered under an alias, loaded without unpickling code."""

from __future__ import annotations

import os
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


def export_model(model: ModelRecord, load_network: LoadNetwork, root: Path, folder: Path) -> None:
    """Write the network of `model` to `folder` as an MLflow model in torch.export's format (pt2).

    The graph keeps a free batch size. No requirement is inferred, which would run the network in another process.

    Args:
        model: where the network's files and an example input are.
        load_network: builds the network with its weights from its folder.
        root: where the paths in `model` start.
        folder: a folder that does not exist yet.

    Raises:
        ValueError: the example input is not a float32 batch of two or more.
    """
    import numpy as np
    import torch

    example = np.load(root / model.example_input, allow_pickle=False)
    if example.dtype != np.float32 or example.ndim < 2 or example.shape[0] < 2:
        raise ValueError(
            f"{model.example_input} is {example.dtype} of shape {example.shape}; give float32 (batch, ...), "
            "batch at least 2"
        )
    network = load_network(root / model.folder).eval()
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


def load_champion(uri: str, registered_model: str, alias: str = "champion") -> torch.nn.Module:
    """Return the registered network as a graph module on the CPU; no pickled code is run.

    Args:
        uri: absolute tracking URI.
        registered_model: its name in the registry.
        alias: which version.

    Returns:
        A module from float32 (batch, ...) as in its example input to its outputs.
    """
    with quiet_mlflow():
        import mlflow.artifacts
        import mlflow.pytorch
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        champion = client.get_model_version_by_alias(registered_model, alias)
        folder = mlflow.artifacts.download_artifacts(run_id=champion.run_id, artifact_path="model", tracking_uri=uri)
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
