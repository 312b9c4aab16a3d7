"""Motif graphs: which small motif hangs on a larger base; generated, so that nothing is downloaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Interval
from numpy.typing import NDArray

from gnn_space.data import motif_graphs
from gnn_space.data import node_features as features_of
from gnn_space.data.graph_data import GraphData
from gnn_space.data.graph_set import GraphSet, joined
from nas_core.data.progress import Progress
from nas_core.randomness import Streams

LEARNING_TASK = "gnn_space.learning_tasks.graph_classification"
TRAIN_BASES = ("wheel", "tree", "ladder")
SHIFTED_BASES = ("star", "path")
Motif = Literal["house", "cycle", "crane", "bull", "butterfly", "banner"]


def load(
    folder: Path | None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    motifs: tuple[Motif, ...] = ("house", "cycle", "crane"),
    bias: Annotated[float, Interval(ge=0, le=1)] = 0.5,
    smallest_base: Annotated[int, Ge(motif_graphs.SMALLEST_BASE)] = 8,
    largest_base: Annotated[int, Ge(motif_graphs.SMALLEST_BASE)] = 20,
    size_factor: Annotated[int, Ge(2)] = 4,
    random_edges: Annotated[float, Interval(ge=0, le=1)] = 0.05,
    node_features: Literal["constant", "degree"] = "constant",
    max_degree: Annotated[int, Ge(1)] = 32,
    num_train: Annotated[int, Ge(3)] = 600,
    num_validation: Annotated[int, Ge(3)] = 200,
    num_test: Annotated[int, Ge(3)] = 200,
    seed: Annotated[int, Ge(0)] = 0,
) -> GraphData:
    """Return graphs of a base and a motif, the motif being the class, with three kinds of shifted test graphs.

    The motifs are equally frequent. Motif number i of k comes with base number i with probability `bias` and with each
    of the other bases with an equal share of the rest, so that 1/3 is no correlation. Training, validation and test
    graphs are drawn alike; each shift changes one thing and keeps the rest:

    - base: stars and paths in the place of wheels, trees and ladders;
    - size: bases of `size_factor` times as many nodes;
    - correlation: bases independent of the motif (absent if they are already).

    Every node has the one feature 1: what there is to learn is in the edges. House and crane have the same degrees.
    Graphs are drawn independently of each other, as in the sources. Small bases have few places and no random edge, so
    that some come again: of the default set, a fifth of the test graphs are also training graphs but for the numbers of
    their nodes, and none of those with other or larger bases.

    Sources: Gui et al. 2022, "GOOD", arXiv:2206.08452 (GOOD-Motif: motifs house, cycle, crane; unseen bases; larger
    bases; constant features; 5 % random edges); Wu et al. 2022, "Discovering invariant rationales", arXiv:2201.12872
    (Spurious-Motif: the correlation); Ying et al. 2019, "GNNExplainer", arXiv:1903.03894 (motifs on bases).
    Differs from the papers: fewer and smaller graphs; a base is measured in nodes, so that its size does not tell its
    kind; a motif is tied by a node with two neighbors, so that degrees do not tell house from crane; labels have no
    noise; validation graphs are not shifted, so that no shift chooses anything.

    Args:
        folder: not needed, the graphs are generated.
        download: not needed.
        progress: never called.
        motifs: the classes; two or more.
        bias: probability of a motif's own base.
        smallest_base: nodes of the smallest base.
        largest_base: nodes of the largest base; every size between is equally frequent.
        size_factor: of the size shift.
        random_edges: edges added between random nodes, as a share of the graph's own.
        node_features: the feature 1, or indicators of the degree.
        max_degree: of the indicators; the last means this many neighbors or more.
        num_train: training graphs.
        num_validation: validation graphs.
        num_test: test graphs, and graphs of each shift.
        seed: of everything that is random.

    Raises:
        ValueError: the motifs are fewer than two or not distinct, or no base fits between the sizes.
    """
    if len(motifs) < 2 or len(set(motifs)) < len(motifs):
        raise ValueError(f"motifs are {list(motifs)}; give two or more different ones")
    if smallest_base > largest_base:
        raise ValueError(f"smallest_base is {smallest_base}, above largest_base, {largest_base}; lower it")
    streams = Streams(seed).child("motif")

    def drawn(part: str, num_graphs: int, bases: tuple[str, ...], own_share: float, factor: int = 1) -> GraphSet:
        sizes = (smallest_base * factor, largest_base * factor)
        graphs, _ = draw(num_graphs, motifs, bases, own_share, sizes, random_edges, streams.numpy(part))
        return _with_features(graphs, node_features, max_degree)

    no_correlation = 1 / len(TRAIN_BASES)
    shifted = {
        "base": drawn("base", num_test, SHIFTED_BASES, 1 / len(SHIFTED_BASES)),
        "size": drawn("size", num_test, TRAIN_BASES, bias, size_factor),
    }
    if abs(bias - no_correlation) > 1e-3:
        shifted["correlation"] = drawn("correlation", num_test, TRAIN_BASES, no_correlation)
    return GraphData(
        name="motif",
        class_names=motifs,
        train=drawn("train", num_train, TRAIN_BASES, bias),
        validation=drawn("validation", num_validation, TRAIN_BASES, bias),
        test=drawn("test", num_test, TRAIN_BASES, bias),
        shifted=shifted,
        license="generated, free of any license",
        source="generated after arXiv:2206.08452 and arXiv:2201.12872",
        citation="S. Gui, X. Li, L. Wang, S. Ji (2022). GOOD: a graph out-of-distribution benchmark. NeurIPS. "
        "Y.-X. Wu, X. Wang, A. Zhang, X. He, T.-S. Chua (2022). Discovering invariant rationales for graph neural "
        "networks. ICLR.",
        feature_names=_feature_names(node_features, max_degree),
    )


def draw(
    num_graphs: int,
    motifs: tuple[str, ...],
    bases: tuple[str, ...],
    own_share: float,
    sizes: tuple[int, int],
    random_edges: float,
    generator: np.random.Generator,
) -> tuple[GraphSet, NDArray[np.int64]]:
    """Return graphs with a constant feature, every motif equally often, and the number of each graph's base.

    Args:
        num_graphs: how many.
        motifs: by label, out of `motif_graphs.MOTIFS`.
        bases: two or more out of `motif_graphs.BASES`; that of a label is the one of the same number, counted around.
        own_share: probability that a motif has the base of its label.
        sizes: nodes of the smallest and of the largest base.
        random_edges: edges added at random, as a share of the others.
        generator: draws everything.
    """
    labels = generator.permutation(np.arange(num_graphs) % len(motifs))
    others = generator.integers(1, len(bases), size=num_graphs)
    own = generator.random(num_graphs) < own_share
    base_numbers = (labels + np.where(own, 0, others)) % len(bases)
    num_nodes = generator.integers(sizes[0], sizes[1] + 1, size=num_graphs)
    places = generator.integers(num_nodes)
    edges, features = [], []
    for label, base, size, place in zip(labels, base_numbers, num_nodes.tolist(), places.tolist(), strict=True):
        pairs = motif_graphs.hung(
            motif_graphs.BASES[bases[base]](size), size, motif_graphs.MOTIFS[motifs[label]], place
        )
        total = size + motif_graphs.MOTIF_NODES
        pairs = motif_graphs.with_random_edges(pairs, total, int(random_edges * len(pairs)), generator)
        edges.append(motif_graphs.both_directions(pairs))
        features.append(features_of.constant(total))
    return joined(features, edges, labels.tolist()), base_numbers


def _with_features(graphs: GraphSet, kind: str, max_degree: int) -> GraphSet:
    if kind == "constant":
        return graphs
    return replace(graphs, x=features_of.degree(graphs.edge_index, len(graphs.x), max_degree))


def _feature_names(kind: str, max_degree: int) -> tuple[str, ...]:
    return features_of.degree_names(max_degree) if kind == "degree" else features_of.constant_names()
