"""The five severities of a corruption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Setting = TypeVar("Setting")

SEVERITY_LEVELS = (1, 2, 3, 4, 5)


def at_severity(settings: Sequence[Setting], severity: int) -> Setting:
    """Return the setting of a corruption at `severity`.

    Args:
        settings: one setting a severity, mildest first.
        severity: 1 (mildest) to 5.

    Raises:
        ValueError: severity is not one of 1, 2, 3, 4, 5.
    """
    if isinstance(severity, bool) or severity not in SEVERITY_LEVELS:
        raise ValueError(f"severity is {severity!r}; it must be an integer from 1 to 5")
    return settings[severity - 1]
