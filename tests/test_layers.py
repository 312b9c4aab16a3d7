"""What may import what, by the imports that are really there; those under TYPE_CHECKING are free."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from nas_core import catalog

ROOT = Path(__file__).parents[1]
PACKAGES = ("nas_core", "gnn_space", "tasks", "flows")
MAX_LINES = 400

VOCABULARY = {"architecture", "objectives", "evaluation", "randomness"}
CONTRACTS = {
    "space",
    "task",
    "strategy",
    "evaluator",
    "predictor",
    "member_predictions",
    "controller",
    "policy_updates",
    "calibration",
    "variation",
    "morphing",
    "encodings",
    "incumbent",
    "known_networks",
    "acquisition",
    "predictor_guided_search",
    "nested_settings",
    "rungs",
    "successive_halving",
    "bracket_search",
    "screen",
    "pareto",
    "atomic_files",
    "quarantine",
    "archive",
    "checkpoint",
    "catalog",
    "search",
    "table_evaluator",
    "remembering_evaluator",
    "worker_process",
    "parallel",
}
PARTS = {
    "networks",
    "weight_sharing",
    "differentiable",
    "training",
    "data",
    "robustness",
    "proxies",
    "predictors",
    "controllers",
    "gaussian_processes",
}
PLUG_INS = {"spaces", "strategies", "evaluators", "benchmarks", "learning_tasks"}
LAYERS = (VOCABULARY, CONTRACTS, PARTS, PLUG_INS)

# predictors are parts too: a strategy that predicts has one by default
BETWEEN_PLUG_INS = {("nas_core.strategies", "nas_core.predictors")}
FOREIGN_TO_NAS_CORE = {"prefect", "dvc", "mlflow", "yaml", "pydantic", "torch_geometric"}
FOREIGN_TO_VOCABULARY = {"numpy", "torch", "scipy", "sklearn"}
OPEN_TO_GNN_SPACE = VOCABULARY | CONTRACTS | {"weight_sharing", "training", "networks", "data", "robustness"}
OPEN_TO_FLOWS = VOCABULARY | {"atomic_files"}
STAGES = ("prepare", "search", "select", "retrain", "baselines", "transfer", "robustness", "report", "compare")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "base", "core", "tools", "types"}


@cache
def modules() -> dict[str, Path]:
    """Return the files of all modules by name."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def names_imported(node: ast.AST) -> Iterator[str]:
    """Give every name that is imported anywhere below a node, bodies of functions included."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports hide who is imported"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from names_imported(child)


@cache
def imports(module: str) -> frozenset[str]:
    """Return what a module imports: our own modules by name, others by the name of their package."""
    found = set()
    for name in names_imported(ast.parse(modules()[module].read_text())):
        target = name
        while target not in modules() and "." in target:
            target = target.rpartition(".")[0]
        found.add(target if target in modules() else name.partition(".")[0])
    return frozenset(found - {module})


def reached(module: str) -> set[str]:
    """Return everything that a module imports, and what that imports, and so on."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for target in imports(waiting.pop()) - found:
            found.add(target)
            if target in modules():
                waiting.append(target)
    return found


def part(module: str) -> str:
    """Return the file or folder of nas_core that a module belongs to."""
    return module.split(".")[1]


def inside(module: str, package: str) -> bool:
    """Return whether a module is a package or in it."""
    return module == package or module.startswith(f"{package}.")


def of(package: str) -> list[str]:
    """Return the modules below a package."""
    return [module for module in modules() if module.startswith(f"{package}.")]


def test_every_module_of_nas_core_has_a_layer() -> None:
    parts = {part(module) for module in of("nas_core")}
    assert parts == set().union(*LAYERS)
    assert sum(map(len, LAYERS)) == len(parts)


def test_layers_import_only_downwards() -> None:
    height = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    upwards = [
        f"{module} -> {target}"
        for module in of("nas_core")
        for target in imports(module)
        if target.startswith("nas_core.") and height[part(target)] > height[part(module)]
    ]
    assert upwards == []


@pytest.mark.parametrize("package", sorted(catalog.KINDS.values()))
def test_plug_ins_import_no_plug_in(package: str) -> None:
    """Neither one of another folder nor their neighbor; a name goes through the catalog."""
    wrong = [
        f"{module} -> {target}"
        for module in of(package)
        for target in imports(module)
        for other in catalog.KINDS.values()
        if target.startswith(f"{other}.") and (package, other) not in BETWEEN_PLUG_INS
    ]
    assert wrong == []


