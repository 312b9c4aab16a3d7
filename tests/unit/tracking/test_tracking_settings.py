"""The tracking section of params.yaml, and addresses that do not depend on the working directory."""

from __future__ import annotations

import pytest

from tasks.tracking.settings import TrackingSettings, read_settings


def test_addresses_are_absolute(tmp_path):
    assert TrackingSettings().absolute_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    assert TrackingSettings("sqlite:///runs/a.db").absolute_uri(tmp_path) == f"sqlite:///{tmp_path}/runs/a.db"
    assert TrackingSettings("sqlite:////b/a.db").absolute_uri(tmp_path) == "sqlite:////b/a.db"
    assert TrackingSettings("http://127.0.0.1:5000").absolute_uri(tmp_path) == "http://127.0.0.1:5000"


def test_section_is_read_with_defaults(tmp_path):
    assert read_settings(tmp_path) == TrackingSettings()
    (tmp_path / "params.yaml").write_text("search: {}\n")
    assert read_settings(tmp_path) == TrackingSettings()
    (tmp_path / "params.yaml").write_text("tracking: {uri: null, experiment: mine}\n")
    assert read_settings(tmp_path) == TrackingSettings(None, "mine", "nasflow")


@pytest.mark.parametrize("section", ["[1]", "{url: a}", "{uri: mlflow.db}", "{experiment: ''}", "{experiment: 3}"])
def test_mistakes_are_named(tmp_path, section):
    (tmp_path / "params.yaml").write_text(f"tracking: {section}\n")
    with pytest.raises(ValueError, match="tracking"):
        read_settings(tmp_path)
