"""The official files of NAS-Bench-101, written here byte by byte, and what is wrong with others."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from nas_core.benchmarks import nasbench101 as benchmark
from nas_core.data import benchmark_table, nasbench101_table, tfrecord
from nas_core.evaluation import Fidelity, Proposal
from nas_core.objectives import Objective
from nas_core.spaces import nasbench101

SPACE = nasbench101.build()
ACCURACY = Objective("validation_accuracy", "maximize")
CELLS = (
    ("001a6fcc8b38cbc515be788a86bdc804", "0110001000010000", "input,maxpool3x3,maxpool3x3,output", "111001,22"),
    (
        "01f0f1cf81ef9193f2946db78ea759ee",
        "0101001100010000",
        "input,conv3x3-bn-relu,conv3x3-bn-relu,output",
        "101111,00",
    ),
    ("043721b9c7fe8c5fad811d47d83132ec", "0100", "input,output", "1,"),
)
"""Hash, adjacency matrix row by row and operations as they are published, and our name of the cell."""


def counted(number: int, content: bytes) -> bytes:
    """A field with counted bytes; the count takes two bytes."""
    return bytes([number << 3 | 2, len(content) & 127 | 128, len(content) >> 7]) + content


def evaluation(epochs: float, seconds: float, *accuracies: float) -> bytes:
    """``EvaluationData``: five doubles and the path of a checkpoint."""
    values = (epochs, seconds, *accuracies)
    doubles = b"".join(bytes([number << 3 | 1]) + struct.pack("<d", value) for number, value in enumerate(values, 1))
    return doubles + counted(6, b"/path/to/model.ckpt-1234")


def metrics(validation: float, test: float, *, num_parameters: int = 882_570, seconds: float = 284.25) -> bytes:
    """``ModelMetrics``: three evaluations, the parameters as a varint, and the total time."""
    stages = [
        evaluation(0.0, 0.0, 0.1, 0.1, 0.1),
        evaluation(54.0, seconds / 2, 0.5, 0.4, 0.3),
        evaluation(108.0, seconds, 1.0, validation, test),
    ]
    varint, rest = b"", num_parameters
    while rest > 127:
        varint, rest = varint + bytes([rest & 127 | 128]), rest >> 7
    content = b"".join(counted(1, stage) for stage in stages) + b"\x10" + varint + bytes([rest])
    return content + b"\x19" + struct.pack("<d", 1000.0)


def record(cell: Sequence[str], epochs: int, content: bytes) -> bytes:
    return json.dumps([*cell[:1], epochs, *cell[1:3], base64.b64encode(content).decode()]).encode()


def framed(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    checked = [struct.pack("<I", int(each)) for each in tfrecord.checksums([length, content])]
    return length + checked[0] + content + checked[1]


def official(path: Path, *records: bytes) -> Path:
    path.write_bytes(b"".join(map(framed, records)))
    return path


def everything(lengths: Sequence[int] = (4, 108), num_runs: int = 3) -> list[bytes]:
    """Run r of cell c at e epochs: validation .5 + .1 c + .01 r (+ .2 at 108 epochs), on test .05 less."""
    return [
        record(cell, epochs, metrics(value, value - 0.05, num_parameters=1000 * (place + 1), seconds=100.0 + run))
        for run in range(num_runs)
        for epochs in lengths
        for place, cell in enumerate(CELLS)
        for value in [0.5 + 0.1 * place + 0.01 * run + 0.2 * (epochs == 108) * (place < 2)]
    ]


def test_all_runs_of_all_lengths_are_imported(tmp_path: Path) -> None:
    table = benchmark.read(official(tmp_path / "nasbench_full.tfrecord", *everything()))
    assert nasbench101_table.lengths(table) == (4, 108)
    assert table.columns["validation_accuracy_108_epochs"] == pytest.approx(
        0.01 * np.array([[70, 71, 72], [80, 81, 82], [70, 71, 72]])
    )
    assert table.columns["test_accuracy_4_epochs"][0] == pytest.approx([0.45, 0.46, 0.47])
    assert table.columns["training_seconds_4_epochs"][2].tolist() == [100.0, 101.0, 102.0]
    assert table.columns["num_parameters"].tolist() == [1000, 2000, 3000]
    assert table.version == "nasbench_full.tfrecord"


def test_a_search_looks_the_first_run_up_and_a_report_has_the_mean_on_test(tmp_path: Path) -> None:
    path = tmp_path / "table.safetensors"
    benchmark_table.write(path, benchmark.read(official(tmp_path / "full.tfrecord", *everything())))
    space = nasbench101.build(table=str(path))
    assert [space.to_name(member) for member in space.members()] == [
        SPACE.to_name(SPACE.from_name(name)) for *_, name in CELLS
    ]
    table = benchmark.build(path, space, [ACCURACY, Objective("num_parameters", "minimize")])
    members = [SPACE.from_name(name) for *_, name in CELLS]
    scores = [dict(found.scores) for found in table.evaluate(list(map(Proposal, members)))]
    assert scores == [
        {"validation_accuracy": accuracy, "num_parameters": parameters}
        for accuracy, parameters in ((0.7, 1000.0), (0.8, 2000.0), (0.7, 3000.0))
    ]
    assert table.evaluate([Proposal(members[1], Fidelity(4))])[0].scores["validation_accuracy"] == 0.6
    assert "only 4 and 108 epochs" in (table.evaluate([Proposal(members[1], Fidelity(12))])[0].failure or "")
    report = table.report(members[1])
    assert report["module_hash"] == CELLS[1][0]
    assert report["test_accuracy_108_epochs"] == pytest.approx(0.76)
    assert report["training_seconds"] == 101.0
    short = benchmark.build(path, SPACE, [ACCURACY], epochs=4)
    assert short.evaluate([Proposal(members[2])])[0].scores["validation_accuracy"] == 0.7
    with pytest.raises(ValueError, match="has no accuracies after 36 epochs; allowed: 4, 108"):
        benchmark.build(path, SPACE, [ACCURACY], epochs=36)


def test_the_file_of_the_longest_trainings_alone(tmp_path: Path) -> None:
    path = tmp_path / "table"
    benchmark_table.write(path, benchmark.read(official(tmp_path / "only108.tfrecord", *everything((108,), 1))))
    table = benchmark.build(path, SPACE, [ACCURACY])
    assert table.evaluate([Proposal(SPACE.from_name("101111,00"))])[0].scores["validation_accuracy"] == 0.8


GOOD = metrics(0.9, 0.8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not JSON", "record 0: Expecting value"),
        (b'["a", 1]', "record 0: not enough values"),
        (b"7", "record 0: cannot unpack"),
        (record(CELLS[0], 50, GOOD), "a training of 50 epochs; allowed: 4, 12, 36, 108"),
        (record(("0" * 32, *CELLS[0][1:]), 4, GOOD), f"does not have the hash {'0' * 32}"),
        (record(("xyz", *CELLS[0][1:]), 4, GOOD), "'xyz' is no hash"),
        (record((CELLS[0][0], "01100010000100", CELLS[0][2]), 4, GOOD), "is no cell"),
        (record((CELLS[0][0], "0110001000011000", CELLS[0][2]), 4, GOOD), "has an edge that leads back"),
        (record((CELLS[0][0], CELLS[0][1], "input,conv,maxpool3x3,output"), 4, GOOD), "allowed between input and"),
        (record((CELLS[0][0], CELLS[0][1], "input,maxpool3x3,output,output"), 4, GOOD), "allowed between input and"),
        (record(CELLS[0], 4, metrics(1.5, 0.8)), "validation_accuracy is 1.5"),
        (record(CELLS[0], 4, metrics(float("nan"), 0.8)), "validation_accuracy is nan"),
        (record(CELLS[0], 4, metrics(0.5, 0.8, seconds=float("inf"))), "training_time is inf"),
        (record(CELLS[0], 4, GOOD[:-20]), "a message ends within"),
        (record(CELLS[0], 4, b""), "its measurements are 0 evaluations of 0 parameters"),
        (record(CELLS[0], 4, counted(1, b"") * 3 + b"\x10\x05"), "its last evaluation has no training_time, valid"),
        (record(CELLS[0], 4, b"!")[:-4] + b'!!"]', "record 0: "),
    ],
)
def test_a_record_of_another_kind_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        benchmark.read(official(tmp_path / "file.tfrecord", content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda whole: whole[:-5], "ends within record 17"),
        (lambda whole: whole[:-1] + b"\0", "record 17: its checksum is wrong"),
        (lambda whole: b"\0" + whole[1:], "record 0: the checksum of its length is wrong"),
        (lambda whole: b"", "holds no records"),
        (lambda whole: whole + framed(record(CELLS[0], 108, GOOD)), "do not all have as many runs of 108 epochs"),
    ],
)
def test_a_damaged_or_unequal_file_is_refused(tmp_path: Path, change: Callable[[bytes], bytes], message: str) -> None:
    path = official(tmp_path / "file.tfrecord", *everything())
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        benchmark.read(path)


def test_it_is_not_read_in_every_search(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is an official file, which takes minutes to read; import it"):
        benchmark.build(official(tmp_path / "file.tfrecord", *everything()), SPACE, [ACCURACY])
