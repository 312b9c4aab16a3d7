"""What every proxy keeps to, on networks of every space; a proxy inherits this suite by lying in the folder."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from small_plug_ins import SpaceCase

from nas_core import catalog
from nas_core.variation import sample

OF_IMAGES = {"zen", "linear_regions"}
OF_TENSORS = {"jacob_cov", "epe_nas"}
MAY_REFUSE = {"linear_regions", "naswot", "energy_mj"}
"""Some networks for images do not run on crops of them, some for graphs have no ReLU behind the readout, and few
machines have a meter of energy."""


@pytest.fixture(params=catalog.names("proxy"))
def name(request: pytest.FixtureRequest) -> str:
    """Every proxy, one after the other."""
    return request.param


def test_a_proxy_says_what_is_better_and_in_which_unit(name: str) -> None:
    module = catalog.load("proxy", name)
    assert module.GOAL in ("maximize", "minimize")
    assert isinstance(module.UNIT, str)


def test_a_score_is_a_number_or_one_line_that_says_why_there_is_none(name: str, space_case: SpaceCase) -> None:
    score = catalog.load("proxy", name).score
    inputs = space_case.batch(space_case.shape)
    targets = torch.arange(len(inputs)) % space_case.shape.outputs[0]
    refused = set()
    if not isinstance(inputs, torch.Tensor):
        refused |= OF_IMAGES | OF_TENSORS
    elif inputs.ndim != 4:
        refused |= OF_IMAGES
    generator = np.random.default_rng(0)
    for seed in range(2):
        architecture = sample(space_case.space, generator)
        network = space_case.space.network(architecture, space_case.shape, torch.Generator().manual_seed(seed))
        found, reason = 0.0, ""
        try:
            found = score(copy.deepcopy(network), inputs, targets, torch.nn.functional.cross_entropy)
        except ValueError as error:
            reason = str(error)
        assert math.isfinite(found)
        assert len(reason.splitlines()) <= 1
        assert name in refused | MAY_REFUSE if reason else name not in refused
