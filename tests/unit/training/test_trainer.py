from __future__ import annotations

import dataclasses
import io
import math

import pytest
import torch
from torch import nn
from toy_task import ToyTask

from nas_core.training.prediction import predict
from nas_core.training.schedule import TrainingSchedule
from nas_core.training.trainer import Trainer

SCHEDULE = TrainingSchedule(epochs=5, batch_size=20, learning_rate=0.1, warmup_epochs=1, clip_norm=5.0)


def network(seed: int = 0) -> nn.Module:
    made = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.uniform_(-0.3, 0.3, generator=generator)
    return made


def trainer(task: ToyTask, schedule: TrainingSchedule = SCHEDULE, seed: int = 0) -> Trainer:
    return Trainer(network(seed), task, schedule, torch.Generator().manual_seed(1))


def weights(trained: Trainer) -> dict[str, torch.Tensor]:
    return trained.network.state_dict()


def test_training_learns_and_keeps_its_history() -> None:
    trained = trainer(ToyTask())
    while not trained.finished:
        trained.run_epoch(validate=True)
    assert [epoch.epoch for epoch in trained.history] == [1, 2, 3, 4, 5]
    assert trained.history[-1].loss < 0.5 * trained.history[0].loss
    validation = trained.history[-1].validation
    assert validation is not None
    assert validation["accuracy"] > 0.8
    with pytest.raises(ValueError, match="all 5 epochs"):
        trained.run_epoch()


@pytest.mark.parametrize("killed_after", [0, 1, 3, 4])
def test_a_training_that_goes_on_ends_bit_for_bit_as_one_never_stopped(killed_after: int) -> None:
    task = ToyTask()
    whole = trainer(task)
    while not whole.finished:
        whole.run_epoch(validate=True)

    first = trainer(task)
    for _ in range(killed_after):
        first.run_epoch(validate=True)
    stream = io.BytesIO()
    torch.save(first.state_dict(), stream)
    stream.seek(0)
    second = trainer(task, seed=9)
    second.load_state_dict(torch.load(stream, weights_only=True))
    while not second.finished:
        second.run_epoch(validate=True)

    assert all(torch.equal(value, weights(second)[name]) for name, value in weights(whole).items())
    untimed = [[dataclasses.replace(epoch, seconds=0) for epoch in each.history] for each in (whole, second)]
    assert untimed[0] == untimed[1]


def test_a_state_does_not_change_with_the_training_it_was_taken_from() -> None:
    trained = trainer(ToyTask())
    trained.run_epoch()
    state = trained.state_dict()
    weight = state["network"]["0.weight"].clone()
    momentum = state["optimizer"]["state"][0]["momentum_buffer"].clone()
    other = trainer(ToyTask())
    other.load_state_dict(state)
    trained.run_epoch()
    other.run_epoch()
    assert torch.equal(state["network"]["0.weight"], weight)
    assert torch.equal(state["optimizer"]["state"][0]["momentum_buffer"], momentum)


def test_one_step_of_plain_gradient_descent_by_hand() -> None:
    task = ToyTask()
    linear = nn.Linear(6, 3)
    before = linear.weight.detach().clone()
    inputs, targets = next(task.batches("train", 96))
    loss = task.loss(linear(inputs), targets)
    (gradient,) = torch.autograd.grad(loss, [linear.weight])
    schedule = TrainingSchedule(
        epochs=1, batch_size=96, learning_rate=0.2, momentum=0.0, weight_decay=0.5, augment=False
    )
    epoch = Trainer(linear, task, schedule, torch.Generator().manual_seed(0)).run_epoch()
    # half-way through the only epoch the cosine is at half the peak
    torch.testing.assert_close(linear.weight, before - 0.1 * (gradient + 0.5 * before))
    assert epoch.loss == pytest.approx(loss.item(), rel=1e-5)


def test_a_diverging_training_says_where() -> None:
    made = network()
    with torch.no_grad():
        made[3].weight.fill_(math.inf)
    diverging = Trainer(made, ToyTask(), SCHEDULE, torch.Generator())
    with pytest.raises(FloatingPointError, match=r"epoch 1 of 5 at learning rate .*; lower learning_rate"):
        diverging.run_epoch()
    assert diverging.history == []


def test_label_smoothing_needs_a_task_that_can_smooth() -> None:
    with pytest.raises(ValueError, match="cannot smooth"):
        trainer(ToyTask(), TrainingSchedule(1, label_smoothing=0.1))


def test_a_last_batch_of_one_example_does_not_stop_batch_normalization() -> None:
    schedule = TrainingSchedule(epochs=1, batch_size=19)  # 96 = 5 * 19 + 1
    assert trainer(ToyTask(), schedule).run_epoch().epoch == 1


def test_a_fraction_of_the_data_takes_fewer_steps() -> None:
    made = Trainer(network(), ToyTask(), SCHEDULE, torch.Generator(), data_fraction=0.25)
    made.run_epoch()
    # 24 examples in batches of 20 are two steps
    assert made.network.state_dict()["1.num_batches_tracked"] == 2


def test_prediction_is_in_stored_order_without_gradient_and_leaves_the_mode() -> None:
    task, made = ToyTask(), network()
    made.train()
    outputs, targets = predict(made, task, "validation", batch_size=7)
    assert made.training
    assert not outputs.requires_grad
    assert torch.equal(targets, torch.arange(48) % 3)
    torch.testing.assert_close(outputs, predict(made, task, "validation", batch_size=48)[0])


def test_a_shift_changes_the_prediction_and_needs_a_generator() -> None:
    task, made = ToyTask(), network()
    shift = task.shifts(3)["offset"]
    shifted, _ = predict(made, task, "validation", shift=shift, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(shifted, predict(made, task, "validation")[0])
    with pytest.raises(ValueError, match="generator"):
        predict(made, task, "validation", shift=shift)
