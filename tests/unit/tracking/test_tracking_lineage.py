"""Tags that lead from a run back to commit, stage, dvc.lock entry and pipeline run."""

from __future__ import annotations

import subprocess

from tasks.tracking.lineage import lineage_tags, lock_entry_md5, output_digests

LOCK = """schema: '2.0'
stages:
  prepare:
    cmd: python -m tasks.prepare
    outs:
    - {path: data/search, hash: md5, md5: 0123456789abcdef0123456789abcdef.dir, size: 1}
    - {path: metrics/prepare.json, hash: md5, md5: fedcba9876543210fedcba9876543210, size: 1}
"""


def test_lock_entries_and_output_digests(tmp_path):
    assert lock_entry_md5(tmp_path, "prepare") is None
    assert output_digests(tmp_path) == {}
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert output_digests(tmp_path) == {
        "data/search": "0123456789abcdef0123456789abcdef.dir",
        "metrics/prepare.json": "fedcba9876543210fedcba9876543210",
    }
    before = lock_entry_md5(tmp_path, "prepare")
    assert before is not None
    assert lock_entry_md5(tmp_path, "search@random") is None
    (tmp_path / "dvc.lock").write_text(LOCK + "  report: {cmd: a}\n")
    assert lock_entry_md5(tmp_path, "prepare") == before
    (tmp_path / "dvc.lock").write_text(LOCK.replace("size: 1", "size: 2"))
    assert lock_entry_md5(tmp_path, "prepare") != before


def test_damaged_lock_has_no_entries(tmp_path):
    for content in ("stages: [", "[]", "stages: 3", "\0"):
        (tmp_path / "dvc.lock").write_text(content)
        assert lock_entry_md5(tmp_path, "prepare") is None


def test_tags_name_commit_stage_and_pipeline_run(tmp_path, make_record, monkeypatch):
    assert "nasflow.git_commit" not in lineage_tags(make_record(), tmp_path)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e"]
    (tmp_path / "file").write_text("one")
    for command in (["init", "-q"], ["add", "file"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setenv("DVC_STAGE", "search@random")
    monkeypatch.setenv("NASFLOW_PIPELINE_RUN_ID", "run-7")
    tags = lineage_tags(make_record(), tmp_path)
    assert tags["nasflow.git_commit"] == commit
    assert tags["nasflow.dvc_stage"] == "search@random"
    assert tags["nasflow.pipeline_run_id"] == "run-7"
    assert tags["nasflow.record_id"] == make_record().record_id
    assert len(tags["nasflow.params_hash"]) == 32
    (tmp_path / "file").write_text("two")
    assert lineage_tags(make_record(), tmp_path)["nasflow.git_commit"] == f"{commit}-dirty"
