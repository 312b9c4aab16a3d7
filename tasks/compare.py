"""Stage `compare@LABEL`: strategies by benchmarks by budgets by repetitions, on tables.

``python -m tasks.compare --comparison LABEL`` writes ``results/compare/LABEL``: ``comparison.json`` and ``index.html``
with means, intervals, ranks and tests, ``repetitions.csv``, ``curves.csv`` and the figures as SVG. Every repetition is
kept when it is done, by a hash of all that decides it: killed and started again, or with further strategies,
repetitions or budgets, the stage does what is missing and nothing else. ``metrics/compare-LABEL.json`` has the clocks.

A search is told scores on validation data. The test accuracy of what it recommends is looked up by the report alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from nas_core.atomic_files import write_bytes, write_json, write_text
from tasks.comparison.agreement import check
from tasks.comparison.contest import Contest, contests, named_files
from tasks.comparison.course import Course
from tasks.comparison.courses_file import CoursesFile
from tasks.comparison.document import CURVE_HEADER, FINAL_HEADER, curve_rows, document, final_rows
from tasks.comparison.field import best_of, open_field
from tasks.comparison.results import Arena, Contender
from tasks.comparison.side_by_side import Missing, play_all
from tasks.console import progress
from tasks.curves import csv_text
from tasks.record import child, flattened, submit
from tasks.settings import Settings, SettingsError
from tasks.settings.comparison import ComparisonSettings
from tasks.settings.errors import nearest
from tasks.stage import Stage, run
from tasks.tracking.record import MAX_NUM_CHILDREN, ArtifactRecord, RunRecord

STORE = ".work/comparison"
NUM_LOGGED_POINTS = 100
"""Of a curve, at most."""


def main() -> int:
    """Run the stage; return its exit code."""
    parser = argparse.ArgumentParser(description="Run one comparison of params.yaml.")
    parser.add_argument("--comparison", required=True, help="a key of compare in params.yaml")
    return compare_stage(parser.parse_args().comparison)


def compare_stage(label: str, root: Path | None = None) -> int:
    """Run the stage of a comparison in a folder with a params.yaml, None being the current one; return its exit code.

    Relative paths of tables are meant from the current folder in any case.
    """
    return run(
        f"compare@{label}",
        partial(compare, label=label),
        identity=partial(identity, label=label),
        root=root,
        device_matters=False,
    )


def identity(settings: Settings, label: str) -> object:
    """Return the settings that decide the results of one comparison."""
    return {"comparison": _chosen(settings, label).model_dump(mode="json")}


def compare(stage: Stage, label: str) -> None:
    """Play all repetitions that are missing and write the results."""
    started = time.time()
    comparison = _chosen(stage.settings, label)
    check("params.yaml", f"compare.{label}", comparison)
    courses = _played(stage, label, comparison)
    arenas = _arenas(comparison, courses)
    found = document(label, comparison, arenas)
    settings_text = json.dumps(comparison.model_dump(mode="json", exclude_defaults=True), indent=2)

    from tasks.comparison.page import make_page

    page = make_page(label, comparison, arenas, settings_text)

    def fill(draft: Path) -> None:
        write_json(draft / "comparison.json", found)
        write_text(draft / "index.html", page.html)
        write_text(draft / "repetitions.csv", csv_text(FINAL_HEADER, final_rows(arenas, comparison.budgets)))
        write_text(draft / "curves.csv", csv_text(CURVE_HEADER, curve_rows(arenas, comparison.budgets)))
        for name, drawing in page.drawings.items():
            write_bytes(draft / f"{name}.svg", drawing.svg)

    folder = f"results/compare/{label}"
    stage.publish(folder, fill)
    metrics = _metrics(found, arenas, time.time() - started)
    write_json(stage.root / f"metrics/compare-{label}.json", metrics)
    children = _children(stage, started, comparison, arenas)
    submit(
        stage,
        started,
        identity={"budgets": list(comparison.budgets), "repetitions": comparison.repetitions, "seed": comparison.seed},
        parameters={f"sha256.{number}": f"{digest}  {name}" for number, (name, digest) in enumerate(_files(arenas))},
        metrics=_logged(metrics),
        artifacts=[ArtifactRecord(f"{folder}/{name}") for name in ("index.html", "comparison.json", "curves.csv")],
        children=children[:MAX_NUM_CHILDREN],
        tags={} if len(children) <= MAX_NUM_CHILDREN else {"left_out": str(len(children) - MAX_NUM_CHILDREN)},
    )
    print(f"compare {label}: {stage.root / folder / 'index.html'}", file=sys.stderr)


def _chosen(settings: Settings, label: str) -> ComparisonSettings:
    if label not in settings.compare:
        known = ", ".join(settings.compare) or "nothing"
        raise SettingsError(
            f"--comparison is {label!r}{nearest(label, settings.compare)}; compare of params.yaml has {known}"
        )
    return settings.compare[label]


def _played(stage: Stage, label: str, comparison: ComparisonSettings) -> dict[Contest, tuple[Course, ...]]:
    """Return the courses of all contests, by seed; what is on disk is not played again."""
    threads, code = stage.settings.compute.threads, _code_digest()
    folder = stage.root / STORE / code[:16]
    files: dict[Contest, CoursesFile] = {}
    missing: list[Missing] = []
    seeds: dict[Contest, list[int]] = {}
    for contest in contests(comparison):
        num_repetitions = contest.contestant.repetitions or comparison.repetitions
        seeds[contest] = list(range(comparison.seed, comparison.seed + num_repetitions))
        files[contest] = CoursesFile(folder / f"{contest.digest(code, threads)}.jsonl")
        done = files[contest].courses
        missing.append(Missing(contest, deque(seed for seed in seeds[contest] if seed not in done)))
    total, left = sum(map(len, seeds.values())), sum(len(each.seeds) for each in missing)
    print(f"compare {label}: {total} searches, {total - left} of them done before", file=sys.stderr, flush=True)
    with progress(f"compare {label}", total) as shown:
        shown.advance(total - left)

        def keep(contest: Contest, courses: Sequence[Course]) -> None:
            files[contest].add(courses)
            shown.advance(len(courses), contest.words)

        play_all(missing, keep, num_workers=stage.settings.compute.workers, num_threads=threads)
    for other in (stage.root / STORE).iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return {contest: tuple(files[contest].courses[seed] for seed in seeds[contest]) for contest in files}


def _arenas(comparison: ComparisonSettings, courses: Mapping[Contest, tuple[Course, ...]]) -> tuple[Arena, ...]:
    found = []
    for key, benchmark in comparison.benchmarks.items():
        contenders = tuple(
            Contender(
                name,
                settings,
                {
                    contest.budget: played
                    for contest, played in courses.items()
                    if (contest.benchmark_key, contest.strategy_key) == (key, name)
                },
            )
            for name, settings in comparison.contestants(key).items()
        )
        goal = open_field(benchmark).goals[0]
        found.append(Arena(key, goal, benchmark.reported, best_of(benchmark), named_files(benchmark), contenders))
    return tuple(found)


def _metrics(found: Mapping[str, Any], arenas: Sequence[Arena], seconds: float) -> dict[str, Any]:
    """Return metrics/compare-LABEL.json: regrets, mean ranks, and the clocks."""
    clocks = {
        (arena.key, contender.key): fmean(course.seconds for course in contender.longest)
        for arena in arenas
        for contender in arena.contenders
    }
    by_benchmark: dict[str, Any] = {arena.key: {} for arena in arenas}
    for entry in found["reached"]:
        own = by_benchmark[entry["benchmark"]].setdefault(str(entry["budget"]), {})
        own[entry["strategy"]] = {
            f"{measure}_regret": None if summary is None else summary["mean"]
            for measure, summary in entry["regrets"].items()
        }
        own[entry["strategy"]]["seconds"] = round(clocks[entry["benchmark"], entry["strategy"]], 5)
    for entry in found["rankings"]:
        if entry["benchmark"] is not None:
            for name, rank in zip(entry["names"], entry["mean_ranks"], strict=True):
                by_benchmark[entry["benchmark"]][str(entry["budget"])][name]["mean_rank"] = rank
    return {"benchmarks": by_benchmark, "seconds": round(seconds, 3)}


def _logged(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return mean ranks and regrets under flat names, as MLflow shows them."""
    return {name: value for name, value in flattened(metrics["benchmarks"]).items() if value is not None} | {
        "seconds": metrics["seconds"]
    }


