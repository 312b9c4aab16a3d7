"""What dvc.yaml says, as DVC itself resolves it, agrees with what the stages do."""

from __future__ import annotations

import ast
import copy
import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml

from nas_core import catalog
from tasks.dvc_graph import read_stages
from tasks.settings import Settings, load

ROOT = Path(__file__).parents[2]
TEST_DATA = ("data/test", "data/transfer_test", "data/shift")
SEES_TEST_DATA = {"retrain", "baselines", "transfer", "robustness", "report"}
COMPARISON = {
    "benchmarks": {"cells": {"space": "nasbench201", "evaluator": {"name": "tabular", "path": "table.csv"}}},
    "strategies": {"random_search": {}, "regularized_evolution": {"settings": {"population_size": 10}}},
    "budgets": [100, 200],
    "repetitions": 50,
    "seed": 0,
    "significance": 0.05,
}
DECIDES_NO_NUMBER = ("tasks.tracking", "tasks.settings", "tasks.record", "tasks.console", "tasks.stage")


@dataclass(frozen=True)
class Resolved:
    """A stage of dvc.yaml after DVC has put in the parameters.

    Attributes:
        name: such as "search@darts".
        cmd: what it runs.
        deps: paths that it reads.
        params: dotted names of params.yaml on which it depends.
        outs: paths that it writes, and for each whether DVC caches it, and whether it is a metric or a plot.
    """

    name: str
    cmd: str
    deps: tuple[str, ...]
    params: tuple[str, ...]
    outs: dict[str, tuple[bool, bool]]

    @property
    def group(self) -> str:
        """The part of the name before the @."""
        return self.name.partition("@")[0]


def params() -> dict[str, Any]:
    """Return params.yaml with a comparison, of which there is none by default."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert document["compare"] == {}
    return {**document, "compare": {"small": copy.deepcopy(COMPARISON)}}


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> list[Resolved]:
    """Return all stages of the project's dvc.yaml."""
    from dvc.dependency.param import ParamsDependency
    from dvc.repo import Repo
    from dvc.stage import PipelineStage

    folder = tmp_path_factory.mktemp("pipeline")
    shutil.copyfile(ROOT / "dvc.yaml", folder / "dvc.yaml")
    (folder / "params.yaml").write_text(yaml.safe_dump(params()))
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    with Repo(str(folder)) as repository:
        return [
            Resolved(
                stage.name,
                stage.cmd,
                tuple(dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)),
                tuple(name for dep in stage.deps if isinstance(dep, ParamsDependency) for name in dep.params),
                {out.def_path: (out.use_cache, bool(out.metric or out.plot)) for out in stage.outs},
            )
            for stage in repository.index.stages
            if isinstance(stage, PipelineStage)
        ]


@dataclass(frozen=True)
class Started:
    """How the module of a stage starts it.

    Attributes:
        name: as it calls itself.
        inputs: the paths that it verifies and reads.
        identity: the settings that decide its results.
    """

    name: str
    inputs: tuple[str, ...]
    identity: Callable[[Settings], object]


def started(stage: Resolved, monkeypatch: pytest.MonkeyPatch) -> Started:
    """Return how the command of a stage would run it, without running it."""
    _, _, module, *options = stage.cmd.split()
    found: list[Started] = []

    def run(
        name: str,
        do: object,
        *,
        inputs: Sequence[str] | Callable[[Settings], Sequence[str]] = (),
        identity: Callable[[Settings], object] = lambda settings: None,
        root: Path | None = None,
        device_matters: bool = True,
    ) -> int:
        paths = inputs(load(ROOT / "params.yaml")) if callable(inputs) else inputs
        found.append(Started(name, tuple(paths), identity))
        return 0

    imported = importlib.import_module(module)
    with monkeypatch.context() as patch:
        patch.setattr(imported, "run", run)
        patch.setattr(sys, "argv", [module, *options])
        patch.chdir(ROOT)
        assert imported.main() == 0
    return found[0]


def covers(paths: tuple[str, ...], path: str, separator: str) -> bool:
    """Return whether one of the paths is the path or leads to it."""
    return any(path == each or path.startswith(each + separator) for each in paths)


