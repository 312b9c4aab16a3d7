"""A trained network goes to disk and comes back the same; what is damaged says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from nas_core.architecture import Architecture
from nas_core.task import TaskShape
from tasks.candidate import (
    ARCHITECTURE,
    NETWORK,
    Description,
    load_body,
    load_network,
    read_description,
    write_description,
    write_weights,
)

SPACE = {"name": "nasbench201", "channels": 2, "cells_per_stage": 1}
DATA = {"name": "shapes", "class_names": ["a", "b", "c"], "image_shape": [8, 8, 1]}
DESCRIPTION = Description(Architecture("nasbench201", (3, 1, 2, 1, 3, 1)), SPACE, TaskShape((1, 8, 8), (3,)), DATA)


@pytest.fixture
def network() -> torch.nn.Module:
    """A network with weights and batch statistics of its own."""
    generator = torch.Generator().manual_seed(3)
    network = DESCRIPTION.built_space().network(DESCRIPTION.architecture, DESCRIPTION.task, generator)
    network.train()(torch.randn(16, 1, 8, 8, generator=generator))
    return network.eval()


@pytest.fixture
def folder(tmp_path: Path, network: torch.nn.Module) -> Path:
    """A folder with the network."""
    write_description(tmp_path, DESCRIPTION)
    write_weights(tmp_path / NETWORK, network)
    return tmp_path


def test_the_network_comes_back(folder: Path, network: torch.nn.Module) -> None:
    assert read_description(folder) == DESCRIPTION
    images = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(4))
    loaded = load_network(folder)
    assert not loaded.training
    assert torch.equal(loaded(images), network(images))
    assert json.loads((folder / ARCHITECTURE).read_bytes())["official_name"].startswith("|nor_conv_3x3~0|+|")


def test_loading_leaves_the_global_randomness_alone(folder: Path) -> None:
    before = torch.random.get_rng_state()
    load_network(folder)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 1, "architecture": 3}'])
def test_a_damaged_description_says_so(damage: bytes, folder: Path) -> None:
    (folder / ARCHITECTURE).write_bytes(damage)
    with pytest.raises(ValueError, match=r"architecture\.json is damaged \(.*\); run the stage that writes it again"):
        read_description(folder)


def test_another_format_says_so(folder: Path) -> None:
    content = json.loads((folder / ARCHITECTURE).read_bytes())
    (folder / ARCHITECTURE).write_text(json.dumps({**content, "format": 9}))
    with pytest.raises(ValueError, match="has format 9, this version reads 1; retrain"):
        read_description(folder)


def test_damaged_weights_say_so(folder: Path) -> None:
    content = (folder / NETWORK).read_bytes()
    (folder / NETWORK).write_bytes(content[:-7])
    with pytest.raises(ValueError, match=r"network\.safetensors does not fit architecture\.json \(.*\); retrain"):
        load_network(folder)


def test_weights_of_another_network_say_so(folder: Path) -> None:
    other = Architecture("nasbench201", (2, 2, 2, 2, 2, 2))
    space = DESCRIPTION.built_space()
    write_weights(folder / NETWORK, space.network(other, DESCRIPTION.task, torch.Generator()))
    with pytest.raises(ValueError, match=r"network\.safetensors does not fit architecture\.json"):
        load_network(folder)


def test_a_body_is_taken_and_the_head_is_kept(folder: Path, network: torch.nn.Module) -> None:
    task = TaskShape((1, 8, 8), (5,))
    mine = DESCRIPTION.built_space().network(DESCRIPTION.architecture, task, torch.Generator().manual_seed(8))
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    load_body(folder / NETWORK, mine)
    given = network.state_dict()
    kept = [name for name, value in mine.state_dict().items() if torch.equal(value, before[name])]
    heads = [name for name in given if given[name].shape != before[name].shape]
    assert heads
    assert set(heads) <= set(kept)
    for name, value in mine.state_dict().items():
        assert name in kept or torch.equal(value, given[name])
    other = DESCRIPTION.built_space().network(Architecture("nasbench201", (2,) * 6), task, torch.Generator())
    with pytest.raises(ValueError, match="does not fit the network that is to start from it"):
        load_body(folder / NETWORK, other)
