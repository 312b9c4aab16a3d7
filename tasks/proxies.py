"""Stage `proxies@LABEL`: which zero-cost scores of untrained networks rank them as accuracy, latency and energy do.

``python -m tasks.proxies --study LABEL`` scores a random sample of a space on real images with every proxy that
`proxies.LABEL` of params.yaml names, and writes ``results/proxies/LABEL``: ``proxies.json`` with rank correlations and
their intervals, ``scores.csv`` with every score, and ``proxies.md``, the table that is printed too. Each score is on
disk before the next one is asked for: killed and started again, the study goes on where it was.

A score that failed ranks last among its proxy's (behind the largest of one that is to be small), and is counted. A
network without an accuracy is left out of correlations with accuracy.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from nas_core.architecture import Architecture
from nas_core.archive import Archive, Round
from nas_core.atomic_files import write_json, write_text
from nas_core.evaluation import Evaluation, Proposal
from nas_core.evaluator import Evaluator
from nas_core.randomness import Streams
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.task import Task
from nas_core.variation import sample
from tasks import assembly, data
from tasks.comparison.contest import expanded
from tasks.comparison.field import Reports
from tasks.console import progress
from tasks.curves import csv_text
from tasks.proxy_correlations import ACCURACY, Measure, correlated, table
from tasks.record import submit
from tasks.settings import Settings, SettingsError
from tasks.settings.errors import nearest
from tasks.settings.parts import PlugIn
from tasks.settings.proxy_study import ProxyStudySettings
from tasks.settings.studied import check_study
from tasks.stage import Stage, run
from tasks.tracking.record import ArtifactRecord

FORMAT = 1
COSTS = ("num_parameters", "flops", "latency_ms")
ENERGY = "energy_mj"
MAX_TRIES_EACH = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage; return its exit code."""
    parser = argparse.ArgumentParser(description="Score a sample of networks by zero-cost proxies.")
    parser.add_argument("--study", required=True, help="a key of proxies in params.yaml")
    label = parser.parse_args(arguments).study
    do, decisive = partial(study_proxies, label=label), partial(identity, label=label)
    return run(f"proxies@{label}", do, inputs=[data.SEARCH], identity=decisive)


def identity(settings: Settings, label: str) -> object:
    """Return the settings that decide the results of one study.

    Raises:
        SettingsError: there is no such study.
    """
    if label not in settings.proxies:
        raise SettingsError(
            f"--study is {label!r}{nearest(label, settings.proxies)}; proxies of params.yaml has "
            f"{', '.join(settings.proxies) or 'nothing'}, and benchmarks/proxies.yaml shows how to fill it"
        )
    study = settings.proxies[label]
    space = study.space or settings.search.space
    return {
        "study": {**study.model_dump(mode="json"), "space": space.model_dump(mode="json")},
        "horizontal_flip": settings.prepare.horizontal_flip,
    }


def study_proxies(stage: Stage, label: str) -> None:
    """Take the scores that are missing and write what they say."""
    started = time.time()
    study = stage.settings.proxies[label]
    space = check_study("params.yaml", f"proxies.{label}", study, stage.settings)
    members = drawn(space, study.sample_size, Streams(study.seed).child("proxies"))

    import torch

    from nas_core.training.measurement import device_name

    torch.set_num_threads(stage.settings.compute.threads)
    names, energy = _names(study, torch.device(stage.device))
    measures = _measured(stage, label, study, space, members, names)
    found = correlated(measures, study.num_resamples, Streams(study.seed).child("proxies"))
    document = {
        "format": FORMAT,
        "study": label,
        "settings": identity(stage.settings, label),
        "num_networks": len(members),
        "device": device_name(torch.device(stage.device)),
        "torch": torch.__version__,
        "energy": energy,
        "failures": "rank last in their measure",
        **found,
    }
    heading = (
        f"{len(members)} networks of {space.name}, batch {study.batch_size}, seed {study.seed}; accuracy: "
        f"{study.accuracy.reported or 'validation_accuracy'} by {study.accuracy.name}; device: {document['device']}; "
        f"energy: {energy}"
    )
    text = f"{heading}\n\n{table(document)}\n"

    def fill(draft: Path) -> None:
        write_json(draft / "proxies.json", document)
        write_text(draft / "proxies.md", text)
        header = ("architecture", "official_name", *(measure.name for measure in measures))
        write_text(draft / "scores.csv", csv_text(header, _rows(space, members, measures)))

    folder = f"results/proxies/{label}"
    stage.publish(folder, fill)
    clocks = {"seconds": round(time.time() - started, 3)}
    metrics = {
        f"{entry['name']}_spearman": entry["with"][ACCURACY]["spearman"]["estimate"]
        for entry in document["measures"]
        if ACCURACY in entry["with"] and entry["with"][ACCURACY]["spearman"]["estimate"] is not None
    } | clocks
    write_json(stage.root / f"metrics/proxies-{label}.json", metrics)
    submit(
        stage,
        started,
        identity=identity(stage.settings, label),
        metrics=metrics,
        inputs=[data.SEARCH],
        artifacts=[ArtifactRecord(f"{folder}/{name}") for name in ("proxies.json", "proxies.md", "scores.csv")],
    )
    print(text)


