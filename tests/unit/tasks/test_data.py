"""The learning tasks made of the prepared folders: the test split is there only for those who may see it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch

from nas_core.training.precision import choose_reproducible_kernels
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


def test_the_learning_task_is_the_one_that_the_data_name(make_checkout: Callable[..., Stage]) -> None:
    root = make_checkout().root
    path = root / data.SEARCH / "dataset.json"
    described = json.loads(path.read_bytes())
    path.write_text(json.dumps({**described, "learning_task": "image_classification"}))
    assert data.load_task(root).num_examples("train") == 40
    path.write_text(json.dumps({**described, "learning_task": "telling_the_future"}))
    with pytest.raises(ValueError, match="telling_the_future"):
        data.load_task(root)


def test_convolutions_on_a_gpu_are_reproducible_and_the_cpu_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cudnn = torch.backends.cudnn
    monkeypatch.setattr(cudnn, "deterministic", False)
    monkeypatch.setattr(cudnn, "benchmark", True)
    choose_reproducible_kernels(torch.device("cpu"))
    assert (cudnn.deterministic, cudnn.benchmark) == (False, True)
    choose_reproducible_kernels(torch.device("cuda:1"))
    assert (cudnn.deterministic, cudnn.benchmark) == (True, False)
