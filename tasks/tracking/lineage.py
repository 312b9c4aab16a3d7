"""Where a run comes from: commit, DVC stage, md5 of its dvc.lock entry, hash of its parameters, pipeline run."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tasks.tracking.record import RunRecord

RECORD_TAG = "nasflow.record_id"
LOCK_TAG = "nasflow.dvc_lock_md5"
PIPELINE_RUN_VARIABLE = "NASFLOW_PIPELINE_RUN_ID"
DVC_STAGE_VARIABLE = "DVC_STAGE"


def lineage_tags(record: RunRecord, root: Path) -> dict[str, str]:
    """Return the tags that are known when a stage ends; the dvc.lock entry is not, DVC writes it afterwards."""
    parameters = json.dumps(dict(record.parameters), sort_keys=True)
    tags = {
        RECORD_TAG: record.record_id,
        "nasflow.stage": record.stage,
        "nasflow.params_hash": hashlib.sha256(parameters.encode()).hexdigest()[:32],
        "nasflow.git_commit": _git_commit(root),
        "nasflow.dvc_stage": os.environ.get(DVC_STAGE_VARIABLE, ""),
        "nasflow.pipeline_run_id": os.environ.get(PIPELINE_RUN_VARIABLE, ""),
    }
    return {name: value for name, value in tags.items() if value}


def lock_entry_md5(root: Path, stage: str) -> str | None:
    """Return the md5 of what dvc.lock holds for `stage`, or None where it holds nothing readable."""
    entry = _lock_stages(root).get(stage)
    if entry is None:
        return None
    return hashlib.md5(json.dumps(entry, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def output_digests(root: Path) -> dict[str, str]:
    """Return DVC's md5 of every output that dvc.lock names, by path: the digests of a later stage's inputs."""
    outputs = (out for entry in _lock_stages(root).values() for out in entry.get("outs", ()))
    return {out["path"]: out["md5"] for out in outputs if "md5" in out}


def _lock_stages(root: Path) -> dict[str, dict[str, Any]]:
    """Return the stages of dvc.lock by name; none where the file is absent or damaged, which is DVC's to report."""
    import yaml

    try:
        document = yaml.load((root / "dvc.lock").read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    stages = document.get("stages") if isinstance(document, dict) else None
    return stages if isinstance(stages, dict) else {}


def _git_commit(root: Path) -> str:
    """Return the commit that is checked out, with `-dirty` where tracked files differ; empty outside git."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
