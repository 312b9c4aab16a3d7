"""Named streams: reproducible, independent, and free of the global random state."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from nas_core.randomness import Streams, generator_state, restore_generator


def test_a_stream_depends_on_the_seed_and_the_names_alone() -> None:
    streams = Streams(7)
    first = streams.numpy("a").random(3)
    streams.numpy("b").random(100)
    np.testing.assert_array_equal(streams.numpy("a").random(3), first)
    np.testing.assert_array_equal(Streams(7).numpy("a").random(3), first)


def test_streams_of_other_names_seeds_and_paths_differ() -> None:
    root = Streams(0)
    seeds = [
        root.integer("a"),
        root.integer("b"),
        Streams(1).integer("a"),
        root.child("a").integer("b"),
        root.child("b").integer("a"),
        root.child("a").child("b").integer("a"),
        root.integer("ab"),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_seed_of_a_name_is_fixed_for_good() -> None:
    digest = hashlib.blake2b(b"3\x1fsearch\x1fstrategy", digest_size=8).digest()
    assert Streams(3).child("search").integer("strategy") == int.from_bytes(digest, "little") // 2


def test_torch_streams_are_reproducible_too() -> None:
    draws = [torch.rand(3, generator=Streams(seed).torch("weights")) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_a_generator_goes_on_from_its_state() -> None:
    generator, other = Streams(0).numpy("a"), Streams(1).numpy("b")
    # an odd number of 32-bit draws leaves half a word in the generator, which belongs to its state
    generator.integers(10, size=3, dtype=np.uint32)
    state = generator_state(generator)
    assert all(isinstance(value, str | int) for value in state.values())
    restore_generator(other, state)
    np.testing.assert_array_equal(
        other.integers(10**6, size=5, dtype=np.uint32), generator.integers(10**6, size=5, dtype=np.uint32)
    )


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed is -1"):
        Streams(-1)
