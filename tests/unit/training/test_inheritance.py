"""Candidates that go on from their parents' trained weights: what is kept, what is inherited, and what it is worth."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_images
import torch
import toy_space
from toy_task import ToyTask

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.archive import Archive
from nas_core.data import storage
from nas_core.data.sets import digits
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective
from nas_core.parallel import ParallelEvaluator
from nas_core.randomness import Streams
from nas_core.search import Budget, Search
from nas_core.spaces import morphable
from nas_core.task import Task
from nas_core.training.distillation import TEMPERATURE, Distillation
from nas_core.training.kept_weights import KeptWeights

SPACE = morphable.build(channels=4, num_stages=2, max_blocks=3)
START = Architecture("morphable", (0,) * len(SPACE.choices))
GOALS = (Objective("validation_accuracy", "maximize"),)
WIDER, DEEPER, SEPARATE = (
    "widen:stage0.block0:2",
    "deepen:stage1.block0:conv_3x3",
    "separate:stage1.block0:sep_conv_3x3",
)


def load_task(folder: Path) -> Task:
    task: Task = catalog.load("learning task", "image_classification").build(folder)
    return task


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_images.write(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def digit_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 600 digits to train on and 600 to validate with, described as if they were bars."""
    folder = tiny_images.write(tmp_path_factory.mktemp("digits"))
    data = digits.load(None)
    order = np.random.default_rng(0).permutation(len(data.train))
    for split, taken in (("train", order[:600]), ("validation", order[600:1200])):
        storage.write(folder / f"{split}.safetensors", data.train.take(taken))
    description = json.loads((folder / "dataset.json").read_text())
    description |= {"class_names": list("0123456789"), "num_examples": {"train": 600, "validation": 600}}
    (folder / "dataset.json").write_text(json.dumps(description))
    return folder


def built(images: Path, kept: Path | None, space: Any = SPACE, **changes: Any) -> Any:
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 16, "learning_rate": 0.05, "inherit": True}
    module = catalog.load("evaluator", "low_fidelity")
    return module.build(space, GOALS, Streams(0), partial(load_task, images), folder=kept, **(settings | changes))


def child_of(parent: Architecture, *morphisms: str, fidelity: Fidelity | None = None) -> Proposal:
    architecture = parent
    for morphism in morphisms:
        architecture = SPACE.morphed(architecture, morphism)
    return Proposal(architecture, fidelity, parent, morphisms)


def accuracies(evaluator: Evaluator, *proposals: Proposal) -> list[float]:
    evaluations = evaluator.evaluate(proposals)
    assert [each.failure for each in evaluations] == [None] * len(proposals)
    return [each.scores["validation_accuracy"] for each in evaluations]


def failure(evaluator: Evaluator, proposal: Proposal) -> str:
    (evaluation,) = evaluator.evaluate([proposal])
    assert evaluation.failure is not None
    return evaluation.failure


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


FAMILY = (Proposal(START), child_of(START, WIDER, DEEPER), child_of(SPACE.morphed(START, WIDER), DEEPER))


@pytest.mark.parametrize(
    "morphisms", [(DEEPER, "widen:stage1.block0:2", "skip:stage1.block1:add_2"), (SEPARATE,)], ids=["grown", "shrunk"]
)
def test_a_child_that_inherits_beats_the_same_network_from_scratch(
    digit_images: Path, tmp_path: Path, morphisms: tuple[str, ...]
) -> None:
    """Both have two epochs, after a parent had eight; by 20 points of accuracy at the least, with each seed."""
    space = SPACE.scaled(width=2.0)
    for seed in range(3):
        child = child_of(START, *morphisms, fidelity=Fidelity(2))
        build = partial(catalog.load("evaluator", "low_fidelity").build, space, GOALS, Streams(seed))
        build = partial(build, partial(load_task, digit_images), learning_rate=0.05)
        inheriting = build(folder=tmp_path / str(seed), inherit=True)
        (_, inherited) = accuracies(inheriting, Proposal(START, Fidelity(8)), child)
        assert inherited > accuracies(build(), child)[0] + 0.2


def test_a_child_starts_from_what_its_parent_learned(images: Path, tmp_path: Path) -> None:
    evaluator = built(images, tmp_path)
    accuracies(evaluator, Proposal(START))
    shape = load_task(images).shape
    network = SPACE.network(START, shape, torch.Generator().manual_seed(9))
    fresh = network.state_dict()["classifier.weight"].clone()
    assert KeptWeights(tmp_path).load(START, 0, network)
    assert not torch.equal(network.state_dict()["classifier.weight"], fresh)
    assert not KeptWeights(tmp_path).load(START, 1, network)
    (path,) = tmp_path.glob("*.safetensors")
    assert path.stat().st_size < 4 * sum(value.numel() for value in network.state_dict().values()) + 4096


