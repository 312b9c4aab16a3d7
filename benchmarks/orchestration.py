"""What Prefect, DVC, MLflow and the starts of processes cost: `python -m benchmarks.orchestration [--repeats 3]`.

Run in the folder of a finished main job. Its flow left `.work/last_run.json`: when each stage started and ended as the
flow saw it. Each stage left `metrics/STAGE.json`: the seconds of its own work, imports and tracking not included,
written when that work ended. What lies between is orchestration; it is told apart by the clock (before and after the
work) and by timing single commands now. The share of the wall clock comes from playing the schedule again with every
stage cut down to its own work. The start of Prefect's server is shown and not counted. Processes that a stage starts
to do its work are its own work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from benchmarks.figures import Cell, Table, command_line, measured

TIMING = Path(".work") / "last_run.json"
FORMAT = 1
FLOW = "the flow's interpreter and imports, prefect's among them"
STAGE = "a stage's interpreter and imports (tasks.search, torch)"
DVC = "dvc: start, imports, reading the pipeline (dvc stage list)"
COMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "an interpreter": ("-c", "import sys"),
        FLOW: ("-c", "import flows.prefect_flows"),
        STAGE: ("-c", "import tasks.search, torch"),
        DVC: ("-m", "dvc", "stage", "list", "--name-only"),
        "an interpreter that imports mlflow": ("-c", "import mlflow"),
        "settings check (python -m tasks.settings)": ("-m", "tasks.settings"),
    }
)
"""What a new interpreter is given, and timed with."""

ALL_CACHED = "dvc repro, everything cached"

OPT_OUTS = MappingProxyType(
    {"DO_NOT_TRACK": "1", "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONUNBUFFERED": "1"}
)


@dataclass(frozen=True)
class StageTiming:
    """One stage of a finished run.

    Attributes:
        name: as DVC knows it.
        upstream: names of the stages that it waited for.
        state: "Completed", "Cached", ...
        seconds: wall clock that the flow saw.
        before: seconds until its own work began; None where it did none, or did not tell.
        work: seconds of its own work.
        after: seconds from the end of its own work.
    """

    name: str
    upstream: tuple[str, ...]
    state: str
    seconds: float
    before: float | None
    work: float
    after: float | None


@dataclass(frozen=True)
class RunTiming:
    """A finished run.

    Attributes:
        seconds: from the start of its process to the end of its flow.
        until_flow: of these, until the flow began: imports, and Prefect's server.
        max_parallel: stages side by side, at most.
        stages: each after all it waited for.
    """

    seconds: float
    until_flow: float
    max_parallel: int
    stages: tuple[StageTiming, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = command_line("orchestration", (__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(), help="folder of dvc.yaml")
    parser.add_argument("--repeats", type=int, default=3, help="of each timed command; 0 times none")
    chosen = parser.parse_args(arguments)
    settings: dict[str, Cell] = {"repeats": chosen.repeats}
    measured(lambda: _tables(chosen.root, chosen.repeats), settings, as_json=chosen.json)
    return 0


def read_run(root: Path) -> RunTiming | None:
    """Return the last run of a folder; None if there was none yet.

    Raises:
        ValueError: a stage did not end well, so that the run is not a whole main job.
    """
    path = root / TIMING
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["format"] != FORMAT:
        raise ValueError(f"{path} has format {record['format']}, this program reads {FORMAT}; run the main job again")
    bad = [stage["name"] for stage in record["stages"] if stage["state"] not in ("Completed", "Cached")]
    if bad:
        raise ValueError(f"the last run did not end well ({', '.join(bad)}); run the main job again")
    return RunTiming(
        seconds=record["flow_ended"] - record["process_started"],
        until_flow=record["flow_started"] - record["process_started"],
        max_parallel=record["max_parallel"],
        stages=tuple(_stage(root, stage) for stage in record["stages"]),
    )


def makespan(stages: Sequence[StageTiming], seconds: Mapping[str, float], max_parallel: int) -> float:
    """Return how long the stages take together, by the rule of `flows.stage_schedule`.

    In the order of the stages, each starts as soon as all it waits for has ended and one of the places is free.

    Args:
        stages: each after all it waits for.
        seconds: of each stage, by name.
        max_parallel: places, at least 1.
    """
    now = 0.0
    waiting = list(stages)
    running: dict[str, float] = {}
    ended: set[str] = set()
    while waiting or running:
        for stage in tuple(waiting):
            if len(running) < max_parallel and ended.issuperset(stage.upstream):
                waiting.remove(stage)
                running[stage.name] = now + seconds[stage.name]
        name = min(running, key=running.__getitem__)
        now = running.pop(name)
        ended.add(name)
    return now


def _stage(root: Path, record: Mapping[str, Any]) -> StageTiming:
    """Return the timing of a stage; the one without metrics counts as all work, its orchestration is not known."""
    seconds = record["seconds"] or 0.0
    before, work, after = None, 0.0 if record["state"] == "Cached" else seconds, None
    metrics = root / "metrics" / f"{record['name'].replace('@', '-')}.json"
    if record["state"] == "Completed" and metrics.exists():
        own = json.loads(metrics.read_text(encoding="utf-8")).get("seconds")
        ended = metrics.stat().st_mtime
        if own is not None and record["started"] <= ended <= record["started"] + seconds:
            before, work = ended - own - record["started"], own
            after = seconds - before - work
    return StageTiming(record["name"], tuple(record["upstream"]), record["state"], seconds, before, work, after)


def _tables(root: Path, repeats: int) -> list[Table]:
    run = read_run(root)
    spent = {name: command_seconds(command, root, repeats) for name, command in COMMANDS.items()} if repeats else {}
    tables = []
    if run is not None:
        tables += [_of_stages(run), _of_run(run, {name: wall for name, (wall, _) in spent.items()})]
    if repeats:
        rows: list[tuple[Cell, ...]] = [(name, *seconds) for name, seconds in spent.items()]
        columns = ("what", "seconds", "processor seconds")
        tables.append(Table(f"commands, median of {repeats}", columns, (*rows, _all_cached(root, repeats))))
    if not tables:
        raise ValueError(f"{root / TIMING} does not exist; run the main job first, or let --repeats be above 0")
    return tables


def _of_stages(run: RunTiming) -> Table:
    return Table(
        "stages of the last run, in seconds: as the flow saw it, its own work, and what came before and after that",
        ("stage", "state", "seconds", "work", "before", "after"),
        tuple((s.name, s.state, s.seconds, s.work, s.before, s.after) for s in run.stages),
    )


def _of_run(run: RunTiming, constants: Mapping[str, float]) -> Table:
    """Return the parts of the last run with their share of its wall clock, the server's start left out."""
    imports = min(constants.get(FLOW, 0.0), run.until_flow)
    server = run.until_flow - imports
    total = run.seconds - server
    as_seen = makespan(run.stages, {stage.name: stage.seconds for stage in run.stages}, run.max_parallel)
    work = makespan(run.stages, {stage.name: stage.work for stage in run.stages}, run.max_parallel)
    told = [stage for stage in run.stages if stage.before is not None]
    before = sum(stage.before or 0.0 for stage in told)
    after = sum(stage.after or 0.0 for stage in told)
    cached = sum(stage.seconds for stage in run.stages if stage.state == "Cached")
    interpreters = len(told) * constants.get(STAGE, 0.0)
    dvc = len(told) * constants.get(DVC, 0.0)
    on_the_clock: list[tuple[str, float]] = [
        ("main job, the server's start left out", total),
        ("the stages' own work", work),
        ("orchestration", total - work),
        ("- start and imports of the flow's process", imports),
        ("- of the stages, before and after their work", as_seen - work),
        ("- between the stages: Prefect", run.seconds - run.until_flow - as_seen),
    ]
    summed: list[tuple[str, float]] = [
        ("before the work", before),
        ("- DVC's start, imports and reading of the pipeline (timed now)", dvc),
        ("- the stage's start and imports (timed now)", interpreters),
        ("- the rest: DVC's lock and checks of inputs, the stage's checks, load", before - dvc - interpreters),
        ("after the work: tracking, and DVC's hashing", after),
        ("stages that were cached", cached),
    ]
    place = run.max_parallel
    return Table(
        f"parts of the last run. First by the wall clock (schedule of {place} places played again); then summed over "
        f"{len(told)} stages, where {place} seconds may pass in one. Not counted: {server:.1f} s until Prefect's "
        "server answered",
        ("part", "seconds", "% of wall clock"),
        (
            *((name, seconds, 100 * seconds / total) for name, seconds in on_the_clock),
            *((f"summed: {name}", seconds, 100 * seconds / (place * total)) for name, seconds in summed),
        ),
    )


