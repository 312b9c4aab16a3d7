"""Cells with operations on vertices: hand-worked pruning, order, channels and paths, and published hashes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nas_core.networks.vertex_cell import VertexCell
from nas_core.networks.vertex_network import Cell, VertexNetwork
from nas_core.task import TaskShape


def cell(bits: str, operations: str = "") -> VertexCell:
    return VertexCell.from_bits([int(bit) for bit in bits], [int(digit) for digit in operations])


def random_cell(generator: np.random.Generator) -> VertexCell:
    return VertexCell.from_bits(generator.integers(0, 2, 21).tolist(), generator.integers(0, 3, 5).tolist())


# rows of the benchmark: bits column by column, operations, hash, parameters on CIFAR-10
PUBLISHED = [
    ("1", "", "043721b9c7fe8c5fad811d47d83132ec", 882_570),
    ("111", "1", "09fc2d10bdd6225e167a6f81a22a3f06", 2_793_866),
    ("111001", "22", "001a6fcc8b38cbc515be788a86bdc804", 1_756_298),
    ("101111", "20", "0922ee996ecffb2c0c5f16d1261f6dfa", 3_644_554),
    ("101001100010011001001", "02001", "00005c142e6f48ac74fdcf73e3439874", 8_555_530),
    ("101001000100011000101", "11010", "0000718c96730a92ea6d5242f8ce77e2", 5_878_154),
    ("101001000111001000101", "02121", "0000cb5372fad9d62c470df699ac6d52", 3_729_162),
]


def test_bits_are_read_column_by_column() -> None:
    four = cell("101101", "02")
    edges = [edge for edge in itertools.combinations(range(4), 2) if four.has_edge(*edge)]
    assert edges == [(0, 1), (0, 3), (1, 2), (2, 3)]
    assert four.num_edges == 4
    assert "".join(map(str, four.bits())) == "101101"
    with pytest.raises(ValueError, match="5 bits do not go with 2 operations; give 6"):
        cell("10110", "02")
    with pytest.raises(ValueError, match="is no cell"):
        VertexCell((0, 2), ())


def test_what_is_on_no_path_is_pruned() -> None:
    # 0 -> 1 -> 4, 0 -> 2 (leads nowhere), 3 -> 4 (comes from nowhere)
    assert cell("1100000101", "012").pruned() == cell("101", "0")
    assert cell("101000", "01").pruned() is None
    assert cell("1").pruned() == cell("1")
    assert cell("0").pruned() is None


def test_widening_is_undone_by_pruning() -> None:
    small = cell("101101", "02")
    wide = small.widened(7)
    assert wide.num_vertices == 7
    assert wide.operations == (0, 2, 0, 0, 0)
    assert wide.pruned() == small


def test_the_canonical_form_is_the_same_for_all_orders_and_tells_hashes_apart() -> None:
    generator = np.random.default_rng(0)
    forms: dict[str, VertexCell] = {}
    for _ in range(150):
        pruned = random_cell(generator).pruned()
        if pruned is None:
            continue
        canonical = pruned.canonical()
        assert canonical.canonical() == canonical
        assert canonical.module_hash() == pruned.module_hash()
        assert forms.setdefault(pruned.module_hash(), canonical) == canonical
    # two vertices between input and output, by both names
    assert cell("110011", "02").canonical() == cell("110011", "20").canonical()
    assert cell("110011", "02").canonical().operations == (0, 2)
    # but their order counts in a chain
    assert cell("101001", "02").module_hash() != cell("101001", "20").module_hash()


@pytest.mark.parametrize(("bits", "operations", "module_hash", "num_parameters"), PUBLISHED)
def test_hashes_and_sizes_are_the_published_ones(
    bits: str, operations: str, module_hash: str, num_parameters: int
) -> None:
    published = cell(bits, operations)
    assert published.module_hash() == module_hash
    assert published.canonical().module_hash() == module_hash
    with torch.device("meta"):
        network = VertexNetwork(TaskShape((3, 32, 32), (10,)), published, channels=128, num_stages=3, cells_per_stage=3)
    assert sum(parameter.numel() for parameter in network.parameters()) == num_parameters


def test_channels_by_hand() -> None:
    # three vertices lead to the output: 128 = 43 + 43 + 42; vertex 1 leads to the second and third alone
    five = cell("101010100000111", "0000")
    assert five.num_vertices == 6
    assert five.channels(64, 128) == (64, 43, 43, 43, 42, 128)
    assert cell("1").channels(128, 256) == (128, 256)


def test_paths_by_hand() -> None:
    assert cell("1").paths() == {()}
    # 0 -> 1 -> 3, 0 -> 2 -> 3, 0 -> 1 -> 2 -> 3, 0 -> 3
    assert cell("111111", "20").paths() == {(), (2,), (0,), (2, 0)}


def test_a_cell_sums_truncated_inputs_and_concatenates_outputs() -> None:
    # pooling (vertex 1) leads to pooling (vertex 2) and to the output; both make the output, beside the input
    torch.manual_seed(0)
    module = Cell(cell("101111", "22"), 3, 5).eval()
    inputs = torch.rand(2, 3, 4, 4)
    assert module.channels == (3, 3, 2, 5)
    first = module.operations[0](module.projections["1"](inputs))
    second = module.operations[1](first[:, :2])
    expected = torch.cat([first, second], dim=1) + module.projections["3"](inputs)
    torch.testing.assert_close(module(inputs), expected)
    assert sorted(module.projections) == ["1", "3"]
