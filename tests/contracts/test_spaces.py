"""What every search space keeps to; a space inherits this suite by lying in the folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from small_plug_ins import SpaceCase

from nas_core.architecture import Architecture, active
from nas_core.networks.inheritance import inherited_state
from nas_core.space import (
    HasBenchmarkNames,
    HasFeatureTensor,
    HasInheritance,
    HasMembers,
    HasMorphisms,
    HasPathEncoding,
    HasReference,
    HasScales,
    HasSupernet,
    SearchSpace,
)
from nas_core.variation import crossover, mutate, neighbors, sample
from nas_core.weight_sharing.gates import Gates, one_hot

NUM_SAMPLES = 40


@pytest.fixture
def members(space: SearchSpace) -> list[Architecture]:
    generator = np.random.default_rng(0)
    return [sample(space, generator) for _ in range(NUM_SAMPLES)]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(case: SpaceCase) -> Any:
    return case.batch(case.shape)


def without_inactive(space: SearchSpace, decisions: list[int]) -> tuple[int, ...]:
    flags = active(space.choices, decisions)
    return tuple(decision if flag else 0 for decision, flag in zip(decisions, flags, strict=True))


def fill_by_shape(network: torch.nn.Module) -> None:
    """Give parameters of equal shape equal values, so that networks that differ in names alone compute the same.

    Normalization keeps its initial scale and shift, in which a layer on zeros gives zeros.
    """
    for module in network.modules():
        if not hasattr(module, "running_mean"):
            for parameter in module.parameters(recurse=False):
                generator = seeded(sum(size * 31**place for place, size in enumerate(parameter.shape)))
                values = torch.randn(parameter.shape, generator=generator)
                parameter.data = values / max(1, parameter[0].numel()) ** 0.5


def inherited(
    space: SearchSpace, supernet: torch.nn.Module, network: torch.nn.Module, member: Architecture
) -> Mapping[str, torch.Tensor]:
    state = supernet.state_dict()
    return (
        space.inherited_state(state, network) if isinstance(space, HasInheritance) else inherited_state(state, member)
    )


def test_choices_have_different_names_and_conditions_on_earlier_ones(space: SearchSpace) -> None:
    options: dict[str, tuple[str, ...]] = {}
    for choice in space.choices:
        assert choice.name not in options
        if choice.active_if is not None:
            name, wanted = choice.active_if
            assert set([wanted] if isinstance(wanted, str) else wanted) <= set(options[name])
        options[choice.name] = choice.options


def test_samples_are_valid_and_several(space: SearchSpace, members: list[Architecture]) -> None:
    assert all(space.is_valid(member) for member in members)
    assert all(member.space == space.name for member in members)
    assert len(set(members)) > 5


def test_what_is_no_member_is_not_valid(space: SearchSpace, members: list[Architecture]) -> None:
    member = members[0]
    beyond = (len(space.choices[0].options), *member.decisions[1:])
    for decisions in (beyond, (-1, *member.decisions[1:]), member.decisions[:-1], (*member.decisions, 0)):
        assert not space.is_valid(Architecture(space.name, decisions))
    assert not space.is_valid(Architecture("another", member.decisions))


def test_keys_lead_back(members: list[Architecture]) -> None:
    assert [Architecture.from_key(member.key) for member in members] == members


def test_canonical_is_a_valid_member_and_idempotent(space: SearchSpace, members: list[Architecture]) -> None:
    for member in members:
        canonical = space.canonical(member)
        assert space.is_valid(canonical)
        assert space.canonical(canonical) == canonical


def test_decode_gives_the_best_options_where_they_are_valid_and_a_member_always(space: SearchSpace) -> None:
    generator = np.random.default_rng(1)
    for scale in (1e-6, 1.0, 1e30):
        for _ in range(NUM_SAMPLES):
            scores = [(scale * generator.standard_normal(len(choice.options))).tolist() for choice in space.choices]
            decoded = space.decode(scores)
            assert space.is_valid(decoded)
            best = Architecture(space.name, without_inactive(space, [int(np.argmax(row)) for row in scores]))
            if space.is_valid(best):
                assert decoded == best


def test_decode_of_equal_scores_is_a_member(space: SearchSpace) -> None:
    assert space.is_valid(space.decode([[0.0] * len(choice.options) for choice in space.choices]))


def test_decode_gives_back_what_the_scores_point_at(space: SearchSpace, members: list[Architecture]) -> None:
    for member in members:
        scores = [[0.0] * len(choice.options) for choice in space.choices]
        for row, decision in zip(scores, member.decisions, strict=True):
            row[decision] = 1.0
        assert space.decode(scores) == member


def test_a_mutation_differs_in_one_active_choice(space: SearchSpace, members: list[Architecture]) -> None:
    generator = np.random.default_rng(2)
    for parent in members:
        child = mutate(space, parent, generator)
        assert space.is_valid(child)
        both = np.array(active(space.choices, parent.decisions)) & np.array(active(space.choices, child.decisions))
        num_changes = (np.array(parent.decisions) != np.array(child.decisions))[both].sum()
        assert num_changes >= 1 if isinstance(space, HasMembers) else num_changes == 1


def test_neighbors_are_what_mutation_reaches(space: SearchSpace, members: list[Architecture]) -> None:
    generator = np.random.default_rng(3)
    for parent in members[:5]:
        near = list(neighbors(space, parent))
        assert len(set(near)) == len(near)
        assert parent not in near
        assert all(space.is_valid(neighbor) for neighbor in near)
        assert {mutate(space, parent, generator) for _ in range(30)} <= set(near)


def test_a_child_takes_each_decision_from_a_parent(space: SearchSpace, members: list[Architecture]) -> None:
    generator = np.random.default_rng(4)
    for first, second in zip(members[::2], members[1::2], strict=True):
        child = crossover(space, first, second, generator)
        assert space.is_valid(child)
        made = zip(child.decisions, first.decisions, second.decisions, strict=True)
        assert all(decision in (one, other, 0) for decision, one, other in made)


def test_networks_take_and_give_what_the_task_says(space_case: SpaceCase, members: list[Architecture]) -> None:
    for member in members[:8]:
        outputs = space_case.space.network(member, space_case.shape, seeded(0))(batch(space_case))
        assert outputs.shape == (4, *space_case.shape.outputs)
        assert outputs.isfinite().all()


def test_initial_weights_come_from_the_generator_alone(space_case: SpaceCase, members: list[Architecture]) -> None:
    before = torch.get_rng_state()
    one, same, other = (
        space_case.space.network(members[0], space_case.shape, seeded(seed)).eval()(batch(space_case))
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_one_hot_supernet_is_the_stand_alone_network(space_case: SpaceCase, members: list[Architecture]) -> None:
    space = space_case.space
    if not isinstance(space, HasSupernet):
        pytest.skip(f"{space.name} has no supernet")
    supernet = space.supernet(space_case.shape, seeded(0))
    for member in members[:10]:
        network = space.network(member, space_case.shape, seeded(1))
        network.load_state_dict(inherited(space, supernet, network, member))
        for train in (True, False):
            supernet.train(train)
            network.train(train)
            shared = supernet(batch(space_case), one_hot(space.choices, member))
            torch.testing.assert_close(shared, network(batch(space_case)))


def test_gradients_reach_the_gates_of_a_supernet(space_case: SpaceCase) -> None:
    space = space_case.space
    if not isinstance(space, HasSupernet):
        pytest.skip(f"{space.name} has no supernet")
    options = tuple(torch.full((len(choice.options),), 0.5, requires_grad=True) for choice in space.choices)
    outputs = space.supernet(space_case.shape, seeded(0))(batch(space_case), Gates(options))
    assert outputs.shape == (4, *space_case.shape.outputs)
    gradients = torch.autograd.grad(outputs.square().sum(), options, allow_unused=True)
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)


def test_equal_canonical_forms_compute_the_same(space_case: SpaceCase, members: list[Architecture]) -> None:
    space = space_case.space
    renamed = [member for member in members if space.canonical(member) != member]
    assert renamed or all(space.canonical(member) == member for member in members)
    for member in renamed[:10]:
        outputs = []
        for architecture in (member, space.canonical(member)):
            network = space.network(architecture, space_case.shape, seeded(0)).eval()
            fill_by_shape(network)
            outputs.append(network(batch(space_case)))
        torch.testing.assert_close(outputs[0], outputs[1])


def test_the_reference_is_a_member(space: SearchSpace) -> None:
    if not isinstance(space, HasReference):
        pytest.skip(f"{space.name} has no reference")
    assert space.is_valid(space.reference())


def test_benchmark_names_lead_back(space: SearchSpace, members: list[Architecture]) -> None:
    if not isinstance(space, HasBenchmarkNames):
        pytest.skip(f"{space.name} has no benchmark names")
    assert [space.from_name(space.to_name(member)) for member in members] == members
    with pytest.raises(ValueError, match="nonsense"):
        space.from_name("nonsense")


def test_path_encodings_are_bits_and_the_same_for_equal_networks(
    space: SearchSpace, members: list[Architecture]
) -> None:
    if not isinstance(space, HasPathEncoding):
        pytest.skip(f"{space.name} has no path encoding")
    encodings = [tuple(space.path_encoding(member)) for member in members]
    assert len({len(encoding) for encoding in encodings}) == 1
    assert {bit for encoding in encodings for bit in encoding} == {0, 1}
    assert encodings == [tuple(space.path_encoding(space.canonical(member))) for member in members]


def test_feature_tensors_are_square_and_the_same_for_equal_networks(
    space: SearchSpace, members: list[Architecture]
) -> None:
    if not isinstance(space, HasFeatureTensor):
        pytest.skip(f"{space.name} has no feature tensor")
    tensors = np.array([space.feature_tensor(member) for member in members], dtype=float)
    assert tensors.ndim == 4
    assert tensors.shape[2] == tensors.shape[3]
    assert np.isfinite(tensors).all()
    assert np.array_equal(tensors, [space.feature_tensor(space.canonical(member)) for member in members])


def test_a_scaled_space_has_the_same_members_in_larger_networks(
    space_case: SpaceCase, members: list[Architecture]
) -> None:
    space = space_case.space
    if not isinstance(space, HasScales):
        pytest.skip(f"{space.name} has no scales")
    larger = space.scaled(width=2.0, depth=2.0)
    assert (larger.name, larger.choices) == (space.name, space.choices)
    small, large = (
        sum(parameter.numel() for parameter in one.network(members[0], space_case.shape, seeded(0)).parameters())
        for one in (space, larger)
    )
    assert large > small


def test_morphisms_lead_to_other_members(space: SearchSpace, members: list[Architecture]) -> None:
    if not isinstance(space, HasMorphisms):
        pytest.skip(f"{space.name} has no morphisms")
    for parent in members[:10]:
        names = [*space.morphisms(parent), *space.approximate_morphisms(parent)]
        assert len(set(names)) == len(names)
        children = [space.morphed(parent, name) for name in names]
        assert all(space.is_valid(child) for child in children)
        assert space.canonical(parent) not in {space.canonical(child) for child in children}
    with pytest.raises(ValueError, match="nonsense"):
        space.morphed(members[0], "nonsense")


def test_what_a_morphism_leaves_of_a_network_computes_the_same_and_is_the_childs(
    space_case: SpaceCase, members: list[Architecture]
) -> None:
    space = space_case.space
    if not isinstance(space, HasMorphisms):
        pytest.skip(f"{space.name} has no morphisms")
    for architecture in members[:3]:
        parent = space.network(architecture, space_case.shape, seeded(0)).eval()
        outputs = parent(batch(space_case))
        for name in (*space.morphisms(architecture), *space.approximate_morphisms(architecture))[::5]:
            child = space.transfer(parent, architecture, name, space_case.shape, seeded(1))
            fresh = space.network(space.morphed(architecture, name), space_case.shape, seeded(0))
            fresh.load_state_dict(child.state_dict())
            found = fresh.eval()(batch(space_case))
            if name in space.morphisms(architecture):
                torch.testing.assert_close(found, outputs, rtol=0.0, atol=1e-5)
        assert torch.equal(parent(batch(space_case)), outputs)


def test_listed_members_are_all_there_is(space: SearchSpace, members: list[Architecture]) -> None:
    if not isinstance(space, HasMembers):
        pytest.skip(f"{space.name} does not list its members")
    listed = space.members()
    assert len(set(listed)) == len(listed)
    assert all(space.is_valid(member) for member in listed)
    assert set(members) <= set(listed)
    for member in members:
        distances = [sum(a != b for a, b in zip(member.decisions, other.decisions, strict=True)) for other in listed]
        nearest = space.nearest(member)
        assert nearest
        assert len(set(nearest)) == len(nearest)
        assert member not in nearest
        farthest = max(distances[listed.index(other)] for other in nearest)
        left_out = set(listed) - {member, *nearest}
        assert all(distances[listed.index(other)] >= farthest for other in left_out)
