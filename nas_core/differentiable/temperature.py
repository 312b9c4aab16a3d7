"""Schedules of the temperature, as functions of the progress of the training from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Temperature = Callable[[float], float]
"""From progress, in [0, 1], to a temperature above 0."""


@dataclass(frozen=True, slots=True)
class ConstantTemperature:
    """The same temperature throughout.

    Attributes:
        value: above 0.
    """

    value: float = 1.0

    def __call__(self, progress: float) -> float:
        """Return the temperature."""
        return self.value
