"""Initial weights: torch's default ranges, from the given generator."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_core.networks.initialization import initialized


def test_weights_fill_the_range_that_torch_uses() -> None:
    layer = initialized(lambda: nn.Conv2d(4, 500, 3), torch.Generator().manual_seed(0))
    bound = 1 / 6
    for values in (layer.weight, layer.bias):
        assert values is not None
        assert values.abs().max().item() <= bound
        assert values.abs().max().item() > 0.98 * bound
    torch.testing.assert_close(layer.weight.std().item(), bound / 3**0.5, rtol=0.02, atol=0)


def test_batch_normalization_starts_as_the_identity() -> None:
    layer = initialized(lambda: nn.BatchNorm2d(3), torch.Generator().manual_seed(0))
    state = {name: value.tolist() for name, value in layer.state_dict().items()}
    assert state == {
        "weight": [1.0] * 3,
        "bias": [0.0] * 3,
        "running_mean": [0.0] * 3,
        "running_var": [1.0] * 3,
        "num_batches_tracked": 0,
    }


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="no initial distribution is known for 0 \\(LSTM\\)"):
        initialized(lambda: nn.Sequential(nn.LSTM(1, 1)), torch.Generator())
