"""The learning tasks made of the prepared folders: the test split is there only for those who may see it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks import data
from tasks.stage import Stage


def test_stages_before_retraining_get_no_test_split(make_checkout: Callable[..., Stage]) -> None:
    root = make_checkout().root
    task = data.load_task(root)
    assert task.num_examples("train") == 40
    assert task.num_examples("validation") == 20
    with pytest.raises(ValueError, match="test"):
        task.num_examples("test")
    assert data.load_task_with_test(root).num_examples("test") == 20


def test_the_second_task_may_take_the_normalization_of_the_first(make_checkout: Callable[..., Stage]) -> None:
    root = make_checkout().root
    own, other = data.load_transfer_task(root), data.load_transfer_task(root, statistics=root / data.SEARCH)
    assert own.shape.outputs == (4,)
    (first, _), (second, _) = next(iter(own.batches("train", 40))), next(iter(other.batches("train", 40)))
    # (pixel - 0.4) / 0.25 and (pixel - 0.3) / 0.25
    assert (second - first).mean().item() == pytest.approx(0.1 / 0.25, abs=1e-5)
