from __future__ import annotations

from typing import Any

import pytest

from nas_core.training.schedule import TrainingSchedule


def test_cosine_with_warmup_by_hand() -> None:
    schedule = TrainingSchedule(epochs=10, learning_rate=0.2, warmup_epochs=2)
    assert schedule.learning_rate_at(0) == 0
    assert schedule.learning_rate_at(1) == pytest.approx(0.1)
    assert schedule.learning_rate_at(2) == pytest.approx(0.2)
    assert schedule.learning_rate_at(4) == pytest.approx(0.2 * 0.5 * (1 + 0.5**0.5))
    assert schedule.learning_rate_at(6) == pytest.approx(0.1)
    assert schedule.learning_rate_at(10) == pytest.approx(0)
    assert schedule.learning_rate_at(10.5) == pytest.approx(0)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("momentum", 1.0),
        ("weight_decay", -1.0),
        ("warmup_epochs", -1.0),
        ("warmup_epochs", 3.0),
        ("label_smoothing", 1.0),
        ("clip_norm", 0.0),
        ("optimizer", "lion"),
        ("keep", "first"),
    ],
)
def test_a_schedule_out_of_range_cannot_exist(setting: str, value: float) -> None:
    settings: dict[str, Any] = {"epochs": 3, setting: value}
    with pytest.raises(ValueError, match=setting):
        TrainingSchedule(**settings)
