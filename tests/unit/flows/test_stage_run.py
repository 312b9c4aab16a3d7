"""A run of a real DVC pipeline inside a Prefect flow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.dvc_graph import read_stages

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.filterwarnings("ignore")]


def run(root: Path, *, retries: int = 0) -> Any:
    """Runs all stages and returns the flow's last state."""
    from prefect import flow

    from flows.stage_run import RunSettings, run_in_flow

    settings = RunSettings(retries=retries, retry_delay_seconds=0.0, timeout_seconds=60.0, max_parallel=2)

    @flow(name="test")
    def whole() -> Any:
        return run_in_flow(root, read_stages(root), settings)

    return whole(return_state=True)


def ended_stages(output: str) -> dict[str, str]:
    """Returns the states that were printed, by stage."""
    words = [line.split() for line in output.splitlines() if "/" in line]
    return {word[2]: word[3].rstrip(":") for word in words}


def newest_artifacts(*keys: str) -> dict[str, Any]:
    """Returns what the server keeps under these keys."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    with get_client(sync_client=True) as client:
        return {
            key: client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))[-1].data
            for key in keys
        }


def test_a_failed_stage_fails_the_run_in_one_line_and_its_siblings_finish(
    toy_pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = run(toy_pipeline)

    assert state.is_failed()
    assert state.message == (
        "stage baselines: no baseline is known; .work/logs/baselines.log has all it said; 4 of 6 stages are done"
    )
    assert ended_stages(capsys.readouterr().out) == {
        "prepare": "Completed",
        "search@random": "Completed",
        "search@darts": "Completed",
        "select": "Completed",
        "baselines": "Failed",
        "report": "NotReady",
    }
    assert "half way" in (toy_pipeline / ".work/logs/baselines.log").read_text()
    artifacts = newest_artifacts("progress", "stages")
    assert artifacts["progress"] == 100.0
    assert "no baseline is known" in str(artifacts["stages"])


def test_a_run_is_repeated_from_the_cache_and_a_flaky_stage_is_tried_again(
    pipeline_folder: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = pipeline_folder("stages: {flaky: {cmd: 'test -e before || (touch before; exit 1)', deps: [source.txt]}}")

    first = run(root, retries=1)
    second = run(root)

    assert first.message == "1 of 1 stages are done, 0 of them from the cache"
    assert second.message == "1 of 1 stages are done, 1 of them from the cache"
    assert first.is_completed()
    assert second.is_completed()