def test_the_stages_are_those_of_the_settings(stages: list[Resolved]) -> None:
    settings = load(ROOT / "params.yaml")
    names = {stage.name for stage in stages}
    assert names == {
        "prepare",
        *(f"search@{key}" for key in settings.search.strategies),
        "select",
        *(f"retrain@{rank}" for rank in settings.retrain.ranks),
        "baselines",
        "transfer",
        "robustness",
        "report",
        "compare@small",
    }


def test_no_stage_of_the_search_can_see_test_data(stages: list[Resolved]) -> None:
    for stage in stages:
        seen = [path for path in stage.deps if covers(TEST_DATA, path, "/") or path == "data"]
        assert not seen or stage.group in SEES_TEST_DATA, f"{stage.name} depends on {seen}"


def test_what_a_stage_writes_for_the_search_lies_apart_from_test_data(stages: list[Resolved]) -> None:
    prepare = next(stage for stage in stages if stage.name == "prepare")
    assert {"data/search", "data/transfer", *TEST_DATA, "metrics/prepare.json"} == set(prepare.outs)


def test_every_command_is_a_module(stages: list[Resolved]) -> None:
    for stage in stages:
        python, option, module, *_ = stage.cmd.split()
        assert (python, option) == ("python", "-m")
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()
        assert (module.replace(".", "/") + ".py") in stage.deps


def test_every_dependency_on_code_exists_and_every_other_is_written_by_a_stage(stages: list[Resolved]) -> None:
    written = tuple(path for stage in stages for path in stage.outs)
    for stage in stages:
        for path in stage.deps:
            is_written = covers(written, path, "/") or any(out.startswith(f"{path}/") for out in written)
            assert is_written or (ROOT / path).exists(), f"{stage.name} depends on {path}"


def imported_tasks(module: str) -> set[str]:
    """Return the modules of `tasks` that a module of it imports anywhere in its code."""
    path = ROOT / module.replace(".", "/")
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            parts = {name for name in inner if is_module(name)}
            found |= parts if len(parts) == len(inner) else {*parts, node.module}
    return {name for name in found if name.startswith("tasks.") and is_module(name)}


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_every_module_that_decides_the_numbers_of_a_stage_is_a_dependency(stages: list[Resolved]) -> None:
    for stage in stages:
        waiting, seen = [stage.cmd.split()[2]], set()
        while waiting:
            module = waiting.pop()
            if module in seen or covers(DECIDES_NO_NUMBER, module, "."):
                continue
            seen.add(module)
            waiting.extend(imported_tasks(module))
        files = {module.replace(".", "/") for module in seen}
        paths = {name if (ROOT / name).is_dir() else f"{name}.py" for name in files}
        missing = sorted(path for path in paths if not covers(stage.deps, path, "/"))
        assert not missing, f"{stage.name} lacks {missing}"


@pytest.mark.parametrize("group", ["search", "select", "retrain", "baselines", "transfer", "robustness", "compare"])
def test_what_knows_spaces_depends_on_all_of_them(stages: list[Resolved], group: str) -> None:
    for stage in stages:
        if stage.group == group:
            assert {"nas_core", "gnn_space"} <= set(stage.deps), stage.name


def test_every_parameter_is_in_params_yaml(stages: list[Resolved]) -> None:
    document = params()
    for stage in stages:
        for name in stage.params:
            reduce(lambda value, key: value[key], name.split("."), document)


def test_metrics_and_plots_are_kept_by_git_and_all_else_by_dvc(stages: list[Resolved]) -> None:
    for stage in stages:
        for path, (is_cached, is_measure) in stage.outs.items():
            assert is_measure == path.startswith(("metrics/", "plots/")), path
            assert is_cached != is_measure, path


