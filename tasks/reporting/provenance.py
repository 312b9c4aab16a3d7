"""Where a page comes from: commit, versions of what computed it, its parameters."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("nasflow", "torch", "numpy", "scipy", "scikit-learn", "matplotlib", "dvc", "mlflow", "prefect")


@dataclass(frozen=True)
class Provenance:
    """What has to be equal to get the same page again.

    Attributes:
        commit: the checked-out commit, with ``-dirty`` where files differ from it; empty outside git.
        versions: of Python and of the packages that are installed.
        parameters: params.yaml, as it is.
    """

    commit: str
    versions: Mapping[str, str]
    parameters: str


def read_provenance(root: Path) -> Provenance:
    """Return where the page of a checkout comes from."""
    versions = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Provenance(_commit(root), versions, (root / "params.yaml").read_text())


def _commit(root: Path) -> str:
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
