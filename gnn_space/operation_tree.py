"""A network as a tree of operations, and the one form of all trees that compute the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Tree: TypeAlias = "tuple[int, tuple[Tree, ...]]"
"""An operation, and the trees that take its output."""


def canonical_form(
    links: Sequence[int], operations: Sequence[int], identity: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return links and operations of the one form of all trees that compute the same as the given one.

    Each operation takes one input, and the output joins all leaves. An identity is the node that it takes, so one
    before other operations is left out, and so is one that alone takes its input; beside others it stays, since it
    brings that node to the output. The input itself is never brought there. What is left out comes back as identities
    before everything else, so that the number of operations stays. Siblings have no order: larger trees come first,
    then lesser operations.

    Follows the rule of NAS-Bench-Graph (Qin et al. 2022, arXiv:2206.09166), by which 59,049 trees are 26,206 networks
    and one without any operation.

    Args:
        links: for each operation the number of the one whose output it takes, counted from 1; 0 is the input.
        operations: a number for each.
        identity: the number of the identity.

    Returns:
        Links and operations, as many as were given, in the order of their distance from the input.
    """
    trees = [tree for tree in _branches(0, links, operations, identity) if tree != (identity, ())]
    trees.sort(key=_rank)
    for _ in range(len(operations) - sum(map(_size, trees))):
        trees = [(identity, tuple(trees))]
    sources = [0] * len(trees)
    for number, (_, children) in enumerate(trees, start=1):
        trees += children
        sources += [number] * len(children)
    return tuple(sources), tuple(operation for operation, _ in trees)


def _branches(node: int, links: Sequence[int], operations: Sequence[int], identity: int) -> list[Tree]:
    """Return the trees that take the output of a node, identities in between left out, in their order."""
    found: list[Tree] = []
    for number, (link, operation) in enumerate(zip(links, operations, strict=True), start=1):
        if link == node:
            below = _branches(number, links, operations, identity)
            if below and operation == identity:
                found += below
            else:
                found.append((operation, tuple(below)))
    return [] if found == [(identity, ())] else sorted(found, key=_rank)


def _size(tree: Tree) -> int:
    """Return the number of operations."""
    return 1 + sum(map(_size, tree[1]))


def _rank(tree: Tree) -> tuple[int, Tree]:
    """Return what siblings are sorted by."""
    return -_size(tree), tree
