"""Stage `retrain@RANK`: trains one candidate from scratch, on a longer schedule, for several seeds.

``python -m tasks.retrain --rank 0`` writes ``results/retrain/0``: the weights of every seed, those of the seed that is
best on validation as ``network.safetensors``, ``architecture.json``, an exported program (of networks that take
tensors), predictions, metrics with mean and spread, and of networks that pool graphs what they keep of a few. The test
set is touched once, after the last epoch. With `retrain.variants`, the network's variants that the space names (without
its pooling, with another in its place) and the space's baselines, as wide as it takes to have as many parameters, are
trained alike, and metrics.json has their measures under "variants". Killed, it goes on from the last epoch.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nas_core.architecture import Architecture
from nas_core.atomic_files import write_json, write_text
from nas_core.randomness import Streams
from nas_core.space import HasBaselines, HasScales, HasVariants
from tasks import data, trained
from tasks.candidate import SELECTION
from tasks.console import progress
from tasks.equal_size import width_of_equal_size
from tasks.record import submit
from tasks.retraining import identity, logged, seed_run, summary, template
from tasks.settings import Settings, SettingsError
from tasks.stage import Stage, run
from tasks.tracking.record import ArtifactRecord
from tasks.training import Job, jobs_for, train

if TYPE_CHECKING:
    from nas_core.training.trainer import Epoch


def main() -> int:
    """Run the stage; return its exit code."""
    parser = argparse.ArgumentParser(description="Train one candidate from scratch.")
    parser.add_argument("--rank", type=int, required=True, help="which candidate: 0 is the best")
    rank = parser.parse_args().rank
    return run(
        f"retrain@{rank}",
        partial(retrain, rank=rank),
        inputs=[data.SEARCH, data.TEST, SELECTION],
        identity=partial(_identity_of_rank, rank=rank),
    )


def _identity_of_rank(settings: Settings, rank: int) -> dict[str, object]:
    """Return what `identity` returns, for a rank that the settings have."""
    if rank not in settings.retrain.ranks:
        raise SettingsError(
            f"--rank is {rank}; retrain.ranks of params.yaml has {', '.join(map(str, settings.retrain.ranks))}"
        )
    return {**identity(settings), "variants": settings.retrain.variants}


def retrain(stage: Stage, rank: int) -> None:
    """Train one candidate and write its folder; a rank that the selection lacks gives a clear empty result."""
    started = time.time()
    candidates = json.loads((stage.root / SELECTION).read_bytes())["candidates"]
    folder = f"results/retrain/{rank}"
    if rank >= len(candidates):
        reason = f"the selection has {len(candidates)} candidates, so there is none of rank {rank}"
        empty = {"format": 1, "status": "empty", "rank": rank, "reason": reason}
        stage.publish(folder, lambda draft: write_json(draft / "metrics.json", empty))
        write_json(stage.root / f"metrics/retrain-{rank}.json", {"status": "empty", "reason": reason})
        write_text(stage.root / f"plots/retrain-{rank}.csv", "seed,epoch,training_loss,validation_accuracy\n")
        print(f"retrain {rank}: {reason}", file=sys.stderr)
        return
    chosen = candidates[rank]
    architecture = Architecture.from_key(chosen["architecture"])
    seeds = list(stage.settings.retrain.seeds)
    base = template(stage)
    jobs = jobs_for(base, [architecture], seeds)
    compared = _compared(base, architecture, seeds) if stage.settings.retrain.variants else {}
    every = {job.checkpoint: job for each in (jobs, *compared.values()) for job in each}
    with progress(f"retrain {rank}: epochs", len(every) * jobs[0].schedule.epochs) as shown:
        done = {
            checkpoint: train(job, lambda epoch: shown.advance(1, _words(epoch))) for checkpoint, job in every.items()
        }
    outcomes = [done[job.checkpoint] for job in jobs]
    task = data.load_task_with_test(stage.root, stage.device)
    finished = trained.measured(jobs, outcomes, task)
    extra: dict[str, Any] = {
        "rank": rank,
        "schedule": dict(stage.settings.retrain.schedule),
        "proposed_by": chosen["proposed_by"],
    }
    if compared:
        extra["variants"] = {
            name: trained.measured(each, [done[job.checkpoint] for job in each], task).metrics
            for name, each in compared.items()
        }
    stage.publish(folder, lambda draft: trained.fill(draft, finished, jobs, outcomes, task, extra))
    metrics = summary(finished.metrics, outcomes, started)
    write_json(stage.root / f"metrics/retrain-{rank}.json", metrics)
    write_text(stage.root / f"plots/retrain-{rank}.csv", (stage.root / folder / "curve.csv").read_text())
    submit(
        stage,
        started,
        identity=identity(stage.settings),
        parameters={"rank": rank, "architecture": architecture.key},
        metrics={
            **logged(metrics),
            **{
                f"{name.replace(' ', '_')}_test_accuracy": each["test_accuracy"]["mean"]
                for name, each in extra.get("variants", {}).items()
            },
        },
        inputs=[data.SEARCH, data.TEST, SELECTION],
        children=[seed_run(stage, started, outcome) for outcome in outcomes],
        artifacts=[ArtifactRecord(f"{folder}/{name}") for name in ("architecture.json", "network.safetensors")],
    )


def _compared(base: Job, architecture: Architecture, seeds: Sequence[int]) -> dict[str, list[Job]]:
    """Return the trainings of what a network is compared with, by name: its variants, and baselines of equal size.

    A variant of the same canonical form is the network itself, and is not trained twice. The baselines are those of the
    space, at the width at which they have as many parameters as the network.
    """
    from nas_core.training.measurement import num_parameters

    space = base.description.built_space()
    if not isinstance(space, HasVariants):
        raise ValueError(f"space {space.name} knows no variants of its networks; set retrain.variants to false")
    canonical = space.canonical(architecture)
    found = {}
    for name, variant in space.variants(architecture).items():
        chosen = architecture if space.canonical(variant) == canonical else variant
        found[name] = jobs_for(base, [chosen], seeds)
    if isinstance(space, HasBaselines) and isinstance(space, HasScales):
        task = base.description.task
        wanted = num_parameters(space.network(architecture, task, Streams(0).torch("init")))
        for name, baseline in space.baselines().items():
            width, _ = width_of_equal_size(space, baseline, task, wanted)
            stem = base.checkpoint.with_name(f"{base.checkpoint.stem}-equal-{name}.pt")
            found[f"{name} of equal size"] = jobs_for(replace(base, width=width, checkpoint=stem), [baseline], seeds)
    return found


def _words(epoch: Epoch) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in (epoch.validation or {}).items())


if __name__ == "__main__":
    sys.exit(main())
