"""Compares strategies on tables: ``python -m flows.compare [--params FILE] [--only LABEL ...]``.

Without a file it runs the stages `compare@LABEL` of dvc.yaml, for the comparisons of params.yaml. With one, such as
benchmarks/compare.yaml, it runs the comparisons of that file in a folder of its own, without DVC; sections that the
file does not have are those of params.yaml. What was done is not done again, and a killed run goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flows.command_line import INTERRUPTED, OK, WRONG_SETTINGS, run_flow
from nas_core.atomic_files import write_text
from tasks.settings import Settings, SettingsError, load
from tasks.settings.document import read
from tasks.settings.errors import nearest
from tasks.settings.load import settings_of

PARAMS = Path("params.yaml")
FOLDER = Path(".compare")
EXAMPLE = "benchmarks/compare.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.compare",
        description="Compare strategies on tables: curves of regret, ranks with tests, published numbers.",
        epilog=f"Try it: NAS_TABLES_ROOT=FOLDER python -m flows.compare --params {EXAMPLE} --repetitions 10",
    )
    parser.add_argument("--params", type=Path, help="a file with a section compare; else the stages of dvc.yaml run")
    parser.add_argument("--only", nargs="+", default=[], metavar="LABEL", help="only these comparisons")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where a file's results are kept ({FOLDER})")
    parser.add_argument("--repetitions", type=int, help="of each search, at most, instead of what the file says")
    parser.add_argument("--workers", type=int, help="processes, instead of what compute.workers says")
    parser.add_argument("--force", action="store_true", help="run a stage of dvc.yaml even where nothing changed")
    chosen = parser.parse_args(arguments)
    try:
        return _of_file(chosen) if chosen.params else _of_dvc(chosen)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTINGS


def _of_dvc(chosen: argparse.Namespace) -> int:
    """Run stages of dvc.yaml."""
    if chosen.repetitions is not None or chosen.workers is not None:
        raise SettingsError("--repetitions and --workers go with --params; without it, params.yaml says both")
    labels = _labels(load(PARAMS), PARAMS.name, chosen.only)
    stages = [f"compare@{label}" for label in labels]
    return run_flow(_load, {"stages": stages, "force": chosen.force}, stage_names=stages)


def _of_file(chosen: argparse.Namespace) -> int:
    """Run the comparisons of a file, one after the other."""
    from tasks.compare import compare_stage
    from tasks.comparison.agreement import check

    document = _document(chosen)
    settings = settings_of(chosen.params.name, document)
    labels = _labels(settings, chosen.params.name, chosen.only)
    for label in labels:
        check(chosen.params.name, f"compare.{label}", settings.compare[label])
    try:
        _lay_out(chosen.folder, document)
    except OSError as error:
        raise SettingsError(f"--folder is {chosen.folder}, which cannot be used ({error}); name another one") from None
    codes = []
    for label in labels:
        codes.append(compare_stage(label, chosen.folder))
        if codes[-1] == INTERRUPTED:
            break
    return max(codes, default=OK)


def _document(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the sections of a file over those of params.yaml, with what the command line says put in."""
    own = read(chosen.params)
    others = {}
    if PARAMS.exists():
        load(PARAMS)  # so that what is wrong in it is said of it
        others = read(PARAMS)
    document = {**others, **own}
    if "compare" not in own:
        raise SettingsError(f"{chosen.params.name}: it has no section compare; {EXAMPLE} has one")
    if chosen.workers is not None:
        compute = document.get("compute")
        document["compute"] = {**(compute if isinstance(compute, dict) else {}), "workers": chosen.workers}
    if chosen.repetitions is not None:
        document["compare"] = _at_most(document["compare"], chosen.repetitions)
    return document


def _at_most(value: Any, repetitions: int) -> Any:
    """Return settings with every number of repetitions lowered to one at most."""
    if not isinstance(value, dict):
        return value
    return {
        name: min(part, repetitions) if name == "repetitions" and isinstance(part, int) else _at_most(part, repetitions)
        for name, part in value.items()
    }


def _labels(settings: Settings, file: str, only: Sequence[str]) -> list[str]:
    """Return the comparisons to run."""
    if not settings.compare:
        raise SettingsError(f"{file}: compare is empty, there is nothing to compare; {EXAMPLE} shows how to fill it")
    for label in only:
        if label not in settings.compare:
            raise SettingsError(
                f"--only has {label!r}{nearest(label, settings.compare)}; compare of {file} has "
                f"{', '.join(settings.compare)}"
            )
    return [label for label in settings.compare if not only or label in only]


def _lay_out(folder: Path, document: dict[str, Any]) -> None:
    """Write the settings into the folder; runs are tracked where those of this folder are."""
    import yaml

    from tasks.tracking.settings import TrackingSettings

    tracking = dict(document.get("tracking") or {})
    tracking["uri"] = TrackingSettings(tracking.get("uri")).absolute_uri(Path.cwd())
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "params.yaml", yaml.safe_dump({**document, "tracking": tracking}, sort_keys=False))


def _load() -> Callable[..., Any]:
    """Imports the flow, and Prefect with it."""
    from flows.prefect_flows import compare

    return compare


if __name__ == "__main__":
    sys.exit(main())
