"""What the searches have found up to now, read from the archives that they keep on disk while they run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def best_so_far(root: Path) -> str:
    """Returns a line for each search that has evaluated anything: how many evaluations, the best score, which network.

    "" where there is none. The score is that of the search's first objective.
    """
    from tasks.assembly import objectives
    from tasks.settings import load

    settings = load(root / "params.yaml")
    lines = []
    for key in settings.search.strategies:
        goal = objectives(settings, key)[0]
        found = [(line["scores"][goal.name], line["architecture"]) for line in _evaluations(root, key, goal.name)]
        if found:
            score, architecture = min(found, key=lambda pair: goal.sign * pair[0])
            lines.append(f"{key}: {len(found)} evaluations, best {goal.name} {score:.4g} by {architecture}")
    return "\n".join(lines)


def _evaluations(root: Path, key: str, objective: str) -> Iterator[dict[str, Any]]:
    """Yields the archived evaluations of a search that have this score; a line that a kill has torn is left out."""
    folders = sorted((root / ".work" / f"search@{key}").glob("*/"), key=lambda folder: folder.stat().st_mtime)
    for archive in sorted(folders[-1].glob("archive-*.jsonl")) if folders else ():
        for text in archive.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict) and objective in (line.get("scores") or {}):
                yield line
