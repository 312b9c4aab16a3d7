"""Initial weights of graph networks."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from gnn_space.convolutions.named import NAMES as CONVOLUTIONS
from gnn_space.convolutions.named import convolution
from gnn_space.networks.activation import NAMES as ACTIVATIONS
from gnn_space.networks.activation import activation
from gnn_space.networks.initialization import initialized
from gnn_space.normalizations.named import NAMES as NORMALIZATIONS
from gnn_space.normalizations.named import normalization
from gnn_space.pooling.named import NAMES as POOLINGS
from gnn_space.pooling.named import pooling
from gnn_space.readouts.named import NAMES as READOUTS
from gnn_space.readouts.named import readout

CHANNELS = 64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_fills(values: Tensor, bound: float) -> None:
    """Assert that values are as if uniform in +-bound: their mean square is a third of the square of it."""
    assert values.abs().max() <= bound
    assert values.square().mean().item() == pytest.approx(bound**2 / 3, rel=0.25)


PARTS = {
    **{f"convolution {name}": (convolution, (name, CHANNELS, CHANNELS), {}) for name in CONVOLUTIONS},
    **{f"readout {name}": (readout, (name, CHANNELS), {}) for name in READOUTS},
    **{f"normalization {name}": (normalization, (name, CHANNELS), {}) for name in NORMALIZATIONS},
    **{
        f"pooling {name}": (pooling, (name, CHANNELS), {"ratio": 0.5, "structure": "softmax_k_hop"})
        for name in POOLINGS
    },
}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_filled_from_the_generator_alone(part: str) -> None:
    make, given, settings = PARTS[part]
    before = torch.get_rng_state()
    first, same, other = (
        initialized(lambda: make(*given, **settings), seeded(seed)).state_dict() for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert all(value.isfinite().all() for value in first.values())
    assert all(torch.equal(value, same[name]) for name, value in first.items())
    drawn = [name for name, value in first.items() if value.numel() > 1 and value.unique().numel() > 1]
    assert all(not torch.equal(first[name], other[name]) for name in drawn)


def test_a_gcn_has_the_matrix_of_glorot_and_no_bias() -> None:
    made = initialized(lambda: convolution("gcn", 128, 32), seeded())
    assert_fills(made.linear.weight, math.sqrt(6 / 160))
    assert made.bias.tolist() == [0.0] * 32


def test_a_sage_convolution_has_linear_layers_as_torch_has_them() -> None:
    made = initialized(lambda: convolution("sage_mean", 128, 32), seeded())
    assert_fills(made.neighbors.weight, 1 / math.sqrt(128))
    assert_fills(made.neighbors.bias, 1 / math.sqrt(128))


def test_a_linear_layer_behind_a_gcn_is_torchs_again() -> None:
    made = initialized(lambda: nn.Sequential(convolution("gcn", 128, 128), nn.Linear(128, 32)), seeded())
    assert_fills(made[0].linear.weight, math.sqrt(6 / 256))
    assert_fills(made[1].weight, 1 / math.sqrt(128))
    assert made[1].bias.abs().max() > 0


def test_a_memory_is_uniform_in_its_size() -> None:
    made = initialized(lambda: readout("set2set", 64), seeded())
    for parameter in made.parameters():
        assert_fills(parameter, 1 / 8)


def test_a_normalization_does_nothing_yet() -> None:
    made = initialized(lambda: normalization("graph_norm", 4), seeded())
    values = {name: parameter.tolist() for name, parameter in made.named_parameters()}
    assert values == {"scale": [1.0] * 4, "shift": [0.0] * 4, "mean_scale": [1.0] * 4}


def test_a_vector_of_an_unknown_name_is_refused() -> None:
    class Strange(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mystery = nn.Parameter(torch.empty(3))

    with pytest.raises(ValueError, match=r"0.mystery \(Strange\)"):
        initialized(lambda: nn.Sequential(Strange()), seeded())


def test_an_unknown_buffer_is_refused() -> None:
    class Strange(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mystery", torch.empty(3))

    with pytest.raises(ValueError, match=r"buffer 0\.mystery"):
        initialized(lambda: nn.Sequential(Strange()), seeded())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_have_no_parameters(name: str) -> None:
    assert not list(activation(name).parameters())


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown activation 'relo'"):
        activation("relo")