def test_without_a_parent_and_without_a_way_from_it_training_starts_from_scratch(images: Path, tmp_path: Path) -> None:
    child = child_of(START, DEEPER)
    stranger = Proposal(child.architecture, parent=START)
    (scratch,) = accuracies(built(images, None, inherit=False), Proposal(child.architecture))
    assert accuracies(built(images, tmp_path / "a"), Proposal(START), stranger)[1] == scratch
    assert accuracies(built(images, None, inherit=False), child) == [scratch]


def test_a_parent_goes_on_from_its_own_weights(digit_images: Path, tmp_path: Path) -> None:
    evaluator = built(digit_images, tmp_path, SPACE.scaled(width=2.0))
    first, more = accuracies(evaluator, Proposal(START), Proposal(START, parent=START))
    assert more > first + 0.1


def test_the_weights_of_an_architecture_are_those_of_its_first_proposal(images: Path, tmp_path: Path) -> None:
    evaluator = built(images, tmp_path)
    accuracies(evaluator, *FAMILY[:2])
    before = content(tmp_path)
    assert len(before) == 4
    accuracies(evaluator, Proposal(START, parent=START), Proposal(FAMILY[1].architecture))
    assert content(tmp_path) == before


def test_the_order_of_the_proposals_decides_and_not_who_ends_first(images: Path, tmp_path: Path) -> None:
    inherited, scratch = FAMILY[1], Proposal(FAMILY[1].architecture)
    found = []
    for name, order in (("a", (inherited, scratch)), ("b", (scratch, inherited))):
        evaluator = built(images, tmp_path / name)
        accuracies(evaluator, FAMILY[0])
        evaluator.foresee([inherited, scratch])
        accuracies(evaluator, *order)
        found.append(content(tmp_path / name))
    assert found[0] == found[1]


def test_workers_inherit_what_one_process_would(images: Path, tmp_path: Path) -> None:
    rounds = [[Proposal(START)], [child_of(START, WIDER), child_of(START, DEEPER), Proposal(START, parent=START)]]
    rounds += [[child_of(rounds[1][0].architecture, DEEPER), child_of(rounds[1][1].architecture, WIDER)]]
    single = built(images, tmp_path / "one")
    expected = [accuracies(single, *each) for each in rounds]
    make = partial(built, images, tmp_path / "two")
    with ParallelEvaluator(make, num_workers=2, make_executor=ThreadPoolExecutor) as pool:
        assert [accuracies(pool, *each) for each in rounds] == expected
    assert content(tmp_path / "two") == content(tmp_path / "one")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)])
