"""What every stage has in common: one line for any error, a work folder of its own, results at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nas_core.data import manifest
from tasks import stage as stages
from tasks.settings import Settings, SettingsError
from tasks.stage import Stage, run

PARAMS = Path(__file__).parents[3] / "params.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout's top folder with one sealed input."""
    (tmp_path / "params.yaml").write_text(PARAMS.read_text())
    folder = tmp_path / "data/search"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text("images")
    manifest.write(folder)
    return tmp_path


def change(root: Path, section: str, **values: Any) -> None:
    """Change a section of params.yaml."""
    document = yaml.safe_load((root / "params.yaml").read_text())
    document[section].update(values)
    (root / "params.yaml").write_text(yaml.safe_dump(document))


def work_of(root: Path, name: str = "try", **options: Any) -> Path:
    """Run a stage that does nothing, and return its work folder."""
    seen: list[Stage] = []
    assert run(name, seen.append, root=root, **options) == 0
    assert seen[0].work.is_dir()
    return seen[0].work


def failing(error: BaseException) -> Callable[[Stage], None]:
    """Return a stage's work that raises an error."""

    def do(stage: Stage) -> None:
        raise error

    return do


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("loss is bad;\n  lower it"), "loss is bad;"),
        (ValueError("  two   spaces "), "two spaces"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (RuntimeError(""), "RuntimeError"),
        (KeyError("seed"), "KeyError: 'seed'"),
        (MemoryError(), "MemoryError"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (AttributeError("no such thing"), "AttributeError: no such thing"),
    ],
)
def test_an_error_is_one_line_and_its_traceback_a_file(
    error: Exception, reason: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("try", failing(error), root=root) == 1
    log = root / ".work/try/error.log"
    assert capsys.readouterr().err == f"error: try: {reason} (details: {log})\n"
    assert "Traceback" in log.read_text()


def test_wrong_settings_are_code_2_and_leave_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(root, "compute", threads=0)
    assert run("try", failing(AssertionError()), root=root) == 2
    assert capsys.readouterr().err == "error: params.yaml: compute.threads is 0; it must be at least 1\n"
    assert not (root / ".work").exists()


def test_settings_that_the_stage_itself_refuses_are_code_2(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def identity(settings: object) -> object:
        raise SettingsError("--rank is 9; params.yaml has 0 to 2")

    # the input is absent too, but of what does not exist at all nobody needs to hear that
    assert run("try", failing(AssertionError()), inputs=["data/absent"], identity=identity, root=root) == 2
    assert capsys.readouterr().err == "error: --rank is 9; params.yaml has 0 to 2\n"


def test_ctrl_c_is_code_130_and_says_that_nothing_is_lost(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("try", failing(KeyboardInterrupt()), root=root) == 130
    assert capsys.readouterr().err == "interrupted: try stopped; the same command goes on from where it was\n"
    assert not (root / ".work/try/error.log").exists()


def test_a_damaged_or_absent_input_is_an_error_before_the_work(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "data/search/train.txt").write_text("imagez")
    assert run("try", failing(AssertionError()), inputs=["data/search"], root=root) == 1
    assert "train.txt is damaged: its SHA-256 is not the one written; restore " in capsys.readouterr().err
    assert run("try", failing(AssertionError()), inputs=["data/absent"], root=root) == 1
    assert "data/absent/manifest.json is missing, so that " in capsys.readouterr().err
    assert run("try", failing(AssertionError()), inputs=["data/search/other.json"], root=root) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_inputs_may_hang_on_the_settings(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def inputs(settings: Settings) -> list[str]:
        return [f"results/retrain/{rank}" for rank in settings.retrain.ranks]

    assert run("try", failing(AssertionError()), inputs=inputs, root=root) == 1
    assert "results/retrain/0/manifest.json is missing" in capsys.readouterr().err
    change(root, "retrain", ranks=[7])
    assert run("try", failing(AssertionError()), inputs=inputs, root=root) == 2


def test_the_same_settings_inputs_and_code_go_on_in_the_same_folder(root: Path) -> None:
    options: dict[str, Any] = {"inputs": ["data/search"], "identity": lambda settings: settings.select.per_strategy}
    first = work_of(root, **options)
    change(root, "report", title="another title")
    assert work_of(root, **options) == first


@pytest.mark.parametrize(("section", "values"), [("select", {"per_strategy": 3}), ("compute", {"threads": 2})])
def test_other_settings_start_afresh_and_the_old_folder_goes_away(
    section: str, values: dict[str, Any], root: Path
) -> None:
    options: dict[str, Any] = {"identity": lambda settings: settings.select.per_strategy}
    first = work_of(root, **options)
    change(root, section, **values)
    assert work_of(root, **options) != first
    assert not first.exists()


def test_other_inputs_or_other_code_start_afresh(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = work_of(root, inputs=["data/search"])
    (root / "data/search/train.txt").write_text("other images")
    manifest.write(root / "data/search")
    second = work_of(root, inputs=["data/search"])
    monkeypatch.setattr(stages, "_code_digest", lambda: "another version")
    third = work_of(root, inputs=["data/search"])
    assert len({first, second, third}) == 3


def test_stages_do_not_share_a_folder(root: Path) -> None:
    first = work_of(root, "search@one")
    second = work_of(root, "search@two")
    assert first.is_dir()
    assert first.parent != second.parent


def test_a_failure_keeps_the_work_of_earlier_settings(root: Path) -> None:
    options: dict[str, Any] = {"identity": lambda settings: settings.select.per_strategy}
    first = work_of(root, **options)
    change(root, "select", per_strategy=3)
    assert run("try", failing(ValueError("no")), root=root, **options) == 1
    assert first.is_dir()


@pytest.fixture
def stage(root: Path) -> Stage:
    """A stage at work."""
    found: list[Stage] = []
    run("try", found.append, root=root)
    return found[0]


def test_results_are_put_in_place_at_once_with_a_manifest(stage: Stage) -> None:
    seen: list[bool] = []

    def fill(text: str) -> Callable[[Path], None]:
        def into(draft: Path) -> None:
            (draft / f"{text}.txt").write_text(text)
            seen.append((stage.root / "results/try/old.txt").exists())

        return into

    stage.publish("results/try", fill("old"))
    final = stage.publish("results/try", fill("new"))
    manifest.verify(final)
    assert sorted(path.name for path in final.iterdir()) == ["manifest.json", "new.txt"]
    assert seen == [False, True]  # the old results stay until the new ones are complete
    assert [path.name for path in final.parent.iterdir()] == ["try"]


def test_results_that_cannot_be_completed_leave_the_old_ones(stage: Stage) -> None:
    stage.publish("results/try", lambda draft: (draft / "a.txt").touch())

    def fill(draft: Path) -> None:
        (draft / "b.txt").touch()
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        stage.publish("results/try", fill)
    assert json.loads((stage.root / "results/try/manifest.json").read_bytes())["files"].keys() == {"a.txt"}
    stage.publish("results/try", lambda draft: (draft / "c.txt").touch())
    assert not (stage.root / "results/try/b.txt").exists()


@pytest.mark.parametrize(
    ("wanted", "num_gpus", "device"),
    [("cpu", 2, "cpu"), ("auto", 0, "cpu"), ("auto", 1, "cuda"), ("cuda", 1, "cuda"), ("cuda:1", 2, "cuda:1")],
)
def test_the_device(wanted: str, num_gpus: int, device: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_of(root, wanted, num_gpus, monkeypatch) == device


@pytest.mark.parametrize(
    ("wanted", "num_gpus", "allowed"),
    [("cuda", 0, "auto, cpu"), ("cuda:0", 0, "auto, cpu"), ("cuda:2", 2, "auto, cpu, cuda:0, cuda:1")],
)
def test_a_gpu_that_is_not_there(
    wanted: str,
    num_gpus: int,
    allowed: str,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert device_of(root, wanted, num_gpus, monkeypatch) is None
    line = f"error: params.yaml: compute.device is {wanted!r}; allowed on this machine: {allowed}\n"
    assert capsys.readouterr().err == line


def test_the_work_of_one_device_is_not_taken_up_on_another(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def works(device: str, *, on_gpu: bool, **options: Any) -> str:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: on_gpu)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: int(on_gpu))
        change(root, "compute", device=device)
        return work_of(root, **options).name

    on_cpu, on_gpu = works("auto", on_gpu=False), works("auto", on_gpu=True)
    assert on_cpu != on_gpu
    assert works("cpu", on_gpu=True) == on_cpu
    assert works("cuda", on_gpu=True) == on_gpu
    prepared = {works("auto", on_gpu=gpu, device_matters=False) for gpu in (False, True)}
    assert len(prepared) == 1


def device_of(root: Path, wanted: str, num_gpus: int, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Return the device of a stage on a machine with so many GPUs, or None if it ends with the code of settings."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: num_gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: num_gpus)
    change(root, "compute", device=wanted)
    found: list[str] = []
    code = run("try", lambda stage: found.append(stage.device), root=root)
    assert code == (0 if found else 2)
    return found[0] if found else None
