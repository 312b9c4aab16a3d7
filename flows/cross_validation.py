"""The whole search, once for every fold of the data: ``python -m flows.cross_validation --folds 10``.

Each fold is a folder of its own, in which the stages prepare, search, select, retrain (rank 0) and baselines run under
the settings given, with `prepare.folds` and `prepare.fold` put in: the search sees the training part of its own fold
alone, so that the test part of no fold has chosen anything. What was done is not done again, and a killed run goes on.
Beside the table, everything is in ``FOLDER/cross_validation.json``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from nas_core.atomic_files import write_json, write_text
from tasks.fold_results import read_fold, summarized
from tasks.settings import Settings, SettingsError, load
from tasks.settings.document import read

RESULT = "cross_validation.json"
FINISHED = "finished.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the folds and print what they found; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.cross_validation", description="Search in every fold.")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="settings of every fold")
    parser.add_argument("--folds", type=int, default=10, help="how many, at least 2")
    parser.add_argument("--folder", type=Path, default=Path(".folds"), help="where the folds are kept")
    parser.add_argument("--parallel", type=int, default=1, help="folds side by side")
    chosen = parser.parse_args(arguments)
    if chosen.folds < 2 or chosen.parallel < 1:
        print(
            f"error: --folds is {chosen.folds} and --parallel {chosen.parallel}; give at least 2 and 1", file=sys.stderr
        )
        return 2
    try:
        roots = [_laid_out(chosen.params, chosen.folder, fold, chosen.folds) for fold in range(chosen.folds)]
        settings = load(roots[0] / "params.yaml")
    except (SettingsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        failed = _run_all(roots, settings, chosen.parallel)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from where it was", file=sys.stderr)
        return 130
    if failed:
        print(f"error: fold {failed[0][0]}: {failed[0][1]}", file=sys.stderr)
        return 1
    rows = summarized([read_fold(root) for root in roots])
    data_set = settings.prepare.dataset.model_dump(mode="json")
    write_json(chosen.folder / RESULT, {"format": 1, "data_set": data_set, "num_folds": chosen.folds, "networks": rows})
    print(table(rows))
    return 0


def commands(settings: Settings) -> list[list[str]]:
    """Return the stages of a fold, in their order, as commands."""
    stages: list[list[str]] = [["prepare"]]
    stages += [["search", "--strategy", key] for key in settings.search.strategies]
    stages += [["select"], ["retrain", "--rank", "0"], ["baselines"]]
    return [[sys.executable, "-m", f"tasks.{name}", *options] for name, *options in stages]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows of `summarized` as lines of text, accuracies in percent."""
    lines = [f"{'network':<28}{'parameters':>12}{'test, %':>18}{'validation, %':>16}  searched less this, points"]
    for row in rows:
        size = "" if row["num_parameters"] is None else f"{row['num_parameters']:,.0f}"
        test, validation, difference = row["test_accuracy"], row["validation_accuracy"], row["difference"]
        shown = f"{100 * test['mean']:.1f} +- {100 * test['standard_deviation']:.1f}"
        less = (
            ""
            if difference is None
            else f"{100 * difference['mean']:+.1f} [{100 * difference['low']:+.1f}, {100 * difference['high']:+.1f}]"
        )
        lines.append(f"{row['name']:<28}{size:>12}{shown:>18}{100 * validation['mean']:>16.1f}  {less}".rstrip())
    return "\n".join(lines)


def _laid_out(params: Path, folder: Path, fold: int, num_folds: int) -> Path:
    """Write the settings of a fold, if they are not there, into the fold's folder; return that."""
    import yaml

    document = read(params)
    prepare = document.get("prepare")
    if not isinstance(prepare, dict):
        raise SettingsError(f"{params}: it has no section prepare; write one")
    document["prepare"] = {**prepare, "folds": num_folds, "fold": fold}
    root = folder / f"fold-{fold}"
    text = yaml.safe_dump(document, sort_keys=False)
    path = root / "params.yaml"
    if not path.exists() or path.read_text() != text:
        root.mkdir(parents=True, exist_ok=True)
        (root / FINISHED).unlink(missing_ok=True)
        write_text(path, text)
    return root


def _run_all(roots: Sequence[Path], settings: Settings, parallel: int) -> list[tuple[int, str]]:
    """Run the folds, some side by side; return the number and the reason of those that failed."""
    failed = []
    waiting = [fold for fold, root in enumerate(roots) if not (root / FINISHED).exists()]
    with ThreadPoolExecutor(parallel) as pool:
        futures = {pool.submit(_run_fold, roots[fold], settings): fold for fold in waiting}
        for done in as_completed(futures):
            reason, seconds = done.result()
            print(f"fold {futures[done]}: {reason or 'done'} after {seconds:.0f} s", file=sys.stderr, flush=True)
            if reason:
                failed.append((futures[done], reason))
    return sorted(failed)


def _run_fold(root: Path, settings: Settings) -> tuple[str, float]:
    """Run the stages of a fold; return why it failed, or nothing, and the seconds it took."""
    started = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
    for command in commands(settings):
        ended = subprocess.run(command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        if ended.returncode:
            lines = ended.stderr.strip().splitlines() or [f"{command[2]} ended with code {ended.returncode}"]
            return lines[-1].removeprefix("error: "), time.monotonic() - started
    write_text(root / FINISHED, (root / "params.yaml").read_text())
    return "", time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
