"""What was found, in one paragraph with its numbers, honest about ties."""

from __future__ import annotations

from collections.abc import Sequence

from nas_core.robustness.intervals import wilson_interval
from tasks.reporting.blocks import Block, Figure, Paragraph, Section, Table, Tile, Tiles
from tasks.reporting.champion import NUM_DIGITS
from tasks.reporting.comparison import Comparison, Verdict, comparisons
from tasks.reporting.figures import accuracy_dots
from tasks.reporting.figures.accuracy_dots import AccuracyRow
from tasks.reporting.machine import Machine
from tasks.reporting.naming import cell_name, network_name
from tasks.reporting.quantities import (
    count,
    listed,
    percent,
    percent_spread,
    points,
    points_interval,
    readable,
    seeds_phrase,
    short_count,
    signed,
)
from tasks.reporting.results import Document, Results


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    winner = results.winner
    if winner is None:
        reasons = "; ".join(f"rank {rank}: {reason}" for rank, reason in results.empty)
        text = f"No candidate was trained, so there is nothing to report on. {reasons}"
        return Section("found", "What was found", (Paragraph(text, is_remark=True),))
    found = comparisons(results)
    blocks: list[Block] = [
        _tiles(results, winner, found),
        Paragraph(_finding(results, winner, found), is_lead=True),
        Paragraph("Its architecture:", code=cell_name(winner)),
        Paragraph(_caution(results, winner), is_remark=True),
        _figure(results, machine),
        _table(results, found),
    ]
    blocks += [Paragraph(f"Rank {rank} is empty: {reason}.", is_remark=True) for rank, reason in results.empty]
    return Section("found", "What was found", tuple(blocks))


def verdict_words(found: Sequence[Comparison]) -> str:
    """Return the verdicts on the winner in words, those that are alike together."""
    words = {
        Verdict.BETTER: "better than",
        Verdict.WORSE: "worse than",
        Verdict.TIE: "not distinguishable from",
        Verdict.UNKNOWN: "not to be judged, for want of runs, against",
    }
    others = {verdict: [each.other for each in found if each.verdict is verdict] for verdict in words}
    return listed([f"{words[verdict]} {listed(names, 'or')}" for verdict, names in others.items() if names])


def _tiles(results: Results, winner: Document, found: tuple[Comparison, ...]) -> Tiles:
    reference = results.reference
    return Tiles(
        (
            Tile("test accuracy", percent_spread(winner["test_accuracy"]), f"reference {_test(reference)}"),
            Tile(
                "validation accuracy",
                percent_spread(winner["validation_accuracy"]),
                f"reference {percent_spread(reference['validation_accuracy'])}",
            ),
            Tile(
                "multiply-accumulates",
                short_count(winner["flops"] / 2),
                f"reference {short_count(reference['flops'] / 2)}",
            ),
            Tile("parameters", count(winner["num_parameters"]), f"reference {count(reference['num_parameters'])}"),
        )
    )


def _test(metrics: Document) -> str:
    return percent_spread(metrics["test_accuracy"])


def _finding(results: Results, winner: Document, found: tuple[Comparison, ...]) -> str:
    searches = listed([search.key.replace("_", " ") for search in results.searches])
    total = sum(search.num_evaluations for search in results.searches)
    num_runs = len(winner["seeds"])
    runs = f"over {num_runs} seeds" if num_runs > 1 else "with one seed"
    parts = "; ".join(each.sentence_part for each in found)
    one, several = results.examples.singular, results.examples.plural
    return (
        f"After {total:,} evaluations by {searches}, the best candidate by validation is rank {winner['rank']}. "
        f"Trained from scratch it reaches {percent_spread(winner['validation_accuracy'])} on validation, by which it "
        f"was chosen, and {_test(winner)} on the {results.num_test} test {several}, mean and standard deviation "
        f"{runs}. On test it is {verdict_words(found)}. The differences: {parts}. One test {one} is "
        f"{100 / results.num_test:.2f} points."
    )


