"""Checks a cron expression without importing a scheduler."""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MOST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ITEM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]+))?", re.ASCII)


@dataclass(frozen=True)
class _Field:
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()

    def values(self, text: str) -> set[int]:
        """Return the numbers that the text of a field stands for."""
        found: set[int] = set()
        for item in text.split(","):
            match = ITEM.fullmatch(item)
            if match is None:
                raise ValueError(f"{self.name} is {text!r}; write *, a number, a range a-b, a list a,b, or steps */n")
            step = int(match["step"] or 1)
            first = self.least if match["first"] is None else self._number(match["first"])
            last = self._number(match["last"]) if match["last"] else first
            if match["first"] is None or (match["step"] and not match["last"]):
                last = self.most
            if last < first or not 1 <= step <= self.most:
                raise ValueError(
                    f"{self.name} has {item!r}; write a range from the lower to the higher, and steps of 1 up"
                )
            found.update(range(first, last + 1, step))
        return found

    def _number(self, text: str) -> int:
        word = text.lower()
        if word in self.words:
            return self.words.index(word) + self.least
        if not text.isdecimal() or not self.least <= int(text) <= self.most:
            names = f", or {self.words[0]} to {self.words[-1]}" if self.words else ""
            raise ValueError(f"{self.name} has {text!r}; allowed: {self.least} to {self.most}{names}")
        return int(text)


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("weekday", 0, 7, WEEKDAYS),
)


def check_cron(expression: str) -> str:
    """Return a cron expression of five fields: minute, hour, day of the month, month, weekday (0 and 7 are Sunday).

    Raises:
        ValueError: it is none, or no day fits it.
    """
    texts = expression.split()
    if len(texts) != len(FIELDS):
        raise ValueError(
            f"it has {len(texts)} of the five fields minute, hour, day, month, weekday; write such as '0 3 * * *'"
        )
    _, _, days, months, _ = [field.values(text) for field, text in zip(FIELDS, texts, strict=True)]
    if texts[4] == "*" and min(days) > max(MOST_DAYS[month - 1] for month in months):
        raise ValueError(f"no month of {texts[3]!r} has a day {min(days)}; name another day")
    return expression
