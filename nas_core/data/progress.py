"""How a loader tells its caller how far a download is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes received so far, and the bytes in all (None when unknown)."""