def drawn(space: SearchSpace, number: int, streams: Streams) -> list[Architecture]:
    """Return distinct random members of a space.

    Raises:
        ValueError: the space is too small for so many.
    """
    generator = streams.numpy("sample")
    found: dict[Architecture, None] = {}
    for _ in range(MAX_TRIES_EACH * number):
        found[sample(space, generator)] = None
        if len(found) == number:
            return list(found)
    raise ValueError(
        f"space {space.name!r} gave {len(found)} distinct networks in {MAX_TRIES_EACH * number} draws; lower "
        f"sample_size, which is {number}"
    )


def _names(study: ProxyStudySettings, device: Any) -> tuple[tuple[str, ...], str]:
    """Return the proxies of a study, costs included, and in words whether energy is among them."""
    from nas_core import catalog
    from nas_core.training.energy import energy_counter

    asked = tuple(catalog.names("proxy")) if study.proxies == "all" else study.proxies
    wanted = tuple(name for name in dict.fromkeys((*asked, *COSTS)) if name != ENERGY)
    if energy_counter(device) is None:
        return wanted, "not measured (neither RAPL nor NVML is readable)"
    return (*wanted, ENERGY), "measured"


def _measured(
    stage: Stage,
    label: str,
    study: ProxyStudySettings,
    space: SearchSpace,
    members: Sequence[Architecture],
    names: Sequence[str],
) -> list[Measure]:
    """Return what was measured of every member: accuracy, then proxies; what is on disk is not measured again."""
    horizontal_flip = stage.settings.prepare.horizontal_flip
    load_task = functools.cache(lambda: data.load_task(stage.root, stage.device, horizontal_flip=horizontal_flip))
    goals = {name: assembly.objective(name) for name in names}
    scorer = PlugIn.model_validate({"name": "zero_cost", "batch_size": study.batch_size})
    accuracy = assembly.objective("validation_accuracy")
    evaluators = {
        ACCURACY: assembly.evaluator(expanded(study.accuracy.plug_in), space, (accuracy,), *_of(study, load_task))
    }
    if evaluators[ACCURACY].state_dict():
        raise ValueError(
            f"accuracy is by {study.accuracy.name!r}, whose networks share weights; use low_fidelity or tabular"
        )
    for name in names:
        evaluators[name] = assembly.evaluator(scorer, space, (goals[name],), *_of(study, load_task))
    with ExitStack() as open_files, progress(f"proxies {label}", len(members) * len(evaluators)) as shown:
        archives = {
            name: open_files.enter_context(
                closing(Archive(stage.work / f"{name}.jsonl", {"study": label, "score": name, "seed": study.seed}))
            )
            for name in evaluators
        }
        shown.advance(sum(archive.num_evaluations for archive in archives.values()))
        for place, member in enumerate(members):
            for name, evaluator in evaluators.items():
                if len(archives[name].rounds) <= place:
                    archives[name].append(Round(place, 1, tuple(evaluator.evaluate([Proposal(member)]))))
                    shown.advance(1, name)
        evaluations = {name: archive.evaluations() for name, archive in archives.items()}
    accuracies = _accuracies(evaluators[ACCURACY], evaluations[ACCURACY], study.accuracy.reported)
    return [
        Measure(ACCURACY, "maximize", "", accuracies, _seconds(evaluations[ACCURACY])),
        *(
            Measure(
                name,
                goal.goal,
                goal.unit,
                tuple(each.scores[name] if each.failure is None else None for each in evaluations[name]),
                _seconds(evaluations[name]),
            )
            for name, goal in goals.items()
        ),
    ]


def _of(study: ProxyStudySettings, load_task: Callable[[], Task]) -> tuple[int, Callable[[], Task], int, str]:
    """Return what all evaluators of a study are built with."""
    return study.seed, load_task, 1, "proxies"


def _accuracies(
    evaluator: Evaluator, evaluations: Sequence[Evaluation], reported: str | None
) -> tuple[float | None, ...]:
    if reported is None:
        return tuple(each.scores["validation_accuracy"] if each.failure is None else None for each in evaluations)
    if not isinstance(evaluator, Reports):
        raise ValueError(f"only a table has {reported!r}; remove the line 'reported'")
    found = []
    for each in evaluations:
        report: Mapping[str, Any] = {} if each.failure else evaluator.report(each.proposal.architecture)
        if each.failure is None and reported not in report:
            raise ValueError(f"reported is {reported!r}; the table has {', '.join(report)}")
        found.append(float(report[reported]) if report else None)
    return tuple(found)


def _seconds(evaluations: Sequence[Evaluation]) -> float:
    return median(each.seconds for each in evaluations)


def _rows(
    space: SearchSpace, members: Sequence[Architecture], measures: Sequence[Measure]
) -> list[tuple[str | float | None, ...]]:
    return [
        (
            member.key,
            space.to_name(member) if isinstance(space, HasBenchmarkNames) else None,
            *(measure.values[place] for measure in measures),
        )
        for place, member in enumerate(members)
    ]


if __name__ == "__main__":
    sys.exit(main())