def _caution(results: Results, winner: Document) -> str:
    chosen = winner["seeds"].index(winner["chosen_seed"])
    right = round(winner["test_accuracy"]["values"][chosen] * results.num_test)
    one = wilson_interval(right, results.num_test)
    examples, best = results.examples.plural, winner["validation_accuracy"]["mean"]
    tied = [
        f"rank {each['rank']}"
        for each in results.candidates
        if each is not winner and round(each["validation_accuracy"]["mean"] - best, NUM_DIGITS) == 0
    ]
    ties = f" {listed(tied).capitalize()} tied with it on validation; the lower rank was taken." if tied else ""
    pool = results.selection["pool"]
    top = pool[0]["validation_accuracy"]["mean"] if pool else 0.0
    num_top = sum(round(each["validation_accuracy"]["mean"] - top, NUM_DIGITS) == 0 for each in pool)
    pooled = (
        f" Of the {len(pool)} networks that were scored again before training, {num_top} shared the highest score."
        if num_top > 1
        else ""
    )
    return (
        f"How to read this: intervals are at 95 %, each by itself, and cover how trainings differ, not which "
        f"{examples} happen to be in the test set. For that, the chosen network (seed {winner['chosen_seed']}) has "
        f"{right} of {results.num_test} right: {percent(one.estimate)}, Wilson interval {percent(one.low)} to "
        f"{percent(one.high)}.{ties}{_reference_words(results, best)}{pooled} A difference whose "
        f"interval holds 0, or that is below one {results.examples.singular}, is called a tie."
    )


def _reference_words(results: Results, best: float) -> str:
    """Return a sentence if the reference was no worse even on validation, where the winner was chosen."""
    reference = results.reference["validation_accuracy"]["mean"]
    if round(reference - best, NUM_DIGITS) < 0:
        return ""
    return f" On validation the reference reaches {percent(reference)}, no less than the winner."


def _figure(results: Results, machine: Machine) -> Figure:
    rows = [AccuracyRow(network_name(results, each), _runs(each), True) for each in results.candidates]
    random = results.random
    rows += [
        AccuracyRow("reference", _runs(results.reference), False),
        *(AccuracyRow(readable(name), _runs(metrics), False) for name, metrics in results.named.items()),
        AccuracyRow(f"random ({len(random['test_accuracy']['values'])} networks)", _runs(random), False),
        AccuracyRow("logistic regression", (float(results.regression["test_accuracy"]),), False),
    ]
    means = "; ".join(f"{row.name} {100 * sum(row.accuracies) / len(row.accuracies):.2f} %" for row in rows)
    trained = listed(["Candidates", *(["named baselines"] if results.named else []), "reference"])
    return Figure(
        "test-accuracy",
        accuracy_dots.draw(
            rows,
            "Test accuracy of every run",
            "test accuracy (%)",
            1 / results.num_test,
            results.examples.singular,
        ),
        f"Dot plot of test accuracies. Means: {means}.",
        f"A dot a run; upright bars are means, lines their 95 % t-intervals, cut at 100 %. {trained}: "
        f"{seeds_phrase(results.reference['seeds'])}; a random network is one training each, so its spread is over "
        f"networks; logistic regression has no randomness. {results.num_test} test {results.examples.plural}. "
        f"Machine: {machine.phrase(results.device)}.",
    )


def _runs(metrics: Document) -> tuple[float, ...]:
    return tuple(metrics["test_accuracy"]["values"])


def _table(results: Results, found: tuple[Comparison, ...]) -> Table:
    return Table(
        "The winner's mean test accuracy less the other's, in percentage points. Welch's interval over runs; against "
        "logistic regression, Student's interval of the winner's mean.",
        ("against", "difference", "95 % interval", f"in test {results.examples.plural}", "verdict"),
        tuple(
            (
                each.short_name,
                points(each.difference),
                "too few runs" if each.interval is None else points_interval(each.interval),
                signed(each.difference * results.num_test, 1),
                each.verdict.value,
            )
            for each in found
        ),
    )
