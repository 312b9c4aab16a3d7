"""An evaluator whose candidates do what their first decision says, for tests with processes that die or hang."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.strategy import Strategy

SCORE, FAIL, DIE, HANG, RAISE, SLOW, THREADS = range(7)


def proposal(act: int, number: int = 0) -> Proposal:
    return Proposal(Architecture("scripted", (act, number)))


@dataclass
class ScriptedEvaluator:
    """Leaves a file for each attempt in `folder`, named after the candidate and the process."""

    folder: Path
    state: Mapping[str, Any]

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [self._evaluate(each) for each in proposals]

    def state_dict(self) -> dict[str, Any]:
        return dict(self.state)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def _evaluate(self, asked: Proposal) -> Evaluation:
        act, number = asked.architecture.decisions
        (self.folder / f"{act}-{number}.{os.getpid()}.{time.monotonic_ns()}").touch()
        if act == FAIL:
            return Evaluation(asked, failure="as told")
        if act == RAISE:
            raise FileNotFoundError("the data are gone")
        if act == DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        if act == HANG:
            time.sleep(3600)
        if act == SLOW:
            time.sleep(0.5)
        if act == THREADS:
            return Evaluation(asked, {"threads": float(os.environ["OMP_NUM_THREADS"])})
        return Evaluation(asked, {"score": 10.0 * act + number})


def make(folder: str, **state: Any) -> ScriptedEvaluator:
    return ScriptedEvaluator(Path(folder), state)


def attempts(folder: Path, act: int, number: int = 0) -> int:
    return len(list(folder.glob(f"{act}-{number}.*")))


def worker_ids(folder: Path) -> set[int]:
    return {int(path.name.split(".")[1]) for path in folder.iterdir()}