def test_weights_that_are_gone_are_trained_again(
    images: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    child = child_of(FAMILY[1].architecture, "skip:stage1.block1:add_1")
    expected = accuracies(built(images, tmp_path / "whole"), *FAMILY[:2], child)
    evaluator = built(images, tmp_path / "hurt")
    accuracies(evaluator, *FAMILY[:2])
    for path in (tmp_path / "hurt").glob("*.safetensors"):
        damage(path)
    assert accuracies(evaluator, child) == expected[2:]
    whole, hurt = content(tmp_path / "whole"), content(tmp_path / "hurt")
    assert {name: hurt[name] for name in whole} == whole
    assert all(".damaged-" in name for name in hurt.keys() - whole.keys())


def test_a_folder_that_is_gone_stops_the_search_in_one_line(images: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"says how morphable:\S+ was trained; remove the folder .* start it"):
        built(images, tmp_path).evaluate([child_of(START, WIDER)])
    (tmp_path / next(iter(content(tmp_path)))).write_text("{")
    with pytest.raises(OSError, match=r"is damaged .*; remove the folder"):
        KeptWeights(tmp_path).lineage(child_of(START, WIDER).architecture)


def test_what_cannot_be_inherited_is_a_failure(images: Path, tmp_path: Path) -> None:
    evaluator = built(images, tmp_path)
    accuracies(evaluator, Proposal(START))
    wrong = Proposal(FAMILY[1].architecture, None, START, (WIDER,))
    assert "not to" in failure(evaluator, wrong)
    assert "does not apply" in failure(evaluator, Proposal(START, None, START, ("remove:stage0.block0",)))
    narrow = child_of(START, WIDER, fidelity=Fidelity(1, width=0.5))
    assert "was trained at width 1" in failure(evaluator, narrow)
    assert "no folder was given" in failure(built(images, None), child_of(START, WIDER))
    orphan = Proposal(child_of(START, DEEPER).architecture, parent=child_of(START, DEEPER).architecture)
    assert "never trained but from itself" in failure(evaluator, orphan)


def test_each_seed_of_a_candidate_inherits_from_its_own(images: Path, tmp_path: Path) -> None:
    module = catalog.load("evaluator", "full_training")
    settings: dict[str, Any] = {"epochs": 1, "batch_size": 16, "num_seeds": 2, "inherit": True, "folder": tmp_path}
    evaluator = module.build(SPACE, GOALS, Streams(0), partial(load_task, images), **settings)
    accuracies(evaluator, *FAMILY[:2])
    assert len(list(tmp_path.glob("*-0.safetensors"))) == len(list(tmp_path.glob("*-1.safetensors"))) == 2


def test_nothing_is_kept_where_nothing_is_trained(images: Path, tmp_path: Path) -> None:
    module = catalog.load("evaluator", "low_fidelity")
    goals = (Objective("num_parameters", "minimize"),)
    evaluator = module.build(SPACE, goals, Streams(0), partial(load_task, images), inherit=True, folder=tmp_path)
    (evaluation,) = evaluator.evaluate([child_of(START, WIDER)])
    assert evaluation.failure is None
    assert content(tmp_path) == {}


@pytest.mark.parametrize("name", ["low_fidelity", "full_training"])
def test_settings_that_could_never_inherit_are_refused(name: str, tmp_path: Path) -> None:
    build = partial(catalog.load("evaluator", name).build, toy_space.build(), GOALS, Streams(0), ToyTask)
    with pytest.raises(ValueError, match=r"space 'toy' has no morphisms .*; set inherit to false"):
        build(inherit=True, folder=tmp_path)
    with pytest.raises(ValueError, match=r"distillation is 0\.5 and inherit is false"):
        build(distillation=0.5)


class Climbing:
    """A strategy that goes on from the best architecture so far, by its first morphisms."""

    def __init__(self) -> None:
        self._best, self._accuracy, self._turn = START, -1.0, 0

    def ask(self, count: int) -> list[Proposal]:
        if self._accuracy < 0:
            return [Proposal(START)]
        names = SPACE.morphisms(self._best)[self._turn :: 7][: count - 1]
        return [Proposal(self._best, parent=self._best), *(child_of(self._best, name) for name in names)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        self._turn += 1
        for each in evaluations:
            if each.scores["validation_accuracy"] >= self._accuracy:
                self._best, self._accuracy = each.proposal.architecture, each.scores["validation_accuracy"]

    def recommend(self) -> Architecture:
        return self._best

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best.key, "accuracy": self._accuracy, "turn": self._turn}

    def load_state_dict(self, state: Any) -> None:
        self._best, self._accuracy = Architecture.from_key(state["best"]), state["accuracy"]
        self._turn = state["turn"]


class Killed(BaseException):
    """Ends a process, as far as this test can tell."""


class KilledAmidARound:
    """An evaluator whose process dies with the second proposal of its third round."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._num_rounds = 0

    def prepare(self, strategy: Any) -> None:
        self._inner.prepare(strategy)

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        self._num_rounds += 1
        if self._num_rounds == 3:
            self._inner.foresee(proposals)
            self._inner.evaluate(proposals[1:2])
            raise Killed
        found: list[Evaluation] = self._inner.evaluate(proposals)
        return found

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Take on nothing."""


def test_a_killed_search_goes_on_to_the_result_of_one_that_was_not(images: Path, tmp_path: Path) -> None:
    def play(folder: Path, wrap: Callable[[Any], Any] = lambda inner: inner) -> list[tuple[Proposal, float]]:
        folder.mkdir(exist_ok=True)
        archive = Archive(folder / "archive.jsonl", {})
        try:
            search = Search(Climbing(), wrap(built(images, folder / "weights", epochs=1)), archive)
            list(search.rounds(Budget(10, 3)))
            return [(each.proposal, each.scores["validation_accuracy"]) for each in archive.evaluations()]
        finally:
            archive.close()

    expected = play(tmp_path / "whole")
    assert len({proposal.parent for proposal, _ in expected}) > 2
    with pytest.raises(Killed):
        play(tmp_path / "killed", KilledAmidARound)
    assert play(tmp_path / "killed") == expected
    assert content(tmp_path / "killed" / "weights") == content(tmp_path / "whole" / "weights")


def test_a_shrunk_network_may_learn_from_its_parent_too(images: Path, tmp_path: Path) -> None:
    smaller, larger = child_of(START, SEPARATE), child_of(START, WIDER)
    weights = []
    for share in (0.0, 0.5):
        folder = tmp_path / str(share)
        accuracies(built(images, folder, distillation=share), Proposal(START), smaller, larger)
        weights.append(content(folder))
    changed = {name for name, value in weights[0].items() if weights[1][name] != value}
    assert len(changed) == 1
    digest = hashlib.sha256(smaller.architecture.key.encode()).hexdigest()
    assert digest.startswith(changed.pop().partition("-")[0])


def test_distillation_by_hand() -> None:
    teacher, outputs = torch.nn.Identity(), torch.tensor([[0.0, 0.0]])
    taught = torch.tensor([[TEMPERATURE * np.log(3.0), 0.0]], dtype=torch.float32)
    # the teacher says 3/4 and 1/4, the pupil 1/2 each: a cross entropy of log 2
    mixed = Distillation(teacher, 0.25).mixed(torch.tensor(8.0), taught, outputs, torch.device("cpu"))
    assert mixed.item() == pytest.approx(0.75 * 8.0 + 0.25 * TEMPERATURE**2 * np.log(2.0))
