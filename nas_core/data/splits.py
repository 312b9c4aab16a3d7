"""Divide labeled examples into parts: by class in proportion, or by groups that stay together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nas_core.data.rounding import round_to_margins

Indices = NDArray[np.int64]


def part_sizes(num_examples: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Return whole numbers proportional to `fractions` that add up to `num_examples` (largest remainders).

    Args:
        num_examples: the sum.
        fractions: each above 0, adding up to 1, by the name of the part; ties go to the first name.

    Raises:
        ValueError: the fractions do not add up to 1, or a part gets no example.
    """
    if not fractions or min(fractions.values()) <= 0 or not math.isclose(sum(fractions.values()), 1, abs_tol=1e-9):
        raise ValueError(f"fractions are {dict(fractions)}; give fractions above 0 that add up to 1")
    names = sorted(fractions)
    exact = {name: fractions[name] * num_examples for name in names}
    sizes = {name: math.floor(exact[name] + 1e-9) for name in names}
    by_remainder = sorted(names, key=lambda name: sizes[name] - exact[name])
    for name in by_remainder[: num_examples - sum(sizes.values())]:
        sizes[name] += 1
    if min(sizes.values()) < 1:
        raise ValueError(f"{num_examples} examples leave a part of {dict(fractions)} empty; take more examples")
    return sizes


def stratified_split(
    labels: NDArray[np.int64], sizes: Mapping[str, int], generator: np.random.Generator
) -> dict[str, Indices]:
    """Divide all examples into parts of exactly the given sizes that have the classes in proportion.

    Of a class with n examples, a part with the share s gets n*s rounded up or down, and at least one.

    Args:
        labels: int64, `(num_examples,)`.
        sizes: the number of examples by the name of the part, adding up to `num_examples`; their order does not matter.
        generator: draws which examples, and which classes are rounded up.

    Returns:
        The indices of each part, in ascending order; each index is in exactly one part.

    Raises:
        ValueError: the sizes do not add up, or a class is too small (or a part) for every class to be in every part.
    """
    if not sizes or min(sizes.values()) < 1 or sum(sizes.values()) != len(labels):
        raise ValueError(f"sizes are {dict(sizes)}; give sizes of at least 1 that add up to the {len(labels)} examples")
    parts = _divide(labels, sizes, dict.fromkeys(sizes, 1), generator)
    if parts is None:
        classes, counts = np.unique(labels, return_counts=True)
        raise ValueError(
            f"{len(classes)} classes, the smallest ({classes[counts.argmin()]}) with {counts.min()} examples, cannot "
            f"all be in each of {dict(sorted(sizes.items()))} in proportion; take more examples or fewer parts"
        )
    return parts


def subsample(labels: NDArray[np.int64], num_examples: int, generator: np.random.Generator) -> Indices:
    """Return the indices, ascending, of `num_examples` examples that have the classes in proportion, none left out.

    Raises:
        ValueError: `num_examples` is above the number there is, or too small for every class.
    """
    if not 1 <= num_examples <= len(labels):
        raise ValueError(f"num_examples is {num_examples}; give 1 to {len(labels)}, the number there is")
    sizes = {"kept": num_examples, "left": len(labels) - num_examples}
    parts = _divide(labels, sizes, {"kept": 1, "left": 0}, generator)
    if parts is None:
        num_classes = len(np.unique(labels))
        raise ValueError(f"num_examples is {num_examples}, too few for {num_classes} classes in proportion; raise it")
    return parts["kept"]


def group_split(
    groups: Sequence[str], fractions: Mapping[str, float], generator: np.random.Generator
) -> dict[str, Indices]:
    """Divide all examples into parts of about the given fractions such that each group lies in one part.

    The groups are dealt from the largest to the smallest, those of equal size in random order, each to the part that
    lacks most; the last ones go to parts that are still empty.

    Args:
        groups: the group of each example.
        fractions: each above 0, adding up to 1, by the name of the part; their order does not matter.
        generator: draws the order of groups of equal size.

    Returns:
        The indices of each part, in ascending order; each index is in exactly one part and no part is empty.

    Raises:
        ValueError: there are fewer groups than parts, or the fractions do not add up to 1.
    """
    members = Counter(groups)
    if len(members) < len(fractions):
        raise ValueError(f"{len(members)} groups cannot fill {len(fractions)} parts; take fewer parts or more groups")
    lacking = dict(part_sizes(len(groups), fractions))
    shuffled = [sorted(members)[position] for position in generator.permutation(len(members))]
    part_of: dict[str, str] = {}
    for num_dealt, group in enumerate(sorted(shuffled, key=lambda name: -members[name])):
        empty = [name for name in lacking if name not in part_of.values()]
        candidates = empty if len(empty) == len(members) - num_dealt else list(lacking)
        chosen = max(candidates, key=lambda name: lacking[name])
        part_of[group] = chosen
        lacking[chosen] -= members[group]
    parts = np.array([part_of[group] for group in groups])
    return {name: np.flatnonzero(parts == name) for name in lacking}


def _divide(
    labels: NDArray[np.int64], sizes: Mapping[str, int], least: Mapping[str, int], generator: np.random.Generator
) -> dict[str, Indices] | None:
    """Return the indices of each part, or None if a part cannot have its `least` number of each class."""
    names = sorted(sizes)
    classes, num_of_class = np.unique(labels, return_counts=True)
    order = generator.permutation(len(classes))
    table = round_to_margins(
        num_of_class[order].tolist(), [sizes[name] for name in names], [least[name] for name in names]
    )
    if table is None:
        return None
    chunks: dict[str, list[Indices]] = {name: [] for name in names}
    for row, position in zip(table, order.tolist(), strict=True):
        members = generator.permutation(np.flatnonzero(labels == classes[position]))
        for name, chunk in zip(names, np.split(members, np.cumsum(row)[:-1]), strict=True):
            chunks[name].append(chunk)
    return {name: np.sort(np.concatenate(chunks[name])) for name in names}
