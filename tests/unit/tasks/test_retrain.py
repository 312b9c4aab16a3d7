"""`python -m tasks.retrain`: which ranks it takes."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tasks import retrain
from tasks.stage import Stage


@pytest.mark.parametrize("rank", ["-1", "2"])
def test_a_rank_that_the_settings_lack_is_one_line(
    rank: str,
    make_checkout: Callable[..., Stage],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(make_checkout().root)
    monkeypatch.setattr(sys, "argv", ["retrain", "--rank", rank])
    assert retrain.main() == 2
    assert capsys.readouterr().err == f"error: --rank is {rank}; retrain.ranks of params.yaml has 0, 1\n"


def test_ranks_of_the_settings_do_not_differ_in_what_decides_them(make_checkout: Callable[..., Stage]) -> None:
    settings = make_checkout().settings
    assert retrain._identity_of_rank(settings, 1) == retrain.identity(settings)
