from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import toy_space
import toy_task
from scripted_evaluator import DIE, FAIL, HANG, RAISE, SCORE, SLOW, THREADS, attempts, make, proposal, worker_ids

from nas_core import catalog
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.parallel import ParallelEvaluator
from nas_core.randomness import Streams
from nas_core.variation import sample
from nas_core.worker_process import process_pool


@contextmanager
def parallel(folder: Path, num_workers: int = 2, **settings: Any) -> Iterator[ParallelEvaluator]:
    with ParallelEvaluator(partial(make, str(folder)), num_workers=num_workers, **settings) as evaluator:
        yield evaluator


def outcomes(evaluations: list[Evaluation]) -> list[tuple[dict[str, float], str | None]]:
    return [(dict(each.scores), each.failure) for each in evaluations]


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def alive(ids: set[int]) -> set[int]:
    running = psutil.process_iter(["status"])
    return {each.pid for each in running if each.pid in ids and each.info["status"] != psutil.STATUS_ZOMBIE}


MIXED = [proposal(SCORE, 0), proposal(FAIL, 1), proposal(SLOW, 2), *(proposal(SCORE, number) for number in range(3, 8))]


@pytest.mark.parametrize("num_workers", [1, 2, 4])
def test_results_and_their_order_do_not_depend_on_the_number_of_workers(tmp_path: Path, num_workers: int) -> None:
    expected = make(str(tmp_path)).evaluate(MIXED)
    with parallel(tmp_path, num_workers) as evaluator:
        found = evaluator.evaluate(MIXED)
        assert [each.proposal for each in found] == MIXED
        assert outcomes(found) == outcomes(expected)
        assert evaluator.evaluate([]) == []


def test_workers_are_kept_between_calls(tmp_path: Path) -> None:
    with parallel(tmp_path, 1) as evaluator:
        evaluator.evaluate(MIXED[:2])
        evaluator.evaluate(MIXED[3:5])
        assert len(worker_ids(tmp_path)) == 1
        (worker,) = worker_ids(tmp_path)
        assert worker != os.getpid()


@pytest.mark.parametrize("num_threads", [1, 3])
def test_each_worker_has_the_number_of_threads_that_its_pool_gives(tmp_path: Path, num_threads: int) -> None:
    pool = partial(process_pool, num_threads=num_threads)
    with parallel(tmp_path, make_executor=pool) as evaluator:
        assert evaluator.evaluate([proposal(THREADS)])[0].scores == {"threads": num_threads}


def test_training_side_by_side_gives_the_accuracies_of_training_one_by_one() -> None:
    space = toy_space.build()
    objectives = [Objective("validation_accuracy", "maximize")]
    build = catalog.load("evaluator", "low_fidelity").build
    factory = partial(build, space, objectives, Streams(0), toy_task.build, epochs=1, batch_size=16)
    generator = np.random.default_rng(0)
    asked = [Proposal(sample(space, generator)) for _ in range(4)]
    with ParallelEvaluator(factory, num_workers=2) as evaluator:
        assert outcomes(evaluator.evaluate(asked)) == outcomes(factory().evaluate(asked))


def test_a_candidate_that_kills_its_worker_is_found_and_given_up(tmp_path: Path) -> None:
    asked = [proposal(SCORE, 0), proposal(DIE, 1), *(proposal(SLOW, number) for number in range(2, 5))]
    with parallel(tmp_path, 2) as evaluator:
        found = evaluator.evaluate(asked)
        assert [each.failure is None for each in found] == [True, False, True, True, True]
        assert found[1].failure is not None
        assert "died in each of 3 attempts" in found[1].failure
        assert attempts(tmp_path, DIE, 1) == 3
        # the pool is good again
        assert evaluator.evaluate([proposal(SCORE, 9)])[0].scores == {"score": 9.0}


