"""Networks of the spaces of bit strings, Cartesian programs and hierarchies are trained like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_images
from small_plug_ins import space_case

from nas_core import catalog
from nas_core.evaluation import Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import HasReference

SPACES = ("genetic_cnn", "cgp", "hierarchical")
ACCURACY = Objective("validation_accuracy", "maximize")


@pytest.mark.parametrize("name", SPACES)
def test_the_reference_learns_the_place_of_a_bar(name: str, tmp_path: Path) -> None:
    folder = tiny_images.write(tmp_path, num_examples=128)
    space = space_case(name).space
    assert isinstance(space, HasReference)
    evaluator = catalog.load("evaluator", "full_training").build(
        space,
        (ACCURACY,),
        Streams(0),
        lambda: catalog.load("learning task", "image_classification").build(folder),
        epochs=8,
        batch_size=16,
        learning_rate=0.1,
    )
    (evaluation,) = evaluator.evaluate([Proposal(space.reference())])
    assert evaluation.failure is None
    # by chance, a quarter is right
    assert evaluation.scores["validation_accuracy"] > 0.75
