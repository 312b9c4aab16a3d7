"""Networks that go on from the trained weights of those that they are derived from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas_core.evaluation import Proposal
from nas_core.space import HasMorphisms, SearchSpace
from nas_core.task import TaskShape
from nas_core.training.kept_weights import KeptWeights

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Inheritance:
    """That candidates inherit weights, and how.

    Attributes:
        kept: where trained weights are kept; None keeps none, so that a candidate that is to inherit fails.
        distillation: share of the loss, in [0, 1], by which a candidate learns from its parent's outputs if a morphism
            that leads to it preserves the function only nearly.
    """

    kept: KeptWeights | None
    distillation: float = 0.0


def inheritance(space: SearchSpace, *, inherit: bool, distillation: float, folder: Path | None) -> Inheritance | None:
    """Return how candidates inherit by the settings of an evaluator; None if they do not.

    Raises:
        ValueError: the settings do not go together, or the space has no morphisms.
    """
    if not inherit:
        if distillation:
            raise ValueError(f"distillation is {distillation} and inherit is false; set inherit to true, or leave it 0")
        return None
    if not isinstance(space, HasMorphisms):
        raise ValueError(
            f"inherit is true, but space {space.name!r} has no morphisms by which weights could be inherited; set "
            "inherit to false, or search a space such as morphable"
        )
    return Inheritance(None if folder is None else KeptWeights(folder), distillation)


def inherits(proposal: Proposal) -> bool:
    """Return whether morphisms lead from a proposal's parent to its architecture; none may be needed."""
    return proposal.parent is not None and (bool(proposal.morphisms) or proposal.parent == proposal.architecture)


def descendant(
    space: SearchSpace, parent: nn.Module, proposal: Proposal, task: TaskShape, init: torch.Generator
) -> nn.Module:
    """Return the network that a proposal's morphisms, one after the other, make of its trained parent.

    Args:
        space: has morphisms.
        parent: stays as it is, unless no morphism is asked for.
        proposal: has a parent.
        task: what the networks take and give.
        init: the source of what is random in new weights.

    Raises:
        ValueError: a morphism does not apply, or they lead to another architecture than the proposed one.
    """
    assert isinstance(space, HasMorphisms)
    assert proposal.parent is not None
    network, architecture = parent, proposal.parent
    for morphism in proposal.morphisms:
        network = space.transfer(network, architecture, morphism, task, init)
        architecture = space.morphed(architecture, morphism)
    if architecture != proposal.architecture:
        raise ValueError(
            f"the morphisms {list(proposal.morphisms)} lead from {proposal.parent.key} to {architecture.key}, not to "
            f"{proposal.architecture.key}; propose what they lead to"
        )
    return network


def is_approximate(space: SearchSpace, proposal: Proposal) -> bool:
    """Return whether one of a proposal's morphisms preserves the function only nearly."""
    assert isinstance(space, HasMorphisms)
    assert proposal.parent is not None
    architecture = proposal.parent
    for morphism in proposal.morphisms:
        if morphism in space.approximate_morphisms(architecture):
            return True
        architecture = space.morphed(architecture, morphism)
    return False
