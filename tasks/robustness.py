"""Stage `robustness`: exposes every trained candidate and the reference to shifts that none was trained for.

``python -m tasks.robustness`` writes ``results/robustness/robustness.json``, ``plots/robustness.csv`` (corruption,
severity, and the mean accuracy over seeds of rank 0 and of the reference) and ``metrics/robustness.json``, which alone
has a clock in it. Killed, it goes on from the last corruption. Corruptions are the shifts that the learning task has:
of images those of a benchmark, of graphs structural noise. Rates are in 0..1 unless a name says percent; a SPREAD is
{"mean", "standard_deviation", "values"} over the seeds of the training. robustness.json:

    format, num_test, severities
    corruptions: {NAME: {family, is_published, is_seen}}: those measured; published are a benchmark's (15 of images)
    omitted: {NAME: reason}: asked for, but without effect on these examples
    seen: {NAME: [search, ...]}: corruptions whose validation accuracy was an objective of a search
    averaged: {names, unseen_names, is_published}: what means are over: those published where all were measured, else
        all measured; is_published if they are those published at all five severities
    natural_shift, out_of_distribution: {name, num_images (examples)}, or null if not prepared
    shifted_sets: {NAME: {num_examples}}: those that come with the data set, of the same classes
    notes: [text]: what a reader of the numbers has to know
    networks: [rank 0, 1, ..., reference], each
        name ("rank 0", ..., "reference"), rank (null: reference), architecture, official_name, seeds, chosen_seed
        clean_error: SPREAD
        corruptions: {NAME: {error: {"1": SPREAD, ... by severity}, corruption_error_percent: SPREAD,
            relative_corruption_error_percent: SPREAD, is_floored, is_relative_floored}}
        averaged: {mean_error: SPREAD, mean_corruption_error_percent: SPREAD,
            relative_mean_corruption_error_percent: SPREAD}; 100 % is as many errors as the reference
        unseen: the same over the unseen ones of those corruptions; null if all were seen
        mean_error_difference: {estimate, low, high, confidence_level}: mean error less the reference's, Welch's
            interval over seeds; null for the reference and for a single seed
        stability: {constant: SPREAD, shifts: {NAME: {constant: SPREAD, severities: {"1": {perturbation_size,
            output_change: SPREAD}, ...}}}}, or null where no shift changes edges. perturbation_size: ||S' - S|| / ||S||
            of the shift operator, mean over test graphs; output_change: that of the logits, relative too; constant:
            slope of the second over the first through the origin. See `tasks.stability`
        natural_shift: {accuracy: SPREAD, accuracy_loss: SPREAD (test accuracy less this one),
            interval_of_chosen: {estimate, low, high, confidence_level} (Wilson), num_images}, or null
        shifted_sets: {NAME: the same, with num_examples}
        out_of_distribution: {DETECTOR: {auroc, aupr_out_positive, aupr_in_positive, fpr_at_95_tpr: SPREAD}}, or null;
            detectors: maximum_softmax, maximum_softmax_scaled, energy, energy_scaled; those scaled use the temperature
            that was fitted on validation, the others T = 1. FPR: test examples taken for foreign when 95 % of the
            foreign are detected
        calibration: {num_bins, temperature: SPREAD, num_at_bound, before, after: {expected_calibration_error,
            negative_log_likelihood, brier_score: SPREAD}, reliability_of_chosen: {before, after: [{low, high, count,
            confidence, accuracy}]}}; on test examples, the temperature fitted on validation

Each training's corruption errors are relative to the reference's mean errors over its seeds, so that the reference's
own mean is 100 % and its spread is shown like everybody's.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core.atomic_files import write_json, write_text
from tasks import assembly, corruption_errors, data, shift_measures, stability
from tasks.console import progress
from tasks.exposure import Exposure, expose_all, training_key
from tasks.finalists import Finalist, finalists, folders
from tasks.record import submit
from tasks.settings import Settings
from tasks.stage import Stage, run
from tasks.tracking.record import ArtifactRecord

if TYPE_CHECKING:
    from nas_core.robustness.errors import MeasuredErrors

FORMAT = 1
FOLDER = "results/robustness"
RESULT = f"{FOLDER}/robustness.json"
NATURAL_SHIFT = "natural_shift"
OUT_OF_DISTRIBUTION = "out_of_distribution"
ROLES = (NATURAL_SHIFT, OUT_OF_DISTRIBUTION)
"""Sets that params.yaml names; the others come with the data set itself."""


def main() -> int:
    """Run the stage; return its exit code."""
    return run("robustness", robustness, inputs=inputs, identity=identity)


def inputs(settings: Settings) -> list[str]:
    """Return the folders that the stage reads."""
    return [data.SEARCH, data.TEST, data.SHIFT, *folders(settings.retrain.ranks)]


def identity(settings: Settings) -> object:
    """Return the settings that decide the results."""
    return {
        "robustness": settings.robustness.model_dump(mode="json"),
        "ranks": list(settings.retrain.ranks),
        "seen": seen_by_searches(settings),
    }


def seen_by_searches(settings: Settings) -> dict[str, list[str]]:
    """Return the corruptions whose validation accuracy was an objective of a search, with the searches' keys."""
    seen: dict[str, list[str]] = {}
    for key in settings.search.strategies:
        for name in assembly.seen_shifts(settings, key):
            seen.setdefault(name, []).append(key)
    return seen


