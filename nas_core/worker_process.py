"""Processes that evaluate: how they start, what they run, and that they never outlive their parent."""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from nas_core.evaluation import Evaluation, Proposal
from nas_core.evaluator import Evaluator

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def process_pool(num_workers: int, *, num_threads: int = 1) -> ProcessPoolExecutor:
    """Return a pool of fresh processes that end with this process, however it ends, and leave Ctrl-C to it.

    Args:
        num_workers: processes, at least 1.
        num_threads: of the numerical libraries in each process.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(num_workers, mp_context=context, initializer=start, initargs=(num_threads,))


def start(num_threads: int) -> None:
    """Set up a worker: threads, signals, and a watch that ends it when its parent is gone."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(num_threads)
    if "torch" in sys.modules:
        # loaded with the main module, before the variables were set
        sys.modules["torch"].set_num_threads(num_threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def kill(executor: Executor) -> None:
    """Shut an executor down without waiting; the workers of a process pool are killed whatever they are at."""
    processes = []
    if isinstance(executor, ProcessPoolExecutor):
        # public only from Python 3.14 on, as kill_workers()
        processes = list((executor._processes or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Hold Ctrl-C back for this thread, and for good in the processes it starts meanwhile.

    A worker that is still importing when Ctrl-C comes would else print a traceback of its own.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An evaluation on its way back from a worker, without the proposal; see `nas_core.evaluation.Evaluation`."""

    scores: dict[str, float]
    seconds: float
    failure: str | None

    def of(self, proposal: Proposal) -> Evaluation:
        """Return the evaluation of the proposal that this is the outcome of."""
        if self.failure is not None:
            return Evaluation(proposal, seconds=self.seconds, failure=self.failure)
        return Evaluation(proposal, self.scores, self.seconds)


def evaluate(make_evaluator: bytes, proposal: Proposal) -> Outcome:
    """Return the outcome of a proposal by this worker's evaluator, which is built the first time.

    Args:
        make_evaluator: the pickled factory.
        proposal: what to evaluate.
    """
    (evaluation,) = _evaluator(make_evaluator).evaluate([proposal])
    return Outcome(dict(evaluation.scores), evaluation.seconds, evaluation.failure)


@functools.lru_cache(maxsize=1)
def _evaluator(make_evaluator: bytes) -> Evaluator:
    evaluator: Evaluator = pickle.loads(make_evaluator)()
    return evaluator


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
