"""The trial of the whole chain: what it lays out, what it leaves alone, and what it says of wrong input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import smoke
from tasks.settings import load

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def run_smoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the command in a small checkout, with something harmless for the pipeline."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/stage.py").touch()
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_text((PROJECT / name).read_text())
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> int:
        monkeypatch.setattr(sys, "argv", ["flows.smoke", *options])
        return smoke.main()

    return run


def test_the_copy_has_scaled_settings_and_runs_by_itself(
    run_smoke: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[list[str], Path]] = []
    monkeypatch.setattr(smoke, "_run", lambda command, folder, environment: seen.append((command, folder)) or 7)
    assert run_smoke() == 7
    assert seen == [([sys.executable, "-m", "flows.pipeline"], Path(".smoke"))]
    assert load(Path(".smoke/params.yaml")).search.budget.evaluations == 1
    assert load(Path(".smoke/params.yaml")).search.strategies.keys() == load().search.strategies.keys()
    assert Path(".smoke/tasks/stage.py").is_file()
    assert "no_scm = true" in Path(".smoke/.dvc/config").read_text()
    assert capsys.readouterr().out.startswith("smoke: exit code 7 after ")
    Path(".smoke/left_over").touch()
    assert run_smoke() == 7
    assert not Path(".smoke/left_over").exists()


def test_a_folder_of_somebody_else_is_left_alone(
    run_smoke: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_smoke("--folder", ".") == 1
    assert Path("params.yaml").is_file()
    assert capsys.readouterr().err == ("error: . cannot be laid out (it holds something else); name another folder\n")


@pytest.mark.parametrize("factor", ["0", "-1", "1.5", "nan"])
def test_a_factor_out_of_range(factor: str, run_smoke: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_smoke("--factor", factor) == 2
    assert capsys.readouterr().err.endswith("; give a number above 0 and at most 1\n")


def test_ctrl_c_is_left_to_the_pipeline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    waits = iter([KeyboardInterrupt(), 130])

    class Process:
        def __init__(self, command: list[str], **options: object) -> None:
            pass

        def wait(self) -> int:
            outcome = next(waits)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

    monkeypatch.setattr(subprocess, "Popen", Process)
    assert smoke._run(["pipeline"], tmp_path, {}) == 130
