"""The page of a comparison, in the report's look, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_core.robustness.intervals import Interval, RunSummary
from tasks.comparison.contest import readable_settings
from tasks.comparison.document import Beside, Ranked, Reached, all_beside, all_ranked, all_reached
from tasks.comparison.figures import critical_difference, regret_curves
from tasks.comparison.figures.drawing import Drawing
from tasks.comparison.figures.regret_curves import RegretCurve
from tasks.comparison.ranking import Ranking
from tasks.comparison.results import Arena
from tasks.reporting.blocks import Block, Figure, FigureGroup, Listing, Paragraph, Section, Table
from tasks.reporting.html import render
from tasks.reporting.palette import LineStyle, line_style
from tasks.reporting.quantities import ABSENT, listed, points, points_interval, readable, signed
from tasks.settings.comparison import ComparisonSettings

POST_HOC_WORDS = {"nemenyi": "Nemenyi's test", "wilcoxon_holm": "Wilcoxon's signed-rank test of pairs, after Holm"}


@dataclass(frozen=True)
class ComparisonPage:
    """A finished page.

    Attributes:
        html: all of it, drawings included.
        drawings: by the name of their file, without the ending.
    """

    html: str
    drawings: dict[str, Drawing]


def make_page(
    label: str, comparison: ComparisonSettings, arenas: Sequence[Arena], settings_text: str
) -> ComparisonPage:
    """Return the page; equal arguments give equal bytes.

    Args:
        label: of the comparison.
        comparison: its settings.
        arenas: what happened on each benchmark.
        settings_text: the settings as they are shown.
    """
    styles = {key: line_style(index) for index, key in enumerate(comparison.strategies)}
    drawings: dict[str, Drawing] = {}
    reached = all_reached(arenas, comparison.budgets)
    ranked = all_ranked(arenas, comparison)
    sections = [_summary(comparison, arenas, ranked)]
    for arena in arenas:
        own = [each for each in reached if each.arena is arena]
        ranks = [each for each in ranked if each.benchmark == arena.key]
        sections.append(_benchmark(arena, own, ranks, comparison, styles, drawings))
    overall = [each for each in ranked if each.benchmark is None]
    if overall:
        sections.append(_overall(overall, len(arenas)))
    beside = all_beside(arenas, comparison)
    if beside:
        sections.append(_published(beside))
    sections.append(_origin(arenas, settings_text))
    return ComparisonPage(render(f"Comparison {label}", sections), drawings)


def _summary(comparison: ComparisonSettings, arenas: Sequence[Arena], ranked: Sequence[Ranked]) -> Section:
    sentences = []
    for each in ranked:
        if each.benchmark is not None and each.budget == comparison.budgets[-1]:
            sentences.append(f"On {each.benchmark}, at {each.budget} evaluations, {_leaders(each.ranking)}.")
    again = "is free" if comparison.deduplicate else "counts again"
    lead = " ".join(sentences) or "Each benchmark has one strategy; there is nothing to rank."
    return Section(
        "summary",
        "Summary",
        (
            Paragraph(lead, is_lead=True),
            Paragraph(
                f"{len(comparison.strategies)} strategies on {listed([arena.key for arena in arenas])}, compared after "
                f"{listed(comparison.budgets)} evaluations, {comparison.repetitions} repetitions each unless a table "
                "says otherwise. A search sees the scores of its objectives alone, here those on validation data, "
                "and what it recommends is looked up afterwards: no test accuracy has chosen anything. Regret is the "
                "best possible value of a benchmark less what was reached. An evaluation of fewer epochs than the "
                f"benchmark's own costs that share of an evaluation; one that is asked for again {again}."
            ),
        ),
    )


def _leaders(found: Ranking) -> str:
    """Return which strategy ranks first, and which are not told apart from it."""
    order = sorted(range(len(found.names)), key=found.mean_ranks.__getitem__)
    first = order[0]
    alike = [found.names[i] for i in order[1:] if found.p_values[first][i] >= found.significance]
    words = f"{readable(found.names[first])} ranks first ({found.mean_ranks[first]:.2f} of {len(found.names)})"
    if found.friedman.chi_square_p >= found.significance:
        return f"{words}, but no difference is significant"
    if not alike:
        return f"{words}, ahead of all others"
    return f"{words}, not significantly ahead of {listed([readable(name) for name in alike], 'or')}"


def _benchmark(
    arena: Arena,
    reached: Sequence[Reached],
    ranks: Sequence[Ranked],
    comparison: ComparisonSettings,
    styles: dict[str, LineStyle],
    drawings: dict[str, Drawing],
) -> Section:
    blocks: list[Block] = [Paragraph(_best_words(arena))]
    curves = [_curves(arena, measure, comparison.budgets, styles, drawings) for measure in arena.measures]
    caption = (
        "Means over the repetitions with Student's 95 % intervals of the means; dotted lines are the budgets. "
        "A curve begins where every repetition has something to recommend; the axis, where curves have settled."
    )
    blocks.append(FigureGroup(tuple(curves), caption))
    blocks += [_results_table(arena, measure, reached) for measure in arena.measures]
    if ranks:
        blocks.append(FigureGroup(tuple(_diagram(arena, each, styles, drawings) for each in ranks), _rank_words(ranks)))
        blocks += [_pairs_table(each) for each in ranks if each.budget == comparison.budgets[-1]]
    return Section(f"benchmark-{arena.key}", arena.key, tuple(blocks))


def _best_words(arena: Arena) -> str:
    words = f"The best {readable(arena.goal.name)} is {_value(arena.goal.name, arena.best.score)}."
    if arena.reported is not None and arena.best.reported is not None:
        words += f" The best {readable(arena.reported)} is {_value(arena.reported, arena.best.reported)}"
        if arena.best.reported_of_best_score is not None:
            mean = _value(arena.reported, arena.best.reported_of_best_score)
            words += f"; {mean} on average over what has the best score, which is what a perfect search reaches"
        words += "."
    return words


def _curves(
    arena: Arena,
    measure: str,
    budgets: Sequence[int],
    styles: dict[str, LineStyle],
    drawings: dict[str, Drawing],
) -> Figure:
    evaluations = np.arange(1, budgets[-1] + 1, dtype=np.float64)
    curves = [
        RegretCurve(readable(each.key), styles[each.key], arena.band(each, measure, evaluations))
        for each in arena.contenders
    ]
    floor = None
    if measure == arena.reported and arena.best.reported_of_best_score is not None:
        regret = arena.goal.sign * (arena.best.reported_of_best_score - arena.best_of(measure))
        floor = ("what has the best score", regret)
    is_share = _is_share(measure)
    made = regret_curves.draw(
        curves,
        f"Regret in {readable(measure)}",
        "mean regret (points)" if is_share else "mean regret",
        budgets,
        100.0 if is_share else 1.0,
        floor,
    )
    name = f"regret-{arena.key}-{measure}"
    drawings[name] = made
    ends = "; ".join(f"{each.name} {_regret(measure, float(each.band.means[-1]))}" for each in curves)
    return Figure(
        name,
        made.png,
        f"Mean regret in {readable(measure)} on {arena.key} by evaluations. At the end: {ends}.",
        f"Regret in {readable(measure)}" + (", by which nothing was chosen." if measure == arena.reported else "."),
    )


def _results_table(arena: Arena, measure: str, reached: Sequence[Reached]) -> Table:
    rows: list[tuple[str, ...]] = []
    leaders = set()
    for budget in dict.fromkeys(each.budget for each in reached):
        group = [each for each in reached if each.budget == budget]
        known = [each.regrets[measure] for each in group]
        least = min((each.mean for each in known if each is not None), default=None)
        for each in group:
            regret, value = each.regrets[measure], each.values[measure]
            if regret is not None and regret.mean == least:
                leaders.add(len(rows))
            rows.append(
                (
                    readable(each.contender.key),
                    readable_settings(each.contender.settings.settings) or ABSENT,
                    str(budget),
                    str(len(each.contender.courses_for(budget))),
                    *_spread(measure, value),
                    _interval(measure, value),
                    ABSENT if regret is None else _regret(measure, regret.mean),
                )
            )
    return Table(
        f"{readable(measure).capitalize()} of what was recommended: mean, standard deviation over the repetitions, "
        "Student's 95 % interval of the mean, and mean regret.",
        ("strategy", "settings", "evaluations", "repetitions", "mean", "std", "95 % interval", "regret"),
        tuple(rows),
        num_text_columns=2,
        emphasized=frozenset(leaders),
    )


def _diagram(arena: Arena, each: Ranked, styles: dict[str, LineStyle], drawings: dict[str, Drawing]) -> Figure:
    colors = {name: styles[name].color for name in each.ranking.names}
    title = f"{arena.key}: mean ranks after {each.budget} evaluations"
    made = critical_difference.draw(each.ranking, colors, title)
    name = f"ranks-{arena.key}-{each.budget}"
    drawings[name] = made
    order = sorted(zip(each.ranking.mean_ranks, each.ranking.names, strict=True))
    text = "; ".join(f"{readable(key)} {rank:.2f}" for rank, key in order)
    return Figure(name, made.png, f"Mean ranks by {readable(each.measure)}, 1 the best: {text}.", _test_words(each))


def _rank_words(ranks: Sequence[Ranked]) -> str:
    first = ranks[0]
    return (
        f"Ranks by regret in {readable(first.measure)} among the repetitions of the same seed, 1 the best, equal ones "
        f"sharing a rank. A bar joins what {POST_HOC_WORDS[first.ranking.post_hoc]} does not tell apart at level "
        f"{first.ranking.significance:g}. It speaks of repetitions on this benchmark, not of other benchmarks."
    )


def _test_words(each: Ranked) -> str:
    found = each.ranking.friedman
    f = "infinite" if found.f is None else f"{found.f:.4g}"
    return (
        f"{each.ranking.num_blocks} repetitions; Friedman's chi-squared {found.chi_square:.4g} "
        f"(p {_probability(found.chi_square_p)}), Iman and Davenport's F {f} (p {_probability(found.f_p)})."
    )


def _pairs_table(each: Ranked) -> Table:
    names = each.ranking.names
    order = sorted(range(len(names)), key=each.ranking.mean_ranks.__getitem__)
    return Table(
        f"p-values of the pairs after {each.budget} evaluations ({POST_HOC_WORDS[each.ranking.post_hoc]}), adjusted "
        "for their number.",
        ("strategy", "mean rank", *(readable(names[i]) for i in order)),
        tuple(
            (
                readable(names[i]),
                f"{each.ranking.mean_ranks[i]:.2f}",
                *(ABSENT if i == j else _probability(each.ranking.p_values[i][j]) for j in order),
            )
            for i in order
        ),
    )


def _overall(overall: Sequence[Ranked], num_benchmarks: int) -> Section:
    names = overall[-1].ranking.names
    last = dict(zip(names, overall[-1].ranking.mean_ranks, strict=True))
    by_budget = [dict(zip(each.ranking.names, each.ranking.mean_ranks, strict=True)) for each in overall]
    table = Table(
        f"Mean ranks over the {num_benchmarks} benchmarks, of the mean regret on each.",
        ("strategy", *(f"{each.budget} evaluations" for each in overall)),
        tuple(
            (readable(name), *(f"{ranks[name]:.2f}" for ranks in by_budget))
            for name in sorted(names, key=last.__getitem__)
        ),
    )
    difference = overall[-1].ranking.critical_difference
    apart = "" if difference is None else f" Ranks would have to differ by {difference:.2f}."
    remark = Paragraph(
        f"With {num_benchmarks} benchmarks as blocks, Friedman's test has p "
        f"{_probability(overall[-1].ranking.friedman.chi_square_p)} after {overall[-1].budget} evaluations.{apart} So "
        "few benchmarks say little about others.",
        is_remark=True,
    )
    return Section("overall", "All benchmarks", (table, remark))


def _published(beside: Sequence[Beside]) -> Section:
    rows = []
    for each in beside:
        measure = each.arena.measures[0]
        deviation = each.value.standard_deviation
        rows.append(
            (
                each.arena.key,
                readable(each.strategy),
                each.published.source,
                each.published.budget,
                f"{_number(measure, each.value.mean)}"
                + ("" if deviation is None else f" ± {_number(measure, deviation)}"),
                str(each.published.evaluations),
                " ± ".join(_spread(measure, each.reached)),
                _difference(measure, each.difference),
            )
        )
    table = Table(
        "Published means and standard deviations over runs beside ours; the last column is ours less theirs with "
        "Welch's 95 % interval, or Student's of ours alone where the published spread is not known.",
        ("benchmark", "strategy", "source", "its budget", "published", "evaluations", "ours", "difference"),
        tuple(rows),
        num_text_columns=4,
    )
    return Section("published", "Beside published numbers", (table,))


def _origin(arenas: Sequence[Arena], settings_text: str) -> Section:
    files = {name: digest for arena in arenas for name, digest in arena.files.items()}
    text = "\n".join(f"{digest}  {name}" for name, digest in files.items())
    return Section(
        "origin",
        "Origin",
        (Listing("Settings", settings_text), *([Listing("SHA-256 of the tables", text)] if text else [])),
    )


def _is_share(measure: str) -> bool:
    return measure.endswith("accuracy")


def _number(measure: str, value: float) -> str:
    return f"{100 * value:.2f}" if _is_share(measure) else f"{value:.4g}"


def _value(measure: str, value: float) -> str:
    return f"{_number(measure, value)} %" if _is_share(measure) else _number(measure, value)


def _regret(measure: str, value: float) -> str:
    return f"{100 * value:.3f}" if _is_share(measure) else f"{value:.4g}"


def _spread(measure: str, summary: RunSummary | None) -> tuple[str, str]:
    if summary is None or summary.standard_deviation is None:
        return ABSENT, ABSENT
    return _number(measure, summary.mean), _number(measure, summary.standard_deviation)


def _interval(measure: str, summary: RunSummary | None) -> str:
    if summary is None or summary.interval is None:
        return ABSENT
    return f"{_number(measure, summary.interval.low)} to {_number(measure, summary.interval.high)}"


def _difference(measure: str, apart: Interval) -> str:
    if _is_share(measure):
        return f"{points(apart.estimate)} [{points_interval(apart)}]"
    return f"{signed(apart.estimate, 4)} [{signed(apart.low, 4)} to {signed(apart.high, 4)}]"


def _probability(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
