"""Checks the settings of plug-ins against the signatures of their entry functions."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from nas_core import catalog
from tasks.settings.errors import SettingsError, sentence


def checked(file: str, location: str, kind: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings for a plug-in's `build`, with the types of its signature.

    Raises:
        SettingsError: if there is no such plug-in, a setting is unknown, missing, of another type or out of range.
    """
    try:
        settings = catalog.settings(kind, name)
    except ValueError as error:
        raise SettingsError(f"{file}: {location}: {error}") from None
    except Exception as error:
        # a name with a dot is anybody's module, and an import raises whatever that module does
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SettingsError(f"{file}: {location}: {kind} {name!r} cannot be imported ({reason}); mend it") from None
    return _validated(file, location, settings, values)


def checked_fields(file: str, location: str, factory: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Return ``factory(**values)`` for a frozen dataclass, its fields checked as those of a plug-in."""
    settings = [
        catalog.Setting(parameter.name, parameter.annotation, parameter.default)
        for parameter in inspect.signature(factory, eval_str=True).parameters.values()
    ]
    typed = _validated(file, location, settings, values)
    try:
        return factory(**typed)
    except ValueError as error:
        raise SettingsError(f"{file}: {location}: {error}") from None


def _validated(
    file: str, location: str, settings: Iterable[catalog.Setting], values: Mapping[str, Any]
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        setting.name: (setting.annotation, ... if setting.required else setting.default) for setting in settings
    }
    model: type[BaseModel] = create_model(
        "PlugInSettings", __config__=ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True), **fields
    )
    document = dict(values)
    try:
        validated = model.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise SettingsError(sentence(file, error, document, model, location.split("."))) from None
    return {name: getattr(validated, name) for name in values}
