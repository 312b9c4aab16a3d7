"""Damaged files are put aside under a name of their own, never deleted."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nas_core.atomic_files import write_bytes


def quarantine(path: Path, content: bytes) -> Path:
    """Write the damaged content beside the file as ``NAME.damaged-DIGEST`` and return that path; idempotent."""
    aside = path.with_name(f"{path.name}.damaged-{hashlib.sha256(content).hexdigest()[:12]}")
    if not aside.exists():
        write_bytes(aside, content)
    return aside
