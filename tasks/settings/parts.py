"""What several sections of params.yaml are made of: plug-ins, objectives and screens, by name or with settings."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import MinLen
from pydantic import BaseModel, BeforeValidator, ConfigDict

from tasks.settings.rules import named


class Section(BaseModel):
    """A mapping whose keys are all known and whose values have exactly the stated types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlugIn(BaseModel):
    """A plug-in by name with its settings beside it; they are checked against the signature of its entry function."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings beside the name."""
        return dict(self.model_extra or {})


NamedPlugIn = Annotated[PlugIn, BeforeValidator(named)]


class ObjectiveSettings(Section):
    """An objective with a limit."""

    name: str
    limit: float | None = None


NamedObjective = Annotated[ObjectiveSettings, BeforeValidator(named)]


class ScreenSettings(BaseModel):
    """What gives a strategy cheap scores of candidates: an evaluator with its settings beside it, and the scores."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str
    objectives: Annotated[tuple[NamedObjective, ...], MinLen(1)]

    @property
    def plug_in(self) -> PlugIn:
        """The evaluator."""
        return PlugIn(**{**(self.model_extra or {}), "name": self.name})
