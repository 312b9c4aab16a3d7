"""One repetition: a search in the one loop, in memory, reduced to its course."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.archive import Archive
from nas_core.evaluation import Evaluation, Fidelity
from nas_core.randomness import Streams
from nas_core.screen import Screen
from nas_core.search import MOST_REPEATS, Search
from nas_core.strategy import HasFidelities, Strategy
from tasks.comparison.contest import Contest
from tasks.comparison.course import Course, Step
from tasks.comparison.field import FILE, Field, open_field, open_screen
from tasks.settings.plug_ins import checked

Query = tuple[Architecture, Fidelity | None]


def play(contest: Contest, seed: int) -> Course:
    """Return the course of one repetition.

    The search is told scores alone. What it recommends is looked up after each round, and again only when it changes.
    A round of a strategy that names fidelities may end beyond the budget; it counts for nothing then. Where repeated
    queries are free, a strategy that has long proposed nothing new ends early.

    Args:
        contest: what is repeated.
        seed: of its random streams, which are those of `tasks.search`.

    Raises:
        ValueError: no evaluation succeeded, or something recommended has no score.
    """
    started = time.perf_counter()
    field = open_field(contest.benchmark)
    screened = Archive()
    strategy = build_strategy(contest, field, seed, _screen(contest, screened))
    search = Search(strategy, field.evaluator)
    names_fidelities = isinstance(strategy, HasFidelities)
    round_size, budget = contest.contestant.round_size, contest.budget
    num_epochs, spent, num_in_vain, has_scores = 0.0, 0.0, 0, False
    known: set[Query] = set()
    recommended: Architecture | None = None
    steps = []
    while spent < budget and num_in_vain < MOST_REPEATS * budget:
        evaluations = search.run_round(round_size if names_fidelities else min(round_size, budget - round(spent)))
        if not evaluations:
            break
        counted = evaluations
        if contest.deduplicate:
            counted = _new(evaluations, known)
            num_in_vain = 0 if counted else num_in_vain + len(evaluations)
        if names_fidelities:
            num_epochs += math.fsum(field.epochs_of(each.proposal.fidelity) for each in counted)
            spent = num_epochs / field.epochs_of(None)
            if spent > budget:
                break
        else:
            spent += len(counted)
        has_scores = has_scores or any(each.failure is None for each in evaluations)
        if has_scores:
            chosen = strategy.recommend()
            if chosen != recommended:
                recommended = chosen
                steps.append(Step(spent, *field.worth(chosen)))
    every = search.archive.evaluations()
    if not has_scores:
        reason = every[0].failure if every else "the strategy proposed nothing"
        raise ValueError(f"{contest.words}, seed {seed}: all {len(every)} evaluations failed, the first one: {reason}")
    return Course(
        seed,
        tuple(steps),
        len(every),
        sum(each.failure is not None for each in every),
        len({each.proposal.architecture.decisions for each in every}),
        screened.num_evaluations,
        time.perf_counter() - started,
    )


def play_for(contest: Contest, seeds: Sequence[int], seconds: float) -> list[Course]:
    """Return the courses of the first seeds, at least one of them, until so many seconds have passed."""
    end = time.perf_counter() + seconds
    found: list[Course] = []
    for seed in seeds:
        found.append(play(contest, seed))
        if time.perf_counter() >= end:
            break
    return found


def build_strategy(contest: Contest, field: Field, seed: int, screen: Screen | None) -> Strategy:
    """Return the strategy of a contest, fresh.

    Raises:
        ValueError: it refuses its settings.
    """
    name = contest.strategy_name
    values = checked(FILE, contest.strategy_key, "strategy", name, contest.contestant.settings)
    supplied = catalog.supplied("strategy", name)
    if "num_steps" in supplied:
        values["num_steps"] = math.ceil(contest.budget / contest.contestant.round_size)
    if "screen" in supplied:
        values["screen"] = screen
    streams = Streams(seed).child("strategy")
    built: Strategy = catalog.load("strategy", name).build(field.space, field.goals, streams, **values)
    return built


def _screen(contest: Contest, archive: Archive) -> Screen | None:
    chosen = contest.contestant.screen
    if chosen is None:
        return None
    evaluator, goals = open_screen(contest.benchmark, chosen)
    return Screen(evaluator, goals, archive)


def _new(evaluations: Sequence[Evaluation], known: set[Query]) -> list[Evaluation]:
    """Return one evaluation of each query that was not known, and make it known."""
    found = []
    for evaluation in evaluations:
        if evaluation.proposal.query not in known:
            known.add(evaluation.proposal.query)
            found.append(evaluation)
    return found
