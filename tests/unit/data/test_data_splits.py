"""Splits: exact, disjoint, complete, in proportion, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nas_core.data.rounding import round_to_margins
from nas_core.data.splits import group_split, part_sizes, stratified_split, subsample

counts = st.lists(st.integers(1, 60), min_size=1, max_size=8)


def shuffled_labels(num_of_class: list[int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(num_of_class)), num_of_class))


def assert_partition(parts: Mapping[str, np.ndarray], num_examples: int) -> None:
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(num_examples))
    for indices in parts.values():
        assert np.all(np.diff(indices) > 0)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    rows = draw(counts)
    cuts = sorted(draw(st.lists(st.integers(0, sum(rows)), max_size=4)))
    return rows, np.diff([0, *cuts, sum(rows)]).tolist()


@settings(max_examples=200, deadline=None)
@given(tables())
def test_rounding_keeps_the_margins_and_stays_within_one(table: tuple[list[int], list[int]]) -> None:
    row_sums, column_sums = table
    rounded = round_to_margins(row_sums, column_sums, [0] * len(column_sums))
    assert rounded is not None
    entries = np.array(rounded)
    assert entries.sum(axis=1).tolist() == row_sums
    assert entries.sum(axis=0).tolist() == column_sums
    exact = np.outer(row_sums, column_sums) / sum(row_sums)
    assert np.all(np.floor(exact + 1e-9) <= entries)
    assert np.all(entries <= np.ceil(exact - 1e-9))


def test_rounding_moves_earlier_units_over_where_necessary() -> None:
    assert round_to_margins([1, 1, 1], [1, 1, 1], [0, 0, 0]) is not None
    assert round_to_margins([2, 2], [2, 2], [1, 1]) == [[1, 1], [1, 1]]
    assert round_to_margins([1, 3], [2, 2], [1, 1]) is None


@settings(max_examples=150, deadline=None)
@given(num_of_class=st.lists(st.integers(5, 60), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_a_stratified_split_is_exact_complete_and_in_proportion(num_of_class: list[int], seed: int) -> None:
    labels = shuffled_labels(num_of_class, seed)
    sizes = part_sizes(len(labels), {"train": 0.5, "validation": 0.25, "test": 0.25})
    parts = stratified_split(labels, sizes, np.random.default_rng(seed))
    assert {name: len(indices) for name, indices in parts.items()} == sizes
    assert_partition(parts, len(labels))
    for name, indices in parts.items():
        received = np.bincount(labels[indices], minlength=len(num_of_class))
        exact = np.array(num_of_class) * sizes[name] / len(labels)
        assert np.all(np.abs(received - exact) < 1)
        assert received.min() >= 1


def test_the_same_seed_gives_the_same_split_in_any_order_of_parts() -> None:
    labels = shuffled_labels([20, 30, 17], 0)
    first = stratified_split(labels, {"a": 40, "b": 20, "c": 7}, np.random.default_rng(3))
    again = stratified_split(labels, {"c": 7, "b": 20, "a": 40}, np.random.default_rng(3))
    other = stratified_split(labels, {"a": 40, "b": 20, "c": 7}, np.random.default_rng(4))
    assert all(np.array_equal(first[name], again[name]) for name in "abc")
    assert not all(np.array_equal(first[name], other[name]) for name in "abc")


def test_labels_need_not_be_consecutive() -> None:
    labels = np.array([5, 9, 5, 9])
    parts = stratified_split(labels, {"a": 2, "b": 2}, np.random.default_rng(0))
    assert sorted(labels[parts["a"]].tolist()) == [5, 9]


@pytest.mark.parametrize(
    ("num_of_class", "sizes", "message"),
    [
        ([10, 1], {"a": 9, "b": 2}, r"the smallest \(1\) with 1 examples"),
        ([10, 10], {"a": 19, "b": 1}, "cannot all be in each"),
        ([10, 10], {"a": 10, "b": 9}, "add up to the 20 examples"),
        ([10, 10], {"a": 20, "b": 0}, "at least 1"),
        ([10, 10], {}, "sizes are {}"),
    ],
)
def test_impossible_splits_are_refused(num_of_class: list[int], sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stratified_split(shuffled_labels(num_of_class, 0), sizes, np.random.default_rng(0))


def test_part_sizes_are_largest_remainders() -> None:
    assert part_sizes(1797, {"train": 0.6, "validation": 0.2, "test": 0.2}) == {
        "train": 1078,
        "validation": 359,
        "test": 360,
    }
    assert part_sizes(10, {"b": 0.5, "a": 0.5}) == {"a": 5, "b": 5}
    assert part_sizes(11, {"b": 0.5, "a": 0.5}) == {"a": 6, "b": 5}
    assert part_sizes(10, {"a": 0.1, "b": 0.2, "c": 0.7}) == {"a": 1, "b": 2, "c": 7}


@pytest.mark.parametrize(
    ("num_examples", "fractions", "message"),
    [
        (10, {"a": 0.5, "b": 0.4}, "add up to 1"),
        (10, {"a": 1.5, "b": -0.5}, "above 0"),
        (10, {"a": float("nan"), "b": 0.5}, "add up to 1"),
        (10, {}, "fractions are {}"),
        (3, {"a": 0.9, "b": 0.1}, "empty"),
    ],
)
def test_impossible_fractions_are_refused(num_examples: int, fractions: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        part_sizes(num_examples, fractions)


@settings(max_examples=100, deadline=None)
@given(
    num_of_class=st.lists(st.integers(5, 40), min_size=1, max_size=6), share=st.floats(0.25, 1), seed=st.integers(0, 9)
)
def test_a_subsample_is_exact_and_in_proportion(num_of_class: list[int], share: float, seed: int) -> None:
    labels = shuffled_labels(num_of_class, seed)
    num_examples = max(round(share * len(labels)), len(num_of_class))
    kept = subsample(labels, num_examples, np.random.default_rng(seed))
    assert len(kept) == num_examples
    assert np.all(np.diff(kept) > 0)
    received = np.bincount(labels[kept], minlength=len(num_of_class))
    assert np.all(np.abs(received - np.array(num_of_class) * num_examples / len(labels)) < 1)
    assert received.min() >= 1


@pytest.mark.parametrize(("num_examples", "message"), [(0, "give 1 to 20"), (21, "give 1 to 20"), (1, "too few")])
def test_impossible_subsamples_are_refused(num_examples: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        subsample(shuffled_labels([10, 10], 0), num_examples, np.random.default_rng(0))


@settings(max_examples=150, deadline=None)
@given(
    num_of_group=st.lists(st.integers(1, 30), min_size=3, max_size=9),
    seed=st.integers(0, 9),
)
def test_a_group_split_keeps_groups_together(num_of_group: list[int], seed: int) -> None:
    groups = [f"group {label}" for label in shuffled_labels(num_of_group, seed)]
    assume(len(groups) >= 10)
    fractions = {"train": 0.6, "validation": 0.2, "test": 0.2}
    parts = group_split(groups, fractions, np.random.default_rng(seed))
    assert_partition(parts, len(groups))
    owners = {name: {groups[index] for index in indices} for name, indices in parts.items()}
    assert all(owners.values())
    assert sum(map(len, owners.values())) == len(set(groups))
    reversed_parts = dict(reversed(fractions.items()))
    again = group_split(groups, reversed_parts, np.random.default_rng(seed))
    assert all(np.array_equal(parts[name], again[name]) for name in parts)


def test_a_group_split_comes_near_the_fractions_and_follows_the_seed() -> None:
    groups = [f"face {index % 20}" for index in range(400)]
    parts = [group_split(groups, {"train": 0.8, "test": 0.2}, np.random.default_rng(seed)) for seed in (0, 1)]
    assert len(parts[0]["test"]) == 80
    assert not np.array_equal(parts[0]["test"], parts[1]["test"])
    with pytest.raises(ValueError, match="1 groups cannot fill 2 parts"):
        group_split(["a"] * 10, {"train": 0.8, "test": 0.2}, np.random.default_rng(0))