def command_seconds(arguments: Sequence[str], root: Path, repeats: int) -> tuple[float, float]:
    """Return the median wall-clock and processor seconds of a new interpreter, after one run that fills the caches.

    Args:
        arguments: of the interpreter.
        root: working directory.
        repeats: runs that are timed, at least 1.

    Raises:
        RuntimeError: the command failed.
    """
    walls, processors = [], []
    for repeat in range(repeats + 1):
        wall, before = time.perf_counter(), os.times()
        code, said = _finished(arguments, root)
        after = os.times()
        if code != 0:
            raise RuntimeError(f"python {' '.join(arguments)} ended with {code}: {said.strip().splitlines()[-1:]}")
        if repeat:
            walls.append(time.perf_counter() - wall)
            processors.append(
                after.children_user + after.children_system - before.children_user - before.children_system
            )
    return median(walls), median(processors)


def _all_cached(root: Path, repeats: int) -> tuple[Cell, ...]:
    """Return the row of a run of DVC that has nothing to do; where it would have, it is not started."""
    code, said = _finished(("-m", "dvc", "repro", "--dry"), root)
    if code != 0 or "Running stage" in said:
        return (f"{ALL_CACHED}: not timed, something has changed since", None, None)
    return (ALL_CACHED, *command_seconds(("-m", "dvc", "repro"), root, repeats))


def _finished(arguments: Sequence[str], root: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**OPT_OUTS, **os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main())
