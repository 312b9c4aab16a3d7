"""A graph network with other poolings in the place of its own: what shows what the poolings that a search found add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gnn_space.networks.vocabulary import NO_POOLING
from nas_core.architecture import Choice

REPLACEMENTS: Mapping[str, str] = {"without pooling": NO_POOLING, "with TopK pooling": "topk"}
"""What takes the place of every pooling, by the name of the variant."""

POOLING = "pooling_"
RATIO = "ratio_"


def pooling_variants(choices: Sequence[Choice], decisions: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return the decisions of each variant that the options allow, by its name.

    A pooling is replaced where there is one, and its ratio stays; one that had no ratio (edge) gets the smallest, which
    is nearest to its half. All else stays as it is, so that a network without any pooling is its own variant. Decisions
    on choices that do not matter are left to the caller.

    Args:
        choices: of the space.
        decisions: of a member.
    """
    chosen = {choice.name: choice.options[decision] for choice, decision in zip(choices, decisions, strict=True)}
    found = {}
    for name, replacement in REPLACEMENTS.items():
        pooled = [choice for choice in choices if choice.name.startswith(POOLING) and chosen[choice.name] != NO_POOLING]
        if all(replacement in choice.options for choice in pooled):
            replaced = {choice.name: choice.options.index(replacement) for choice in pooled}
            found[name] = tuple(
                replaced.get(choice.name, _ratio(choice, chosen, decision))
                for choice, decision in zip(choices, decisions, strict=True)
            )
    return found


def _ratio(choice: Choice, chosen: Mapping[str, str], decision: int) -> int:
    """Return the decision on a choice that is not replaced: as it was, but for the ratio of a pooling without one."""
    if not choice.name.startswith(RATIO) or choice.active_if is None:
        return decision
    pooling, users = choice.active_if
    has_ratio = chosen[pooling] in ((users,) if isinstance(users, str) else users)
    return decision if has_ratio else min(range(len(choice.options)), key=lambda place: float(choice.options[place]))
