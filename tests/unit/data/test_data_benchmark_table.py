"""Compact tables: they come back as they were, are mapped, and damage is refused in one line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from nas_core.data import benchmark_table
from nas_core.data.benchmark_table import BenchmarkTable

COLUMNS = {
    "decisions": np.array([[0, 1], [2, 0], [1, 1]], np.uint8),
    "accuracy": np.array([0.5, 0.25, 1.0], np.float32),
    "hash": np.array([2**63, 1, 2], np.uint64),
}
TABLE = BenchmarkTable("cells", COLUMNS, "a paper", "MIT", "v1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    benchmark_table.write(tmp_path / "table.safetensors", TABLE)
    return tmp_path / "table.safetensors"


def test_a_table_comes_back_with_what_it_is(path: Path) -> None:
    found = benchmark_table.read(path, "cells")
    assert (found.benchmark, found.source, found.license, found.version) == ("cells", "a paper", "MIT", "v1")
    assert found.columns.keys() == COLUMNS.keys()
    for name, column in COLUMNS.items():
        assert found.columns[name].dtype == column.dtype
        assert np.array_equal(found.columns[name], column)


def test_columns_are_mapped_and_cannot_be_changed(path: Path) -> None:
    column = benchmark_table.read(path, "cells").columns["accuracy"]
    assert not column.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 0.0


def test_equal_tables_give_equal_bytes_and_an_old_file_is_replaced(path: Path) -> None:
    before = path.read_bytes()
    benchmark_table.write(path, TABLE)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_every_altered_byte_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 0x10
        path.write_bytes(altered)
        with pytest.raises(ValueError, match="is damaged or no table") as caught:
            benchmark_table.read(path, "cells")
        assert "\n" not in str(caught.value)


def test_every_truncated_or_longer_file_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for content in (*(whole[:length] for length in range(len(whole))), whole + b"\0"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged or no table"):
            benchmark_table.read(path, "cells")


@pytest.mark.parametrize("length", [2**62, 2**40, 2**26])
def test_a_header_that_claims_more_than_there_is_takes_no_memory(path: Path, length: int) -> None:
    path.write_bytes(length.to_bytes(8, "little") + path.read_bytes()[8:])
    with pytest.raises(ValueError, match="is damaged or no table"):
        benchmark_table.read(path, "cells")


def test_a_file_without_our_metadata_is_refused(path: Path) -> None:
    for metadata in ({}, {benchmark_table.FIELD: "no JSON"}, {benchmark_table.FIELD: '{"format": 1}'}):
        path.write_bytes(save(COLUMNS, metadata=metadata))
        with pytest.raises(ValueError, match="is damaged or no table"):
            benchmark_table.read(path, "cells")


def test_another_benchmark_or_format_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="is a table of 'cells', not of 'graphs'"):
        benchmark_table.read(path, "graphs")
    with pytest.raises(FileNotFoundError, match="give the path of a table of cells"):
        benchmark_table.read(path.with_name("absent"), "cells")
    with monkeypatch.context() as patch:
        patch.setattr(benchmark_table, "FORMAT", 2)
        benchmark_table.write(path, TABLE)
    with pytest.raises(ValueError, match="has table format 2, this version reads 1; import the table again"):
        benchmark_table.read(path, "cells")


def test_a_table_is_told_from_other_files_by_its_beginning(path: Path, tmp_path: Path) -> None:
    assert benchmark_table.is_table(path)
    assert not benchmark_table.is_table(tmp_path)
    for content in (b"", b"index,arch\n", gzip.compress(b"{}", mtime=0), json.dumps({"a": 1}).encode()):
        path.write_bytes(content)
        assert not benchmark_table.is_table(path)


def test_columns_have_entries_of_known_types(path: Path) -> None:
    for column in (np.array(["text"]), np.array([1.0]), np.array([{}]), np.zeros(0, np.float32)):
        with pytest.raises(ValueError, match="column 'x' is"):
            BenchmarkTable("cells", {"x": column})
    with pytest.raises(ValueError, match="lacks the columns x, y; it has"):
        TABLE.selected(["accuracy", "x", "y"], path)
