"""The whole chain at a small part of its budget, in a folder of its own: ``python -m flows.smoke``."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.settings import SettingsError, load
from tasks.settings.document import read
from tasks.settings.scaled import scaled

SOURCES = ("nas_core", "gnn_space", "tasks", "flows", "dvc.yaml", ".dvcignore")
MARK = ".trial"
DVC_CONFIG = "[core]\n    analytics = false\n    check_update = false\n    no_scm = true\n"


def main() -> int:
    """Run the chain; return its exit code."""
    parser = argparse.ArgumentParser(description="Run the whole chain at a small part of its budget.")
    parser.add_argument("--factor", type=float, default=0.01, help="share of the budget, above 0 and at most 1")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="settings to try")
    parser.add_argument("--folder", type=Path, default=Path(".smoke"), help="where; what is in it is replaced")
    chosen = parser.parse_args()
    if not 0 < chosen.factor <= 1:
        print(f"error: --factor is {chosen.factor}; give a number above 0 and at most 1", file=sys.stderr)
        return 2
    started = time.monotonic()
    root = Path.cwd()
    try:
        load(chosen.params)
        _copy(root, chosen.params, chosen.folder, chosen.factor)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {chosen.folder} cannot be laid out ({error}); name another folder", file=sys.stderr)
        return 1
    environment = {"PREFECT_HOME": str(root / ".work" / "prefect"), **os.environ}
    code = _run([sys.executable, "-m", "flows.pipeline"], chosen.folder, environment)
    print(f"smoke: exit code {code} after {time.monotonic() - started:.0f} s")
    return code


def _copy(root: Path, params: Path, folder: Path, factor: float) -> None:
    """Lay out a fresh checkout with scaled settings, in place of an earlier one but of nothing else."""
    import yaml

    document = scaled(read(params), factor)
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise FileExistsError("it holds something else")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    for name in SOURCES:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copyfile(source, folder / name)
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text(DVC_CONFIG)
    (folder / "params.yaml").write_text(yaml.safe_dump(document, sort_keys=False))


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Run a command and return its exit code; Ctrl-C, which reaches it too, is left to it."""
    process = subprocess.Popen(command, cwd=folder, env=environment)
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return process.wait()


if __name__ == "__main__":
    sys.exit(main())
