"""Where runs are tracked: the `tracking` section of params.yaml as a typed value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

SQLITE_PREFIX = "sqlite:///"


@dataclass(frozen=True)
class TrackingSettings:
    """The MLflow store, experiment and registered model of a pipeline.

    Args:
        uri: MLflow tracking URI; None is `mlflow.db` in the checkout. A relative SQLite path counts from the checkout.
        experiment: name of the experiment that holds every run.
        registered_model: name in the model registry whose alias `champion` points to the best network.

    Raises:
        ValueError: a name is empty or `uri` is not a URI.
    """

    uri: str | None = None
    experiment: str = "nasflow"
    registered_model: str = "nasflow"

    def __post_init__(self) -> None:
        for name in ("experiment", "registered_model"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise ValueError(f"tracking.{name} is {value!r}; give it a name, such as nasflow")
        if self.uri is not None and (not isinstance(self.uri, str) or ":/" not in self.uri):
            raise ValueError(
                f"tracking.uri is {self.uri!r}; give sqlite:////absolute/path.db, http://host:port or null"
            )

    def absolute_uri(self, root: Path) -> str:
        """Return the URI with every SQLite path absolute, so that it does not depend on the working directory."""
        if self.uri is None:
            return f"{SQLITE_PREFIX}{root.resolve() / 'mlflow.db'}"
        if self.uri.startswith(SQLITE_PREFIX):
            return f"{SQLITE_PREFIX}{root.resolve() / self.uri.removeprefix(SQLITE_PREFIX)}"
        return self.uri


def read_settings(root: Path) -> TrackingSettings:
    """Return the `tracking` section of `root`/params.yaml; the defaults where there is none.

    Raises:
        ValueError: the section holds an unknown name or a wrong value.
    """
    import yaml

    path = root / "params.yaml"
    document = yaml.safe_load(path.read_text()) if path.is_file() else None
    section = document.get("tracking") if isinstance(document, dict) else None
    if section is None:
        return TrackingSettings()
    allowed = [field.name for field in fields(TrackingSettings)]
    if not isinstance(section, dict) or not set(section) <= set(allowed):
        raise ValueError(f"tracking in {path} is {section!r}; allowed names are {', '.join(allowed)}")
    return TrackingSettings(**section)
