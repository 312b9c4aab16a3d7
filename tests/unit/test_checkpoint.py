"""Checkpoints: whole, or none; and reading one never runs code."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from nas_core.checkpoint import CheckpointFile

STATE = {
    "rounds": 3,
    "strategy": {"generator": {"state": 2**100, "words": [1, 2]}, "best": None, "population": [[[0.5, 1.0], [1, 2]]]},
    "evaluator": {"weights": torch.arange(4.0), "half": torch.ones(2, dtype=torch.bfloat16), "name": "naïve"},
}


def same(first: Any, second: Any) -> bool:
    """Return whether two states are equal, bit by bit and type by type."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(value, second[name]) for name, value in first.items())
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    return type(first) is type(second) and first == second


def damaged_copies(path: Path) -> list[bytes]:
    return [copy.read_bytes() for copy in path.parent.glob(f"{path.name}.damaged-*")]


@pytest.fixture
def saved(tmp_path: Path) -> CheckpointFile:
    """A file that holds STATE."""
    checkpoint = CheckpointFile(tmp_path / "deep" / "checkpoint.pt")
    checkpoint.save(STATE)
    return checkpoint


def test_what_was_saved_comes_back(saved: CheckpointFile) -> None:
    loaded = saved.load()
    assert loaded is not None
    assert same(loaded, STATE)
    assert [entry.name for entry in saved.path.parent.iterdir()] == ["checkpoint.pt"]


def test_a_later_state_replaces_the_earlier_one(saved: CheckpointFile) -> None:
    saved.save({"rounds": 4})
    assert saved.load() == {"rounds": 4}


def test_there_is_none_before_the_first_is_saved(tmp_path: Path) -> None:
    assert CheckpointFile(tmp_path / "absent" / "checkpoint.pt").load() is None
    assert list(tmp_path.iterdir()) == []


def test_tensors_of_a_device_that_this_machine_lacks_come_back_on_the_cpu(tmp_path: Path) -> None:
    # the pickle names the device of each tensor: length, then letters
    state = {"weights": torch.arange(4.0)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(torch_payload(state))) as saved, zipfile.ZipFile(buffer, "w") as moved:
        for name in saved.namelist():
            content = saved.read(name)
            if name.endswith("data.pkl"):
                of_cpu, of_cuda = (b"X" + len(device).to_bytes(4, "little") + device for device in (b"cpu", b"cuda:0"))
                assert of_cpu in content
                content = content.replace(of_cpu, of_cuda)
            moved.writestr(name, content)
    payload = buffer.getvalue()
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"nasflow-checkpoint 1 " + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
    loaded = CheckpointFile(path).load()
    assert loaded is not None
    assert loaded["weights"].device.type == "cpu"
    assert torch.equal(loaded["weights"], state["weights"])


def test_a_truncated_file_is_no_checkpoint_and_is_moved_aside(saved: CheckpointFile) -> None:
    content = saved.path.read_bytes()
    lengths = [0, 1, 20, 85, 86, 87, len(content) // 2, len(content) - 1]
    for length in lengths:
        saved.path.write_bytes(content[:length])
        assert saved.load() is None
        assert not saved.path.exists()
    assert sorted(damaged_copies(saved.path)) == sorted(content[:length] for length in lengths)
    assert saved.load() is None


def test_an_altered_byte_is_noticed_wherever_it_is(saved: CheckpointFile) -> None:
    content = saved.path.read_bytes()
    for position in [*range(0, 100, 7), *range(100, len(content), len(content) // 20)]:
        altered = bytearray(content)
        altered[position] ^= 0x10
        saved.path.write_bytes(altered)
        assert saved.load() is None, position
        assert bytes(altered) in damaged_copies(saved.path)
    saved.save(STATE)
    assert saved.load() is not None


class Malice:
    """What a pickle can do: write a file when it is read."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (self.target,))


def torch_payload(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "payload_of",
    [torch_payload, lambda value: pickle.dumps(value, protocol=2), lambda value: b""],
    ids=["torch", "pickle", "none"],
)
def test_code_in_a_file_with_the_right_sum_is_refused_and_never_run(tmp_path: Path, payload_of: Any) -> None:
    path = tmp_path / "checkpoint.pt"
    payload = payload_of({"rounds": Malice(str(tmp_path / "was here"))})
    digest = hashlib.sha256(payload).hexdigest().encode()
    path.write_bytes(b"nasflow-checkpoint 1 " + digest + b"\n" + payload)
    content = path.read_bytes()
    assert CheckpointFile(path).load() is None
    assert damaged_copies(path) == [content]
    assert not (tmp_path / "was here").exists()


def test_another_format_is_no_checkpoint(saved: CheckpointFile) -> None:
    saved.path.write_bytes(saved.path.read_bytes().replace(b"checkpoint 1 ", b"checkpoint 2 ", 1))
    assert saved.load() is None


def test_a_disk_that_fills_up_leaves_the_earlier_checkpoint(
    saved: CheckpointFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        saved.save({"rounds": 4})
    monkeypatch.undo()
    loaded = saved.load()
    assert loaded is not None
    assert same(loaded, STATE)
    assert [entry.name for entry in saved.path.parent.iterdir()] == ["checkpoint.pt"]
