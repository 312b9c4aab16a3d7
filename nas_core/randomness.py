"""Named random streams: one seed for a run, an independent generator for each consumer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Streams:
    """A seed from which any number of independent generators are derived by name.

    A generator depends on the seed and its name alone, so that a new consumer shifts nobody else.

    Attributes:
        seed: at least 0.
        path: names that lead here from the root.
    """

    seed: int
    path: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; give an integer >= 0")

    def child(self, name: str) -> Streams:
        """Return the streams below a name."""
        return Streams(self.seed, (*self.path, name))

    def integer(self, name: str) -> int:
        """Return the 63-bit seed that belongs to a name."""
        text = "\x1f".join((str(self.seed), *self.path, name))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1

    def numpy(self, name: str) -> np.random.Generator:
        """Return a fresh numpy generator (PCG64) for a name; the same one each time."""
        return np.random.Generator(np.random.PCG64(self.integer(name)))

    def torch(self, name: str, device: str = "cpu") -> torch.Generator:
        """Return a fresh torch generator for a name; the same one each time on one kind of device."""
        import torch

        return torch.Generator(device=device).manual_seed(self.integer(name))


def generator_state(generator: np.random.Generator) -> dict[str, Any]:
    """Return the state of a PCG64 generator as numbers and strings, fit for a `state_dict`.

    The two 128-bit integers are written as decimal text, since not every reader keeps integers of that size.
    """
    state = generator.bit_generator.state
    return {
        "state": str(state["state"]["state"]),
        "inc": str(state["state"]["inc"]),
        "has_uint32": state["has_uint32"],
        "uinteger": state["uinteger"],
    }


def restore_generator(generator: np.random.Generator, state: dict[str, Any]) -> None:
    """Put a PCG64 generator into a state taken by `generator_state`."""
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": int(state["state"]), "inc": int(state["inc"])},
        "has_uint32": state["has_uint32"],
        "uinteger": state["uinteger"],
    }
