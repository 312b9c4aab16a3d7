"""The whole chain at a small part of its budget, in a folder of its own: ``python -m flows.smoke``."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tasks.settings import SettingsError
from tasks.settings.document import read
from tasks.settings.scaled import scaled

SOURCES = ("nas_core", "gnn_space", "tasks", "flows", "dvc.yaml", ".dvcignore")
DVC_CONFIG = "[core]\n    analytics = false\n    check_update = false\n    no_scm = true\n"


def main() -> int:
    """Run the chain; return its exit code."""
    parser = argparse.ArgumentParser(description="Run the whole chain at a small part of its budget.")
    parser.add_argument("--factor", type=float, default=0.01, help="share of the budget, above 0 and at most 1")
    parser.add_argument("--folder", type=Path, default=Path(".smoke"), help="where; what is in it is replaced")
    chosen = parser.parse_args()
    if not 0 < chosen.factor <= 1:
        print(f"error: --factor is {chosen.factor}; give a number above 0 and at most 1", file=sys.stderr)
        return 2
    started = time.monotonic()
    try:
        _copy(Path.cwd(), chosen.folder, chosen.factor)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    code = subprocess.run([sys.executable, "-m", "flows.pipeline"], cwd=chosen.folder, check=False).returncode
    print(f"smoke: exit code {code} after {time.monotonic() - started:.0f} s")
    return code


def _copy(root: Path, folder: Path, factor: float) -> None:
    """Lay out a fresh checkout with scaled settings; its Prefect home stays the checkout's own."""
    import yaml

    document = scaled(read(root / "params.yaml"), factor)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name in SOURCES:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copyfile(source, folder / name)
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text(DVC_CONFIG)
    (folder / "params.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    os.environ.setdefault("PREFECT_HOME", str(root / ".work" / "prefect"))


if __name__ == "__main__":
    sys.exit(main())