def _children(stage: Stage, started: float, comparison: ComparisonSettings, arenas: Sequence[Arena]) -> list[RunRecord]:
    """Return a run for each strategy on each benchmark, with its curves by evaluations."""
    budget = comparison.budgets[-1]
    evaluations = np.unique(np.linspace(1, budget, min(budget, NUM_LOGGED_POINTS)).round())
    found = []
    for arena in arenas:
        for contender in arena.contenders:
            curves = {}
            for measure in arena.measures:
                band = arena.band(contender, measure, evaluations)
                for suffix, values in (("", band.means), ("_low", band.lows), ("_high", band.highs)):
                    points = zip(band.evaluations.tolist(), values.tolist(), strict=True)
                    curves[f"{measure}_regret{suffix}"] = tuple((int(cost), value) for cost, value in points)
            parameters = {
                "benchmark": arena.key,
                "strategy": contender.settings.strategy or contender.key,
                "round_size": contender.settings.round_size,
                "repetitions": len(contender.longest),
                **flattened(dict(contender.settings.settings), "settings"),
            }
            name = f"{contender.key} on {arena.key}"
            metrics = {"seconds": fmean(course.seconds for course in contender.longest)}
            found.append(child(stage, name, started, parameters=parameters, curves=curves, metrics=metrics))
    return found


def _files(arenas: Sequence[Arena]) -> list[tuple[str, str]]:
    return list({name: digest for arena in arenas for name, digest in arena.files.items()}.items())


def _code_digest() -> str:
    """Return a digest of the sources that decide a course: those of searches, and of what plays one."""
    import nas_core
    from tasks.comparison import course, field, repetition

    top = Path(nas_core.__file__).parent.parent
    paths = [path for package in ("nas_core", "gnn_space") for path in sorted((top / package).rglob("*.py"))]
    paths += [Path(module.__file__ or "") for module in (course, field, repetition)]
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(top)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
