"""Evaluate proposals side by side, with the results of doing it one by one."""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from types import TracebackType
from typing import Any

from nas_core import worker_process
from nas_core.evaluation import Evaluation, Proposal
from nas_core.evaluator import Evaluator, Foresees
from nas_core.strategy import Strategy

MakeEvaluator = Callable[[], Evaluator]
MakeExecutor = Callable[[int], Executor]

STARTUP_SECONDS = 120.0
"""Added to the time limit of proposals whose worker may still have to start and to load its data."""


class ParallelEvaluator:
    """Hands proposals to the workers of an executor, each of which has an evaluator of its own.

    Evaluations are those of the inner evaluator, in the order of the proposals, whatever the number of workers. At most
    one proposal a worker is under way. Where a worker dies (the kernel kills it for its memory), the executor is built
    anew, and the proposals that were under way are tried again one at a time, alone, so that the culprit is found: a
    proposal that took part in `max_attempts` deaths is a failure. A proposal over the time limit is a failure, its
    worker is killed, and what else was under way starts again at no charge. An exception of the inner evaluator passes,
    since it reports the failures of candidates itself.

    The inner evaluator must have no state: workers would not see it change. An executor other than a process pool
    cannot be made to kill a worker; it is left behind and its work given up.
    """

    def __init__(
        self,
        make_evaluator: MakeEvaluator,
        *,
        num_workers: int,
        make_executor: MakeExecutor = worker_process.process_pool,
        timeout_seconds: float | None = None,
        max_attempts: int = 3,
    ) -> None:
        """Build the inner evaluator once here, to check it; workers start with the first proposals.

        Args:
            make_evaluator: builds the inner evaluator, once in each worker; must be picklable.
            num_workers: proposals under way at a time, at least 1.
            make_executor: builds an executor with that many workers; only `submit` and `shutdown` are used.
            timeout_seconds: limit for each proposal, above 0; None for none.
            max_attempts: deaths of a worker after which a proposal is given up, at least 1.

        Raises:
            ValueError: a setting is out of range, the factory cannot be pickled, or the inner evaluator has state.
        """
        if num_workers < 1 or max_attempts < 1 or (timeout_seconds is not None and not timeout_seconds > 0):
            raise ValueError(
                f"num_workers is {num_workers}, max_attempts {max_attempts}, timeout_seconds {timeout_seconds}; "
                "give at least 1, at least 1, and a time above 0 or none"
            )
        try:
            self._pickled = pickle.dumps(make_evaluator)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise ValueError(
                f"make_evaluator cannot be pickled ({error}); give a module's function or a functools.partial of one"
            ) from None
        self._inner = make_evaluator()
        self._require_no_state()
        self._num_workers = num_workers
        self._make_executor = make_executor
        self._timeout_seconds = timeout_seconds
        self._max_attempts = max_attempts
        self._executor: Executor | None = None
        self._num_returned = 0

    def prepare(self, strategy: Strategy) -> None:
        """Prepare the inner evaluator, which must stay without state."""
        self._inner.prepare(strategy)
        self._require_no_state()

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order; the workers stay for the next call until `close`."""
        evaluations: dict[int, Evaluation] = {}
        num_deaths = dict.fromkeys(range(len(proposals)), 0)
        waiting = deque(range(len(proposals)))
        running: dict[Future[worker_process.Outcome], tuple[int, float]] = {}
        if isinstance(self._inner, Foresees):
            self._inner.foresee(proposals)
        try:
            while len(evaluations) < len(proposals):
                self._submit(proposals, waiting, running, num_deaths)
                lost = self._collect(proposals, running, evaluations)
                late = [index for future, (index, end) in running.items() if _passed(end) and not future.done()]
                for index in late:
                    evaluations[index] = Evaluation(proposals[index], failure=self._too_long())
                for index in lost:
                    num_deaths[index] += 1
                    if num_deaths[index] == self._max_attempts:
                        evaluations[index] = Evaluation(proposals[index], failure=_died(num_deaths[index]))
                if lost or late:
                    self._kill()
                    again = {*lost, *(index for index, _ in running.values())} - evaluations.keys()
                    running.clear()
                    # whoever was there when a worker died comes first, alone
                    waiting = deque(sorted({*again, *waiting}, key=lambda index: (not num_deaths[index], index)))
        except BaseException:
            self._kill()
            raise
        return [evaluations[index] for index in range(len(proposals))]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the inner evaluator, which is empty."""
        return self._inner.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give a state to the inner evaluator, which must stay without any."""
        self._inner.load_state_dict(state)
        self._require_no_state()

    def close(self) -> None:
        """Let the workers end; the next proposals start new ones."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def __enter__(self) -> ParallelEvaluator:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the workers end."""
        self.close()

    def _submit(
        self,
        proposals: Sequence[Proposal],
        waiting: deque[int],
        running: dict[Future[worker_process.Outcome], tuple[int, float]],
        num_deaths: Mapping[int, int],
    ) -> None:
        """Start what may start: one a worker, and alone what was there when a worker died."""
        while waiting and len(running) < self._num_workers:
            suspect = num_deaths[waiting[0]] or any(num_deaths[index] for index, _ in running.values())
            if running and suspect:
                return
            if self._executor is None:
                self._executor = self._make_executor(self._num_workers)
                self._num_returned = 0
            try:
                with worker_process.interrupts_blocked():
                    future = self._executor.submit(worker_process.evaluate, self._pickled, proposals[waiting[0]])
            except BrokenExecutor:
                if running:
                    return
                self._kill()
            else:
                running[future] = (waiting.popleft(), self._end())

    def _collect(
        self,
        proposals: Sequence[Proposal],
        running: dict[Future[worker_process.Outcome], tuple[int, float]],
        evaluations: dict[int, Evaluation],
    ) -> list[int]:
        """Wait for something to happen, note the evaluations that came back, and return what died with a worker."""
        end = min(end for _, end in running.values())
        seconds = None if end == float("inf") else max(0.0, end - time.monotonic())
        done = wait(running, timeout=seconds, return_when=FIRST_COMPLETED).done
        if any(isinstance(future.exception(), BrokenExecutor) for future in done):
            done = wait(running).done
        lost = []
        for future in done:
            index, _ = running.pop(future)
            try:
                evaluations[index] = future.result().of(proposals[index])
                self._num_returned += 1
            except BrokenExecutor:
                lost.append(index)
        return lost

    def _end(self) -> float:
        """Return the time by which a proposal that starts now must be done."""
        if self._timeout_seconds is None:
            return float("inf")
        startup = STARTUP_SECONDS if self._num_returned < self._num_workers else 0.0
        return time.monotonic() + startup + self._timeout_seconds

    def _kill(self) -> None:
        if self._executor is not None:
            worker_process.kill(self._executor)
            self._executor = None

    def _too_long(self) -> str:
        return f"took longer than the limit of {self._timeout_seconds:g} seconds"

    def _require_no_state(self) -> None:
        state = self._inner.state_dict()
        if state:
            raise ValueError(
                f"the inner evaluator has state ({', '.join(sorted(state))}) that workers would not see change; "
                "run it by itself"
            )


def _passed(end: float) -> bool:
    return time.monotonic() >= end


def _died(num_deaths: int) -> str:
    return f"its worker died in each of {num_deaths} attempts; it may need more memory than there is"
