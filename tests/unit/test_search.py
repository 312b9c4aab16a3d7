"""The loop: rounds, budgets, and going on after any stop as if there had been none."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nas_core.architecture import Architecture
from nas_core.archive import Archive, Round
from nas_core.checkpoint import CheckpointFile
from nas_core.evaluation import Evaluation, Proposal
from nas_core.search import Budget, Search
from nas_core.strategy import Strategy

DESCRIPTION = {"search": "sums"}
BUDGET = Budget(11, 3)


@dataclass
class Sums:
    """A strategy whose proposals hold the sum of all it was told; what it says next depends on all of it."""

    total: int = 0
    num_asked: int = 0
    most: int = 10**9
    """Proposals that it has to make; then it has no more to say."""
    shift: int = 0
    """Anything but 0 is another strategy."""

    def ask(self, count: int) -> list[Proposal]:
        proposals = []
        for _ in range(min(count, self.most - self.num_asked)):
            self.num_asked += 1
            proposals.append(Proposal(Architecture("sums", (self.num_asked, self.total + self.shift))))
        return proposals

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for evaluation in evaluations:
            self.total += 1 if evaluation.failure is not None else int(evaluation.scores["score"])

    def recommend(self) -> Architecture:
        return Architecture("sums", (self.num_asked, self.total))

    def state_dict(self) -> dict[str, Any]:
        return {"total": self.total, "num_asked": self.num_asked}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.total, self.num_asked = state["total"], state["num_asked"]


@dataclass
class Shared:
    """An evaluator that trains at the start of each round; scores depend on how often, every fourth one fails."""

    num_trained: int = 0
    evaluated: list[str] = field(default_factory=list)

    def prepare(self, strategy: Strategy) -> None:
        self.num_trained += 1

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [self._evaluate(proposal) for proposal in proposals]

    def state_dict(self) -> dict[str, Any]:
        return {"num_trained": self.num_trained}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.num_trained = state["num_trained"]

    def _evaluate(self, proposal: Proposal) -> Evaluation:
        self.evaluated.append(proposal.architecture.key)
        number, total = proposal.architecture.decisions
        if number % 4 == 0:
            return Evaluation(proposal, failure="ValueError: a fourth")
        return Evaluation(proposal, {"score": float((7 * number + 3 * total + 5 * self.num_trained) % 97)})


@dataclass
class Outcome:
    """All that a search leaves."""

    search: Search
    evaluator: Shared
    rounds: list[Round]

    @property
    def state(self) -> tuple[object, ...]:
        return (
            list(self.search.archive.rounds),
            self.search.strategy.state_dict(),
            self.search.strategy.recommend(),
            self.evaluator.state_dict(),
            self.search.num_evaluations,
        )


class Killed(BaseException):
    """Ends a search at some instant, as a signal would."""


def play(
    folder: Path | None,
    budget: Budget = BUDGET,
    *,
    strategy: Sums | None = None,
    checkpoint_seconds: float = 0.0,
    stop_after: int | None = None,
    with_checkpoint: bool = True,
) -> Outcome:
    """Play a search in a folder (None: in memory), from what is there; stop at once after so many yielded rounds."""
    evaluator = Shared()
    archive = Archive() if folder is None else Archive(folder / "archive.jsonl", DESCRIPTION)
    checkpoint = CheckpointFile(folder / "checkpoint.pt") if folder is not None and with_checkpoint else None
    chosen = Sums() if strategy is None else strategy
    search = Search(chosen, evaluator, archive, checkpoint, checkpoint_seconds=checkpoint_seconds)
    rounds = list(itertools.islice(search.rounds(budget), stop_after))
    archive.close()
    return Outcome(search, evaluator, rounds)


@pytest.fixture
def whole() -> Outcome:
    """The search that was never stopped."""
    return play(None)


def test_a_round_prepares_asks_evaluates_remembers_and_tells(whole: Outcome) -> None:
    first, second = whole.rounds[:2]
    assert [each.proposal.architecture.decisions for each in first.evaluations] == [(1, 0), (2, 0), (3, 0)]
    assert [each.scores["score"] for each in first.evaluations] == [12.0, 19.0, 26.0]
    assert [each.proposal.architecture.decisions for each in second.evaluations] == [(4, 57), (5, 57), (6, 57)]
    assert second.evaluations[0].failure == "ValueError: a fourth"
    assert second.evaluations[1].scores == {"score": (35 + 171 + 10) % 97}


def test_the_budget_counts_all_evaluations_and_the_last_round_is_what_is_left(whole: Outcome) -> None:
    assert [(each.number, each.asked, len(each.evaluations)) for each in whole.rounds] == [
        (0, 3, 3),
        (1, 3, 3),
        (2, 3, 3),
        (3, 2, 2),
    ]
    assert whole.search.num_evaluations == 11
    assert whole.evaluator.num_trained == BUDGET.num_rounds == 4
    assert sum(each.failure is not None for each in whole.search.archive.evaluations()) == 2


@pytest.mark.parametrize(("evaluations", "round_size", "num_rounds"), [(1, 1, 1), (1, 5, 1), (10, 5, 2), (11, 5, 3)])
def test_a_budget_lasts_so_many_rounds(evaluations: int, round_size: int, num_rounds: int) -> None:
    budget = Budget(evaluations, round_size)
    assert budget.num_rounds == num_rounds
    assert len(play(None, budget).rounds) == num_rounds


@pytest.mark.parametrize(("evaluations", "round_size"), [(0, 1), (3, 0), (-1, 1)])
def test_a_budget_of_nothing_is_refused(evaluations: int, round_size: int) -> None:
    with pytest.raises(ValueError, match="evaluations and round_size are at least 1"):
        Budget(evaluations, round_size)


@pytest.mark.parametrize("checkpoint_seconds", [0.0, 1e9], ids=["each_round", "never"])
@pytest.mark.parametrize("stop", range(5))
def test_stopped_after_any_round_it_ends_as_if_it_had_not(
    tmp_path: Path, whole: Outcome, stop: int, checkpoint_seconds: float
) -> None:
    stopped = play(tmp_path, checkpoint_seconds=checkpoint_seconds, stop_after=stop)
    resumed = play(tmp_path, checkpoint_seconds=checkpoint_seconds)
    assert resumed.state == whole.state
    # nothing that was archived is evaluated again
    assert stopped.evaluator.evaluated + resumed.evaluator.evaluated == whole.evaluator.evaluated


def test_a_finished_search_evaluates_nothing_more_and_a_larger_budget_goes_on(tmp_path: Path) -> None:
    finished = play(tmp_path)
    again = play(tmp_path)
    assert (again.rounds, again.evaluator.evaluated, again.state) == ([], [], finished.state)
    larger = play(tmp_path, Budget(15, 3))
    assert larger.search.num_evaluations == 15
    assert larger.search.archive.evaluations()[:11] == finished.search.archive.evaluations()


def test_a_checkpoint_older_than_the_archive_shortens_the_replay(tmp_path: Path, whole: Outcome) -> None:
    play(tmp_path, stop_after=2)  # the checkpoint of the second round is not written yet when it is yielded
    old = (tmp_path / "checkpoint.pt").read_bytes()
    play(tmp_path, stop_after=1)
    (tmp_path / "checkpoint.pt").write_bytes(old)
    resumed = play(tmp_path)
    assert resumed.state == whole.state
    assert [each.number for each in resumed.rounds][-1] == 3
    assert 0 < len(resumed.rounds) < 4


def cut_archive(folder: Path, num_lines: int) -> None:
    """Damage the archive so that only its header and so many evaluations are left."""
    lines = (folder / "archive.jsonl").read_bytes().splitlines(keepends=True)
    lines[1 + num_lines] = b"?" + lines[1 + num_lines][1:]
    (folder / "archive.jsonl").write_bytes(b"".join(lines))


@pytest.mark.parametrize("num_lines", [0, 2, 3, 7, 10])
def test_a_checkpoint_newer_than_a_damaged_archive_is_passed_over(
    tmp_path: Path, whole: Outcome, num_lines: int
) -> None:
    play(tmp_path)
    cut_archive(tmp_path, num_lines)
    resumed = play(tmp_path)
    assert resumed.state == whole.state
    assert resumed.evaluator.evaluated == whole.evaluator.evaluated[num_lines // 3 * 3 :]
    assert len(list(tmp_path.glob("archive.jsonl.damaged-*"))) == 1


def test_a_checkpoint_of_other_rounds_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    play(tmp_path / "other", strategy=Sums(shift=5))
    play(tmp_path, checkpoint_seconds=1e9, with_checkpoint=False)
    shutil.copyfile(tmp_path / "other" / "checkpoint.pt", tmp_path / "checkpoint.pt")
    assert play(tmp_path).state == play(None).state


def test_a_damaged_checkpoint_costs_a_replay(tmp_path: Path, whole: Outcome) -> None:
    play(tmp_path, stop_after=3)
    (tmp_path / "checkpoint.pt").write_bytes((tmp_path / "checkpoint.pt").read_bytes()[:-9])
    assert play(tmp_path).state == whole.state
    assert len(list(tmp_path.glob("checkpoint.pt.damaged-*"))) == 1


def test_checkpoints_are_written_by_the_clock_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    now = [100.0]
    monkeypatch.setattr("nas_core.search.time.monotonic", lambda: now[0])
    monkeypatch.setattr(CheckpointFile, "save", lambda self, state: saved.append(state["rounds"]))
    search = Search(Sums(), Shared(), Archive(), CheckpointFile(tmp_path / "checkpoint.pt"), checkpoint_seconds=10.0)
    for _ in search.rounds(Budget(5)):
        now[0] += 4.0
    assert saved == [4, 5]  # at 100 + 12 seconds, and at the end
    search.save()
    assert saved == [4, 5]


@pytest.mark.parametrize("with_checkpoint", [False, True])
def test_another_strategy_on_replay_is_a_clear_error(tmp_path: Path, with_checkpoint: bool) -> None:
    play(tmp_path, checkpoint_seconds=1e9, stop_after=2, with_checkpoint=with_checkpoint)
    content = (tmp_path / "archive.jsonl").read_bytes()
    with pytest.raises(ValueError, match=r"round 0 of the archive .*archive\.jsonl holds \['sums:1-0', .*'sums:1-2'"):
        play(tmp_path, strategy=Sums(shift=2))
    assert (tmp_path / "archive.jsonl").read_bytes() == content


def test_an_evaluator_that_gives_another_number_is_an_error_and_archives_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(tmp_path / "archive.jsonl", DESCRIPTION)
    evaluate: Callable[..., list[Evaluation]] = Shared.evaluate
    monkeypatch.setattr(Shared, "evaluate", lambda self, proposals: evaluate(self, proposals)[:-1])
    with pytest.raises(RuntimeError, match="the evaluator gave 2 evaluations for 3 proposals"):
        Search(Sums(), Shared(), archive).run_round(3)
    archive.close()
    assert Archive(tmp_path / "archive.jsonl", DESCRIPTION).num_evaluations == 0


@pytest.mark.parametrize("most", [3, 4])
@pytest.mark.parametrize("checkpoint_seconds", [0.0, 1e9])
def test_a_strategy_with_no_more_to_say_ends_the_search_alike_however_often_it_is_started(
    tmp_path: Path, most: int, checkpoint_seconds: float
) -> None:
    outcomes = [
        play(tmp_path, strategy=Sums(most=most), checkpoint_seconds=checkpoint_seconds, stop_after=stop)
        for stop in (1, None, None, None)
    ]
    assert outcomes[1].search.num_evaluations == most
    # asking in vain trains the shared weights once more: once, not once a start
    assert outcomes[1].state == outcomes[2].state == outcomes[3].state
    assert outcomes[3].state == play(None, strategy=Sums(most=most)).state


def test_a_search_of_failures_alone_goes_through_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shared, "_evaluate", lambda self, proposal: Evaluation(proposal, failure="RuntimeError: no"))
    outcome = play(None)
    assert outcome.search.num_evaluations == 11
    assert {each.failure for each in outcome.search.archive.evaluations()} == {"RuntimeError: no"}


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_not_finite_never_becomes_an_evaluation(score: float) -> None:
    with pytest.raises(ValueError, match="record a failure instead of a value that is not finite"):
        Evaluation(Proposal(Architecture("sums", (1,))), {"score": score})


@pytest.mark.parametrize("instant", ["ask", "evaluate", "append", "tell", "save"])
@pytest.mark.parametrize("number", [0, 1, 3])
def test_killed_between_any_two_steps_it_ends_as_if_it_had_not(
    tmp_path: Path, whole: Outcome, instant: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner: type = {"ask": Sums, "tell": Sums, "evaluate": Shared, "append": Archive, "save": CheckpointFile}[instant]
    step = getattr(owner, instant)
    calls = itertools.count()

    def killed_after(*values: Any) -> Any:
        result = step(*values)
        if next(calls) == number:
            raise Killed
        return result

    monkeypatch.setattr(owner, instant, killed_after)
    with pytest.raises(Killed):
        play(tmp_path)
    monkeypatch.undo()
    assert play(tmp_path).state == whole.state
