"""Features are what the last linear layer is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from nas_core.training.features import features, head


class Numbers:
    """A task of ten examples of three numbers each."""

    device = torch.device("cpu")
    inputs = torch.arange(30.0).view(10, 3)

    def batches(self, split: str, batch_size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for start in range(0, 10, batch_size):
            yield self.inputs[start : start + batch_size], torch.arange(10)[start : start + batch_size]


def test_features_are_the_inputs_of_the_last_linear_layer() -> None:
    body = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.ReLU())
    network = nn.Sequential(body, nn.Linear(4, 2)).train()
    task: Any = Numbers()
    found, targets = features(network, task, "test", batch_size=4)
    with torch.no_grad():
        expected = body.eval()(Numbers.inputs)
    torch.testing.assert_close(found, expected)
    assert targets.tolist() == list(range(10))
    assert network.training
    assert not network[1]._forward_pre_hooks


def test_the_head_is_the_last_linear_layer() -> None:
    network = nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 3), nn.ReLU())
    assert head(network) == ("1", network[1])
    with pytest.raises(ValueError, match="no linear layer"):
        head(nn.Sequential(nn.ReLU()))
