"""A search killed at a system call and started again ends with the results of one that was never stopped."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import small_folder
import strace
from strace import Call

pytestmark = pytest.mark.skipif(bool(strace.why_not()), reason=strace.why_not())

NUM_INSTANTS = 6


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Call], tuple[Any, ...]]]:
    """For each kind of search its system calls and its results."""
    found = {}
    for kind in small_folder.KINDS:
        folder = small_folder.new_folder(tmp_path_factory.mktemp(kind), "whole")
        calls = strace.calls(small_folder.command(kind), folder)
        found[kind] = (calls, small_folder.results(folder))
    return found


def test_the_searches_are_worth_killing(uninterrupted: dict[str, tuple[list[Call], tuple[Any, ...]]]) -> None:
    calls, (names, archive, found) = uninterrupted["black_box"]
    assert names == ["archive.jsonl", "manifest.json", "recommendation.json"]
    assert found["num_evaluations"] == len(archive) - 1 == 11
    assert any("failure" in line for line in archive)
    assert sum(call.name == "fdatasync" for call in calls) == 7  # the header and each round
    calls, (_, archive, _) = uninterrupted["weight_sharing"]
    assert len({line["scores"]["validation_accuracy"] for line in archive[1:]}) > 1
    assert sum(call.name == "rename" and "checkpoint.pt" in call.text for call in calls) == 4


@pytest.mark.parametrize("instant", range(NUM_INSTANTS))
def test_killed_at_a_call_it_ends_alike(
    tmp_path: Path, uninterrupted: dict[str, tuple[list[Call], tuple[Any, ...]]], instant: int
) -> None:
    calls, expected = uninterrupted["black_box"]
    call = calls[round(instant * (len(calls) - 1) / (NUM_INSTANTS - 1))]
    folder = small_folder.new_folder(tmp_path, "killed")
    strace.run_killed_at(call, small_folder.command("black_box"), folder)
    assert small_folder.complete("black_box", folder) == expected


def test_shared_weights_killed_again_and_again_end_alike(
    tmp_path: Path, uninterrupted: dict[str, tuple[list[Call], tuple[Any, ...]]]
) -> None:
    """At the sync of a round, amid a checkpoint, before a checkpoint is in place, before the results are."""
    _, expected = uninterrupted["weight_sharing"]
    folder = small_folder.new_folder(tmp_path, "killed")
    for call in (Call("fdatasync", 3), Call("fsync", 1), Call("rename", 1), Call("rename", 6)):
        strace.run_killed_at(call, small_folder.command("weight_sharing"), folder)
    assert small_folder.complete("weight_sharing", folder) == expected


def test_inheriting_networks_killed_amid_a_round_end_alike(
    tmp_path: Path, uninterrupted: dict[str, tuple[list[Call], tuple[Any, ...]]]
) -> None:
    """Before the weights of a round's second network are in place, whose lineage and whose sibling's weights are."""
    calls, expected = uninterrupted["inheriting"]
    kept = [call for call in calls if call.name == "rename" and ".safetensors" in call.text and "weights" in call.text]
    assert len(kept) >= 3
    folder = small_folder.new_folder(tmp_path, "killed")
    strace.run_killed_at(kept[2], small_folder.command("inheriting"), folder)
    assert small_folder.complete("inheriting", folder) == expected


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", small_folder.KINDS)
def test_killed_at_every_call_it_ends_alike(
    tmp_path: Path, uninterrupted: dict[str, tuple[list[Call], tuple[Any, ...]]], kind: str
) -> None:
    calls, expected = uninterrupted[kind]
    for number, call in enumerate(calls):
        folder = small_folder.new_folder(tmp_path, f"killed-{number}")
        strace.run_killed_at(call, small_folder.command(kind), folder)
        assert small_folder.complete(kind, folder) == expected, call


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", small_folder.KINDS)
def test_every_call_that_fails_is_one_line_and_the_same_command_completes(
    tmp_path: Path, uninterrupted: dict[str, tuple[list[Call], tuple[Any, ...]]], kind: str
) -> None:
    calls, expected = uninterrupted[kind]
    draw = random.Random(0)
    for number, call in enumerate(calls):
        folder = small_folder.new_folder(tmp_path, f"failed-{number}")
        error = draw.choice(["ENOSPC", "EIO"])
        ended = strace.run_failing_at(call, error, small_folder.command(kind), folder)
        if ended.returncode:
            assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1), (call, ended)
            assert ended.stderr.startswith("error: small: "), (call, ended)
        assert small_folder.complete(kind, folder) == expected, call
