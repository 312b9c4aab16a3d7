"""Stored image sets come back equal; a damaged file is one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from nas_core.data import storage
from nas_core.data.image_set import ImageSet

SET = ImageSet(np.arange(2 * 3 * 2 * 1, dtype=np.uint8).reshape(2, 3, 2, 1), np.array([1, 0]))


def test_a_set_comes_back_equal_and_equal_sets_give_equal_bytes(tmp_path: Path) -> None:
    storage.write(tmp_path / "a.safetensors", SET)
    storage.write(tmp_path / "deep" / "b.safetensors", ImageSet(SET.images[::-1][::-1], SET.labels.copy()))
    back = storage.read(tmp_path / "a.safetensors")
    assert np.array_equal(back.images, SET.images)
    assert np.array_equal(back.labels, SET.labels)
    assert back.images.dtype == np.uint8
    assert back.labels.dtype == np.int64
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "deep" / "b.safetensors").read_bytes()


def test_the_file_is_plain_safetensors(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    storage.write(tmp_path / "a.safetensors", SET)
    assert sorted(load_file(tmp_path / "a.safetensors")) == ["images", "labels"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_truncated_or_altered_file_is_a_value_error_of_one_line(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "train.safetensors"
    storage.write(path, SET)
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:position]
    else:
        content[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        back = storage.read(path)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = f"{path}"
        assert np.array_equal(back.images, SET.images)
        assert np.array_equal(back.labels, SET.labels)
    assert str(path) in refusal
    assert "\n" not in refusal


def test_a_file_that_states_no_checksum_is_read_if_its_tensors_are_right(tmp_path: Path) -> None:
    path = tmp_path / "plain.safetensors"
    save_file({"images": SET.images, "labels": SET.labels}, path)
    assert np.array_equal(storage.read(path).images, SET.images)
    save_file({"images": SET.images.astype(float), "labels": SET.labels}, path)
    with pytest.raises(ValueError, match=r"plain\.safetensors holds no image set \(images are float64"):
        storage.read(path)


def test_what_is_read_can_be_written_to(tmp_path: Path) -> None:
    storage.write(tmp_path / "a.safetensors", SET)
    back = storage.read(tmp_path / "a.safetensors")
    back.images[:] = 0
    back.labels[:] = 0


def test_other_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weights": np.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"holds the tensors \['weights'\]"):
        storage.read(path)
    with pytest.raises(FileNotFoundError):
        storage.read(tmp_path / "absent.safetensors")
