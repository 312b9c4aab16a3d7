"""A params.yaml with a smaller budget, for trying the whole chain in little time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

LEAST: Mapping[str, int] = MappingProxyType(
    {"evaluations": 1, "round_size": 1, "epochs": 1, "per_strategy": 1, "random_architectures": 2}
)
"""The numbers that cost time, by the name of their key, and the least that each may become."""

LISTS = frozenset({"seeds"})
"""Lists of repetitions: the first few are kept, at least one."""


def scaled(value: Any, factor: float) -> Any:
    """Return settings with every number that costs time multiplied by a factor in (0, 1], and fewer repetitions."""
    if isinstance(value, Mapping):
        return {key: _scaled_entry(str(key), part, factor) for key, part in value.items()}
    if isinstance(value, list):
        return [scaled(part, factor) for part in value]
    return value


def _scaled_entry(key: str, part: Any, factor: float) -> Any:
    if key in LEAST and isinstance(part, int) and not isinstance(part, bool):
        return min(part, max(LEAST[key], round(part * factor)))
    if key == "warmup_epochs":
        return 0
    if key in LISTS and isinstance(part, list):
        return part[: max(1, round(len(part) * factor))]
    return scaled(part, factor)
