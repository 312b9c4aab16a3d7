"""A served deployment on a real server: its cron runs are created, and a run of it completes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from flows.temporary_server import is_healthy
from tasks.dvc_stage import stage_environment
from tasks.settings import load

PROJECT = Path(__file__).parents[2]
SCHEDULE = {"cron": "0 4 * * *", "timezone": "Europe/Berlin"}


def write_params(folder: Path) -> None:
    """Writes the project's params.yaml with another schedule."""
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump({**params, "schedule": SCHEDULE}))


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all below it."""
    family = [*psutil.Process(process.pid).children(recursive=True), process]
    for member in family:
        member.terminate()
    try:
        process.wait(10)
    finally:
        for member in psutil.wait_procs(family[:-1], timeout=5)[1]:
            member.kill()


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a user with a running Prefect server whose scheduler looks every second."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {
        **own,
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "1",
        "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
        "PYTHONPATH": str(PROJECT),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            assert wait_for(lambda: is_healthy(environment["PREFECT_API_URL"], 2.0), 90)
            yield environment
        finally:
            end(server)


def wait_for(condition: Callable[[], Any], seconds: float) -> Any:
    """Returns the condition's value as soon as it is true, or at the end of the time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return value


def ask(environment: dict[str, str], path: str, body: dict[str, Any] | None = None) -> Any:
    """Sends a request to the server's API (POST where there is a body) and returns the answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{environment['PREFECT_API_URL']}/{path}", data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_a_served_deployment_gets_its_cron_runs_and_a_run_of_it_completes(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """With a later SQLAlchemy than the one that is allowed no cron run is ever created."""
    subprocess.run(
        [sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=tmp_path, env=stage_environment(), check=True
    )
    write_params(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {prepare: {cmd: echo 1 > data.txt, outs: [data.txt]}}")

    serving = subprocess.Popen([sys.executable, "-m", "flows.serve"], cwd=tmp_path, env=environment)
    try:
        scheduled = wait_for(
            lambda: ask(environment, "flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}),
            60,
        )
        assert scheduled
        assert all(run["auto_scheduled"] for run in scheduled)
        deployment = ask(environment, "deployments/name/pipeline/nightly")
        assert [schedule["schedule"] for schedule in deployment["schedules"]] == [{**SCHEDULE, "day_or": True}]

        run = ask(environment, f"deployments/{deployment['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
        ended = wait_for(
            lambda: next(
                (
                    state
                    for state in [ask(environment, f"flow_runs/{run['id']}")["state"]]
                    if state["type"] in ("COMPLETED", "FAILED", "CRASHED")
                ),
                None,
            ),
            60,
        )
        assert (ended["type"], ended["message"]) == ("COMPLETED", "1 of 1 stages are done, 0 of them from the cache")
        assert (tmp_path / "data.txt").read_text() == "1\n"
    finally:
        end(serving)


def test_without_a_server_serving_says_in_one_line_how_to_start_one(tmp_path: Path) -> None:
    write_params(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {**own, "PYTHONPATH": str(PROJECT), "PREFECT_API_URL": "http://127.0.0.1:9/api"}

    ended = subprocess.run(
        [sys.executable, "-m", "flows.serve"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 1
    assert ended.stderr == (
        "error: no Prefect server answers at http://127.0.0.1:9/api; start one with"
        " `prefect server start --host 127.0.0.1` or set PREFECT_API_URL to a running one\n"
    )


def test_the_deployment_for_work_pools_has_the_pipeline_s_flow_and_schedule() -> None:
    (deployment,) = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    path, _, name = deployment["entrypoint"].partition(":")

    settings = load(PROJECT / "params.yaml").schedule
    assert deployment["name"] == "nightly"
    (schedule,) = deployment["schedules"]
    assert (schedule["cron"], schedule["timezone"]) == (settings.cron, settings.timezone)
    assert f"\ndef {name}(" in (PROJECT / path).read_text()
