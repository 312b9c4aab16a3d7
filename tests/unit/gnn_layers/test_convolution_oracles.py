"""The convolutions against torch-geometric's own layers with the same parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from random_graphs import filled, random_graphs
from torch import nn
from torch_geometric.nn import conv

from gnn_space.convolutions.edge_softmax import edge_softmax
from gnn_space.convolutions.named import NAMES, convolution

IN, OUT = 3, 8

Copy = tuple[Callable[[], nn.Module], dict[str, str]]
# torch-geometric's layer, and which parameter of ours each of its own is
ORACLES: dict[str, Copy] = {
    "gcn": (lambda: conv.GCNConv(IN, OUT), {"lin.weight": "linear.weight", "bias": "bias"}),
    "gat_1": (
        lambda: conv.GATConv(IN, OUT),
        {
            "lin.weight": "linear.weight",
            "att_src": "attention_of_source",
            "att_dst": "attention_of_target",
            "bias": "bias",
        },
    ),
    "gat_4": (
        lambda: conv.GATConv(IN, OUT // 4, heads=4),
        {
            "lin.weight": "linear.weight",
            "att_src": "attention_of_source",
            "att_dst": "attention_of_target",
            "bias": "bias",
        },
    ),
    "gatv2_4": (
        lambda: conv.GATv2Conv(IN, OUT // 4, heads=4),
        {
            "lin_l.weight": "source.weight",
            "lin_l.bias": "source.bias",
            "lin_r.weight": "target.weight",
            "lin_r.bias": "target.bias",
            "att": "attention",
            "bias": "bias",
        },
    ),
    "sage_mean": (
        lambda: conv.SAGEConv(IN, OUT, aggr="mean"),
        {"lin_l.weight": "neighbors.weight", "lin_l.bias": "neighbors.bias", "lin_r.weight": "root.weight"},
    ),
    "sage_sum": (
        lambda: conv.SAGEConv(IN, OUT, aggr="sum"),
        {"lin_l.weight": "neighbors.weight", "lin_l.bias": "neighbors.bias", "lin_r.weight": "root.weight"},
    ),
    "sage_max": (
        lambda: conv.SAGEConv(IN, OUT, aggr="max", project=True),
        {
            "lin.weight": "projection.weight",
            "lin.bias": "projection.bias",
            "lin_l.weight": "neighbors.weight",
            "lin_l.bias": "neighbors.bias",
            "lin_r.weight": "root.weight",
        },
    ),
    "gin": (
        lambda: conv.GINConv(nn.Sequential(nn.Linear(IN, OUT), nn.ReLU(), nn.Linear(OUT, OUT)), train_eps=True),
        {
            "eps": "epsilon",
            "nn.0.weight": "hidden.weight",
            "nn.0.bias": "hidden.bias",
            "nn.2.weight": "output.weight",
            "nn.2.bias": "output.bias",
        },
    ),
    "cheb_3": (
        lambda: conv.ChebConv(IN, OUT, K=3),
        {f"lins.{term}.weight": f"terms.{term}.weight" for term in range(3)} | {"bias": "bias"},
    ),
    "polynomial_3": (
        lambda: conv.TAGConv(IN, OUT, K=3),
        {f"lins.{power}.weight": f"powers.{power}.weight" for power in range(4)} | {"bias": "bias"},
    ),
    "arma": (
        lambda: conv.ARMAConv(IN, OUT, num_stacks=2, num_layers=2, shared_weights=True),
        {"init_weight": "first", "weight": "later", "root_weight": "root", "bias": "bias"},
    ),
    "kgnn": (
        lambda: conv.GraphConv(IN, OUT),
        {"lin_rel.weight": "neighbors.weight", "lin_rel.bias": "neighbors.bias", "lin_root.weight": "root.weight"},
    ),
    "transformer_4": (
        lambda: conv.TransformerConv(IN, OUT // 4, heads=4),
        {
            f"lin_{theirs}.{part}": f"{ours}.{part}"
            for theirs, ours in {"key": "key", "query": "query", "value": "value", "skip": "root"}.items()
            for part in ("weight", "bias")
        },
    ),
}
KNOW_WEIGHTS = ("gcn", "cheb_3", "polynomial_3", "arma", "kgnn")


def pair(name: str) -> tuple[nn.Module, nn.Module]:
    make, names = ORACLES[name]
    ours, theirs = filled(lambda: convolution(name, IN, OUT)), filled(make)
    state = ours.state_dict()
    assert sorted(names.values()) == sorted(state)
    theirs.load_state_dict({key: state[own].view_as(theirs.state_dict()[key]) for key, own in names.items()})
    return ours, theirs


def test_every_convolution_has_an_oracle() -> None:
    assert set(ORACLES) | {"linear", "identity"} == set(NAMES)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("loops", [False, True])
def test_plain_edges(name: str, directed: bool, loops: bool) -> None:
    ours, theirs = pair(name)
    graphs = random_graphs([4, 1, 6], IN, 1, weighted=False, directed=directed, loops=loops)
    settings = {"lambda_max": torch.tensor(2.0, dtype=torch.float64)} if name == "cheb_3" else {}
    expected = theirs(graphs.x, graphs.edge_index, **settings)
    torch.testing.assert_close(ours(graphs.x, graphs.edge_index, None), expected)


@pytest.mark.parametrize("name", KNOW_WEIGHTS)
@pytest.mark.parametrize("directed", [False, True])
def test_weighted_edges(name: str, directed: bool) -> None:
    ours, theirs = pair(name)
    graphs = random_graphs([4, 1, 6], IN, 2, directed=directed)
    settings = {"lambda_max": torch.tensor(2.0, dtype=torch.float64)} if name == "cheb_3" else {}
    expected = theirs(graphs.x, graphs.edge_index, graphs.edge_weight, **settings)
    torch.testing.assert_close(ours(graphs.x, graphs.edge_index, graphs.edge_weight), expected)


def test_attention_of_edges_by_hand() -> None:
    # node 0 has edges of weight 1, 0.5 and 0; node 1 has one, of weight 0; e^log(2) = 2
    edges = torch.tensor([[1, 2, 3, 0], [0, 0, 0, 1]])
    scores = torch.tensor([[0.0], [2.0], [200.0], [1.0]], dtype=torch.float64).log1p()
    scores[2] = 1e5
    weight = torch.tensor([1.0, 0.5, 0.0, 0.0], dtype=torch.float64)
    attention = edge_softmax(scores, edges, weight, 4).squeeze(1)
    torch.testing.assert_close(attention, torch.tensor([0.4, 0.6, 0.0, 0.0], dtype=torch.float64))


def test_attention_does_not_overflow() -> None:
    edges = torch.tensor([[1, 2], [0, 0]])
    attention = edge_softmax(torch.tensor([[1e4], [1e4 - 1]]), edges, None, 3).squeeze(1)
    torch.testing.assert_close(attention, torch.tensor([0.0, -1.0]).softmax(0))
