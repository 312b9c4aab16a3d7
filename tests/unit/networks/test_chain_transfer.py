"""A morphism preserves the function of a trained chain, and what it adds can learn."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nas_core.architecture import Architecture
from nas_core.networks.chain_network import ChainNetwork, SeparableConvolution
from nas_core.spaces import morphable
from nas_core.task import TaskShape
from nas_core.variation import sample

TASK = TaskShape(inputs=(3, 8, 8), outputs=(5,))
SPACE = morphable.build(channels=4, num_stages=2, max_blocks=4)
SMALLEST = Architecture("morphable", (0,) * len(SPACE.choices))
ACTIONS = ("deepen", "widen", "enlarge", "merge", "skip")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


IMAGES = torch.randn(16, *TASK.inputs, generator=seeded(0))
LABELS = torch.arange(16) % 5


def trained(architecture: Architecture, seed: int = 0) -> nn.Module:
    """Return a network whose weights, scales and statistics are anything that a training might lead to."""
    generator = seeded(seed)
    network = SPACE.network(architecture, TASK, generator)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                state = module.state_dict()
                state["weight"].normal_(1.0, 0.5, generator=generator)
                state["bias"].normal_(0.0, 0.5, generator=generator)
                state["running_mean"].normal_(0.0, 0.5, generator=generator)
                state["running_var"].uniform_(0.2, 2.0, generator=generator)
            elif hasattr(module, "scale"):
                module.scale.normal_(0.0, 1.0, generator=generator)
    return network


def grown(parent: nn.Module, architecture: Architecture, *morphisms: str) -> tuple[nn.Module, Architecture]:
    for place, morphism in enumerate(morphisms):
        parent = SPACE.transfer(parent, architecture, morphism, TASK, seeded(place))
        architecture = SPACE.morphed(architecture, morphism)
    return parent, architecture


def outputs(network: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = copy.deepcopy(network).eval()(IMAGES)
    return found


def assert_same_function(child: nn.Module, parent: nn.Module) -> None:
    expected = outputs(parent)
    torch.testing.assert_close(outputs(child), expected, rtol=0.0, atol=1e-5 * max(1.0, expected.abs().max().item()))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), picks=st.lists(st.tuples(st.sampled_from(ACTIONS), st.floats(0, 0.999)), max_size=6)
)
def test_morphisms_one_after_the_other_preserve_the_function(seed: int, picks: list[tuple[str, float]]) -> None:
    architecture = sample(SPACE, np.random.default_rng(seed))
    parent = child = trained(architecture, seed)
    for action, where in picks:
        names = [name for name in SPACE.morphisms(architecture) if name.startswith(action)]
        if names:
            child, architecture = grown(child, architecture, names[int(where * len(names))])
    assert_same_function(child, parent)
    assert isinstance(child, ChainNetwork)
    fresh = SPACE.network(architecture, TASK, seeded(0)).state_dict()
    assert {name: value.shape for name, value in child.state_dict().items()} == {
        name: value.shape for name, value in fresh.items()
    }


DEEP = ("deepen:stage0.block0:conv_3x3", "deepen:stage0.block1:sep_conv_3x3", "widen:stage0.block0:1.5")


def start() -> tuple[nn.Module, Architecture]:
    architecture = grown(trained(SMALLEST), SMALLEST, *DEEP)[1]
    return trained(architecture), architecture


@pytest.mark.parametrize(
    "morphism",
    [
        "deepen:stage0.block2:conv_5x5",
        "deepen:stage1.block0:sep_conv_3x3",
        "widen:stage0.block0:2",
        "widen:stage0.block1:2",
        "widen:stage0.block2:2",
        "widen:stage1.block0:1.5",
        "enlarge:stage0.block2:sep_conv_5x5",
        "merge:stage0.block2:conv_3x3",
        "skip:stage0.block1:add_1",
        "skip:stage0.block2:add_2",
        "skip:stage0.block1:concat_1",
        "skip:stage0.block2:concat_2",
    ],
)
def test_what_is_new_learns(morphism: str) -> None:
    """Weights of 0 have a gradient at the first step, and every filter has one at the second."""
    parent, architecture = start()
    before = copy.deepcopy(parent.state_dict())
    child, _ = grown(parent, architecture, morphism)
    assert_same_function(child, parent)
    assert all(torch.equal(value, before[name]) for name, value in parent.state_dict().items())
    zeros = {name: value == 0 for name, value in child.named_parameters() if "batch_norm" not in name}
    assert any(places.any() for places in zeros.values()) or morphism.startswith("merge")
    optimizer = torch.optim.SGD(child.parameters(), lr=0.1)
    for step in range(2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(child(IMAGES), LABELS).backward()
        for name, parameter in child.named_parameters():
            assert parameter.grad is not None
            if step == 0 and name in zeros and zeros[name].any():
                assert (parameter.grad[zeros[name]] != 0).double().mean() > 0.9, name
            if step == 1 and parameter.ndim > 1:
                assert (parameter.grad.flatten(1) != 0).any(dim=1).all(), name
        optimizer.step()


def test_new_filters_differ_and_nothing_listens_to_them() -> None:
    parent, architecture = start()
    child, _ = grown(parent, architecture, "widen:stage0.block1:2")
    block, following = child.blocks(0)[1:]
    new = block.convolution.weight[4:]
    assert len(new) == 4
    assert len({tuple(row.flatten().tolist()) for row in new}) == 4
    assert isinstance(following.convolution, SeparableConvolution)
    assert (following.convolution.pointwise.weight[:, 4:] == 0).all()
    assert (following.convolution.depthwise.weight[4:] != 0).all()


def test_a_new_block_is_nearly_the_identity_in_training_too() -> None:
    """Its batch normalization expects the mean and the variance that its input has, near enough."""
    parent, _ = start()
    parent, architecture = SPACE.network(SMALLEST, TASK, seeded(3)), SMALLEST
    child, _ = grown(parent, architecture, "deepen:stage0.block0:conv_3x3")
    images = torch.randn(256, *TASK.inputs, generator=seeded(4))
    first, second = child.blocks(0)
    seen = first(images)
    passed = second(seen)
    assert ((passed - seen).square().mean() / seen.var()).item() < 0.01
    naive = nn.functional.batch_norm(seen, None, None, training=True).relu()
    assert ((naive - seen).square().mean() / seen.var()).item() > 0.1


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("deepen:stage0.block1:conv_5x5", "remove:stage0.block2"),
        ("deepen:stage0.block0:sep_conv_3x3", "remove:stage0.block1"),
        ("merge:stage0.block2:conv_3x3", "separate:stage0.block2:sep_conv_3x3"),
        ("skip:stage0.block2:add_2", "unskip:stage0.block2"),
        ("skip:stage0.block2:concat_2", "unskip:stage0.block2"),
    ],
)
def test_the_way_back_preserves_the_function_too(there: str, back: str) -> None:
    parent, architecture = start()
    child, same = grown(parent, architecture, there, back)
    assert same == architecture
    assert_same_function(child, parent)


def test_filters_of_largest_norm_stay_where_they_are() -> None:
    parent, architecture = start()
    block = parent.blocks(0)[0]
    norms = torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0, 6.0])
    with torch.no_grad():
        block.convolution.weight.copy_(norms[:, None, None, None].expand_as(block.convolution.weight))
    child, _ = grown(parent, architecture, "prune:stage0.block0:1")
    # the fifth and the sixth fill the places of the second and the fourth
    kept = [0, 4, 2, 5]
    assert child.blocks(0)[0].convolution.weight[:, 0, 0, 0].tolist() == norms[kept].tolist()
    assert torch.equal(child.blocks(0)[0].batch_norm.running_mean, block.batch_norm.running_mean[kept])
    assert torch.equal(child.blocks(0)[1].convolution.weight, parent.blocks(0)[1].convolution.weight[:, kept])


def test_additions_follow_their_channels_through_pruning() -> None:
    parent, architecture = grown(*start(), "skip:stage0.block1:add_1")
    with torch.no_grad():
        parent.blocks(0)[1].shortcut.scale.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        weight = parent.blocks(0)[0].convolution.weight
        weight.copy_(torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0, 6.0])[:, None, None, None].expand_as(weight))
    child, _ = grown(parent, architecture, "prune:stage0.block0:1")
    # other channels than before stand at the second and the fourth place
    assert child.blocks(0)[1].shortcut.scale.tolist() == [1.0, 0.0, 3.0, 0.0]


def test_a_separable_convolution_is_the_nearest_of_its_kind() -> None:
    parent, architecture = start()
    dense = parent.blocks(0)[1].convolution.weight.detach()
    convolution = grown(parent, architecture, "separate:stage0.block1:sep_conv_3x3")[0].blocks(0)[1].convolution
    product = (convolution.pointwise.weight * convolution.depthwise.weight[:, 0]).detach()
    # what is left is what the other singular values hold (Eckart & Young 1936)
    values = torch.linalg.svdvals(dense.flatten(2).transpose(0, 1))
    torch.testing.assert_close((dense - product).square().sum(), values[:, 1:].square().sum())


def test_a_strangers_network_is_refused() -> None:
    parent, architecture = start()
    with pytest.raises(ValueError, match="is not the network of"):
        SPACE.transfer(parent, SMALLEST, "widen:stage0.block0:2", TASK, seeded(0))
    with pytest.raises(ValueError, match="is not the network of"):
        SPACE.scaled(width=2.0).transfer(parent, architecture, "widen:stage0.block0:2", TASK, seeded(0))
    with pytest.raises(ValueError, match="is not the network of"):
        SPACE.transfer(nn.ReLU(), architecture, "widen:stage0.block0:2", TASK, seeded(0))
