"""A small DVC pipeline, and one Prefect server for all tests of this folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.dvc_stage import stage_environment

TOY_PIPELINE = """
stages:
  prepare:
    cmd: python -c "open('data.txt', 'w').write(open('source.txt').read())"
    deps: [source.txt]
    outs: [data.txt]
  search:
    foreach: {random: 1, darts: 2}
    do:
      cmd: cp data.txt search-${key}.txt
      deps: [data.txt]
      outs: ["search-${key}.txt"]
  select:
    cmd: cat search-random.txt search-darts.txt > select.txt
    deps: [search-random.txt, search-darts.txt]
    outs: [select.txt]
  baselines:
    cmd: 'echo "half way"; echo "error: no baseline is known" >&2; exit 3'
    deps: [data.txt]
    outs: [baselines.txt]
  report:
    cmd: cp baselines.txt report.txt
    deps: [baselines.txt, select.txt]
    outs: [report.txt]
"""


@pytest.fixture
def pipeline_folder(tmp_path: Path) -> Callable[[str], Path]:
    """Gives a function that turns the text of a dvc.yaml into a DVC repository outside git."""

    def make(text: str) -> Path:
        command = [sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"]
        subprocess.run(command, cwd=tmp_path, env=stage_environment(), check=True)
        (tmp_path / "dvc.yaml").write_text(text)
        (tmp_path / "source.txt").write_text("1")
        return tmp_path

    return make


@pytest.fixture
def toy_pipeline(pipeline_folder: Callable[[str], Path]) -> Path:
    """The folder of a pipeline in which `baselines` fails, so that `report` cannot run."""
    return pipeline_folder(TOY_PIPELINE)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server with an empty database."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=60):
        yield
