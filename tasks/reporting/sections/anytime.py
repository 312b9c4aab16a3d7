"""How fast each search got how far, by evaluations and by seconds; a panel for each evaluator."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.reporting import anytime
from tasks.reporting.blocks import Block, Figure, FigureGroup, Paragraph, Section, Table
from tasks.reporting.figures import anytime_curves
from tasks.reporting.figures.anytime_curves import NamedCurve
from tasks.reporting.groups import SearchGroup, search_groups
from tasks.reporting.machine import Machine
from tasks.reporting.quantities import ABSENT, count, listed, percent, readable, seeds_phrase
from tasks.reporting.results import Results
from tasks.reporting.searches import SearchResult


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    groups = search_groups(results)
    blocks: list[Block] = [
        Paragraph(
            "The best score so far. Scores of different evaluators, or of one evaluator with different settings, do "
            "not compare, so each has its own panels."
        )
    ]
    if len(results.searches) == 1:
        blocks.append(Paragraph("Only one search was run; there is none to compare it with.", is_remark=True))
    for group in groups:
        if len(group.searches) == 1 and len(results.searches) > 1:
            only = readable(group.searches[0].key)
            blocks.append(Paragraph(f"{only} is the only search scored by {group.phrase}.", is_remark=True))
        failed = [readable(search.key) for search in group.searches if not _has_score(search)]
        if failed:
            text = f"No evaluation of {listed(failed, 'or')} gave a score in each repetition; there is no curve."
            blocks.append(Paragraph(text, is_remark=True))
        if len(failed) < len(group.searches):
            blocks.append(_figures(group, results, machine))
    blocks.append(_table(results))
    return Section("search", "The searches over time", tuple(blocks))


def score_label(name: str) -> tuple[str, float]:
    """Return the label of a score and what it is multiplied by: accuracies are shown in percent."""
    return (f"{readable(name)} (%)", 100.0) if name.endswith("accuracy") else (readable(name), 1.0)


def _has_score(search: SearchResult) -> bool:
    return bool(anytime.by_evaluations(search).positions)


def _figures(group: SearchGroup, results: Results, machine: Machine) -> FigureGroup:
    label, factor = score_label(group.goal.name)
    figures = []
    for horizontal, curve in (("evaluations", anytime.by_evaluations), ("seconds", anytime.by_seconds)):
        curves = [NamedCurve(readable(search.key), group.style(search), curve(search)) for search in group.searches]
        ends = "; ".join(f"{each.name} {each.curve.means[-1] * factor:.4g}" for each in curves if each.curve.means)
        figures.append(
            Figure(
                f"anytime-{group.name}-{horizontal}",
                anytime_curves.draw(
                    curves,
                    group.phrase.capitalize(),
                    f"{horizontal} of a repetition",
                    label,
                    factor,
                    is_counted=horizontal == "evaluations",
                ),
                f"Best {label} so far by {horizontal}, scored by {group.phrase}. At the end: {ends or 'no score'}.",
                f"By {horizontal}: mean over the repetitions, band from the lowest to the highest.",
            )
        )
    return FigureGroup(tuple(figures), _caption(group.searches, results, machine))


def _caption(searches: Sequence[SearchResult], results: Results, machine: Machine) -> str:
    budgets = listed([f"{readable(each.key)} {each.evaluations_each}" for each in searches])
    seeds = sorted({seed for each in searches for seed in each.seeds})
    spread = "" if len(seeds) > 1 else " With one seed there is no spread."
    return (
        f"Scored on validation data. Budget of a repetition, in evaluations: {budgets}. "
        f"{seeds_phrase(seeds).capitalize()}.{spread} Seconds are those of the evaluations alone, on a machine with "
        f"{machine.phrase(results.device)}. The axis starts where curves have settled; first evaluations may lie below."
        f"{_learning(searches, results)}"
    )


def _learning(searches: Sequence[SearchResult], results: Results) -> str:
    """Return a sentence for each search that spends most of its time on other things than scoring."""
    sentences = []
    for search in searches:
        metrics = results.stage_metrics.get(f"search-{search.key}", {})
        whole, scoring = metrics.get("seconds"), metrics.get("evaluation_seconds")
        if whole and scoring is not None and scoring < whole / 2:
            sentences.append(
                f" Of the {whole:,.0f} seconds of {readable(search.key)}, {scoring:,.0f} were spent scoring; the rest, "
                "mostly learning, is not in the panel by seconds."
            )
    return "".join(sentences)


def _table(results: Results) -> Table:
    rows = []
    for search in results.searches:
        curve = anytime.by_evaluations(search)
        end = curve.means[-1] if curve.means else None
        is_accuracy = search.goal.name.endswith("accuracy")
        seconds = [points[-1].seconds for points in search.curves.values() if points]
        rows.append(
            (
                readable(search.key),
                search.evaluator_phrase,
                str(len(search.seeds)),
                count(search.num_evaluations),
                count(search.num_failures),
                (percent(end) if is_accuracy else ABSENT if end is None else f"{end:.4g}"),
                f"{sum(seconds):,.0f}",
                _whole_seconds(results, search),
            )
        )
    return Table(
        "All searches; best is the mean over seeds at the end, by the search's own evaluator, and compares only "
        "between equal evaluators. Seconds are of all seeds: those spent scoring, and those of the whole stage, with "
        "all that the strategy and the shared weights learn in between.",
        ("search", "evaluator", "seeds", "evaluations", "failed", "best", "seconds scoring", "seconds in all"),
        tuple(rows),
        num_text_columns=2,
    )


def _whole_seconds(results: Results, search: SearchResult) -> str:
    return count(results.stage_metrics.get(f"search-{search.key}", {}).get("seconds"))
