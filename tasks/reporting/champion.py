"""Which candidate is the best, and the example input that the registration of a network of images needs."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks import data

NUM_EXAMPLES = 2
NUM_DIGITS = 9
"""To which means are compared, so that rounding errors decide nothing."""


def best_candidate(candidates: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the candidate with the highest mean validation accuracy, never test, the lower rank at a tie.

    Args:
        candidates: metrics.json of those that were trained; None is returned if there is none.
    """
    if not candidates:
        return None
    return max(candidates, key=lambda each: (round(each["validation_accuracy"]["mean"], NUM_DIGITS), -each["rank"]))


def example_input(folder: Path) -> bytes | None:
    """Return two normalized validation images as a .npy file: float32 (2, channels, height, width).

    Args:
        folder: the prepared data of the search; None is returned if its examples are no images.
    """
    import numpy as np

    from nas_core.data import storage

    description = json.loads((folder / "dataset.json").read_bytes())
    if description.get("learning_task", data.IMAGE_CLASSIFICATION) != data.IMAGE_CLASSIFICATION:
        return None
    images = storage.read(folder / "validation.safetensors").images[:NUM_EXAMPLES].astype(np.float32) / 255
    mean, deviation = (np.asarray(description[name], np.float32) for name in ("channel_mean", "channel_std"))
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(((images - mean) / deviation).transpose(0, 3, 1, 2)), allow_pickle=False)
    return buffer.getvalue()
