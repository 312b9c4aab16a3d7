"""Settings for a plug-in within another one's settings."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le, Lt

from nas_core import nested_settings

NAME = "made_up.predictor"


def build(
    streams: Any,
    *,
    size: Annotated[int, Ge(2), Le(9)],
    rate: Annotated[float, Gt(0), Lt(1)] = 0.5,
    share: Annotated[float, Interval(ge=0, le=1)] = 1.0,
    mode: Literal["plain", "bold"] = "plain",
    limit: Annotated[int, Ge(1)] | None = None,
    label: str = "",
    exact: bool = False,
) -> None:
    """Take settings of all kinds."""


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    package, made_up = types.ModuleType("made_up"), types.ModuleType(NAME)
    vars(made_up).update(vars(sys.modules[__name__]))
    monkeypatch.setitem(sys.modules, "made_up", package)
    monkeypatch.setitem(sys.modules, NAME, made_up)


@pytest.mark.parametrize(
    "values",
    [
        {"size": 2},
        {"size": 9, "rate": 0.1, "share": 0, "mode": "bold", "limit": None, "label": "x", "exact": True},
        {"size": 3, "limit": 1, "share": 1.0},
    ],
)
def test_what_fits_is_taken(values: Mapping[str, Any]) -> None:
    nested_settings.check("predictor", NAME, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "lacks its setting size"),
        ({"size": 3, "raet": 0.1}, "has no setting 'raet'; did you mean 'rate'"),
        ({"size": 1}, r"size of predictor 'made_up.predictor' is 1; allowed: int .*Ge\(ge=2\)"),
        ({"size": 10}, "size of .* is 10"),
        ({"size": 2.0}, "size of .* is 2.0"),
        ({"size": True}, "size of .* is True"),
        ({"size": "3"}, "size of .* is '3'"),
        ({"size": 3, "rate": 0}, "rate of .* is 0"),
        ({"size": 3, "rate": 1.0}, "rate of .* is 1.0"),
        ({"size": 3, "share": 1.1}, "share of .* is 1.1"),
        ({"size": 3, "mode": "shy"}, "mode of .* is 'shy'; allowed: 'plain', 'bold'"),
        ({"size": 3, "limit": 0}, "limit of .* is 0; allowed: int .* or NoneType"),
        ({"size": 3, "label": 1}, "label of .* is 1; allowed: str"),
        ({"size": 3, "exact": 1}, "exact of .* is 1; allowed: bool"),
    ],
)
def test_what_does_not_fit_is_named_with_what_is_allowed(values: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        nested_settings.check("predictor", NAME, values)
    assert "\n" not in str(caught.value)


def test_an_unknown_plug_in_is_named() -> None:
    with pytest.raises(ValueError, match="did you mean 'random_forest'"):
        nested_settings.check("predictor", "random_forst", {})
