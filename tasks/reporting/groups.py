"""Searches by evaluator: only scores of the same evaluator with the same settings compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nas_core.objectives import Objective
from tasks.reporting.palette import LineStyle, line_style
from tasks.reporting.results import Results
from tasks.reporting.searches import SearchResult


@dataclass(frozen=True)
class SearchGroup:
    """Searches whose scores compare.

    Attributes:
        name: for the names of files.
        searches: with equal evaluators and equal first objectives.
        styles: the look of each, by its key.
    """

    name: str
    searches: tuple[SearchResult, ...]
    styles: Mapping[str, LineStyle]

    @property
    def phrase(self) -> str:
        """The evaluator with its settings, for people."""
        return self.searches[0].evaluator_phrase

    @property
    def goal(self) -> Objective:
        """The first objective."""
        return self.searches[0].goal

    def style(self, search: SearchResult) -> LineStyle:
        """Return the look of a search, the same in all figures."""
        return self.styles[search.key]


def search_groups(results: Results) -> tuple[SearchGroup, ...]:
    """Return the searches by evaluator and first objective, in the order of params.yaml."""
    members: dict[tuple[str, str], list[SearchResult]] = {}
    for search in results.searches:
        members.setdefault((search.evaluator_key, search.goal.name), []).append(search)
    styles = {search.key: line_style(index) for index, search in enumerate(results.searches)}
    groups = []
    names: set[str] = set()
    for searches in members.values():
        name = str(searches[0].evaluator["name"])
        while name in names:
            name += "-another"
        names.add(name)
        groups.append(SearchGroup(name, tuple(searches), styles))
    return tuple(groups)