def robustness(stage: Stage) -> None:
    """Measure all networks and write the results."""
    started = time.time()
    settings = stage.settings
    task = data.load_task_with_test(stage.root, stage.device)
    plan = corruption_errors.plan(settings.robustness.corruptions, settings.robustness.severities, task)
    members = finalists(stage.root, settings.retrain.ranks)
    exposure = Exposure(
        stage.root,
        stage.device,
        settings.compute.threads,
        tuple(members),
        plan.severities,
        settings.robustness.seed,
        stage.work,
    )
    networks = exposure.networks()
    with progress("robustness: corruptions", len(plan.names)) as shown:
        for name in expose_all(exposure, networks, task, plan.names, settings.compute.workers):
            shown.advance(1, name)
    errors = corruption_errors.measured(networks, task, plan, exposure.streams, stage.work)
    points = stability.measured(networks, task, plan.names, plan.severities, exposure.streams, stage.work)
    keys = {member.name: {seed: training_key(member.name, seed) for seed in member.seeds} for member in members}
    runs = {name: [errors[key] for key in each.values()] for name, each in keys.items()}
    sets = _shift_sets(stage.root / data.SHIFT)
    seen = seen_by_searches(settings)
    measured = []
    for member in members:
        own = {seed: networks[key] for seed, key in keys[member.name].items()}
        logits = shift_measures.logits(own, task, sets)
        scalings = shift_measures.fitted(logits)
        measured.append(
            {
                **member.summary(),
                **_under_corruptions(member, runs, runs[members[-1].name], plan, seen),
                "stability": stability.described(points, list(keys[member.name].values())),
                "natural_shift": shift_measures.shifted_accuracy(
                    logits, member.chosen_seed, NATURAL_SHIFT, count="num_images"
                ),
                "shifted_sets": {
                    name: shift_measures.shifted_accuracy(logits, member.chosen_seed, name)
                    for name in sets
                    if name not in ROLES
                },
                "out_of_distribution": shift_measures.detection(logits, scalings, OUT_OF_DISTRIBUTION),
                "calibration": shift_measures.calibrated(
                    logits, scalings, member.chosen_seed, settings.robustness.calibration_bins
                ),
            }
        )
    result = {
        "format": FORMAT,
        "num_test": task.num_examples("test"),
        **_described(plan, seen),
        **_described_sets(stage.root / data.SHIFT, logits[members[-1].chosen_seed]),
        "notes": _notes(plan, seen, sets),
        "networks": measured,
    }
    stage.publish(FOLDER, lambda draft: write_json(draft / "robustness.json", result))
    write_text(stage.root / "plots/robustness.csv", _plot(plan, measured))
    summaries = {entry["name"].replace(" ", "_"): summary(entry) for entry in measured}
    seconds = round(time.time() - started, 3)
    write_json(stage.root / "metrics/robustness.json", {**summaries, "seconds": seconds})
    submit(
        stage,
        started,
        identity=identity(settings),
        metrics={
            **{
                f"{name}_{metric}": value
                for name, each in summaries.items()
                for metric, value in each.items()
                if value is not None
            },
            "seconds": seconds,
        },
        inputs=inputs(settings),
        artifacts=[ArtifactRecord(RESULT)],
    )


