"""Sums of neighbors without messages, the order that sorts, and the gradient of maxima."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gnn_space.convolutions.neighbor_sum import edge_products, neighbor_sum
from gnn_space.segments import segment_max
from gnn_space.stable_order import stable_order


def drawn(num_nodes: int, num_edges: int, heads: int = 2, channels: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Returns features, edges in any order and their weights, as float64."""
    generator = torch.Generator().manual_seed(num_nodes + num_edges)
    x = torch.randn(num_nodes, heads, channels, generator=generator, dtype=torch.double)
    edges = torch.randint(0, max(num_nodes, 1), (2, num_edges), generator=generator)
    return x, edges, torch.rand(num_edges, heads, generator=generator, dtype=torch.double)


@pytest.mark.parametrize(("num_nodes", "num_edges"), [(5, 12), (4, 0), (1, 3), (0, 0), (60, 3000)])
def test_it_is_the_sum_of_the_messages(num_nodes: int, num_edges: int) -> None:
    x, edges, weight = drawn(num_nodes, num_edges, channels=40)
    messages = weight.unsqueeze(2) * x[edges[0]]
    torch.testing.assert_close(neighbor_sum(x, edges, weight), torch.zeros_like(x).index_add(0, edges[1], messages))
    torch.testing.assert_close(edge_products(2 * x, x, edges), (2 * x[edges[1]] * x[edges[0]]).sum(2))


@pytest.mark.parametrize(("num_nodes", "num_edges"), [(4, 7), (3, 0)])
def test_first_and_second_derivatives(num_nodes: int, num_edges: int) -> None:
    x, edges, weight = drawn(num_nodes, num_edges)
    x.requires_grad_()
    weight.requires_grad_()
    for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        assert check(lambda x, weight: neighbor_sum(x, edges, weight), (x, weight))
        assert check(lambda x, other: edge_products(x, other, edges), (x, x.detach().flip(0).requires_grad_()))


def test_gradients_that_nobody_wants_are_not_made() -> None:
    x, edges, weight = drawn(4, 7)
    weight.requires_grad_()
    (of_weight,) = torch.autograd.grad(neighbor_sum(x, edges, weight).sum(), weight)
    torch.testing.assert_close(of_weight, x.sum(2)[edges[0]])


@given(st.lists(st.integers(0, 2**40)))
def test_the_order_is_stable(numbers: list[int]) -> None:
    expected = sorted(range(len(numbers)), key=numbers.__getitem__)
    assert stable_order(torch.tensor(numbers, dtype=torch.int64)).tolist() == expected


def test_the_gradient_of_a_maximum_is_spread_over_all_that_have_it() -> None:
    values = torch.tensor([[1.0], [3.0], [3.0], [2.0]], requires_grad=True)
    largest = segment_max(values, torch.tensor([0, 0, 0, 2]), 3)
    assert largest.flatten().tolist() == [3.0, -torch.inf, 2.0]
    (largest * torch.tensor([[4.0], [0.0], [5.0]]))[[0, 2]].sum().backward()
    assert values.grad is not None
    assert values.grad.flatten().tolist() == [0.0, 2.0, 2.0, 5.0]


def test_maxima_may_be_differentiated_again() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(5, 2, generator=generator, dtype=torch.double).requires_grad_()
    batch = torch.tensor([0, 0, 1, 1, 1])
    assert torch.autograd.gradcheck(lambda values: segment_max(values, batch, 2), values)
    assert torch.autograd.gradgradcheck(lambda values: segment_max(values, batch, 2) ** 3, values)
