"""What predictors of several members have in common: standardized costs, and a mean and deviation over members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CostScale:
    """The scale on which costs have mean 0 and standard deviation 1, so that their unit changes no fit.

    Attributes:
        center: the mean.
        scale: the standard deviation (n), or 1 where all are equal; above 0.
    """

    center: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, costs: Array) -> Self:
        """Return the scale of some costs, (num_examples,), at least one."""
        return cls(float(costs.mean()), float(costs.std()) or 1.0)

    def standardized(self, costs: Array) -> Array:
        """Return costs on this scale."""
        return (costs - self.center) / self.scale

    def restored(self, outputs: Array) -> Array:
        """Return the costs that standardized ones stand for, whatever their shape."""
        return self.center + self.scale * outputs


def over_members(members: Array) -> tuple[Array, Array]:
    """Return the mean and the standard deviation (n - 1; 0 of one member) over the members, each (num_examples,).

    Args:
        members: each member's predicted costs, (num_members, num_examples), at least one member.
    """
    deviation = members.std(axis=0, ddof=1) if len(members) > 1 else np.zeros(members.shape[1])
    return members.mean(axis=0), deviation
