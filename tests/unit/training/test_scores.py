from __future__ import annotations

import pytest
import torch
from torch import nn
from toy_task import ToyTask

from nas_core.randomness import Streams
from nas_core.training.scores import measure, shifted_validation_metric, validation_metric


def test_proxies_are_measured_by_name_and_the_rest_is_left_out() -> None:
    names = ("validation_accuracy", "num_parameters", "flops")
    found = measure(nn.Linear(6, 3), ToyTask(), names, Streams(0))
    # 6 * 3 weights and 3 biases; 2 operations a multiply-accumulate, for one example
    assert found == {"num_parameters": 21, "flops": 36}


def test_a_proxy_cannot_spoil_the_network() -> None:
    network = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measure(network, ToyTask(), ("naswot", "synflow"), Streams(0))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_the_shifted_metric_is_the_mean_over_the_shifts() -> None:
    class Constant(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return torch.tensor([1.0, 0.0, 0.0]).expand(len(inputs), 3)

    task = ToyTask()
    assert validation_metric(Constant(), task) == pytest.approx(1 / 3)
    assert shifted_validation_metric(Constant(), task, ("offset",), 3, Streams(0)) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="allowed: offset"):
        shifted_validation_metric(Constant(), task, ("fog",), 3, Streams(0))
