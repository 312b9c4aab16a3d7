"""Gates, training plans, batch statistics and uniform paths."""

from __future__ import annotations

import pytest
import torch
from fake_weights import QuadraticWeights
from torch import nn

from nas_core.architecture import Architecture
from nas_core.randomness import Streams
from nas_core.spaces.nasbench201 import NASBench201
from nas_core.weight_sharing.batch_statistics import path_statistics
from nas_core.weight_sharing.gates import Gates, one_hot
from nas_core.weight_sharing.minibatch_pair import MinibatchPair
from nas_core.weight_sharing.training_plan import TrainingPlan
from nas_core.weight_sharing.uniform_paths import UniformPaths
from nas_core.weight_sharing.weight_optimizer import WeightOptimizer, WeightRecipe


def test_one_hot_gates_run_the_chosen_options_alone() -> None:
    gates = one_hot(NASBench201().choices, Architecture("nasbench201", (3, 1, 0, 4, 2, 2)))
    assert gates.options[0].tolist() == [0.0, 0.0, 0.0, 1.0, 0.0]
    assert [gates.active_options(choice) for choice in range(6)] == [(3,), (1,), (0,), (4,), (2,), (2,)]


def test_gates_of_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="num_options"):
        Gates((torch.zeros(2, 2),))
    with pytest.raises(ValueError, match="strengths"):
        Gates((torch.zeros(2),), strengths=(torch.ones(()), torch.ones(())))
    with pytest.raises(ValueError, match="active"):
        Gates((torch.zeros(2),), active=())


def test_detached_gates_have_no_gradient_and_the_same_values() -> None:
    alpha = torch.tensor([0.0, 1.0], requires_grad=True)
    gates = Gates((alpha.softmax(0),), strengths=(alpha.sum(),), active=((1,),))
    detached = gates.detach()
    assert not detached.options[0].requires_grad
    assert detached.strengths is not None
    assert not detached.strengths[0].requires_grad
    assert detached.active == gates.active
    assert torch.equal(detached.options[0], gates.options[0])
    assert gates.to(torch.device("cpu")) is gates
    moved = gates.to(torch.device("meta"))
    assert moved.options[0].device.type == "meta"
    assert moved.strengths is not None
    assert moved.strengths[0].device.type == "meta"


def test_a_plan_counts_the_warm_up_for_the_weights_and_not_for_the_learner() -> None:
    plan = TrainingPlan(warmup_epochs=2, epochs_per_round=3, num_rounds=2)
    assert plan.num_epochs == 8
    positions = [plan.position(epoch) for epoch in range(8)]
    assert [position.progress for position in positions] == [epoch / 8 for epoch in range(8)]
    assert [position.learner_epoch for position in positions] == [0, 0, 0, 1, 2, 3, 4, 5]
    assert positions[3].learner_progress(0.5) == pytest.approx(0.25)
    assert positions[7].learner_progress(1.5) == 1.0
    assert TrainingPlan(1, 0, 5).position(0).learner_progress(0.0) == 0.0


@pytest.mark.parametrize("numbers", [(0, 0, 3), (-1, 1, 1), (0, 1, 0)])
def test_plans_without_training_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="epochs"):
        TrainingPlan(*numbers)


def test_batch_statistics_are_the_mean_over_minibatches_and_are_restored() -> None:
    norm = nn.BatchNorm1d(1)
    network = nn.Sequential(norm)
    network(torch.tensor([[5.0], [7.0]]))
    kept = {name: value.clone() for name, value in norm.state_dict().items()}
    batches = [torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [8.0]])]  # means 1, 6; unbiased variances 2, 8

    def run() -> None:
        for batch in batches:
            network(batch)

    with path_statistics(network, run):
        assert not network.training
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert norm.running_mean.item() == pytest.approx(3.5)
        assert norm.running_var.item() == pytest.approx(5.0)
    assert network.training
    assert norm.momentum == 0.1
    assert all(torch.equal(value, kept[name]) for name, value in norm.state_dict().items())

    def fail() -> None:
        run()
        raise ArithmeticError("inside")

    with pytest.raises(ArithmeticError, match="inside"), path_statistics(network, fail):
        pass
    assert all(torch.equal(value, kept[name]) for name, value in norm.state_dict().items())


class Counting(QuadraticWeights):
    """Counts how often each option was trained."""

    def training_loss(self, gates: Gates) -> torch.Tensor:
        counts.append([active[0] for active in gates.active or ()])
        return super().training_loss(gates)


counts: list[list[int]] = []


def test_uniform_paths_train_every_option_as_often_and_go_on_from_a_state() -> None:
    space = NASBench201()
    counts.clear()
    learner, weights = UniformPaths(space, Streams(0)), Counting(space.choices, (0,) * 6)
    for _ in range(1000):
        learner.learn(weights)
    for place in range(6):
        for option in range(5):
            # 1,000 draws of probability 1/5: five standard deviations are 63
            assert abs(sum(path[place] == option for path in counts) - 200) < 64
    state = learner.state_dict()
    counts.clear()
    learner.learn(weights)
    other = UniformPaths(space, Streams(0))
    other.load_state_dict(state)
    other.learn(weights)
    assert counts[0] == counts[1]


class Doubling(nn.Module):
    """One weight times the input."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, inputs: torch.Tensor, gates: Gates) -> torch.Tensor:
        return self.weight * gates.options[0][0] * inputs


class Squares:
    """The part of a task that a pair of minibatches needs."""

    metric = "score"
    device = torch.device("cpu")

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return ((outputs - targets) ** 2).mean()

    def metrics(self, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        return {"score": float(-(outputs - targets).abs().max())}


def test_a_pair_has_one_validation_minibatch_fetched_when_it_is_needed() -> None:
    module = Doubling()
    others = iter([(torch.tensor([3.0]), torch.tensor([0.0])), (torch.tensor([5.0]), torch.tensor([0.0]))])
    optimizer = WeightOptimizer(module, WeightRecipe(0.25, 0.0, 0.0, 0.0))
    training = (torch.tensor([1.0]), torch.tensor([1.0]))
    pair = MinibatchPair(module, optimizer, Squares(), training, others, epoch=3, progress=0.5)  # type: ignore[arg-type]
    gates = Gates((torch.tensor([1.0], requires_grad=True),))
    pair.step(pair.training_loss(gates))  # (2 - 1)^2, gradient 2, so the weight becomes 1.5
    assert module.weight.item() == pytest.approx(1.5)
    assert gates.options[0].grad is None
    assert pair.validation_loss(gates).item() == pytest.approx(20.25)
    assert pair.validation_accuracy(gates) == pytest.approx(-4.5)
    assert len(list(others)) == 1
    assert (pair.epoch, pair.progress, pair.num_skipped) == (3, 0.5, 0)
    pair.step(float("nan") * pair.training_loss(gates))
    assert (pair.num_skipped, module.weight.item()) == (1, pytest.approx(1.5))
