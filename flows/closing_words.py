"""What a run says at its end: where its results are, or how to go on."""

from __future__ import annotations

import sys
from pathlib import Path


def where_results_are(root: Path) -> str:
    """Returns where report, models and tracked runs are, and how to look at them."""
    from tasks.tracking.settings import read_settings

    uri = read_settings(root).absolute_uri(root)
    is_server = uri.startswith(("http://", "https://"))
    commands = Path(sys.executable).parent
    look = uri if is_server else f"{commands / 'mlflow'} server --backend-store-uri {uri} --host 127.0.0.1 --workers 1"
    compared = sorted((root / "results" / "compare").glob("*/index.html"))
    return "\n".join(
        (
            f"report   {root / 'results' / 'report' / 'report.html'}, in a browser",
            f"models   {root / 'results' / 'retrain'}; the best: {sys.executable} -m tasks.model",
            *(f"compared {page}" for page in compared),
            f"runs     {look}",
            f"numbers  {commands / 'dvc'} metrics show; {commands / 'dvc'} plots show",
        )
    )


def how_to_go_on(found: str) -> str:
    """Returns what was found up to now, if anything, and how an interrupted run is continued."""
    go_on = "The same command goes on from here: ended stages are cached, searches continue from their last round."
    return f"{found}\n{go_on}" if found else go_on
