"""A small space over vectors, with all that a space may have: a conditional choice, a rule, networks by two names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nas_core.architecture import Architecture, Choice, active
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nas_core.weight_sharing.gates import Gates
    from nas_core.weight_sharing.supernet import Mixing, Supernet

NAME = "toy"
SHAPE = TaskShape(inputs=(6,), outputs=(3,))
CHOICES = (
    Choice("depth", ("one", "two")),
    Choice("first", ("zero", "identity", "linear", "tanh"), group="block"),
    Choice("bridge", ("without", "with")),
    Choice("second", ("identity", "linear", "tanh"), group="block", active_if=("depth", "two")),
)
DEPTH, FIRST, BRIDGE, SECOND = range(4)


@dataclass(frozen=True)
class ToySpace:
    """Hidden vector h; h1 = first(h) + h if there is a bridge; out = h1, or second(h1) at depth two."""

    width: int = 8

    @property
    def name(self) -> str:
        return NAME

    @property
    def choices(self) -> tuple[Choice, ...]:
        return CHOICES

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether it is a member in which something leads from the input to the output."""
        made = architecture.decisions
        if architecture.space != NAME or len(made) != len(CHOICES):
            return False
        if not all(0 <= decision < len(choice.options) for decision, choice in zip(made, CHOICES, strict=True)):
            return False
        return _without_inactive(made) == made and (made[FIRST], made[BRIDGE]) != (0, 0)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the name without what does nothing: an identity as second block, a zero beside a bridge."""
        depth, first, bridge, second = architecture.decisions
        if second == 0:
            depth = 0
        if (first, bridge) == (0, 1):
            first, bridge = 1, 0
        return Architecture(NAME, (depth, first, bridge, second))

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best options; if they lead nowhere, change the one of the two that costs least."""
        made = [max(range(len(row)), key=row.__getitem__) for row in scores]
        if (made[FIRST], made[BRIDGE]) == (0, 0):
            other = max(range(1, len(scores[FIRST])), key=scores[FIRST].__getitem__)
            if scores[FIRST][0] - scores[FIRST][other] < scores[BRIDGE][0] - scores[BRIDGE][1]:
                made[FIRST] = other
            else:
                made[BRIDGE] = 1
        return Architecture(NAME, _without_inactive(tuple(made)))

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        from nas_core.networks.initialization import initialized

        first, second = architecture.decisions[FIRST], architecture.decisions[SECOND]
        blocks = (partial(_block, CHOICES[FIRST].options[first]), partial(_block, CHOICES[SECOND].options[second]))
        decisions = architecture.decisions
        return initialized(lambda: _body(task, self.width, [block(self.width) for block in blocks], decisions), init)

    def supernet(self, task: TaskShape, init: torch.Generator, mixing: Mixing | None = None) -> Supernet:
        from nas_core.networks.initialization import initialized
        from nas_core.networks.mixed import MixedOperation
        from nas_core.weight_sharing.supernet import Mixing

        chosen = Mixing() if mixing is None else mixing

        def mixed(choice: int) -> nn.Module:
            options = [partial(_block, option) for option in CHOICES[choice].options]
            return MixedOperation(choice, options, self.width, chosen)

        return initialized(lambda: _body(task, self.width, [mixed(FIRST), mixed(SECOND)], None), init)


def build(*, width: int = 8) -> ToySpace:
    return ToySpace(width)


def _without_inactive(decisions: tuple[int, ...]) -> tuple[int, ...]:
    flags = active(CHOICES, decisions)
    return tuple(decision if flag else 0 for decision, flag in zip(decisions, flags, strict=True))


def _block(option: str, width: int) -> nn.Module:
    from torch import nn

    from nas_core.networks.operations import Zero

    match option:
        case "zero":
            return Zero()
        case "identity":
            return nn.Identity()
        case "linear":
            return nn.Linear(width, width)
        case _:
            return nn.Sequential(nn.Linear(width, width), nn.Tanh())


def _body(task: TaskShape, width: int, blocks: Sequence[nn.Module], decisions: tuple[int, ...] | None) -> nn.Module:
    """Return the one body of stand-alone networks (with decisions) and supernets (without: gates decide)."""
    import torch
    from torch import nn

    class Body(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Linear(task.inputs[0], width)
            self.edges = nn.ModuleDict({str(FIRST): blocks[0], str(SECOND): blocks[1]})
            self.head = nn.Linear(width, task.outputs[0])

        def forward(self, inputs: torch.Tensor, gates: Gates | None = None) -> torch.Tensor:
            hidden = torch.relu(self.stem(inputs))
            first, second = self.edges[str(FIRST)], self.edges[str(SECOND)]
            if gates is None:
                made = first(hidden) + hidden if decisions[BRIDGE] else first(hidden)
                return self.head(second(made) if decisions[DEPTH] else made)
            made = first(hidden, gates) + gates.options[BRIDGE][1] * hidden
            shallow, deep = gates.options[DEPTH]
            return self.head(shallow * made + deep * second(made, gates))

    return Body()
