"""What the page calls networks."""

from __future__ import annotations

from tasks.reporting.quantities import readable
from tasks.reporting.results import Document, Results


def network_name(results: Results, metrics: Document) -> str:
    """Return ``rank 0``, with ``(winner)`` behind that of the winner; ``reference`` or its own name without a rank."""
    if metrics.get("rank") is None:
        return readable(str(metrics.get("name", "reference")))
    return f"rank {metrics['rank']} (winner)" if is_winner(results, metrics) else f"rank {metrics['rank']}"


def is_winner(results: Results, metrics: Document) -> bool:
    """Return whether something is said of the winner."""
    winner = results.winner
    return winner is not None and metrics.get("rank") == winner["rank"]


def cell_name(metrics: Document) -> str:
    """Return the official name of an architecture, or its key where the space has none."""
    return str(metrics.get("official_name") or metrics["architecture"])
