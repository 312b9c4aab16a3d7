"""Means with their spread, as every result file writes them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return mean, sample standard deviation (0 for a single value) and the values themselves.

    Raises:
        ValueError: if there are no values.
    """
    if not values:
        raise ValueError("no values to average; something before this gave no result")
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "standard_deviation": deviation, "values": list(values)}
