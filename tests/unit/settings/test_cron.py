"""Cron expressions: what is accepted the scheduler accepts too, and what never comes is refused."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.settings.cron import check_cron

NUMBERS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}


@pytest.mark.parametrize(
    "expression",
    ["0 3 * * *", "*/15 * * * *", "0,30 8-18/2 1,15 jan-mar MON-FRI", "0 0 29 2 *", "5/10 0 * * 0,7", "0 0 31 2 mon"],
)
def test_usual_expressions_pass(expression: str) -> None:
    assert check_cron(expression) == expression


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ("", "it has 0 of the five fields minute, hour, day, month, weekday; write such as '0 3 * * *'"),
        ("@daily", "it has 1 of the five fields minute, hour, day, month, weekday; write such as '0 3 * * *'"),
        ("0 3 * * * *", "it has 6 of the five fields minute, hour, day, month, weekday; write such as '0 3 * * *'"),
        ("60 3 * * *", "minute has '60'; allowed: 0 to 59"),
        ("0 24 * * *", "hour has '24'; allowed: 0 to 23"),
        ("0 3 0 * *", "day of the month has '0'; allowed: 1 to 31"),
        ("0 3 * janvier *", "month has 'janvier'; allowed: 1 to 12, or jan to dec"),
        ("0 3 * * 8", "weekday has '8'; allowed: 0 to 7, or sun to sat"),
        ("0 3 * * fri-mon", "weekday has 'fri-mon'; write a range from the lower to the higher, and steps of 1 up"),
        ("*/0 3 * * *", "minute has '*/0'; write a range from the lower to the higher, and steps of 1 up"),
        ("0 3 L * *", "day of the month has 'L'; allowed: 1 to 31"),
        ("0 3 * * mon#1", "weekday is 'mon#1'; write *, a number, a range a-b, a list a,b, or steps */n"),
        ("1, 3 * * *", "minute is '1,'; write *, a number, a range a-b, a list a,b, or steps */n"),
        ("0 0 31 2,4 *", "no month of '2,4' has a day 31; name another day"),
    ],
)
def test_what_is_no_expression_says_why(expression: str, line: str) -> None:
    with pytest.raises(ValueError) as error:
        check_cron(expression)
    assert str(error.value) == line


@st.composite
def expressions(draw: st.DrawFn) -> str:
    def item(least: int, most: int) -> str:
        first, last = sorted(draw(st.tuples(st.integers(least, most), st.integers(least, most))))
        step = f"/{draw(st.integers(1, most))}" if draw(st.booleans()) else ""
        return draw(st.sampled_from(["*", f"*{step}", f"{first}", f"{first}-{last}{step}"]))

    return " ".join(",".join(item(*bounds) for _ in range(draw(st.integers(1, 2)))) for bounds in NUMBERS.values())


@settings(max_examples=60, deadline=None)
@given(expressions())
def test_what_passes_the_scheduler_can_follow(expression: str) -> None:
    from prefect._vendor.croniter import croniter

    try:
        check_cron(expression)
    except ValueError:
        return
    assert croniter.is_valid(expression)
    start = datetime.datetime(2025, 1, 1)
    assert croniter(expression, start).get_next(datetime.datetime) > start
