"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nas_core.robustness.intervals import Interval

ABSENT = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def percent(share: float | None, digits: int = 2) -> str:
    """Return a share in 0..1 as percent, such as ``98.61 %``; a dash for None."""
    return ABSENT if share is None else f"{100 * share:.{digits}f} %"


def percent_spread(spread: Mapping[str, Any] | None, digits: int = 2) -> str:
    """Return mean and standard deviation of shares in percent, as ``98.61 ± 0.28 %``; one value has no spread."""
    if spread is None:
        return ABSENT
    if len(spread["values"]) < 2:
        return percent(spread["mean"], digits)
    return f"{100 * spread['mean']:.{digits}f} ± {100 * spread['standard_deviation']:.{digits}f} %"


def plain_spread(spread: Mapping[str, Any] | None, digits: int = 3) -> str:
    """Return mean and standard deviation, as ``0.021 ± 0.004``; one value has no spread."""
    if spread is None:
        return ABSENT
    if len(spread["values"]) < 2:
        return f"{spread['mean']:.{digits}f}"
    return f"{spread['mean']:.{digits}f} ± {spread['standard_deviation']:.{digits}f}"


def points(share: float, digits: int = 2) -> str:
    """Return a difference of shares in percentage points with its sign, as ``+0.28``."""
    return signed(100 * share, digits)


def signed(number: float, digits: int) -> str:
    """Return a number with its sign, but for one that rounds to 0."""
    text = f"{number:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def points_interval(interval: Interval) -> str:
    """Return the ends of an interval of a difference in percentage points, as ``−0.10 to +0.66``."""
    return f"{points(interval.low)} to {points(interval.high)}"


def count(number: float | None) -> str:
    """Return a whole number with thousands separated; a dash for None."""
    return ABSENT if number is None else f"{number:,.0f}"


def short_count(number: float) -> str:
    """Return a large number with three digits and a unit, as ``1.23 M``."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(number) >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.3g}"


def duration(seconds: float) -> str:
    """Return a time as its two largest units, as ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def listed(words: Sequence[object], conjunction: str = "and") -> str:
    """Return words joined as in a sentence: ``a, b and c``; ``none`` if there are none."""
    texts = [str(word) for word in words]
    if len(texts) < 2:
        return "".join(texts) or "none"
    return f"{', '.join(texts[:-1])} {conjunction} {texts[-1]}"


def seeds_phrase(seeds: Sequence[int]) -> str:
    """Return which seeds, as ``seeds 0, 1 and 2`` or ``one seed (0)``."""
    return f"one seed ({seeds[0]})" if len(seeds) == 1 else f"seeds {listed(seeds)}"


def readable(name: str) -> str:
    """Return a name of code as words: ``random_search`` as ``random search``."""
    return name.replace("_", " ")