def test_a_worker_killed_between_two_calls_costs_nothing(tmp_path: Path) -> None:
    with parallel(tmp_path, 1) as evaluator:
        evaluator.evaluate([proposal(SCORE, 0)])
        (worker,) = worker_ids(tmp_path)
        os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: not alive({worker}))
        assert evaluator.evaluate([proposal(SCORE, 1)])[0].scores == {"score": 1.0}


def test_a_candidate_over_its_time_fails_and_its_worker_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas_core.parallel.STARTUP_SECONDS", 0.0)
    asked = [proposal(HANG, 0), *(proposal(SLOW, number) for number in range(1, 4))]
    with parallel(tmp_path, 2, timeout_seconds=6.0) as evaluator:
        found = evaluator.evaluate(asked)
    assert found[0].failure == "took longer than the limit of 6 seconds"
    assert [each.failure for each in found[1:]] == [None] * 3
    assert attempts(tmp_path, HANG, 0) == 1
    assert eventually(lambda: not alive(worker_ids(tmp_path)))


def test_what_the_inner_evaluator_raises_passes_and_no_worker_stays(tmp_path: Path) -> None:
    with parallel(tmp_path) as evaluator, pytest.raises(FileNotFoundError, match="the data are gone"):
        evaluator.evaluate([proposal(SLOW, 0), proposal(RAISE, 1), proposal(SLOW, 2)])
    assert eventually(lambda: not alive(worker_ids(tmp_path)))


def test_any_executor_will_do(tmp_path: Path) -> None:
    with parallel(tmp_path, 2, make_executor=ThreadPoolExecutor) as evaluator:
        assert outcomes(evaluator.evaluate(MIXED)) == outcomes(make(str(tmp_path)).evaluate(MIXED))


SCRIPT = """
import sys
from functools import partial
sys.path[:0] = [{tests!r}, {root!r}]
from scripted_evaluator import HANG, make, proposal
from nas_core.parallel import ParallelEvaluator
if __name__ == "__main__":
    evaluator = ParallelEvaluator(partial(make, {folder!r}), num_workers=2)
    try:
        evaluator.evaluate([proposal(HANG, number) for number in range(2)])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    folder = tmp_path / "attempts"
    folder.mkdir()
    here = Path(__file__).parent
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=str(here), root=str(here.parent.parent), folder=str(folder)))
    parent = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert eventually(lambda: len(worker_ids(folder)) == 2, seconds=60)
    # Ctrl-C reaches the whole foreground group
    (os.killpg if how is signal.SIGINT else os.kill)(parent.pid, how)
    _, errors = parent.communicate(timeout=120)
    assert parent.returncode == (130 if how is signal.SIGINT else -how)
    assert eventually(lambda: not alive(worker_ids(folder)))
    if how is signal.SIGINT:
        assert errors == "interrupted\n"


def test_an_evaluator_with_state_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has state \\(epoch\\)"):
        ParallelEvaluator(partial(make, str(tmp_path), epoch=1), num_workers=2)


def test_a_factory_that_cannot_travel_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be pickled"):
        ParallelEvaluator(lambda: make("nowhere"), num_workers=2)


@pytest.mark.parametrize("settings", [{"num_workers": 0}, {"max_attempts": 0}, {"timeout_seconds": 0.0}])
def test_settings_out_of_range_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give at least 1"):
        ParallelEvaluator(partial(make, str(tmp_path)), **{"num_workers": 1, **settings})


def test_the_empty_state_comes_from_the_inner_evaluator(tmp_path: Path) -> None:
    with parallel(tmp_path) as evaluator:
        assert evaluator.state_dict() == {}
        evaluator.load_state_dict({})
        with pytest.raises(ValueError, match="run it by itself"):
            evaluator.load_state_dict({"epoch": 2})


def test_one_proposal_twice_is_two_evaluations(tmp_path: Path) -> None:
    twice: list[Proposal] = [proposal(SCORE, 1)] * 2
    with parallel(tmp_path) as evaluator:
        assert [each.scores["score"] for each in evaluator.evaluate(twice)] == [1.0, 1.0]
