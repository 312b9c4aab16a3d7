"""Stages as users run them, by hand and by DVC, killed and started again; and data that were damaged meanwhile."""

from __future__ import annotations

import contextlib
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_checkout import DARTS, EVOLUTION, NUM_EVALUATIONS, completed, killed, results, run, stage


def num_archived(folder: Path, key: str) -> int:
    """Return how many evaluations a search has archived so far, in all repetitions."""
    paths = (folder / ".work" / f"search@{key}").glob("*/archive-*.jsonl")
    return sum(max(path.read_bytes().count(b"\n") - 1, 0) for path in paths)


def kill_and_complete(folder: Path, key: str, commands: Sequence[Sequence[str]]) -> None:
    """Kill all commands but the last at instants drawn from a seed; let the last complete."""
    draw = random.Random(key)
    instants = sorted(draw.sample(range(1, 2 * NUM_EVALUATIONS - 5), len(commands) - 1))
    num_kills = 0
    for command, instant in zip(commands, instants, strict=False):
        moment = lambda instant=instant: num_archived(folder, key) >= instant  # noqa: E731
        num_kills += killed(command, folder, moment, draw.uniform(0, 0.03))
        assert num_archived(folder, key) >= instant
    # a busy machine may let the last ones end before they are killed
    assert num_kills > 0
    completed(commands[-1], folder)


def test_a_search_killed_three_times_and_completed_by_dvc_ends_alike(pristine: Path, checkout: Path) -> None:
    by_hand = stage("search", "--strategy", EVOLUTION)
    by_dvc = [sys.executable, "-m", "dvc", "repro", "--quiet", "--single-item", f"search@{EVOLUTION}"]
    completed([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], checkout)
    kill_and_complete(checkout, EVOLUTION, [by_hand, by_hand, by_dvc, by_dvc])
    whole = checkout.with_name("whole")
    shutil.copytree(pristine, whole)
    completed(by_hand, whole)

    folder = f"results/search/{EVOLUTION}"
    found, expected = results(checkout, folder), results(whole, folder)
    assert found == expected
    assert {"recommendations.json", "archive-0.jsonl", "archive-1.jsonl", "curve.csv"} <= found.keys()
    assert len(found["curve.csv"]) == 2 * NUM_EVALUATIONS
    recommendations = "results/search/regularized_evolution/recommendations.json"
    assert (checkout / recommendations).read_bytes() == (whole / recommendations).read_bytes()


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
@pytest.mark.parametrize("key", [EVOLUTION, DARTS])
def test_a_search_killed_six_times_ends_alike(pristine: Path, checkout: Path, key: str) -> None:
    command = stage("search", "--strategy", key)
    kill_and_complete(checkout, key, [command] * 7)
    whole = checkout.with_name("whole")
    shutil.copytree(pristine, whole)
    completed(command, whole)
    assert results(checkout, f"results/search/{key}") == results(whole, f"results/search/{key}")


def test_a_training_killed_amid_its_epochs_ends_with_the_same_weights(pristine: Path, checkout: Path) -> None:
    command = stage("retrain", "--rank", "0")
    seen: set[int] = set()

    def third_epoch_of_the_second_seed_is_kept() -> bool:
        for path in (checkout / ".work").glob("retrain@0/*/checkpoint-*-1.pt"):
            with contextlib.suppress(FileNotFoundError):
                seen.add(path.stat().st_mtime_ns)
        return len(seen) >= 3

    assert killed(command, checkout, third_epoch_of_the_second_seed_is_kept, 0.0)
    assert seen
    assert not (checkout / "results" / "retrain").exists()
    completed(command, checkout)
    whole = checkout.with_name("whole")
    shutil.copytree(pristine, whole)
    completed(command, whole)

    found, expected = results(checkout, "results/retrain/0"), results(whole, "results/retrain/0")
    assert found == expected
    assert {"metrics.json", "network-0.safetensors", "network-1.safetensors", "predictions.safetensors"} <= found.keys()
    assert len(found["curve.csv"]) == 12
    assert list((checkout / ".work" / "retrain@0").rglob("*.tmp")) == []


@pytest.mark.parametrize("command", [stage("search", "--strategy", EVOLUTION), stage("retrain", "--rank", "0")])
def test_an_altered_byte_of_the_data_is_refused_in_one_line(checkout: Path, command: list[str]) -> None:
    path = checkout / "data" / "search" / "train.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    ended = run(command, checkout)

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("error: ")
    assert f"{path} is damaged: its SHA-256 is not the one written; restore {path.parent}, or run the stage" in (
        ended.stderr
    )
    assert path.read_bytes() == content
