"""Searches by morphisms on handwritten digits, in which children go on from their parents' weights."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nas_core.architecture import Architecture
from nas_core.archive import Archive
from nas_core.checkpoint import CheckpointFile
from nas_core.data import storage
from nas_core.data.image_set import ImageSet
from nas_core.data.sets import digits
from nas_core.evaluators import low_fidelity, zero_cost
from nas_core.learning_tasks import image_classification
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.screen import Screen
from nas_core.search import Budget, Search
from nas_core.spaces import morphable
from nas_core.strategies import hill_climbing, lemonade

SPACE = morphable.build(channels=4, num_stages=2, max_blocks=3)
ACCURACY, SIZE = Objective("validation_accuracy", "maximize"), Objective("num_parameters", "minimize")
OBJECTIVES = {"hill_climbing": (ACCURACY,), "lemonade": (ACCURACY, SIZE)}
BUDGET = Budget(9, 3)
NUM_ROUNDS = {"hill_climbing": 5, "lemonade": 4}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 300 digits to train on and 200 to validate with; return their folder."""
    folder = tmp_path_factory.mktemp("digits")
    found = digits.load(None)
    images, labels = found.train.images, found.train.labels
    storage.write(folder / "train.safetensors", ImageSet(images[:300], labels[:300]))
    storage.write(folder / "validation.safetensors", ImageSet(images[300:500], labels[300:500]))
    pixels = images[:300] / 255
    description = {
        "format": 1,
        "name": found.name,
        "class_names": list(found.class_names),
        "image_shape": [8, 8, 1],
        "num_examples": {"train": 300, "validation": 200},
        "channel_mean": [float(pixels.mean())],
        "channel_std": [float(pixels.std())],
        "license": found.license,
        "source": found.source,
        "citation": found.citation,
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    return folder


def new_search(kind: str, data: Path, work: Path, *, saves: bool = False, inherit: bool = True) -> Search:
    """Return the search that the folder holds so far, with a checkpoint after each round or with none."""
    streams, load_task = Streams(0), partial(image_classification.build, data)
    objectives = OBJECTIVES[kind]
    if kind == "lemonade":
        cheap = zero_cost.build(SPACE, (SIZE,), streams.child("screen"), load_task)
        screen = Screen(cheap, (SIZE,), Archive(work / "screen.jsonl", {"screen": kind}))
        strategy = lemonade.build(SPACE, objectives, streams, screen=screen, num_children=8, num_accepted=3)
    else:
        strategy = hill_climbing.build(SPACE, objectives, streams, num_neighbors=4, num_morphisms=2)
    evaluator = low_fidelity.build(
        SPACE,
        objectives,
        streams.child("evaluator"),
        load_task,
        epochs=2,
        batch_size=32,
        inherit=inherit,
        folder=work / "kept" if inherit else None,
    )
    checkpoint = CheckpointFile(work / "checkpoint.pt") if saves else None
    archive = Archive(work / "archive.jsonl", {"search": kind})
    return Search(strategy, evaluator, archive, checkpoint, checkpoint_seconds=0)


def course(search: Search) -> list[tuple[Any, ...]]:
    """Return all evaluations of a search, the clock left out."""
    return [(each.proposal, dict(each.scores), each.failure) for each in search.archive.evaluations()]


@pytest.fixture(scope="module", params=OBJECTIVES)
def whole(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Search]:
    """Each kind of search, played to its end without a stop."""
    search = new_search(request.param, data, tmp_path_factory.mktemp(request.param))
    assert len(list(search.rounds(BUDGET))) == NUM_ROUNDS[request.param]
    return request.param, search


def test_children_go_on_from_trained_weights(whole: tuple[str, Search], data: Path, tmp_path: Path) -> None:
    kind, search = whole
    evaluations = list(search.archive.evaluations())
    assert not [each.failure for each in evaluations if each.failure]
    first, *others = evaluations
    assert first.proposal.parent is None
    assert {each.proposal.parent for each in others} <= {each.proposal.architecture for each in evaluations}
    # the first child of the first network, trained as long, is better for what it inherited
    child = others[0]
    assert child.proposal.parent == first.proposal.architecture
    scratch = new_search(kind, data, tmp_path, inherit=False)
    (alone,) = scratch.evaluator.evaluate([child.proposal])
    assert child.scores["validation_accuracy"] > alone.scores["validation_accuracy"]
    assert search.strategy.recommend() != first.proposal.architecture


@pytest.mark.parametrize("saves", [False, True])
def test_stopped_again_and_again_it_ends_as_if_it_never_was(
    whole: tuple[str, Search], data: Path, tmp_path: Path, saves: bool
) -> None:
    kind, expected = whole
    search = new_search(kind, data, tmp_path, saves=saves)
    for num_rounds in (2, 1, 100):
        search = new_search(kind, data, tmp_path, saves=saves)
        already = len(search.archive.rounds)
        for _, played in zip(range(100), search.rounds(BUDGET), strict=False):
            if played.number + 1 == already + num_rounds:
                break
    assert course(search) == course(expected)
    assert search.strategy.recommend() == expected.strategy.recommend()
    assert isinstance(search.strategy.recommend(), Architecture)
