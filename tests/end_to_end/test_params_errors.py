"""Every command checks params.yaml first: a mistake is one line, exit code 2, and nothing heavy was imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
WRONG = "params.yaml: prepare.validation_fraction is 2; it must be below 1"
COMMANDS = [
    ["tasks.settings"],
    ["tasks.prepare"],
    ["tasks.search", "--strategy", "darts"],
    ["tasks.select"],
    ["tasks.retrain", "--rank", "0"],
    ["tasks.baselines"],
    ["tasks.transfer"],
    ["tasks.robustness"],
    ["tasks.report"],
    ["tasks.compare", "--comparison", "small"],
    ["flows.pipeline"],
    ["flows.search"],
    ["flows.evaluation"],
    ["flows.serve"],
    ["flows.smoke"],
    ["flows.compare"],
    ["flows.compare", "--params", str(PROJECT / "benchmarks" / "compare.yaml")],
]
# runs a command as `python -m` does, then says on standard output what it has imported
WATCHED = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
finally:
    print([name for name in ("torch", "dvc", "prefect", "mlflow", "scipy", "sklearn", "pandas") if name in sys.modules])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout's top folder whose params.yaml is wrong in one place."""
    text = (PROJECT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("validation_fraction: 0.2", "validation_fraction: 2"))
    (tmp_path / "dvc.yaml").write_text((PROJECT / "dvc.yaml").read_text())
    return tmp_path


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a module of the project in a folder."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n{WATCHED}", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_mistake_is_one_line_before_anything_heavy(command: list[str], folder: Path) -> None:
    ended = run(folder, command)
    assert ended.stderr == f"error: {WRONG}\n"
    assert ended.returncode == 2
    assert ended.stdout == "[]\n"
    assert sorted(path.name for path in folder.iterdir()) == ["dvc.yaml", "params.yaml"]


def test_settings_that_are_right_say_what_would_run(folder: Path) -> None:
    (folder / "params.yaml").write_text((PROJECT / "params.yaml").read_text())
    ended = run(folder, ["tasks.settings"])
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert ended.stdout == (
        "params.yaml is right: nasbench201 searched by random_search, regularized_evolution, reinforce, bananas, "
        "darts\n[]\n"
    )


def test_a_file_that_is_not_there(folder: Path) -> None:
    ended = run(folder, ["tasks.settings", "absent.yaml"])
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: absent.yaml cannot be read (No such file or directory); run in the checkout's top folder\n"
    )


def test_an_unknown_search_is_one_line_with_the_nearest(folder: Path) -> None:
    (folder / "params.yaml").write_text((PROJECT / "params.yaml").read_text())
    ended = run(folder, ["tasks.search", "--strategy", "dart"])
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: --strategy is 'dart' (did you mean 'darts'?); search.strategies of params.yaml has random_search, "
        "regularized_evolution, reinforce, bananas, darts\n"
    )
    assert not (folder / ".work").exists()
