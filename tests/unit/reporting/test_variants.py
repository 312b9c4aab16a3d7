"""What the page says of networks without their pooling, and of baselines of their size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from result_files import MadeUp, machine_facts, write_results

from tasks.reporting.blocks import Paragraph, Section, Table
from tasks.reporting.machine import Machine
from tasks.reporting.quantities import ABSENT
from tasks.reporting.results import read
from tasks.reporting.sections import variants

GRAPHS = MadeUp(is_of_graphs=True)
MACHINE = Machine(**machine_facts())


def spread(*values: float) -> dict[str, Any]:
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)) ** 0.5
    return {"mean": mean, "standard_deviation": deviation, "values": list(values)}


def compared(root: Path, rank: int, others: dict[str, Any], *own: float) -> dict[str, Any]:
    """Give a rank a test accuracy and variants; return its metrics."""
    path = root / f"results/retrain/{rank}/metrics.json"
    metrics: dict[str, Any] = json.loads(path.read_bytes())
    metrics["test_accuracy"] = spread(*own)
    metrics["variants"] = {name: {**metrics, **changes, "variants": None} for name, changes in others.items()}
    path.write_text(json.dumps(metrics))
    return metrics


def section_of(root: Path) -> Section | None:
    return variants.section(read(root, GRAPHS.keys, GRAPHS.ranks), MACHINE)


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def texts(section: Section) -> list[str]:
    return [block.text for block in section.blocks if isinstance(block, Paragraph)]


def test_there_is_no_section_without_variants(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    assert section_of(tmp_path) is None


def test_differences_have_intervals_and_verdicts(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    others = {
        "without pooling": {"canonical": "other", "test_accuracy": spread(0.7, 0.72), "num_parameters": 1234},
        "gin of equal size": {"canonical": "gin", "test_accuracy": spread(0.79, 0.83)},
    }
    compared(tmp_path, 1, others, 0.8, 0.82)
    section = section_of(tmp_path)
    assert section is not None
    (table,) = tables(section)
    # Welch by hand: variances 2e-4 over 2 runs each, so 2 degrees of freedom, t = 4.3027, reach 4.3027 * sqrt(2e-4)
    assert table.rows[1][0:2] == ("without pooling", "1,234")
    assert table.rows[1][3:] == ("71.00 ± 1.41 %", "+10.00", "+3.92 to +16.08", "better")
    assert table.rows[2][0] == "gin of equal size"
    assert (table.rows[2][4], table.rows[2][6]) == ("0.00", "a tie")
    assert table.emphasized == {0}
    assert "1 times better and 1 times a tie" in texts(section)[0]


def test_a_network_without_pooling_is_not_compared_with_itself(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    compared(tmp_path, 1, {"without pooling": {}, "with TopK pooling": {}}, 0.8, 0.82)
    section = section_of(tmp_path)
    assert section is not None
    assert [row[4:] for row in tables(section)[0].rows[1:]] == [(ABSENT, ABSENT, "itself")] * 2
    (text,) = texts(section)
    assert "is itself the network without pooling and with TopK pooling" in text


def test_one_run_decides_nothing_and_the_winner_comes_first(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    for rank in (0, 1):
        compared(tmp_path, rank, {"without pooling": {"canonical": "x", "test_accuracy": spread(0.7)}}, 0.8)
    section = section_of(tmp_path)
    assert section is not None
    first, second = tables(section)
    assert first.rows[0][0] == "rank 1 (winner)"
    assert second.rows[0][0] == "rank 0"
    assert first.rows[1][4:] == ("+10.00", "too few runs", "not decided")
    assert "1 times not decided" in texts(section)[0]


@pytest.mark.parametrize("title", ["Low fidelity", "Low fidelity, " * 9])
def test_titles_stay_over_their_panels(title: str) -> None:
    from tasks.reporting import canvas

    lines = canvas.title_lines(title).splitlines()
    assert " ".join(lines).split() == title.split()
    assert max(map(len, lines)) <= canvas.MAX_TITLE_LENGTH
