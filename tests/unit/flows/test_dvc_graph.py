"""DVC's graph as an ordered list of stages: a contract with an interface that DVC does not document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.dvc_graph import Stage, read_stages, select_stages

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dvc")


def test_every_stage_comes_after_what_it_waits_for_with_its_upstream(toy_pipeline: Path) -> None:
    stages = read_stages(toy_pipeline)

    assert {stage.name: stage.upstream for stage in stages} == {
        "prepare": (),
        "search@random": ("prepare",),
        "search@darts": ("prepare",),
        "select": ("search@darts", "search@random"),
        "baselines": ("prepare",),
        "report": ("baselines", "select"),
    }
    names = [stage.name for stage in stages]
    assert all(names.index(upstream) < names.index(stage.name) for stage in stages for upstream in stage.upstream)


def test_independent_stages_keep_the_order_of_dvc_yaml(toy_pipeline: Path) -> None:
    assert [stage.name for stage in read_stages(toy_pipeline)] == [
        "prepare",
        "search@random",
        "search@darts",
        "select",
        "baselines",
        "report",
    ]


def test_a_pipeline_that_dvc_cannot_read_is_one_line(pipeline_folder: Callable[[str], Path]) -> None:
    root = pipeline_folder("stages:\n  prepare:\n    command: misspelt\n")

    with pytest.raises(ValueError, match="DVC cannot read the pipeline") as caught:
        read_stages(root)

    assert "\n" not in str(caught.value)


STAGES = (Stage("prepare", ()), Stage("search@a", ("prepare",)), Stage("search@b", ("prepare",)))


def test_a_group_stands_for_all_its_stages_and_upstream_is_cut_to_the_chosen() -> None:
    assert select_stages(STAGES, ["search"]) == (Stage("search@a", ()), Stage("search@b", ()))
    assert select_stages(STAGES, ["search@b", "prepare"]) == (Stage("prepare", ()), Stage("search@b", ("prepare",)))


def test_an_unknown_stage_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown stage 'serach'; did you mean search"):
        select_stages(STAGES, ["serach"])