def summary(entry: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers for `dvc metrics` of one network: means over seeds; None where a set was not prepared."""
    averaged, natural, foreign = entry["averaged"], entry["natural_shift"], entry["out_of_distribution"]
    calibration, steadiness = entry["calibration"], entry["stability"]
    return {
        "clean_error": entry["clean_error"]["mean"],
        **{name: averaged[name]["mean"] for name in averaged},
        **({} if steadiness is None else {"stability_constant": steadiness["constant"]["mean"]}),
        **{f"shifted_{name}_accuracy": found["accuracy"]["mean"] for name, found in entry["shifted_sets"].items()},
        "natural_shift_accuracy": None if natural is None else natural["accuracy"]["mean"],
        "maximum_softmax_auroc": None if foreign is None else foreign["maximum_softmax"]["auroc"]["mean"],
        "energy_auroc": None if foreign is None else foreign["energy"]["auroc"]["mean"],
        "calibration_error": calibration["before"]["expected_calibration_error"]["mean"],
        "calibration_error_scaled": calibration["after"]["expected_calibration_error"]["mean"],
    }


def _under_corruptions(
    member: Finalist,
    runs: Mapping[str, Sequence[MeasuredErrors]],
    reference_runs: Sequence[MeasuredErrors],
    plan: corruption_errors.Plan,
    seen: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    from nas_core.robustness.intervals import welch_interval
    from tasks.measures import spread

    own = runs[member.name]
    reference = corruption_errors.averaged_over_seeds(reference_runs)
    averaged = corruption_errors.means(own, reference, plan.averaged)
    against = corruption_errors.means(reference_runs, reference, plan.averaged)
    assert averaged is not None
    assert against is not None
    difference = None
    if member.rank is not None and min(len(own), len(reference_runs)) > 1:
        difference = asdict(welch_interval(averaged["mean_error"]["values"], against["mean_error"]["values"]))
    return {
        "clean_error": spread([errors.clean for errors in own]),
        "corruptions": corruption_errors.table(own, reference, plan.severities),
        "averaged": averaged,
        "unseen": corruption_errors.means(own, reference, [name for name in plan.averaged if name not in seen]),
        "mean_error_difference": difference,
    }


def _described(plan: corruption_errors.Plan, seen: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "severities": list(plan.severities),
        "corruptions": {
            name: {
                "family": plan.families[name],
                "is_published": name in plan.published,
                "is_seen": name in seen,
            }
            for name in plan.names
        },
        "omitted": dict(plan.omitted),
        "seen": {name: list(keys) for name, keys in seen.items()},
        "averaged": {
            "names": list(plan.averaged),
            "unseen_names": [name for name in plan.averaged if name not in seen],
            "is_published": plan.is_published_mean,
        },
    }


def _shift_sets(folder: Path) -> dict[str, Path]:
    """Return the files of examples of other distributions that were prepared, by name."""
    content = json.loads((folder / "shift.json").read_bytes())
    files = {name: folder / f"{name}.safetensors" for name in (*ROLES, *content.get("shifted", ()))}
    return {name: path for name, path in files.items() if path.is_file()}


def _described_sets(folder: Path, logits: shift_measures.Logits) -> dict[str, Any]:
    names = json.loads((folder / "shift.json").read_bytes())["names"]
    sizes = {name: len(labels) for name, (_, labels) in logits.others.items()}
    return {
        **{role: {"name": names[role], "num_images": sizes[role]} if role in sizes else None for role in ROLES},
        "shifted_sets": {name: {"num_examples": size} for name, size in sizes.items() if name not in ROLES},
    }


def _notes(plan: corruption_errors.Plan, seen: Mapping[str, Sequence[str]], prepared: Collection[str]) -> list[str]:
    notes = [f"{name} is left out: it {reason}" for name, reason in plan.omitted.items()]
    if not plan.published:
        notes.append("no benchmark of these shifts is published; means are over all that were measured")
    elif not plan.is_published_mean:
        notes.append(
            f"means are over {len(plan.averaged)} corruptions at severities {list(plan.severities)}, not over the "
            f"published {len(plan.published)} at all five; they do not compare with those of others"
        )
    notes += [
        f"{name} was seen: its validation accuracy was an objective of {', '.join(keys)}" for name, keys in seen.items()
    ]
    notes += [f"no {role} set was prepared; name one in prepare.{role}" for role in ROLES if role not in prepared]
    return notes


def _plot(plan: corruption_errors.Plan, measured: Sequence[Mapping[str, Any]]) -> str:
    """Return a row a corruption and severity; the accuracy of rank 0 is empty if no candidate was trained."""
    best, reference = measured[0], measured[-1]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("corruption", "severity", "accuracy", "reference_accuracy"))
    for name in plan.names:
        for severity in map(str, plan.severities):
            own, other = (1 - each["corruptions"][name]["error"][severity]["mean"] for each in (best, reference))
            writer.writerow((name, severity, "" if best is reference else own, other))
    return text.getvalue()


if __name__ == "__main__":
    sys.exit(main())
