"""Checkpoints: the state after some round, so that a search that goes on need not replay all of them."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas_core.atomic_files import write_bytes
from nas_core.quarantine import quarantine

_MAGIC = b"nasflow-checkpoint 1 "


class CheckpointFile:
    """A file that holds one state of numbers, strings, lists, dicts and tensors.

    It is replaced atomically, carries its SHA-256, and is read with ``torch.load(weights_only=True)``: whatever it
    holds, reading it runs no code. Tensors come back on the CPU, whatever device they were on; who takes up the state
    copies them to its own.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; it need not exist yet."""
        self.path = path

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the file by a state; the earlier one stays whole until the new one is on disk."""
        import torch

        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        payload = buffer.getvalue()
        write_bytes(self.path, _MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)

    def load(self) -> dict[str, Any] | None:
        """Return the saved state; None if there is none, or if the file was damaged (it is then moved aside)."""
        if not self.path.exists():
            return None
        import torch

        content = self.path.read_bytes()
        head, _, payload = content.partition(b"\n")
        if head == _MAGIC + hashlib.sha256(payload).hexdigest().encode():
            try:
                state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
                return state
            except (RuntimeError, EOFError, pickle.UnpicklingError):
                pass
        quarantine(self.path, content)
        self.path.unlink()
        return None
