"""Stage `prepare`: brings the data sets, splits them, and writes them in one format.

``python -m tasks.prepare`` writes ``data/search`` (train and validation), ``data/test``, ``data/transfer`` (train and
validation), ``data/transfer_test`` and ``data/shift`` (natural shift, out of distribution). Every test set is a folder
of its own, so that no stage of the search can depend on one by accident. ``metrics/prepare.json`` alone has a clock.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core import catalog
from nas_core.atomic_files import write_json
from nas_core.randomness import Streams
from tasks import data
from tasks.console import Progress
from tasks.record import submit
from tasks.settings import Settings
from tasks.settings.plug_ins import checked
from tasks.settings.sections import PlugIn, Prepare
from tasks.stage import Stage, run

if TYPE_CHECKING:
    from nas_core.data.image_set import ImageData, ImageSet

FORMAT = 1


def main() -> int:
    """Run the stage; return its exit code."""
    return run("prepare", prepare, identity=identity, device_matters=False)


def identity(settings: Settings) -> object:
    """Return the settings that decide the results."""
    return settings.prepare.model_dump(mode="json")


def prepare(stage: Stage) -> None:
    """Write all prepared folders, once all data sets are there and found to go together."""
    from nas_core.data.resize import like

    started = time.time()
    settings = stage.settings.prepare
    streams = Streams(settings.seed).child("prepare")
    loaded = _load(settings, settings.dataset, None)
    shape = loaded.train.image_shape
    parts = _parts(loaded, settings, streams.child("dataset"))
    second = _load(settings, settings.transfer, shape)
    second_parts = _parts(second, settings, streams.child("transfer"))
    second_parts = {name: like(part, shape) for name, part in second_parts.items()}
    shifts = _shifts(settings, loaded, shape)
    _write_task(stage, data.SEARCH, data.TEST, loaded, parts)
    _write_task(stage, data.TRANSFER, data.TRANSFER_TEST, second, second_parts)
    _write_shifts(stage, shifts)
    num_examples = {
        **{name: len(part) for name, part in parts.items()},
        **{f"transfer_{name}": len(part) for name, part in second_parts.items()},
        **{role: len(images) for role, (_, images) in shifts.items()},
    }
    seconds = round(time.time() - started, 3)
    write_json(stage.root / "metrics/prepare.json", {"num_examples": num_examples, "seconds": seconds})
    submit(
        stage,
        started,
        identity=identity(stage.settings),
        metrics={**{f"num_examples_{name}": number for name, number in num_examples.items()}, "seconds": seconds},
    )


def _load(settings: Prepare, chosen: PlugIn, shape: tuple[int, int, int] | None) -> ImageData:
    """Load a data set; one that is rendered is rendered at the size of the images that it goes with."""
    values = checked("params.yaml", f"data set {chosen.name}", "data set", chosen.name, chosen.settings)
    if shape is not None and any(setting.name == "size" for setting in catalog.settings("data set", chosen.name)):
        values.setdefault("size", shape[0])
    folder = None if settings.folder is None else Path(settings.folder).expanduser()
    shown: dict[str, Progress] = {}

    def report(name: str, received: int, total: int | None) -> None:
        bar = shown.setdefault(name, Progress(f"downloading {name}", (total or 0) // 1_000_000))
        bar.advance(received // 1_000_000 - bar.done)

    try:
        loaded: ImageData = catalog.load("data set", chosen.name).load(
            folder, download=settings.download, progress=report, **values
        )
    finally:
        for bar in shown.values():
            bar.stop()
    return loaded


def _parts(loaded: ImageData, settings: Prepare, streams: Streams) -> dict[str, ImageSet]:
    """Split into train, validation and test; validation always comes out of train.

    Images that come in groups (typefaces) are split by group, so that validation and test ask for groups never seen.
    """
    from nas_core.data.splits import subsample

    training, test = loaded.train, loaded.test
    if test is None:
        training, test = _divided(training, "test", settings.test_fraction, streams)
    if settings.num_examples is not None and settings.num_examples < len(training):
        training = training.take(subsample(training.labels, settings.num_examples, streams.numpy("subsample")))
    train, validation = _divided(training, "validation", settings.validation_fraction, streams)
    return {"train": train, "validation": validation, "test": test}


def _divided(images: ImageSet, part: str, fraction: float, streams: Streams) -> tuple[ImageSet, ImageSet]:
    """Return the images without a part, and that part: whole groups, or every class in proportion."""
    from nas_core.data.splits import group_split, part_sizes, stratified_split

    fractions = {"train": 1 - fraction, part: fraction}
    generator = streams.numpy(part)
    if images.groups is not None:
        indices = group_split(images.groups, fractions, generator)
    else:
        indices = stratified_split(images.labels, part_sizes(len(images), fractions), generator)
    return images.take(indices["train"]), images.take(indices[part])


def _write_task(stage: Stage, folder: str, test_folder: str, loaded: ImageData, parts: dict[str, ImageSet]) -> None:
    from nas_core.data import storage

    def fill(draft: Path) -> None:
        for split in ("train", "validation"):
            storage.write(draft / f"{split}.safetensors", parts[split])
        write_json(draft / "dataset.json", _description(loaded, parts))

    stage.publish(folder, fill)
    stage.publish(test_folder, lambda draft: storage.write(draft / "test.safetensors", parts["test"]))


def _description(loaded: ImageData, parts: dict[str, ImageSet]) -> dict[str, Any]:
    pixels = parts["train"].images.reshape(-1, parts["train"].images.shape[-1]) / 255.0
    return {
        "format": FORMAT,
        "learning_task": data.IMAGE_CLASSIFICATION,
        "name": loaded.name,
        "class_names": list(loaded.class_names),
        "image_shape": list(parts["train"].image_shape),
        "num_examples": {name: len(part) for name, part in parts.items()},
        "channel_mean": pixels.mean(axis=0).tolist(),
        "channel_std": pixels.std(axis=0).tolist(),
        "license": loaded.license,
        "source": loaded.source,
        "citation": loaded.citation,
    }


def _shifts(settings: Prepare, loaded: ImageData, shape: tuple[int, int, int]) -> dict[str, tuple[str, ImageSet]]:
    """Return name and images of the sets that the robustness stage alone reads, resized like the main images.

    Of a set with a test part that part alone is used: the training part may be the transfer task's.
    """
    from nas_core.data.resize import like

    found: dict[str, tuple[str, ImageSet]] = {}
    for role in ("natural_shift", "out_of_distribution"):
        chosen = settings.data_sets.get(role)
        if chosen is None:
            continue
        other = _load(settings, chosen, shape)
        if role == "natural_shift" and other.class_names != loaded.class_names:
            raise ValueError(
                f"prepare.natural_shift {chosen.name} has classes {list(other.class_names)}, {loaded.name} has "
                f"{list(loaded.class_names)}; name a set with the same classes, or null"
            )
        found[role] = (other.name, like(other.test if other.test is not None else other.train, shape))
    return found


def _write_shifts(stage: Stage, shifts: dict[str, tuple[str, ImageSet]]) -> None:
    from nas_core.data import storage

    def fill(draft: Path) -> None:
        for role, (_, images) in shifts.items():
            storage.write(draft / f"{role}.safetensors", images)
        write_json(
            draft / "shift.json",
            {
                "format": FORMAT,
                "names": {role: name for role, (name, _) in shifts.items()},
                "num_examples": {role: len(images) for role, (_, images) in shifts.items()},
            },
        )

    stage.publish(data.SHIFT, fill)


if __name__ == "__main__":
    sys.exit(main())
