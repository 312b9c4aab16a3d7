"""params.yaml, read safely and turned into typed settings before anything heavy is imported."""

from tasks.settings.errors import SettingsError
from tasks.settings.load import load
from tasks.settings.sections import Settings

__all__ = ["Settings", "SettingsError", "load"]
