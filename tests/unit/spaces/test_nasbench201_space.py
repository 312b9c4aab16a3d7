"""The NAS-Bench-201 space: names, the canonical form, the path encoding and the networks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nas_core.architecture import Architecture
from nas_core.networks.inheritance import inherited_state
from nas_core.space import HasBenchmarkNames, HasFeatureTensor, HasPathEncoding, HasReference, HasScales, HasSupernet
from nas_core.spaces.nasbench201 import build
from nas_core.task import TaskShape
from nas_core.variation import sample
from nas_core.weight_sharing.gates import Gates, one_hot
from nas_core.weight_sharing.supernet import Mixing

DIGITS = TaskShape((1, 8, 8), (10,))
SMALL = build(channels=4, cells_per_stage=1)


def cell(*decisions: int) -> Architecture:
    return Architecture("nasbench201", decisions)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_it_has_every_capability_that_does_not_need_morphisms() -> None:
    for capability in (HasSupernet, HasReference, HasBenchmarkNames, HasScales, HasPathEncoding, HasFeatureTensor):
        assert isinstance(SMALL, capability)


def test_names_follow_the_order_of_the_official_string() -> None:
    name = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|nor_conv_3x3~1|skip_connect~2|"
    assert SMALL.from_name(name) == cell(4, 2, 1, 0, 3, 1)
    assert SMALL.to_name(cell(4, 2, 1, 0, 3, 1)) == name


@pytest.mark.parametrize("name", ["", "|none~0|", "|max_pool~0|+|none~0|none~1|+|none~0|none~1|none~2|"])
def test_other_texts_are_no_names(name: str) -> None:
    with pytest.raises(ValueError, match="names no cell"):
        SMALL.from_name(name)


def test_validity_is_membership() -> None:
    assert SMALL.is_valid(cell(0, 1, 2, 3, 4, 0))
    assert not SMALL.is_valid(cell(0, 1, 2, 3, 4, 5))
    assert not SMALL.is_valid(cell(0, 1, 2, 3, 4))
    assert not SMALL.is_valid(Architecture("other", (0, 1, 2, 3, 4, 0)))
    with pytest.raises(ValueError, match="no cell of nasbench201"):
        SMALL.network(cell(0, 1, 2, 3, 4, 5), DIGITS, seeded(0))


def test_canonical_has_6466_representatives_and_is_idempotent() -> None:
    members = [cell(*decisions) for decisions in itertools.product(range(5), repeat=6)]
    representatives = {SMALL.canonical(member) for member in members}
    assert len(representatives) == 6466
    assert all(SMALL.canonical(member) == member for member in representatives)


def test_canonical_sees_through_skip_connections_sums_and_zeros() -> None:
    through_node_1, through_node_2 = cell(3, 0, 0, 0, 1, 0), cell(0, 3, 0, 0, 0, 1)
    direct = cell(0, 0, 0, 3, 0, 0)
    assert SMALL.canonical(through_node_1) != SMALL.canonical(cell(2, 0, 0, 0, 1, 0))
    # "x+#+#" and "#+x+#" are sorted to the same expression; a dead source makes its edges zero.
    assert SMALL.canonical(through_node_1) == SMALL.canonical(direct)
    assert SMALL.canonical(cell(0, 0, 3, 3, 4, 0)) == SMALL.canonical(cell(0, 0, 0, 3, 2, 0))
    # The benchmark's rule keeps a sum of zeros, so that a path over node 2 is written differently.
    assert SMALL.canonical(through_node_2) != SMALL.canonical(direct)


def test_decode_takes_the_best_option_of_every_edge() -> None:
    scores = [[0.0, 3.0, 1.0, 2.0, -1.0], [5.0, 5.0, 0.0, 0.0, 0.0], *[[0.0, 0.0, 0.0, 0.0, 0.1]] * 4]
    assert SMALL.decode(scores) == cell(1, 0, 4, 4, 4, 4)


def test_path_encoding_of_a_hand_worked_cell() -> None:
    canonical = SMALL.canonical(cell(1, 2, 3, 4, 2, 3))
    bits = SMALL.path_encoding(canonical)
    zero_one, zero_two, one_two, zero_three, one_three, two_three = canonical.decisions
    expected = {
        zero_three,
        5 + 5 * zero_one + one_three,
        5 + 5 * zero_two + two_three,
        30 + 25 * zero_one + 5 * one_two + two_three,
    }
    assert len(bits) == 155
    assert {place for place, bit in enumerate(bits) if bit} == expected


def test_equal_networks_have_equal_path_encodings() -> None:
    assert SMALL.path_encoding(cell(3, 0, 0, 0, 1, 0)) == SMALL.path_encoding(cell(0, 0, 0, 3, 0, 0))


def test_feature_tensor_of_a_hand_worked_cell() -> None:
    # canonical itself: conv3x3, then pooling, beside a conv1x1 from the input to the output
    architecture = SMALL.canonical(cell(3, 0, 0, 2, 4, 0))
    assert architecture == cell(3, 0, 0, 2, 4, 0)
    tensor = np.array(SMALL.feature_tensor(architecture))
    assert tensor.shape == (7, 4, 4)
    assert tensor[0].tolist() == [[0, 3, 0, 2], [0, 0, 0, 4], [0, 0, 0, 0], [0, 0, 0, 0]]
    # stage by stage: 4, 8, 16 channels on 32, 16, 8 pixels a side
    assert tensor[2::2, 0, 1].tolist() == [9 * 4 * 4, 9 * 8 * 8, 9 * 16 * 16]
    assert tensor[1::2, 0, 1].tolist() == [9 * 4 * 4 * 32 * 32] * 3
    assert tensor[2::2, 0, 3].tolist() == [4 * 4, 8 * 8, 16 * 16]
    assert np.count_nonzero(tensor) == 3 + 6 * 2


def test_the_reference_is_the_residual_block() -> None:
    assert SMALL.reference() == cell(3, 0, 3, 1, 0, 1)


def test_scaled_rounds_up_and_never_reaches_zero() -> None:
    assert build(channels=5, cells_per_stage=3).scaled(width=1.5, depth=0.5) == build(channels=8, cells_per_stage=2)
    assert build(channels=10).scaled(width=1.1) == build(channels=11)
    assert build().scaled(width=0.01, depth=0.01) == build(channels=1, cells_per_stage=1)


@pytest.mark.parametrize("field", ["channels", "cells_per_stage", "num_stages"])
def test_sizes_are_at_least_one(field: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        build(**{field: 0})


@pytest.mark.parametrize("inputs", [(1, 8, 8), (3, 32, 32), (2, 4, 4), (3, 5, 7)])
def test_networks_take_any_image_size_from_four_pixels(inputs: tuple[int, int, int]) -> None:
    network = SMALL.network(cell(3, 2, 4, 1, 0, 3), TaskShape(inputs, (7,)), seeded(0))
    assert network(torch.ones(2, *inputs)).shape == (2, 7)


def test_other_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="not image classification"):
        SMALL.network(SMALL.reference(), TaskShape((8,), (10,)), seeded(0))


def test_initial_weights_come_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = (SMALL.network(SMALL.reference(), DIGITS, seeded(3)).state_dict() for _ in range(2))
    other = SMALL.network(SMALL.reference(), DIGITS, seeded(4)).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["stem.0.weight"], other["stem.0.weight"])


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("train", [False, True])
def test_a_one_hot_supernet_is_the_stand_alone_network(affine: bool, train: bool) -> None:
    generator = np.random.default_rng(0)
    supernet = SMALL.supernet(DIGITS, seeded(0), Mixing(affine=affine))
    images = torch.randn(4, 1, 8, 8, generator=seeded(1))
    for _ in range(10):
        architecture = sample(SMALL, generator)
        network = SMALL.network(architecture, DIGITS, seeded(2))
        network.load_state_dict(inherited_state(supernet.state_dict(), architecture))
        supernet.train(train)
        network.train(train)
        assert torch.equal(supernet(images, one_hot(SMALL.choices, architecture)), network(images))


def test_inactive_options_are_not_run() -> None:
    supernet = SMALL.supernet(DIGITS, seeded(0))
    run: list[str] = []
    for name, module in supernet.named_modules():
        if name.rpartition(".")[0].endswith(".options"):
            module.register_forward_hook(lambda *_, name=name: run.append(name))
    supernet(torch.ones(2, 1, 8, 8), one_hot(SMALL.choices, cell(3, 1, 4, 2, 3, 3)))
    assert len(run) == 6 * 3
    assert {(int(name.split(".")[4]), int(name.split(".")[6])) for name in run} == set(enumerate((3, 1, 4, 2, 3, 3)))


@pytest.mark.parametrize("fraction", [1, 2])
def test_the_supernet_is_twice_differentiable_in_its_gates(fraction: int) -> None:
    space = build(channels=2, cells_per_stage=1, num_stages=2)
    supernet = space.supernet(TaskShape((1, 4, 4), (2,)), seeded(0), Mixing(fraction)).double().eval()
    images = torch.randn(2, 1, 4, 4, generator=seeded(1), dtype=torch.float64)

    def loss(*options: torch.Tensor) -> torch.Tensor:
        strengths = tuple(option.sum() for option in options)
        return supernet(images, Gates(options, strengths=strengths)).square().sum()

    options = tuple(
        torch.rand(5, generator=seeded(2 + choice), dtype=torch.float64).requires_grad_() for choice in range(6)
    )
    assert torch.autograd.gradcheck(loss, options)
    assert torch.autograd.gradgradcheck(loss, options)


def test_gates_of_none_get_a_gradient_of_zero_even_where_nothing_else_is_active() -> None:
    supernet = SMALL.supernet(DIGITS, seeded(0))
    gates = one_hot(SMALL.choices, cell(0, 0, 0, 0, 0, 0))
    options = tuple(option.requires_grad_() for option in gates.options)
    outputs = supernet(torch.ones(2, 1, 8, 8), Gates(options, active=gates.active))
    gradients = torch.autograd.grad(outputs.sum(), options)
    assert all(torch.equal(gradient, torch.zeros(5)) for gradient in gradients)
