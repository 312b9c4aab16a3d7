"""Says which network the pipeline has found, where its files are, and how good it is; classifies an image with it.

``python -m tasks.model`` prints one line, ``--json`` the same as JSON, ``--classify IMAGE`` the class of an image file,
which is resized as the data set was, by a network of images. The network is the champion: the best candidate by mean
validation accuracy.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks import data
from tasks.reporting.champion import best_candidate
from tasks.reporting.examples import example_words
from tasks.settings import load
from tasks.tracking import entries
from tasks.tracking.faults import explain
from tasks.tracking.settings import read_settings

ALIAS = "champion"
REPORT_STAGE = "report"
WRITTEN_SINCE = {"learning_task": data.IMAGE_CLASSIFICATION, "program": "program.pt2"}
"""What metrics.json of an earlier version does not say, which knew images alone."""


def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Print the final model, or what it makes of an image; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tasks.model", description="Print the final model.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of one line")
    parser.add_argument("--classify", metavar="IMAGE", type=Path, help="classify an image file with it")
    options = parser.parse_args(arguments)
    top = Path.cwd() if root is None else root
    try:
        metrics = champion(top)
        if options.classify is not None:
            answer = classified(top, metrics, options.classify)
            print(json.dumps(answer) if options.json else f"{answer['class']} ({100 * answer['probability']:.1f} %)")
        else:
            answer = described(top, metrics)
            print(json.dumps(answer, indent=2) if options.json else line(answer))
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


def champion(root: Path) -> Mapping[str, Any]:
    """Return metrics.json of the best candidate by mean validation accuracy.

    Raises:
        ValueError: no candidate was trained yet, or a file is damaged; or params.yaml has an error.
    """
    trained = []
    # not by what folders there are: a candidate of an earlier run may have stayed when `retrain.ranks` became shorter
    for rank in load(root / "params.yaml").retrain.ranks:
        path = root / f"results/retrain/{rank}/metrics.json"
        if not path.exists():
            continue
        try:
            metrics = json.loads(path.read_bytes())
            if metrics["status"] == "trained":
                trained.append({**WRITTEN_SINCE, **metrics, "rank": int(metrics["rank"])})
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged ({error}); run retrain@{path.parent.name} again") from None
    best = best_candidate(trained)
    if best is None:
        raise ValueError("no candidate has been trained yet; run `python -m flows.pipeline` or `dvc repro` first")
    return best


def described(root: Path, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the final model as a value for JSON.

    Args:
        root: the checkout's top folder.
        metrics: of the champion.
    """
    folder = f"results/retrain/{metrics['rank']}"
    test = metrics["test_accuracy"]
    return {
        "rank": metrics["rank"],
        "architecture": metrics["architecture"],
        "official_name": metrics["official_name"],
        "weights": f"{folder}/network.safetensors",
        "program": f"{folder}/{metrics['program']}" if metrics["program"] else None,
        "test_accuracy": {"mean": test["mean"], "standard_deviation": test["standard_deviation"]},
        "validation_accuracy": metrics["validation_accuracy"]["mean"],
        "num_seeds": len(metrics["seeds"]),
        "num_test": metrics["num_test"],
        "learning_task": metrics["learning_task"],
        "registered": registered(root, metrics["architecture"]),
    }


def line(answer: Mapping[str, Any]) -> str:
    """Return the final model in one line."""
    test, seeds = answer["test_accuracy"], answer["num_seeds"]
    accuracy = f"{100 * test['mean']:.2f}"
    if seeds > 1:
        accuracy += f" +- {100 * test['standard_deviation']:.2f}"
    examples = example_words(answer["learning_task"]).plural
    files = ", ".join(name for name in (answer["weights"], answer["program"]) if name is not None)
    known = f"; {answer['registered']}" if answer["registered"] else "; not registered"
    return (
        f"{answer['official_name'] or answer['architecture']}: test accuracy {accuracy} % "
        f"({seeds} seed{'s' if seeds > 1 else ''}, {answer['num_test']} {examples}); {files}{known}"
    )


def registered(root: Path, architecture: str) -> str | None:
    """Return the model's address in MLflow's registry; None unless its champion is this architecture.

    MLflow is asked, and imported, only if the report has been uploaded; a store that does not answer counts as none.

    Args:
        root: the checkout's top folder.
        architecture: key of the final model's.
    """
    settings = read_settings(root)
    uri = settings.absolute_uri(root)
    runs = {receipt.run_id for receipt in entries.receipts(root) if (receipt.stage, receipt.uri) == (REPORT_STAGE, uri)}
    if not runs:
        return None
    from tasks.tracking.store import open_store, quiet_mlflow

    with quiet_mlflow():
        from mlflow.exceptions import MlflowException

        try:
            client = open_store(settings, root).client
            version = client.get_model_version_by_alias(settings.registered_model, ALIAS)
            tags = client.get_run(version.run_id).data.tags if version.run_id else {}
        except (MlflowException, OSError) as error:
            print(f"MLflow was not asked ({explain(error)})", file=sys.stderr)
            return None
    return f"models:/{settings.registered_model}@{ALIAS}" if tags.get("winner") == architecture else None


def classified(root: Path, metrics: Mapping[str, Any], image: Path) -> dict[str, Any]:
    """Return the class that the champion gives an image file, with its probability.

    The image is resized to the data set's shape and normalized by its statistics. It must look like the data set's:
    digits, for example, are bright on a dark ground.

    Args:
        root: the checkout's top folder.
        metrics: of the champion.
        image: a file in a format that Pillow reads.

    Raises:
        ValueError: the champion classifies no images, or the file is none.
    """
    import numpy as np
    import torch
    from PIL import Image, UnidentifiedImageError

    from nas_core.data.image_set import ImageSet
    from nas_core.data.resize import like
    from tasks.candidate import load_network, read_description

    if metrics["learning_task"] != data.IMAGE_CLASSIFICATION:
        examples = example_words(metrics["learning_task"]).plural
        raise ValueError(f"the final model classifies {examples}, not image files; leave out --classify")
    folder = root / f"results/retrain/{metrics['rank']}"
    known = read_description(folder).data
    height, width, channels = known["image_shape"]
    try:
        with Image.open(image) as opened:
            pixels = np.asarray(opened.convert("L" if channels == 1 else "RGB"))
    except UnidentifiedImageError:
        raise ValueError(f"{image} is no image that can be read; give a PNG or JPEG file") from None
    one = ImageSet(pixels.reshape(1, *pixels.shape[:2], channels), np.zeros(1, np.int64))
    resized = like(one, (height, width, channels)).images.astype(np.float32) / 255
    mean, deviation = (np.asarray(known[name], np.float32) for name in ("channel_mean", "channel_std"))
    inputs = torch.from_numpy(np.ascontiguousarray(((resized - mean) / deviation).transpose(0, 3, 1, 2)))
    with torch.no_grad():
        probabilities = load_network(folder)(inputs).softmax(dim=1)[0]
    best = int(probabilities.argmax())
    return {"class": known["class_names"][best], "probability": float(probabilities[best])}


if __name__ == "__main__":
    sys.exit(main())
