"""Stage `report`: one page with everything that was found, and the best network registered as the champion.

``python -m tasks.report`` reads result files alone and writes ``results/report``: ``report.html``, which needs no other
file, the same figures as PNG, and of a champion of images an example input. ``metrics/report.json`` has the headline's
numbers:

    winner: {rank, architecture, official_name, validation_accuracy, test_accuracy: {mean, standard_deviation},
        num_test, num_parameters, flops}, or null if no candidate was trained
    against: {reference, the names of further baselines, random_networks, logistic_regression: {difference, low, high,
        verdict}}: of the test accuracy; low and high are null where there are too few runs
    seconds: of this stage, its only clock
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas_core.atomic_files import write_bytes, write_json, write_text
from tasks import data
from tasks.candidate import ARCHITECTURE, NETWORK
from tasks.record import submit, tracking_settings
from tasks.reporting.champion import example_input
from tasks.reporting.comparison import Comparison, comparisons
from tasks.reporting.results import Document, read
from tasks.settings import Settings
from tasks.stage import Stage, run
from tasks.tracking import outbox
from tasks.tracking.record import ArtifactRecord, ModelRecord

FOLDER = "results/report"
PAGE = f"{FOLDER}/report.html"
EXAMPLE_INPUT = f"{FOLDER}/example_input.npy"
METRICS = "metrics/report.json"
CHAMPION = "champion"


def main() -> int:
    """Run the stage; return its exit code."""
    return run("report", report, inputs=inputs, identity=identity)


def inputs(settings: Settings) -> list[str]:
    """Return the folders that the stage reads."""
    return [
        data.SEARCH,
        data.TRANSFER,
        data.SHIFT,
        *(f"results/search/{key}" for key in settings.search.strategies),
        "results/select",
        *(f"results/retrain/{rank}" for rank in settings.retrain.ranks),
        "results/baselines",
        "results/transfer",
        "results/robustness",
    ]


def identity(settings: Settings) -> object:
    """Return the settings that decide the results."""
    return {"report": settings.report.model_dump(mode="json"), "ranks": list(settings.retrain.ranks)}


def report(stage: Stage) -> None:
    """Make the page, register the champion, and upload whatever waits for tracking."""
    from tasks.reporting.machine import this_machine
    from tasks.reporting.page import make_page
    from tasks.reporting.provenance import read_provenance

    started = time.time()
    settings = stage.settings
    keys, ranks = list(settings.search.strategies), settings.retrain.ranks
    results = read(stage.root, keys, ranks)
    page = make_page(settings.report.title, results, this_machine(), read_provenance(stage.root))
    winner = results.winner
    example = None if winner is None else example_input(stage.root / data.SEARCH)

    def fill(draft: Path) -> None:
        write_text(draft / "report.html", page.html)
        for figure in page.figures:
            write_bytes(draft / f"{figure.name}.png", figure.png)
        if example is not None:
            write_bytes(draft / Path(EXAMPLE_INPUT).name, example)

    stage.publish(FOLDER, fill)
    found = comparisons(results)
    metrics = headline_metrics(winner, found)
    write_json(stage.root / METRICS, {**metrics, "seconds": round(time.time() - started, 3)})
    submit(
        stage,
        started,
        identity=identity(settings),
        metrics=_logged(metrics),
        inputs=inputs(settings),
        artifacts=[
            ArtifactRecord(PAGE),
            *(ArtifactRecord(f"{FOLDER}/{figure.name}.png", "figures") for figure in page.figures),
        ],
        model=None
        if winner is None
        else _model(settings.tracking.registered_model, winner, has_example=example is not None),
        tags={} if winner is None else {"winner": winner["architecture"], "winner_rank": str(winner["rank"])},
    )
    outbox.drain(stage.root, tracking_settings(stage))
    print(f"report: {stage.root / PAGE}", file=sys.stderr)


def headline_metrics(winner: Document | None, found: Sequence[Comparison]) -> dict[str, Any]:
    """Return the headline's numbers as metrics/report.json has them, without the clock."""
    if winner is None:
        return {"winner": None, "against": {}}
    return {
        "winner": {
            **{name: winner[name] for name in ("rank", "architecture", "official_name")},
            **{
                name: {part: winner[name][part] for part in ("mean", "standard_deviation")}
                for name in ("validation_accuracy", "test_accuracy")
            },
            **{name: winner[name] for name in ("num_test", "num_parameters", "flops")},
        },
        "against": {
            each.short_name.replace(" ", "_"): {
                "difference": each.difference,
                "low": None if each.interval is None else each.interval.low,
                "high": None if each.interval is None else each.interval.high,
                "verdict": each.verdict.value,
            }
            for each in found
        },
    }


def _model(registered_name: str, winner: Document, *, has_example: bool) -> ModelRecord:
    """Return what is registered: an exported graph of a network of images, the files of any other network."""
    folder = f"results/retrain/{winner['rank']}"
    if has_example:
        return ModelRecord(registered_name, CHAMPION, folder, EXAMPLE_INPUT)
    return ModelRecord(registered_name, CHAMPION, folder, files=(ARCHITECTURE, NETWORK))


def _logged(metrics: Document) -> dict[str, float]:
    """Return the headline's numbers under flat names, as MLflow shows them."""
    winner = metrics["winner"]
    if winner is None:
        return {}
    return {
        **{name: winner[name]["mean"] for name in ("validation_accuracy", "test_accuracy")},
        **{f"{name}_std": winner[name]["standard_deviation"] for name in ("validation_accuracy", "test_accuracy")},
        **{name: winner[name] for name in ("num_parameters", "flops")},
        **{f"test_accuracy_less_{name}": each["difference"] for name, each in metrics["against"].items()},
    }


if __name__ == "__main__":
    sys.exit(main())
