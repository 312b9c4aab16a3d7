"""The catalog: names from folders, near misses, and settings from signatures."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Annotated, get_args

import pytest
from annotated_types import Ge

from nas_core import catalog


@pytest.mark.parametrize("kind", sorted(catalog.KINDS))
def test_every_plug_in_has_its_entry_function(kind: str) -> None:
    for name in catalog.names(kind):
        found = catalog.settings(kind, name)
        assert len({setting.name for setting in found}) == len(found)


@pytest.mark.parametrize("kind", sorted(catalog.KINDS))
def test_every_setting_is_annotated(kind: str) -> None:
    for name in catalog.names(kind):
        for setting in catalog.settings(kind, name):
            assert setting.annotation is not inspect.Parameter.empty, f"{kind} {name}: {setting.name}"


def test_names_are_the_files_of_the_folder() -> None:
    folder = Path(catalog.__file__).parent / "strategies"
    files = sorted(file.stem for file in folder.glob("*.py") if not file.stem.startswith("_"))
    assert list(catalog.names("strategy")) == files


def test_a_near_miss_is_suggested() -> None:
    with pytest.raises(ValueError, match="unknown strategy 'regularised_evolution'; did you mean 'regularized_evo"):
        catalog.load("strategy", "regularised_evolution")


def test_what_is_like_nothing_is_told_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"unknown strategy 'zzz'; allowed: .*random_search.*import path with a dot"):
        catalog.load("strategy", "zzz")


def test_settings_are_the_keyword_parameters_with_their_bounds() -> None:
    found = {setting.name: setting for setting in catalog.settings("strategy", "regularized_evolution")}
    assert set(found) == {"population_size", "tournament_size"}
    assert found["population_size"].default == 10
    assert not found["population_size"].required
    assert get_args(found["tournament_size"].annotation) == get_args(Annotated[int, Ge(1)])


@pytest.fixture
def somebody_elses_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / "somebody_else"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "greedy.py").write_text(
        "def build(space, objectives, streams, *, num_steps: int, screen, start: str, width: float = 1.0): ...\n"
    )
    (package / "empty.py").touch()
    (package / "broken.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("somebody_else")]:
        monkeypatch.delitem(sys.modules, name)
    return "somebody_else"


def test_a_name_with_a_dot_is_somebody_elses(somebody_elses_module: str) -> None:
    name = f"{somebody_elses_module}.greedy"
    assert [(setting.name, setting.required) for setting in catalog.settings("strategy", name)] == [
        ("start", True),
        ("width", False),
    ]
    assert catalog.supplied("strategy", name) == {"num_steps", "screen"}
    assert catalog.supplied("strategy", "random_search") == frozenset()


def test_what_cannot_be_imported_says_why(somebody_elses_module: str) -> None:
    for name, reason in (("broken", "a_module_that_is_not_there"), ("absent", "absent")):
        with pytest.raises(ValueError, match=f"cannot be imported .*{reason}"):
            catalog.load("strategy", f"{somebody_elses_module}.{name}")


def test_a_module_without_the_entry_function_says_so(somebody_elses_module: str) -> None:
    with pytest.raises(ValueError, match="has no function build"):
        catalog.settings("strategy", f"{somebody_elses_module}.empty")
