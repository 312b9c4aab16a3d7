"""What is a candidate's failure, and what is nobody's."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from nas_core.architecture import Architecture
from nas_core.evaluation import Proposal
from nas_core.training.independent_evaluator import evaluate_one

PROPOSAL = Proposal(Architecture("toy", (0, 1)))


class DeviceFault(torch.AcceleratorError):
    """Stands in for what torch raises where there is an accelerator."""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("shapes\n do not match"), "RuntimeError: shapes do not match"),
        (FloatingPointError("the loss is nan"), "FloatingPointError: the loss is nan"),
        (MemoryError(), "MemoryError:"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to"), "OutOfMemoryError: CUDA out of memory. Tried to"),
        (RuntimeError("CUDA error: out of memory"), "RuntimeError: CUDA error: out of memory"),
    ],
)
def test_what_a_bad_candidate_raises_is_its_failure(error: Exception, reason: str) -> None:
    def score() -> Mapping[str, float]:
        raise error

    assert evaluate_one(score, PROPOSAL).failure == reason


@pytest.mark.parametrize(
    "fault",
    [DeviceFault("an illegal memory access was encountered"), RuntimeError("CUDA error: device-side assert triggered")],
)
def test_a_fault_of_the_device_is_no_failure_of_a_candidate(fault: Exception) -> None:
    def score() -> Mapping[str, float]:
        raise fault

    with pytest.raises(RuntimeError) as raised:
        evaluate_one(score, PROPOSAL)
    assert raised.value is fault
