"""What a graph network is with other poolings in the place of its own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_space.space import build
from nas_core.architecture import Architecture, active
from nas_core.randomness import Streams
from nas_core.space import HasVariants
from nas_core.variation import sample

SPACE = build(max_blocks=3)


def made(architecture: Architecture) -> dict[str, str]:
    """Return the options of the choices that matter."""
    flags = active(SPACE.choices, architecture.decisions)
    members = zip(SPACE.choices, architecture.decisions, flags, strict=True)
    return {choice.name: choice.options[decision] for choice, decision, flag in members if flag}


def test_the_published_network_loses_its_pooling_or_gets_another() -> None:
    assert isinstance(SPACE, HasVariants)
    variants = SPACE.variants(SPACE.reference())
    baselines = SPACE.baselines()
    assert variants == {"without pooling": baselines["gcn"], "with TopK pooling": baselines["topk"]}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_nothing_but_the_pooling_differs(seed: int) -> None:
    architecture = sample(SPACE, Streams(seed).numpy("network"))
    before = made(architecture)
    for variant in SPACE.variants(architecture).values():
        assert SPACE.is_valid(variant)
        after = made(variant)
        for name in before.keys() | after.keys():
            if name.startswith("ratio_") and before.get(f"pooling_{name[-1]}") == "edge":
                assert after.get(name) in (None, "0.5")
            elif name.startswith("ratio_"):
                assert after.get(name) in (None, before.get(name))
            elif not name.startswith(("pooling_", "structure_")):
                assert before.get(name) == after.get(name), name


def test_the_kind_of_pooling_is_that_of_the_variant() -> None:
    for seed in range(30):
        architecture = sample(SPACE, Streams(seed).numpy("network"))
        pooled = {
            name for name, option in made(architecture).items() if name.startswith("pooling") and option != "none"
        }
        variants = SPACE.variants(architecture)
        for name, option in (("without pooling", "none"), ("with TopK pooling", "topk")):
            assert {made(variants[name])[place] for place in pooled} <= {option}


def test_a_network_without_pooling_is_its_own_variant() -> None:
    plain = SPACE.baselines()["gcn"]
    assert set(SPACE.variants(plain).values()) == {plain}


@pytest.mark.parametrize("poolings", [("none", "hgpsl"), ("hgpsl",)])
def test_a_variant_that_the_settings_lack_is_left_out(poolings: tuple[str, ...]) -> None:
    space = build(poolings=poolings)
    assert set(space.variants(space.reference())) == ({"without pooling"} if "none" in poolings else set())