def test_git_ignores_what_dvc_keeps(stages: list[Resolved]) -> None:
    kept = [path for stage in stages for path, (is_cached, _) in stage.outs.items() if is_cached]
    command = ["git", "check-ignore", "--no-index", "--", *kept, ".work/x", "mlflow.db", ".smoke/x"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines() == [*kept, ".work/x", "mlflow.db", ".smoke/x"]


def test_stages_call_themselves_as_dvc_does_and_read_what_they_depend_on(
    stages: list[Resolved], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage in stages:
        found = started(stage, monkeypatch)
        assert found.name == stage.name
        for path in found.inputs:
            is_within = any(dep.startswith(f"{path}/") for dep in stage.deps)  # only some files of a folder matter
            assert is_within or covers(stage.deps, path, "/"), f"{stage.name} reads {path}"


def rich() -> dict[str, Any]:
    """Return params.yaml with every optional setting written out, and objectives for which all of them matter."""
    document = params()
    search = document["search"]
    search["objectives"] = ["validation_accuracy", "shifted_validation_accuracy"]
    for label, values in search["evaluators"].items():
        defaults = {each.name: each.default for each in catalog.settings("evaluator", label) if not each.required}
        values.update(
            {name: list(v) if isinstance(v, tuple) else v for name, v in defaults.items() if name not in values}
        )
    for key, entry in search["strategies"].items():
        entry.setdefault("settings", {})
        entry.setdefault("seeds", [5, 6])
        entry.setdefault("evaluations", 30)
        entry.setdefault("objectives", ["shifted_validation_accuracy"] if key == "darts" else ["validation_accuracy"])
    del search["strategies"]["random_search"]["objectives"]
    return document


def typed(document: dict[str, Any]) -> Settings:
    """Return settings without asking whether they go together, which takes longer."""
    return Settings.model_validate_json(json.dumps(document))


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the path of everything in a document that is no mapping."""
    if not isinstance(value, dict):
        yield path
        return
    for key, part in value.items():
        yield from leaves(part, (*path, key))


def others(value: Any) -> list[Any]:
    """Return values that a setting might have instead."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, value * 0.5, max(1, value - 1)]
    if isinstance(value, list):
        return [value[:-1], value[1:], [*value, len(value)], ["synflow"], ["fog"], ["flops", "validation_accuracy"]]
    return ["digits", "printed_digits", "full_training", "low_fidelity", "cpu", "another", "train", 7, 0.5]


def test_what_decides_the_results_of_a_stage_makes_dvc_run_it_again(
    stages: list[Resolved], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Change every setting in turn; a stage whose identity changes must list it among its parameters."""
    starts = {stage.name: started(stage, monkeypatch) for stage in stages}
    document = rich()
    settings = typed(document)
    before = {name: start.identity(settings) for name, start in starts.items()}
    deciding: dict[str, set[str]] = {name: set() for name in starts}
    for leaf in leaves(document):
        for value in others(reduce(lambda node, key: node[key], leaf, document)):
            changed = copy.deepcopy(document)
            reduce(lambda node, key: node[key], leaf[:-1], changed)[leaf[-1]] = value
            try:
                settings = typed(changed)
                differs = [name for name, start in starts.items() if start.identity(settings) != before[name]]
            except (ValueError, KeyError):
                continue  # the setting cannot have this value
            for name in differs:
                deciding[name].add(".".join(leaf))
    for stage in stages:
        assert deciding[stage.name], f"nothing decides the results of {stage.name}"
        for name in deciding[stage.name]:
            assert covers(stage.params, name, "."), f"{name} decides the results of {stage.name}"


def test_labels_of_stages_are_safe_in_paths() -> None:
    for key in load(ROOT / "params.yaml").search.strategies:
        assert re.fullmatch(r"[A-Za-z0-9_-]+", key)


@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # of pygtrie, as DVC calls it
def test_by_default_nothing_is_compared_and_no_stage_is_there_to_do_it(tmp_path: Path) -> None:
    """Nor does a params.yaml without the section break anything."""
    document = yaml.safe_load((ROOT / "params.yaml").read_text())
    del document["compare"]
    shutil.copyfile(ROOT / "dvc.yaml", tmp_path / "dvc.yaml")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    for content in (document, {**document, "compare": {}}):
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
        assert not [stage for stage in read_stages(tmp_path) if stage.group == "compare"]