def test_nas_core_knows_nothing_of_the_pipeline() -> None:
    for module in of("nas_core"):
        assert not imports(module) & FOREIGN_TO_NAS_CORE, module
        assert not [target for target in imports(module) if target.split(".")[0] in ("gnn_space", "tasks", "flows")]


def test_the_vocabulary_is_plain() -> None:
    for name in VOCABULARY - {"randomness"}:
        assert not imports(f"nas_core.{name}") & FOREIGN_TO_VOCABULARY, name


def test_differentiable_methods_know_gates_and_not_networks() -> None:
    allowed = VOCABULARY | CONTRACTS | {"weight_sharing", "differentiable"}
    for module in of("nas_core.differentiable"):
        parts = {part(target) for target in imports(module) if target.startswith("nas_core.")}
        assert parts <= allowed, module


def test_graphs_know_contracts_alone() -> None:
    for module in of("gnn_space"):
        ours = {
            target for target in imports(module) if target.split(".")[0] in PACKAGES and not inside(target, "gnn_space")
        }
        assert all(target.startswith("nas_core.") and part(target) in OPEN_TO_GNN_SPACE for target in ours), module


def test_only_graphs_know_torch_geometric_and_nobody_knows_graphs() -> None:
    """The extension comes in by names of plug-ins alone, so that a job on images never imports it."""
    for module in modules():
        if not inside(module, "gnn_space"):
            assert "torch_geometric" not in imports(module), module
            assert not [target for target in imports(module) if inside(target, "gnn_space")], module


def test_flows_know_tasks_and_values() -> None:
    for module in of("flows"):
        ours = {target for target in imports(module) if target.startswith(("nas_core.", "gnn_space"))}
        assert all(target.startswith("nas_core.") and part(target) in OPEN_TO_FLOWS for target in ours), module


def test_tasks_know_no_flow() -> None:
    for module in of("tasks"):
        assert not [target for target in imports(module) if inside(target, "flows")], module


def test_prefect_is_at_the_edge() -> None:
    users = {module for module in modules() if "prefect" in imports(module)}
    assert {module for module in users if not module.startswith("flows.")} == {"tasks.dvc_stage"}


def test_only_tracking_knows_mlflow() -> None:
    users = {module for module in modules() if "mlflow" in imports(module)}
    assert {module for module in users if not inside(module, "tasks.tracking")} <= {"tasks.model"}


def test_only_one_module_knows_the_inside_of_dvc() -> None:
    assert [module for module in modules() if "dvc" in imports(module)] == ["tasks.dvc_graph"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_without_prefect(stage: str) -> None:
    assert not reached(f"tasks.{stage}") & {"prefect", "dvc"}


def test_plug_ins_and_settings_import_without_torch() -> None:
    """Naming a plug-in and checking params.yaml must not take the seconds that torch takes."""
    named_alone = {"corruption"}  # params.yaml names them, and no check of it asks for their settings
    names = [name for kind, package in catalog.KINDS.items() if kind not in named_alone for name in of(package)]
    lines = [f"import {name}" for name in (*names, "tasks.settings", "tasks.settings.agreement", "nas_core.catalog")]
    heavy = ("torch", "mlflow", "prefect", "dvc", "matplotlib", "scipy", "sklearn", "pandas")
    lines.append(f"import sys; print([name for name in {heavy} if name in sys.modules])")
    command = [sys.executable, "-c", "\n".join(lines)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "[]\n"


def test_names_say_what_is_inside() -> None:
    assert not [module for module in modules() if set(module.split(".")) & VAGUE_NAMES]


def test_no_module_is_long() -> None:
    assert not [module for module, path in modules().items() if len(path.read_text().splitlines()) > MAX_LINES]


@pytest.mark.parametrize("package", PACKAGES)
def test_everything_public_says_what_it_does(package: str) -> None:
    silent = []
    for module in (package, *of(package)):
        tree = ast.parse(modules()[module].read_text())
        silent += [f"{module}:{name}" for name, node in public(tree) if not ast.get_docstring(node)]
    assert silent == []


def public(
    tree: ast.Module | ast.ClassDef, owner: str = ""
) -> Iterator[tuple[str, ast.Module | ast.ClassDef | ast.FunctionDef]]:
    """Give the module, its public classes with their public methods, and its public functions."""
    if isinstance(tree, ast.Module):
        yield "", tree
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield f"{owner}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node, f"{node.name}.")
