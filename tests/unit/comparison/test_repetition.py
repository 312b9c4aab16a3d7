"""One repetition: what its course says, what it costs, and that a longer one begins like a shorter one."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import toy_space
from comparison_toys import table
from comparison_toys.table import drawn
from small_comparison import typed

from nas_core.architecture import Architecture
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.search import Budget, Search
from nas_core.spaces import nasbench201
from nas_core.strategies import regularized_evolution
from tasks.comparison.contest import Contest, contests, expanded, named_files
from tasks.comparison.field import Field, no_task, open_field
from tasks.comparison.repetition import play, play_for
from tasks.settings.parts import PlugIn


def contest(section: dict[str, Any], key: str, budget: int | None = None) -> Contest:
    """Return the contest of a strategy for one budget, the largest by default."""
    found = [each for each in contests(typed(section)) if each.strategy_key == key]
    return found[-1] if budget is None else replace(found[-1], budget=budget)


def test_the_course_is_that_of_the_search(small: dict[str, Any]) -> None:
    found = play(contest(small, "evolution"), 7)
    goals = (Objective("validation_accuracy", "maximize"),)
    strategy = regularized_evolution.build(
        nasbench201.build(), goals, Streams(7).child("strategy"), population_size=4, tournament_size=2
    )
    search = Search(strategy, open_field(typed(small).benchmarks["drawn"]).evaluator)
    for round_ in search.rounds(Budget(12)):
        step = found.at(round_.number + 1)
        assert step is not None
        recommended = strategy.recommend()
        assert (step.score, step.reported) == (drawn("validation", recommended), drawn("test", recommended))
    assert (found.seed, found.num_evaluations, found.num_failures, found.num_screened) == (7, 12, 0, 0)


def test_steps_are_changes_of_the_recommendation(small: dict[str, Any]) -> None:
    steps = play(contest(small, "random_search", 60), 1).steps
    scores = [step.score for step in steps]
    assert scores == sorted(set(scores))
    assert steps[0].evaluations == 1


@pytest.mark.parametrize("key", ["random_search", "evolution", "hyperband"])
@pytest.mark.parametrize("seed", [0, 3])
def test_a_longer_search_begins_like_a_shorter_one(small: dict[str, Any], key: str, seed: int) -> None:
    long, short = (play(contest(small, key, budget), seed) for budget in (12, 6))
    assert short.steps == tuple(step for step in long.steps if step.evaluations <= 6)


def test_a_strategy_runs_anew_where_a_budget_ends_amid_a_round(small: dict[str, Any]) -> None:
    budgets = {}
    for each in contests(typed(small)):
        budgets.setdefault(each.strategy_key, []).append(each.budget)
    assert budgets == {"random_search": [12], "evolution": [12], "rounds": [6, 12], "hyperband": [12]}
    assert [play(each, 0).num_evaluations for each in contests(typed(small)) if each.strategy_key == "rounds"] == [
        6,
        12,
    ]


def test_an_evaluation_of_fewer_epochs_costs_its_share(small: dict[str, Any]) -> None:
    """The first bracket of Hyperband with rungs 1, 3, 9: 9 x 1 + 3 x 3 + 1 x 9 = 27 epochs, 3 evaluations of 9."""
    assert play(contest(small, "hyperband", 3), 0).num_evaluations == 13
    costs = [step.evaluations for step in play(contest(small, "hyperband"), 0).steps]
    assert costs[0] == 1 / 9
    assert max(costs) <= 12


def test_a_round_that_ends_beyond_the_budget_counts_for_nothing(small: dict[str, Any]) -> None:
    small["strategies"]["hyperband"]["round_size"] = 7
    course = play(contest(small, "hyperband", 1), 0)
    assert course.num_evaluations == 14
    assert [step.evaluations for step in course.steps] == [7 / 9]


def test_a_strategy_without_success_is_an_error(small: dict[str, Any]) -> None:
    small["benchmarks"]["drawn"]["evaluator"]["always_fails"] = True
    with pytest.raises(ValueError, match=r"random_search on drawn, seed 2: all 12 .*: it was drawn to fail"):
        play(contest(small, "random_search"), 2)


def test_a_share_ends_with_the_time_but_not_before_the_first(small: dict[str, Any]) -> None:
    chosen = contest(small, "random_search")
    assert [course.seed for course in play_for(chosen, [4, 5, 6], 0.0)] == [4]
    assert [course.seed for course in play_for(chosen, [4, 5, 6], 60.0)] == [4, 5, 6]


def test_the_best_is_looked_up() -> None:
    space = toy_space.build()
    goals = (Objective("validation_accuracy", "maximize"),)
    evaluator = table.build(space, goals, Streams(0), no_task)
    best = Field(space, goals, evaluator, "test_accuracy", None).best()
    sizes = [range(len(choice.options)) for choice in space.choices]
    every = [Architecture(space.name, made) for made in itertools.product(*sizes)]
    members = [each for each in every if space.is_valid(each)]
    highest = max(drawn("validation", each) for each in members)
    tied = [drawn("test", each) for each in members if drawn("validation", each) == highest]
    assert (best.score, best.reported) == (highest, max(drawn("test", each) for each in members))
    assert best.reported_of_best_score == pytest.approx(sum(tied) / len(tied))


def test_what_decides_a_course_is_in_its_digest(small: dict[str, Any]) -> None:
    before = contest(small, "evolution").digest("code", 1)
    assert contest(small, "evolution").digest("code", 1) == before
    changes: list[tuple[list[str], Any]] = [
        (["budgets"], [6, 13]),
        (["benchmarks", "drawn", "epochs"], 8),
        (["benchmarks", "drawn", "space", "channels"], 8),
        (["benchmarks", "drawn", "evaluator", "seconds"], 0.5),
        (["strategies", "evolution", "settings", "population_size"], 5),
        (["strategies", "evolution", "round_size"], 3),
        (["strategies", "evolution", "strategy"], "random_search"),
    ]
    digests = {before, contest(small, "evolution").digest("other", 1), contest(small, "evolution").digest("code", 2)}
    for keys, value in changes:
        changed = copy.deepcopy(small)
        inner = changed
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        digests.add(contest(changed, "evolution").digest("code", 1))
    assert len(digests) == len(changes) + 3
    small["repetitions"], small["seed"], small["significance"] = 50, 1, 0.1
    assert contest(small, "evolution").digest("code", 1) == before


def test_variables_stand_for_folders(small: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table.csv").write_text("1")
    small["benchmarks"]["drawn"]["evaluator"]["path"] = "$TABLES/table.csv"
    benchmark = typed(small).benchmarks["drawn"]
    with pytest.raises(ValueError, match=r"path is '\$TABLES/table.csv', but the variable TABLES is not set; set it"):
        named_files(benchmark)
    monkeypatch.setenv("TABLES", str(tmp_path))
    assert expanded(PlugIn(name="x", path="${TABLES}/a", size=3)).settings == {"path": f"{tmp_path}/a", "size": 3}
    first = named_files(benchmark)
    assert list(first) == ["$TABLES/table.csv"]
    (tmp_path / "table.csv").write_text("2")
    assert named_files(benchmark) != first


def test_repeated_queries_are_free_where_that_is_asked_for(small: dict[str, Any]) -> None:
    small["strategies"]["evolution"]["settings"] = {"population_size": 1, "tournament_size": 1}
    small["strategies"]["random_search"]["round_size"] = 7
    plain = play(contest(small, "evolution", 60), 0)
    assert (plain.num_evaluations, plain.num_distinct) == (60, 56)
    small["deduplicate"] = True
    found = play(contest(small, "evolution", 60), 0)
    assert found.num_distinct == 60
    assert found.num_evaluations > 60
    assert play(contest(small, "random_search", 12), 0).num_distinct == 12
    assert [each.budget for each in contests(typed(small)) if each.strategy_key == "evolution"] == [6, 12]


def test_a_strategy_that_proposes_nothing_new_ends(small: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    small["deduplicate"] = True
    member = Architecture("nasbench201", (0,) * 6)
    monkeypatch.setattr("nas_core.strategies.random_search.sample", lambda space, generator: member)
    course = play(contest(small, "random_search", 5), 0)
    assert (course.num_distinct, course.num_evaluations) == (1, 51)
    assert [step.evaluations for step in course.steps] == [1]
