"""Plays the repetitions that are missing, some side by side; their number of workers changes no result."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass

from nas_core import worker_process
from tasks.comparison.contest import Contest
from tasks.comparison.course import Course
from tasks.comparison.repetition import play_for

SHARE_SECONDS = 1.0
"""For how long a worker goes on before it hands over what it has; a kill costs that much, and the search under way."""

MAX_SHARE = 50
"""Seeds that a worker is given at most; what it does not get to goes back to the others."""

Play = Callable[[Contest, Sequence[int], float], list[Course]]
Keep = Callable[[Contest, Sequence[Course]], None]


@dataclass(eq=False)
class Missing:
    """Seeds of a contest that are not done yet."""

    contest: Contest
    seeds: deque[int]


def play_all(
    missing: Sequence[Missing], keep: Keep, *, num_workers: int, num_threads: int, play: Play = play_for
) -> None:
    """Play what is missing and keep each share of it as soon as it is done.

    Args:
        missing: contests in the order in which they are begun; emptied.
        keep: called in this process, with at least one course.
        num_workers: processes; 1 plays in this one.
        num_threads: of the numerical libraries in each.
        play: plays some of the seeds it is given, the first ones; picklable.

    Raises:
        RuntimeError: a worker died.
    """
    waiting = deque(each for each in missing if each.seeds)
    if not waiting:
        return
    if num_workers == 1:
        for each in waiting:
            while each.seeds:
                courses = play(each.contest, list(each.seeds)[:MAX_SHARE], SHARE_SECONDS)
                _taken(each, len(courses))
                keep(each.contest, courses)
        return
    with worker_process.interrupts_blocked():
        executor = worker_process.process_pool(num_workers, num_threads=num_threads)
    try:
        _play_with(executor, waiting, keep, num_workers, play)
        executor.shutdown(wait=True)
    except BrokenExecutor:
        worker_process.kill(executor)
        raise RuntimeError(
            "a worker process died (was it out of memory?); what was done is kept: run the same command again, or set "
            "compute.workers lower"
        ) from None
    except BaseException:
        worker_process.kill(executor)
        raise


def _play_with(executor: Executor, waiting: deque[Missing], keep: Keep, num_workers: int, play: Play) -> None:
    running: dict[Future[list[Course]], tuple[Missing, list[int]]] = {}
    while waiting or running:
        while waiting and len(running) < num_workers:
            each = waiting[0]
            size = min(MAX_SHARE, max(1, len(each.seeds) // num_workers))
            share = _taken(each, size)
            if not each.seeds:
                waiting.popleft()
            with worker_process.interrupts_blocked():
                running[executor.submit(play, each.contest, share, SHARE_SECONDS)] = each, share
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            each, share = running.pop(future)
            courses = future.result()
            keep(each.contest, courses)
            left = share[len(courses) :]
            if left:
                if not each.seeds and each not in waiting:
                    waiting.appendleft(each)
                each.seeds.extendleft(reversed(left))


def _taken(each: Missing, size: int) -> list[int]:
    return [each.seeds.popleft() for _ in range(size)]
