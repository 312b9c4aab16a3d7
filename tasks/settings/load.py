"""Loads params.yaml: its shape, types and ranges, then what the plug-ins say of their settings and of each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.settings.document import read
from tasks.settings.errors import SettingsError, sentence
from tasks.settings.sections import Settings

DEFAULT_PATH = Path("params.yaml")


def load(path: Path = DEFAULT_PATH) -> Settings:
    """Return the checked settings of a file; imports neither torch nor DVC, Prefect or MLflow.

    Raises:
        SettingsError: one line that names the key, what it was, what is allowed, and the nearest valid name.
    """
    return settings_of(path.name, read(path))


def settings_of(file: str, document: dict[str, Any]) -> Settings:
    """Return the checked settings of a document.

    Args:
        file: name of the file that it comes from, for the messages.
        document: what `tasks.settings.document.read` gives.

    Raises:
        SettingsError: as for `load`.
    """
    try:
        settings = Settings.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise SettingsError(sentence(file, error, document, Settings)) from None
    from tasks.settings.agreement import check

    check(file, settings)
    return settings
