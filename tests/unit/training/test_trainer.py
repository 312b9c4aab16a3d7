from __future__ import annotations

import dataclasses
import io
import math

import pytest
import torch
from torch import nn
from toy_task import ToyTask

from nas_core.training.kept_epoch import BestEpoch
from nas_core.training.prediction import predict
from nas_core.training.schedule import TrainingSchedule
from nas_core.training.trainer import Epoch, Trainer

SCHEDULE = TrainingSchedule(epochs=5, batch_size=20, learning_rate=0.1, warmup_epochs=1, clip_norm=5.0)
ADAM = TrainingSchedule(epochs=5, batch_size=20, learning_rate=0.01, optimizer="adam")
# so large a rate that the accuracy goes up and down
BEST = TrainingSchedule(epochs=5, batch_size=20, learning_rate=1.0, optimizer="adam", keep="best")


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


@pytest.mark.parametrize("schedule", [SCHEDULE, ADAM, BEST], ids=["sgd", "adam", "best"])
@pytest.mark.parametrize("killed_after", [0, 1, 3, 4, 5])
def test_a_training_that_goes_on_ends_bit_for_bit_as_one_never_stopped(
    killed_after: int, schedule: TrainingSchedule
) -> None:
    task = ToyTask()
    whole = trainer(task, schedule)
    while not whole.finished:
        whole.run_epoch(validate=True)

    first = trainer(task, schedule)
    for _ in range(killed_after):
        first.run_epoch(validate=True)
    stream = io.BytesIO()
    torch.save(first.state_dict(), stream)
    stream.seek(0)
    second = trainer(task, schedule, seed=9)
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


def test_steps_of_adam_by_hand() -> None:
    task = ToyTask()
    linear, same = nn.Linear(6, 3), nn.Linear(6, 3)
    same.load_state_dict(linear.state_dict())
    inputs, targets = next(task.batches("train", 96))
    schedule = TrainingSchedule(
        epochs=2, batch_size=96, learning_rate=0.2, weight_decay=0.5, augment=False, optimizer="adam"
    )
    trained = Trainer(linear, task, schedule, torch.Generator().manual_seed(0))
    mean, square, weight = torch.zeros(3, 6), torch.zeros(3, 6), same.weight
    for step in (1, 2):
        trained.run_epoch()
        gradient = torch.autograd.grad(task.loss(same(inputs), targets), [weight, same.bias])
        rate = schedule.learning_rate_at(step - 0.5)
        penalized = gradient[0] + 0.5 * weight.detach()
        mean, square = 0.9 * mean + 0.1 * penalized, 0.999 * square + 0.001 * penalized**2
        moved = rate * (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
        with torch.no_grad():
            weight -= moved
            # the bias goes along as it was trained, so that only the weights are compared
            same.bias.copy_(linear.bias)
        torch.testing.assert_close(linear.weight, weight, rtol=1e-4, atol=1e-5)


def test_the_network_ends_as_that_of_the_epoch_best_on_validation() -> None:
    task = ToyTask()
    last, best = trainer(task, dataclasses.replace(BEST, keep="last")), trainer(task, BEST)
    after: list[dict[str, torch.Tensor]] = []
    while not last.finished:
        last.run_epoch(validate=True)
        after.append({name: value.clone() for name, value in weights(last).items()})
        best.run_epoch()
    accuracies = [epoch.validation["accuracy"] for epoch in last.history if epoch.validation is not None]
    assert accuracies == [epoch.validation["accuracy"] for epoch in best.history if epoch.validation is not None]
    earliest = accuracies.index(max(accuracies))
    assert (best.kept.epoch, last.kept.epoch) == (earliest + 1, 5)
    # otherwise this shows nothing
    assert earliest < 4
    assert all(torch.equal(value, weights(best)[name]) for name, value in after[earliest].items())
    assert all(torch.equal(value, weights(last)[name]) for name, value in after[-1].items())


def test_of_epochs_that_are_equally_good_the_earliest_is_kept() -> None:
    rule = BestEpoch("accuracy")
    history: list[Epoch] = []
    linear = nn.Linear(1, 1)
    for number, accuracy in enumerate((0.5, 0.7, 0.6, 0.7), start=1):
        with torch.no_grad():
            linear.weight.fill_(number)
        history.append(Epoch(number, 0.1, 1.0, 0.0, {"accuracy": accuracy}))
        rule.see(history, linear)
    rule.restore(linear)
    assert rule.of(history).epoch == linear.weight.item() == 2


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
