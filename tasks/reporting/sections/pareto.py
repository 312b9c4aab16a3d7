"""All evaluated networks by their two objectives; a panel for each evaluator."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from nas_core import pareto
from tasks.reporting.blocks import Block, Figure, FigureGroup, Paragraph, Section
from tasks.reporting.figures import pareto_front
from tasks.reporting.figures.pareto_front import Cloud, Mark
from tasks.reporting.groups import SearchGroup, search_groups
from tasks.reporting.machine import Machine
from tasks.reporting.palette import line_style
from tasks.reporting.quantities import listed, readable, seeds_phrase
from tasks.reporting.results import Results
from tasks.reporting.searches import evaluator_phrase
from tasks.reporting.sections.anytime import score_label

FALLBACK = "flops"
"""The second objective where a search had one only, if it was recorded."""

Point = tuple[float, float]


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    figures: list[Figure] = []
    remarks: list[Block] = []
    for group in search_groups(results):
        second = _second(group)
        if second is None:
            remarks.append(
                Paragraph(f"The searches scored by {group.phrase} recorded one objective: no front.", is_remark=True)
            )
        else:
            figures.append(_figure(group, *second, results, machine))
    scored_again = _selection_figure(results, machine)
    if scored_again is not None:
        figures.append(scored_again)
    text = (
        "Every network that was evaluated. The front holds those that no other one beats in both objectives. Panels do "
        "not compare with each other: what a score means depends on the evaluator."
    )
    blocks = (Paragraph(text), *((FigureGroup(tuple(figures)),) if figures else ()), *remarks)
    return Section("pareto", "Accuracy against cost", blocks)


def _second(group: SearchGroup) -> tuple[str, float] | None:
    """Return the second objective and its sign as a cost; None if no evaluation has one."""
    for objective in group.searches[0].objectives[1:]:
        if _has(group, objective.name):
            return objective.name, objective.sign
    return (FALLBACK, 1.0) if group.goal.name != FALLBACK and _has(group, FALLBACK) else None


def _has(group: SearchGroup, name: str) -> bool:
    return any(name in scores for search in group.searches for scores in search.scores)


def _figure(group: SearchGroup, second: str, sign: float, results: Results, machine: Machine) -> Figure:
    first = group.goal
    label, factor = score_label(first.name)
    clouds = [
        Cloud(
            readable(search.key),
            group.style(search),
            tuple(
                dict.fromkeys(
                    (scores[second], factor * scores[first.name])
                    for scores in search.scores
                    if second in scores and first.name in scores
                )
            ),
        )
        for search in group.searches
    ]
    points = [point for cloud in clouds for point in cloud.points]
    front = _front(points, sign, first.sign)
    floor = _floor(points, front) if first.goal == "maximize" else None
    below = sum(point[1] < floor for point in points) if floor is not None else 0
    seeds = sorted({seed for search in group.searches for seed in search.seeds})
    return Figure(
        f"pareto-{group.name}",
        pareto_front.draw(clouds, front, group.phrase.capitalize(), readable(second), label, floor),
        f"Scatter plot of {label} against {readable(second)} for {len(points)} evaluated networks, scored by "
        f"{group.phrase}; the front has {len(front)} networks.",
        f"Distinct scores of {listed([readable(search.key) for search in group.searches])}, "
        f"{sum(search.num_evaluations for search in group.searches)} evaluations, {seeds_phrase(seeds)}, a point an "
        f"evaluation without repeats.{f' {below} lie below the axis.' if below else ''} "
        f"Machine: {machine.phrase(results.device)}.",
    )


def _selection_figure(results: Results, machine: Machine) -> Figure | None:
    """Return the networks that `select` scored again, all with one evaluator; None if none was."""
    pool = results.selection["pool"]
    points = [(each["scores"]["flops"], 100 * each["validation_accuracy"]["mean"]) for each in pool]
    if not points:
        return None
    front = _front(points, 1.0, -1.0)
    places: dict[Point, list[str]] = {}
    for each in results.selection["candidates"]:
        place = (each["scores"]["flops"], 100 * each["validation_accuracy"]["mean"])
        places.setdefault(place, []).append(str(each["rank"]))
    marks = [Mark(",".join(ranks), place) for place, ranks in places.items()]
    phrase = evaluator_phrase(results.selection["evaluator"])
    return Figure(
        "pareto-selection",
        pareto_front.draw(
            [Cloud("finds of all searches", line_style(3), tuple(points))],
            front,
            f"Scored again: {phrase}",
            "flops",
            "validation accuracy (%)",
            None,
            marks,
        ),
        f"Scatter plot of mean validation accuracy against flops for the {len(points)} networks that were scored again "
        f"alike; the candidates are marked with their ranks.",
        f"The best of all searches, scored alike: mean over {seeds_phrase(results.selection['seeds'])}. Numbers are "
        f"the ranks of the candidates. Machine: {machine.phrase(results.device)}.",
    )


def _front(points: Sequence[Point], horizontal_sign: float, vertical_sign: float) -> list[Point]:
    """Return the points that none dominates, by rising horizontal value, each once."""
    kept = pareto.front([(horizontal_sign * x, vertical_sign * y) for x, y in points])
    return sorted({points[index] for index in kept})


def _floor(points: Sequence[Point], front: Sequence[Point]) -> float | None:
    """Return where the vertical axis starts so that a few poor networks do not squeeze the rest; None to show all."""
    heights = sorted(y for _, y in points)
    if len(heights) < 8:
        return None
    low = min(statistics.quantiles(heights, n=10)[1], *(y for _, y in front))
    margin = 0.12 * (heights[-1] - low)
    return low - margin if low - margin > heights[0] else None
