"""What the page says of stability and of shifted sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from result_files import MadeUp, write_results

from tasks.measures import spread
from tasks.reporting import results, stability
from tasks.reporting.blocks import FigureGroup, Table
from tasks.reporting.machine import this_machine
from tasks.reporting.sections import robustness

SIZES = {"1": 0.1, "5": 0.4}


def steadiness(constant: float) -> dict[str, Any]:
    """Return what robustness.json says of a network whose outputs follow the edges in proportion."""
    severities = {
        severity: {"perturbation_size": size, "output_change": spread([constant * size, constant * size])}
        for severity, size in SIZES.items()
    }
    own = spread([constant, constant])
    shifts = {name: {"constant": own, "severities": severities} for name in ("add_edges", "drop_edges")}
    return {"constant": own, "shifts": shifts}


def read(root: Path, made_up: MadeUp, *, is_stable: bool) -> results.Results:
    write_results(root, made_up)
    path = root / "results/robustness/robustness.json"
    content = json.loads(path.read_bytes())
    content["shifted_sets"] = {"base": {"num_examples": 200}, "size": {"num_examples": 150}} if is_stable else {}
    error = {"1": spread([0.25, 0.25]), "5": spread([0.5, 0.5])}
    for place, network in enumerate(content["networks"]):
        accuracy = {
            "accuracy": spread([0.5, 0.5]),
            "accuracy_loss": spread([0.4, 0.4]),
            "interval_of_chosen": {"estimate": 0.5, "low": 0.43, "high": 0.57, "confidence_level": 0.95},
        }
        network["stability"] = steadiness(1 + place) if is_stable else None
        network["shifted_sets"] = {name: {**accuracy, **each} for name, each in content["shifted_sets"].items()}
        network["corruptions"] |= {name: {"error": error} for name in ("add_edges", "drop_edges")}
    path.write_text(json.dumps(content))
    return results.read(root, made_up.keys, made_up.ranks)


def test_a_figure_a_shift_and_two_tables(tmp_path: Path) -> None:
    found = read(tmp_path, MadeUp(is_of_graphs=True), is_stable=True)
    _, figures, constants, points = stability.blocks(found, this_machine())
    assert isinstance(figures, FigureGroup)
    assert [figure.name for figure in figures.figures] == ["stability-add-edges", "stability-drop-edges"]
    assert all(figure.png.startswith(b"\x89PNG") for figure in figures.figures)
    assert "0.40" in figures.figures[0].alternative
    assert isinstance(constants, Table)
    assert constants.header == ("network", "all", "add edges", "drop edges")
    assert constants.rows[0][1].startswith("1.00")
    assert isinstance(points, Table)
    assert [row[:3] for row in points.rows[:2]] == [("add edges", "1", "0.100"), ("add edges", "5", "0.400")]
    assert points.rows[0][4].startswith("75.00")


def test_shifted_sets_have_a_row_a_network(tmp_path: Path) -> None:
    found = read(tmp_path, MadeUp(is_of_graphs=True), is_stable=True)
    blocks = robustness.section(found, this_machine()).blocks
    (table,) = [each for each in blocks if isinstance(each, Table) and each.caption.startswith("Shifted sets")]
    assert "base (200) and size (150) graphs" in table.caption
    assert len(table.rows) == 2 * len(found.robustness["networks"])
    assert table.rows[0][1:4] == ("base", "50.00 ± 0.00 %", "43.00 % to 57.00 %")


def test_images_have_neither(tmp_path: Path) -> None:
    found = read(tmp_path, MadeUp(), is_stable=False)
    assert stability.blocks(found, this_machine()) == []
    section = robustness.section(found, this_machine())
    assert section.title == "Shifted and foreign images"
    assert not [each for each in section.blocks if isinstance(each, Table) and each.caption.startswith("Shifted sets")]
