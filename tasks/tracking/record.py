"""What one finished stage tells the tracker: a plain value that goes to disk as JSON and comes back equal."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1
MAX_NUM_CHILDREN = 40
CLOCK_UNITS = ("seconds", "_ms", "_joules")

Parameter = str | int | float | bool | None


@dataclass(frozen=True)
class DatasetRecord:
    """A data set that a run read.

    Args:
        name: shown by MLflow, such as `digits`.
        digest: DVC's md5 of the file or folder (a folder's ends in `.dir`), at most 36 characters.
        source: path in the checkout or address it came from.
        context: what it was used for, such as `training`.
    """

    name: str
    digest: str
    source: str
    context: str

    def __post_init__(self) -> None:
        if not self.name or not self.digest or len(self.digest) > 36:
            raise ValueError(f"dataset {self.name!r} has digest {self.digest!r}; give a name and 1 to 36 characters")


@dataclass(frozen=True)
class ArtifactRecord:
    """A file to keep beside a run: `path` from the checkout's root, put into `folder` of the run's artifacts."""

    path: str
    folder: str = ""

    def __post_init__(self) -> None:
        parts = self.folder.split("/")
        if not self.path or self.folder.startswith("/") or ".." in parts:
            raise ValueError(f"artifact {self.path!r} goes to {self.folder!r}; give a path and a folder inside the run")


@dataclass(frozen=True)
class ModelRecord:
    """A trained network to register.

    Args:
        registered_name: name in the model registry.
        alias: what points to this version from now on, such as `champion`.
        folder: folder with the network's files, from the checkout's root.
        example_input: a float32 .npy file from the checkout's root, (batch, ...) with batch at least 2, with which the
            network is exported as a graph of operations; None if its inputs are no tensor.
        files: names of files in `folder` that are registered instead; none where there is an example input.
    """

    registered_name: str
    alias: str
    folder: str
    example_input: str | None = None
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("registered_name", "alias", "folder"):
            if not getattr(self, name):
                raise ValueError(f"{name} of the model is empty; give all of registered_name, alias, folder")
        if bool(self.example_input) == bool(self.files):
            raise ValueError(
                f"example_input of the model is {self.example_input!r} and files are {self.files}; give one of them"
            )


@dataclass(frozen=True)
class RunRecord:
    """One finished stage, or one trained candidate inside it, as MLflow will show it.

    Args:
        stage: DVC's name of the stage, such as `search@darts`.
        name: name of the run.
        parameters: flat settings of the stage.
        metrics: final numbers; those that measure a clock end in seconds, _ms or _joules.
        curves: name to (step, value) points.
        inputs: digest by path of everything the results depend on.
        datasets: the data that was read.
        tags: searchable words.
        artifacts: files to keep beside the run.
        description: Markdown.
        children: trained candidates, one level deep.
        start_time_ms: when the stage began, in milliseconds since 1970.
        end_time_ms: when its results were on disk.
        model: the network to register, or None.

    Raises:
        ValueError: a number is not finite, a name is empty, the times are reversed, or children have children.
    """

    stage: str
    name: str
    start_time_ms: int
    end_time_ms: int
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[DatasetRecord, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[ArtifactRecord, ...] = ()
    description: str = ""
    children: tuple[RunRecord, ...] = ()
    model: ModelRecord | None = None

    def __post_init__(self) -> None:
        if not self.stage or not self.name:
            raise ValueError(f"stage is {self.stage!r} and name {self.name!r}; neither may be empty")
        if not 0 <= self.start_time_ms <= self.end_time_ms:
            raise ValueError(
                f"run {self.name} goes from {self.start_time_ms} to {self.end_time_ms} ms; give start <= end"
            )
        points = {f"{name}[{step}]": value for name, curve in self.curves.items() for step, value in curve}
        for name, value in {**self.metrics, **points}.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(
                    f"metric {name} of {self.name} is {value!r}; log finite numbers and leave failures out"
                )
        if len(self.children) > MAX_NUM_CHILDREN:
            raise ValueError(
                f"run {self.name} has {len(self.children)} children, more than {MAX_NUM_CHILDREN}; keep the best"
            )
        if any(child.children or child.model for child in self.children):
            raise ValueError(f"a child of {self.name} has children or a model; only a stage's own run has them")

    @property
    def record_id(self) -> str:
        """Return what identifies the finished work: a hash of stage, parameters, inputs and results.

        Clock measurements, times, tags and descriptions do not count, so that the same work done again, which gives the
        same results, has the same identity in any pipeline run.
        """
        identity = {
            "stage": self.stage,
            "name": self.name,
            "parameters": dict(self.parameters),
            "inputs": dict(self.inputs),
            "metrics": _without_clocks(self.metrics),
            "curves": _without_clocks(self.curves),
            "children": [child.record_id for child in self.children],
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def seconds(self) -> float:
        """Return how long the work took."""
        return (self.end_time_ms - self.start_time_ms) / 1000


def to_json(record: RunRecord) -> dict[str, Any]:
    """Return `record` as what `json` can write, with its format version."""
    return {"format": FORMAT, **asdict(record)}


def from_json(value: Mapping[str, Any]) -> RunRecord:
    """Return the record that `to_json` wrote.

    Raises:
        ValueError: another format version, or content that no record has.
    """
    if value.get("format") != FORMAT:
        raise ValueError(f"record has format {value.get('format')!r}, this version reads {FORMAT}; update nasflow")
    try:
        return _record({name: part for name, part in value.items() if name != "format"})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"record does not have the parts of a run ({error}); submit it again") from error


def _record(fields: dict[str, Any]) -> RunRecord:
    """Return the record with these plain fields."""
    model = fields["model"]
    curves = {name: tuple((int(step), float(y)) for step, y in curve) for name, curve in fields["curves"].items()}
    return RunRecord(
        **{
            **fields,
            "curves": curves,
            "datasets": tuple(DatasetRecord(**dataset) for dataset in fields["datasets"]),
            "artifacts": tuple(ArtifactRecord(**artifact) for artifact in fields["artifacts"]),
            "children": tuple(_record(child) for child in fields["children"]),
            "model": None if model is None else ModelRecord(**{**model, "files": tuple(model.get("files", ()))}),
        }
    )


def _without_clocks(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values whose names do not end in a unit of a clock or an energy meter."""
    return {name: value for name, value in values.items() if not name.endswith(CLOCK_UNITS)}
