"""What `dataset.json` says of prepared graphs or nodes, as far as learning needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

FORMAT = 1
REMEDY = "prepare the data again"


@dataclass(frozen=True)
class Description:
    """A prepared data set.

    Attributes:
        name: name of the data set.
        class_names: by label.
        feature_mean: of each feature of the nodes.
        feature_std: of each feature of the nodes, above 0.
    """

    name: str
    class_names: tuple[str, ...]
    feature_mean: tuple[float, ...]
    feature_std: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.feature_mean or len(self.feature_mean) != len(self.feature_std):
            raise ValueError("feature_mean and feature_std must have one value a feature")
        if not min(self.feature_std) > 0:
            raise ValueError("feature_std has a value that is not above 0")

    @property
    def num_node_features(self) -> int:
        """Number of features of a node."""
        return len(self.feature_mean)


def read(folder: Path, statistics_folder: Path | None) -> Description:
    """Return the description of prepared data.

    Args:
        folder: holds `dataset.json`.
        statistics_folder: holds the `dataset.json` that says by which mean and standard deviation features are
            standardized: that of other data for a network that was trained on those; None is `folder`.

    Raises:
        FileNotFoundError: a file is absent.
        ValueError: a file is of another format, or the two are of nodes with differently many features.
    """
    description = _read(folder / "dataset.json")
    if statistics_folder is None:
        return description
    other = _read(statistics_folder / "dataset.json")
    if other.num_node_features != description.num_node_features:
        raise ValueError(
            f"{statistics_folder} has nodes with {other.num_node_features} features, {folder} with "
            f"{description.num_node_features}; {REMEDY}"
        )
    return replace(description, feature_mean=other.feature_mean, feature_std=other.feature_std)


def _read(path: Path) -> Description:
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(f"{path} has format {content.get('format')!r}; expected {FORMAT}: {REMEDY}")
    try:
        return Description(
            name=str(content["name"]),
            class_names=tuple(map(str, content["class_names"])),
            feature_mean=tuple(map(float, content["feature_mean"])),
            feature_std=tuple(map(float, content["feature_std"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} does not describe graphs ({error!r}); {REMEDY}") from None
