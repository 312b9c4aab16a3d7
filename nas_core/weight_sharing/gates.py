"""Gates: the one value that a strategy and a supernet exchange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.architecture import Architecture, Choice

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Gates:
    """A weight for every option of every choice; a discrete architecture is a one-hot `Gates`.

    Attributes:
        options: for each choice a tensor (num_options,), in which gradients flow to whatever made the gates.
        strengths: for each choice a scalar tensor that multiplies the whole mixed output of its place, or None
            for no such factor (PC-DARTS's edge normalization).
        active: for each choice the indices of the options to run, or None to run all; an option that is not run
            adds nothing to the output.
    """

    options: tuple[torch.Tensor, ...]
    strengths: tuple[torch.Tensor, ...] | None = None
    active: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self) -> None:
        for index, weights in enumerate(self.options):
            if weights.ndim != 1:
                raise ValueError(f"gates of choice {index} have shape {tuple(weights.shape)}; expected (num_options,)")
        for name, other in (("strengths", self.strengths), ("active", self.active)):
            if other is not None and len(other) != len(self.options):
                raise ValueError(f"{len(other)} {name} for {len(self.options)} choices; give one for each choice")

    def active_options(self, choice: int) -> tuple[int, ...]:
        """Return the indices of the options of a choice that are to be run."""
        return tuple(range(len(self.options[choice]))) if self.active is None else self.active[choice]

    def to(self, device: torch.device) -> Gates:
        """Return the gates on a device; gradients flow back to where they came from."""
        if all(weights.device == device for weights in self.options):
            return self
        strengths = None if self.strengths is None else tuple(strength.to(device) for strength in self.strengths)
        return Gates(tuple(weights.to(device) for weights in self.options), strengths, self.active)

    def detach(self) -> Gates:
        """Return the same gates without a gradient."""
        strengths = None if self.strengths is None else tuple(strength.detach() for strength in self.strengths)
        return Gates(tuple(weights.detach() for weights in self.options), strengths, self.active)


def one_hot(
    choices: Sequence[Choice],
    architecture: Architecture,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> Gates:
    """Return the gates of a discrete architecture: weight 1 for each chosen option, which alone is run."""
    import torch

    options = []
    for choice, decision in zip(choices, architecture.decisions, strict=True):
        weights = torch.zeros(len(choice.options), device=device, dtype=dtype)
        weights[decision] = 1.0
        options.append(weights)
    return Gates(tuple(options), active=tuple((decision,) for decision in architecture.decisions))
