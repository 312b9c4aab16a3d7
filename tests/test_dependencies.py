"""The packages that the project asks for: each is used, each is pinned, and none brings what must not be there."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMPORT_NAMES = {"pillow": "PIL", "pyyaml": "yaml", "scikit-learn": "sklearn"}
NOT_IMPORTED = {
    "fastapi": "pinned below the version with which Prefect's server fails",
    "sqlalchemy": "pinned below the version with which Prefect's scheduler creates no run",
}
COMES_WITH = {
    "gpytorch": "botorch",
    "httpx": "prefect",
    "networkx": "dvc",
    "pandas": "scikit_posthocs",
    "pydantic_core": "pydantic",
    "uvicorn": "prefect",
}


def project() -> dict[str, list[str]]:
    """Return the dependencies of the project and of its extras, by the name of the extra."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"": content["dependencies"], **content["optional-dependencies"]}


def normalized(requirement: str) -> str:
    """Return the normalized name of the package that a requirement asks for."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def imported() -> set[str]:
    """Return the top names of all packages that our own import, under TYPE_CHECKING too."""
    found: set[str] = set()
    for package in ("nas_core", "gnn_space", "tasks", "flows"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found.update(alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"nas_core", "gnn_space", "tasks", "flows", "__future__"}


def pins() -> dict[str, str]:
    """Return the versions of constraints.txt by normalized name."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    return {normalized(line): line.partition("==")[2] for line in lines if line}


def test_every_dependency_is_imported_or_has_a_reason() -> None:
    asked = {normalized(requirement) for requirement in project()[""]}
    names = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in asked}
    assert names - imported() == set(NOT_IMPORTED)
    text = (ROOT / "pyproject.toml").read_text()
    for name in NOT_IMPORTED:
        assert re.search(rf'"{name}\b.*# .+', text), f"say beside {name} why it is pinned"


def test_every_import_is_a_dependency() -> None:
    asked = {normalized(requirement) for requirement in project()[""] + project()["graph"]}
    names = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in asked}
    undeclared = imported() - names
    assert undeclared <= set(COMES_WITH)
    assert {COMES_WITH[name] for name in undeclared} <= names


def test_every_dependency_is_pinned_to_one_version() -> None:
    versions = pins()
    assert all(versions.values())
    for requirement in [*project()[""], *project()["dev"], *project()["graph"]]:
        assert normalized(requirement) in versions
    assert versions["torch"] == "2.13.0"


def test_what_is_pinned_is_what_is_installed() -> None:
    for requirement in project()[""]:
        name = normalized(requirement)
        assert metadata.version(name).partition("+")[0] == pins()[name].partition("+")[0], name


def test_nothing_brings_torchvision() -> None:
    assert "torchvision" not in pins()
    asked = {normalized(requirement) for extra in project().values() for requirement in extra}
    wanted = {
        normalized(requirement)
        for distribution in metadata.distributions()
        for requirement in distribution.requires or ()
        if "extra ==" not in requirement
    }
    assert "torchvision" not in asked | wanted
