"""Folders in which `small_stage.py` runs, and what it leaves there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import strace

from nas_core.data import manifest

SMALL_STAGE = Path(__file__).with_name("small_stage.py")
KINDS = ("black_box", "weight_sharing", "inheriting")


def command(kind: str) -> list[str]:
    """Return the command that plays a search."""
    return [sys.executable, str(SMALL_STAGE), kind]


def new_folder(parent: Path, name: str) -> Path:
    """Return a fresh folder with the project's params.yaml."""
    folder = parent / name
    folder.mkdir()
    (folder / "params.yaml").write_bytes((strace.PROJECT / "params.yaml").read_bytes())
    return folder


def results(folder: Path) -> tuple[Any, ...]:
    """Return all that the search has published, the clock left out; the manifest is verified."""
    manifest.verify(folder / "results")
    lines = [json.loads(line) for line in (folder / "results" / "archive.jsonl").read_text().splitlines()]
    archive = [{name: value for name, value in line.items() if name not in ("seconds", "crc32")} for line in lines]
    names = sorted(path.name for path in (folder / "results").iterdir())
    return names, archive, json.loads((folder / "results" / "recommendation.json").read_bytes())


def complete(kind: str, folder: Path) -> tuple[Any, ...]:
    """Start the same command again, which must complete and leave nothing half done; return what it published."""
    ended = strace.run(command(kind), folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert sorted(path.name for path in folder.iterdir()) == [".work", "params.yaml", "results"]
    assert [path for path in folder.rglob("*") if path.suffix == ".tmp" or ".damaged-" in path.name] == []
    return results(folder)
