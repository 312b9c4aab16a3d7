"""Anytime curves, fronts, cells, words for numbers: small oracles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from result_files import MadeUp, machine_facts, write_results

from nas_core.architecture import Choice
from nas_core.objectives import Objective
from nas_core.spaces import nasbench201
from tasks.reporting import anytime, quantities
from tasks.reporting.blocks import Table
from tasks.reporting.figures import cell_graph
from tasks.reporting.machine import Machine, energy_joules, this_machine
from tasks.reporting.palette import line_style
from tasks.reporting.results import read
from tasks.reporting.searches import CurvePoint, SearchResult
from tasks.reporting.sections import cells


def search(curves: dict[int, list[tuple[float, float | None]]]) -> SearchResult:
    points = {
        seed: tuple(CurvePoint(place, seconds, best) for place, (seconds, best) in enumerate(rows, start=1))
        for seed, rows in curves.items()
    }
    goal = Objective("validation_accuracy", "maximize")
    return SearchResult("key", "strategy", {"name": "e"}, (goal,), tuple(curves), 0, 0, points, ())


def test_curve_by_evaluations_starts_where_all_have_a_score() -> None:
    curve = anytime.by_evaluations(search({0: [(1, None), (2, 0.4), (3, 0.6)], 1: [(1, 0.2), (2, 0.2), (5, 0.8)]}))
    assert curve.positions == (2.0, 3.0)
    assert curve.means == pytest.approx((0.3, 0.7))
    assert curve.lowest == (0.2, 0.6)
    assert curve.highest == (0.4, 0.8)


def test_curve_by_seconds_takes_what_each_had_by_then() -> None:
    curve = anytime.by_seconds(search({0: [(1, 0.5), (4, 0.7)], 1: [(2, 0.1), (3, 0.3), (9, 0.9)]}))
    assert curve.positions == (2, 3, 4)  # at second 1 the other had none; it goes on after second 4
    assert curve.means == pytest.approx((0.3, 0.4, 0.5))


def test_no_score_gives_an_empty_curve() -> None:
    nothing = search({0: [(1, None)]})
    assert anytime.by_evaluations(nothing).positions == ()
    assert anytime.by_seconds(nothing).positions == ()


def test_edges_that_reach_nothing_are_unused() -> None:
    space = nasbench201.build()
    cell = space.from_name("|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|none~2|")
    edges = cell_graph.cell_edges(space.choices, cell.decisions)
    assert edges is not None
    used = {(edge.source, edge.target): edge.is_used for edge in edges}
    assert used == {(0, 1): False, (0, 2): False, (1, 2): False, (0, 3): True, (1, 3): False, (2, 3): False}


def test_a_cell_with_nothing_in_it_can_be_drawn() -> None:
    edges = cell_graph.cell_edges(nasbench201.CHOICES, (0,) * 6)
    assert edges is not None
    assert cell_graph.draw(edges, "nothing").startswith(b"\x89PNG")


@pytest.mark.parametrize("names", [("width", "depth"), ("0->1", "depth"), ("1->0",), ("0->1", "0->1"), ()])
def test_other_choices_are_no_cell(names: tuple[str, ...]) -> None:
    choices = [Choice(name, ("a", "b")) for name in names]
    assert cell_graph.cell_edges(choices, [0] * len(names)) is None


def test_numbers_as_words() -> None:
    assert quantities.points(0.00123) == "+0.12"
    assert quantities.points(-0.5) == f"{quantities.MINUS}50.00"
    assert quantities.points(-0.00001) == "0.00"
    assert quantities.percent_spread({"mean": 0.5, "standard_deviation": 0.01, "values": [0.49, 0.51]}) == (
        "50.00 ± 1.00 %"
    )
    assert quantities.percent_spread({"mean": 0.5, "standard_deviation": 0.0, "values": [0.5]}) == "50.00 %"
    assert quantities.percent_spread(None) == quantities.ABSENT
    assert quantities.short_count(365376) == "365 k"
    assert quantities.short_count(12) == "12"
    assert [quantities.duration(seconds) for seconds in (0.25, 61, 3599.6, 7325)] == [
        "0.2 s",
        "1 min 1 s",
        "1 h 0 min",
        "2 h 2 min",
    ]
    assert quantities.listed([]) == "none"
    assert quantities.listed("ab") == "a and b"
    assert quantities.listed("abc", "or") == "a, b or c"


def test_a_row_must_fit_its_table() -> None:
    with pytest.raises(ValueError, match="a row has 1 cells"):
        Table("", ("a", "b"), (("x",),))


def test_looks_differ() -> None:
    looks = [line_style(index) for index in range(12)]
    assert len({(look.color, str(look.dash)) for look in looks}) == 12


def test_energy_only_where_a_stage_states_it() -> None:
    assert energy_joules({"seconds": 3}) is None
    assert energy_joules({"cpu_joules": 2.0, "gpu_joules": 3}) == 5.0


def test_this_machine_has_a_processor() -> None:
    machine = this_machine()
    assert machine.num_cpus >= 1
    assert machine.memory_gib > 0


def test_a_space_without_cells_gets_a_table(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Blocks:
        name: str
        choices: tuple[Choice, ...]

    write_results(tmp_path)
    results = read(tmp_path, MadeUp().keys, MadeUp().ranks)
    choices = [Choice(f"width_{place}", ("8", "16", "32", "64", "128"), group="stem") for place in range(5)]
    choices.append(Choice("kernel", ("3", "5", "7", "9", "11"), active_if=("width_0", "8")))
    made = cells.section(replace(results, space=Blocks("blocks", tuple(choices))), Machine(**machine_facts()))
    assert not made.figures
    table = made.blocks[-1]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == [f"stem width_{place}" for place in range(5)]
    assert table.rows[0][1:] == ("64", "128", "16", "64")
    assert "1 that matter to none of these networks are left out" in table.caption
