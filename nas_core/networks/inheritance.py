"""Shared weights of a supernet, as the state of one stand-alone network."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from nas_core.architecture import Architecture

_OPTION = re.compile(r"^(?P<place>.*\bedges\.(?P<choice>\d+)\.)options\.(?P<option>\d+)\.(?P<rest>.+)$")


def inherited_state(supernet_state: Mapping[str, torch.Tensor], architecture: Architecture) -> dict[str, torch.Tensor]:
    """Return the state of the stand-alone network of an architecture, taken from a supernet's state.

    The rule: ``...edges.CHOICE.options.OPTION.REST`` becomes ``...edges.CHOICE.REST`` where OPTION is the decision of
    CHOICE, and is left out where it is not; every other name stays. Batch normalization without scale and shift, as
    `Mixing.affine` leaves it, gets a scale of 1 and a shift of 0, which compute the same.

    Args:
        supernet_state: ``supernet.state_dict()``, of a supernet that mixes all channels.
        architecture: which options to take.

    Returns:
        What ``network.load_state_dict`` takes; copies, which share no memory with the supernet.
    """
    state: dict[str, torch.Tensor] = {}
    for name, value in supernet_state.items():
        match = _OPTION.match(name)
        if match is None:
            state[name] = value.clone()
        elif int(match["option"]) == architecture.decisions[int(match["choice"])]:
            new_name = match["place"] + match["rest"]
            state[new_name] = value.clone()
            module, _, tensor_name = new_name.rpartition(".")
            source = name.rpartition(".")[0]
            if tensor_name == "running_mean" and f"{source}.weight" not in supernet_state:
                state[f"{module}.weight"] = torch.ones_like(value)
                state[f"{module}.bias"] = torch.zeros_like(value)
    return state
