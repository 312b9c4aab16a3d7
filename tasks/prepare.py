"""Stage `prepare`: brings the data sets, splits them, and writes them in one format.

``python -m tasks.prepare`` writes ``data/search`` (train and validation), ``data/test``, ``data/transfer`` (train and
validation), ``data/transfer_test`` and ``data/shift`` (natural shift, out of distribution, and the shifted sets that
the data set itself comes with). Every test set is a folder of its own, so that no stage of the search can depend on one
by accident. ``metrics/prepare.json`` alone has a clock. What examples are (images, graphs, the nodes of a graph) is the
data set's affair: see `nas_core.data.data_set`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nas_core import catalog
from nas_core.atomic_files import write_json
from nas_core.data.data_set import DataSet, Examples, Part
from nas_core.randomness import Streams
from tasks import data
from tasks.console import Progress
from tasks.record import submit
from tasks.settings import Settings
from tasks.settings.parts import PlugIn
from tasks.settings.plug_ins import checked
from tasks.settings.sections import Prepare
from tasks.stage import Stage, run

FORMAT = 1


def main() -> int:
    """Run the stage; return its exit code."""
    return run("prepare", prepare, identity=identity, device_matters=False)


def identity(settings: Settings) -> object:
    """Return the settings that decide the results."""
    return settings.prepare.model_dump(mode="json")


def prepare(stage: Stage) -> None:
    """Write all prepared folders, once all data sets are there and found to go together."""
    started = time.time()
    settings = stage.settings.prepare
    streams = Streams(settings.seed).child("prepare")
    loaded = _load(settings, settings.dataset, {})
    parts = _parts(loaded, settings, streams.child("dataset"))
    second = _companion(settings, "transfer", settings.transfer, loaded)
    second_parts = _parts(second, settings.model_copy(update={"folds": None}), streams.child("transfer"))
    shifts = _shifts(settings, loaded)
    own_shifts = _own_shifts(loaded)
    _write_task(stage, data.SEARCH, data.TEST, loaded, parts)
    _write_task(stage, data.TRANSFER, data.TRANSFER_TEST, second, second_parts)
    _write_shifts(stage, shifts, own_shifts)
    num_examples = {
        **{name: len(part) for name, part in parts.items()},
        **{f"transfer_{name}": len(part) for name, part in second_parts.items()},
        **{role: len(part) for role, (_, part) in shifts.items()},
        **{f"shift_{name}": len(part) for name, part in own_shifts.items()},
    }
    seconds = round(time.time() - started, 3)
    write_json(stage.root / "metrics/prepare.json", {"num_examples": num_examples, "seconds": seconds})
    submit(
        stage,
        started,
        identity=identity(stage.settings),
        metrics={**{f"num_examples_{name}": number for name, number in num_examples.items()}, "seconds": seconds},
    )


def _load(settings: Prepare, chosen: PlugIn, companion_settings: Mapping[str, Any]) -> DataSet[Any]:
    """Load a data set; it takes those of the companion settings that it has and that are not given."""
    values = checked("params.yaml", f"data set {chosen.name}", "data set", chosen.name, chosen.settings)
    known = {setting.name for setting in catalog.settings("data set", chosen.name)}
    values = {**{name: value for name, value in companion_settings.items() if name in known}, **values}
    folder = None if settings.folder is None else Path(settings.folder).expanduser()
    shown: dict[str, Progress] = {}

    def report(name: str, received: int, total: int | None) -> None:
        bar = shown.setdefault(name, Progress(f"downloading {name}", (total or 0) // 1_000_000))
        bar.advance(received // 1_000_000 - bar.done)

    try:
        loaded: DataSet[Any] = catalog.load("data set", chosen.name).load(
            folder, download=settings.download, progress=report, **values
        )
    finally:
        for bar in shown.values():
            bar.stop()
    return loaded


def _companion(settings: Prepare, role: str, chosen: PlugIn, main: DataSet[Any]) -> DataSet[Any]:
    """Load a set that goes with the main one, with examples in the form of the main ones."""
    other = _load(settings, chosen, main.companion_settings)
    if other.learning_task != main.learning_task:
        raise ValueError(
            f"prepare.{role} {other.name} is for {other.learning_task}, {main.name} for {main.learning_task}; "
            "name a set of the same kind"
        )
    return other.like(main.example_shape)


def _parts(loaded: DataSet[Part], settings: Prepare, streams: Streams) -> dict[str, Part]:
    """Split into train, validation and test; what has no official validation part gets one out of train.

    Examples that come in groups (typefaces) are split by group, so that validation and test ask for groups never seen.
    """
    from nas_core.data.splits import subsample

    training, validation, test = loaded.train, loaded.validation, loaded.test
    if test is not None and settings.folds is not None:
        raise ValueError(
            f"prepare.folds is {settings.folds}, but {loaded.name} has a test part of its own; set folds to null"
        )
    if settings.folds is not None:
        training, test = _fold(training, settings.folds, settings.fold, streams)
    elif test is None:
        training, test = _divided(training, "test", settings.test_fraction, streams)
    if settings.num_examples is not None and settings.num_examples < len(training):
        training = training.take(subsample(training.labels, settings.num_examples, streams.numpy("subsample")))
    if validation is None:
        training, validation = _divided(training, "validation", settings.validation_fraction, streams)
    return {"train": training, "validation": validation, "test": test}


def _divided(examples: Part, part: str, fraction: float, streams: Streams) -> tuple[Part, Part]:
    """Return the examples without a part, and that part: whole groups, or every class in proportion."""
    indices = _split(examples, {"train": 1 - fraction, part: fraction}, streams.numpy(part))
    return examples.take(indices["train"]), examples.take(indices[part])


def _fold(examples: Part, num_folds: int, fold: int, streams: Streams) -> tuple[Part, Part]:
    """Return the examples without a fold, and that fold; the folds are the same ones whichever is asked for."""
    names = [f"fold {number:06d}" for number in range(num_folds)]
    indices = _split(examples, dict.fromkeys(names, 1 / num_folds), streams.numpy("folds"))
    rest = np.sort(np.concatenate([part for name, part in indices.items() if name != names[fold]]))
    return examples.take(rest), examples.take(indices[names[fold]])


def _split(
    examples: Examples, fractions: Mapping[str, float], generator: np.random.Generator
) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    from nas_core.data.splits import group_split, part_sizes, stratified_split

    if examples.groups is not None:
        return group_split(examples.groups, fractions, generator)
    return stratified_split(examples.labels, part_sizes(len(examples), fractions), generator)


def _write_task(stage: Stage, folder: str, test_folder: str, loaded: DataSet[Part], parts: dict[str, Part]) -> None:
    from nas_core.data import tensor_file

    def fill(draft: Path) -> None:
        for name, tensors in loaded.shared.items():
            tensor_file.write(draft / f"{name}.safetensors", tensors)
        for split in ("train", "validation"):
            tensor_file.write(draft / f"{split}.safetensors", parts[split].tensors)
        write_json(draft / "dataset.json", _description(loaded, parts))

    stage.publish(folder, fill)
    stage.publish(test_folder, lambda draft: tensor_file.write(draft / "test.safetensors", parts["test"].tensors))


def _description(loaded: DataSet[Part], parts: dict[str, Part]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "learning_task": loaded.learning_task,
        "name": loaded.name,
        "class_names": list(loaded.class_names),
        **loaded.description(parts["train"]),
        "num_examples": {name: len(part) for name, part in parts.items()},
        "license": loaded.license,
        "source": loaded.source,
        "citation": loaded.citation,
    }


def _shifts(settings: Prepare, loaded: DataSet[Any]) -> dict[str, tuple[str, Examples]]:
    """Return name and examples of the sets that the robustness stage alone reads, in the form of the main ones.

    Of a set with a test part that part alone is used: the training part may be the transfer task's.
    """
    found: dict[str, tuple[str, Examples]] = {}
    for role in ("natural_shift", "out_of_distribution"):
        chosen = settings.data_sets.get(role)
        if chosen is None:
            continue
        other = _companion(settings, role, chosen, loaded)
        if role == "natural_shift" and other.class_names != loaded.class_names:
            raise ValueError(
                f"prepare.natural_shift {chosen.name} has classes {list(other.class_names)}, {loaded.name} has "
                f"{list(loaded.class_names)}; name a set with the same classes, or null"
            )
        if other.shared:
            raise ValueError(
                f"prepare.{role} {chosen.name} has examples that mean nothing without the rest of it; set it to null"
            )
        found[role] = (other.name, other.test if other.test is not None else other.train)
    return found


def _own_shifts(loaded: DataSet[Part]) -> Mapping[str, Part]:
    """Return the shifted sets that the data set comes with, whose files must not take the place of others."""
    taken = sorted({"natural_shift", "out_of_distribution"} & loaded.shifted.keys())
    if taken:
        raise ValueError(f"{loaded.name} calls a shifted set {taken[0]}, which is the name of another; rename it")
    return loaded.shifted


def _write_shifts(stage: Stage, shifts: dict[str, tuple[str, Examples]], own_shifts: Mapping[str, Examples]) -> None:
    from nas_core.data import tensor_file

    def fill(draft: Path) -> None:
        for name, part in {**{role: part for role, (_, part) in shifts.items()}, **own_shifts}.items():
            tensor_file.write(draft / f"{name}.safetensors", part.tensors)
        described: dict[str, Any] = {
            "format": FORMAT,
            "names": {role: name for role, (name, _) in shifts.items()},
            "num_examples": {role: len(part) for role, (_, part) in shifts.items()},
        }
        if own_shifts:
            described["shifted"] = {name: {"num_examples": len(part)} for name, part in own_shifts.items()}
        write_json(draft / "shift.json", described)

    stage.publish(data.SHIFT, fill)


if __name__ == "__main__":
    sys.exit(main())
