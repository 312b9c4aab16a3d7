"""BOHB: Hyperband in which a kernel density model of good and bad architectures proposes what starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from nas_core.architecture import Architecture, active
from nas_core.bracket_search import BracketSearch, UniformStarts
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.rungs import geometric_rungs
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.successive_halving import Key

Array = NDArray[np.float64]
Decisions = NDArray[np.int64]


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    min_epochs: Annotated[int, Ge(1)] = 1,
    max_epochs: Annotated[int, Ge(1)] = 12,
    reduction_factor: Annotated[int, Ge(2)] = 3,
    num_samples: Annotated[int, Ge(1)] = 4,
    random_fraction: Annotated[float, Interval(ge=0, le=1)] = 0.0,
    good_fraction: Annotated[float, Interval(gt=0, lt=1)] = 0.15,
    bandwidth_factor: Annotated[float, Gt(0)] = 3.0,
    min_bandwidth: Annotated[float, Gt(0)] = 0.3,
) -> Strategy:
    """Return BOHB (Falkner, Klein and Hutter 2018, arXiv:1807.01774): Hyperband's brackets with `DensityStarts`.

    By default the settings are those of NATS-Bench (Dong et al. 2021, arXiv:2009.00437).

    Args:
        space: what is searched.
        objectives: at least one; the first decides what is good, the others break ties.
        streams: source of randomness.
        min_epochs: training length below which there is no rung; NATS-Bench's shortest, 1.33 epochs, is rounded to 1.
        max_epochs: training length of the highest rung; the rungs below have this divided by the factor once, twice...
        reduction_factor: one of so many goes on from rung to rung.
        num_samples: draws from the model of the good, the most promising of which starts (BOHB's own default: 64).
        random_fraction: probability that a uniform sample starts instead (BOHB's own default: 1/3).
        good_fraction: share of a rung's architectures that counts as good.
        bandwidth_factor: what bandwidths are multiplied with when drawing.
        min_bandwidth: the least bandwidth, before that (BOHB's own default: 0.001).

    Raises:
        ValueError: if min_epochs is above max_epochs.
    """
    model = _Model(tuple(len(choice.options) for choice in space.choices), bandwidth_factor, min_bandwidth)
    rungs = geometric_rungs(min_epochs, max_epochs, reduction_factor)
    generator = streams.numpy("bohb")
    starts = DensityStarts(space, generator, len(rungs), model, num_samples, random_fraction, good_fraction)
    return BracketSearch(space, objectives, starts, rungs, reduction_factor)


def bandwidths(points: Decisions, num_options: Sequence[int], min_bandwidth: float) -> Array:
    """Return a bandwidth for each choice: 1.06 * standard deviation * num_points^(-1 / (4 + num_choices)), bounded.

    The rule of thumb for normal densities, taken of the options' numbers as in the code of BOHB's authors. From below
    it is bounded by `min_bandwidth`, from above by (num_options - 1) / num_options, where the kernel is uniform; their
    code has no upper bound, and beyond it a kernel under which an option makes itself unlikely.

    Args:
        points: (num_points, num_choices), decisions.
        num_options: (num_choices,).
        min_bandwidth: above 0.
    """
    num_points, num_choices = points.shape
    rule: Array = 1.06 * points.std(axis=0) * num_points ** (-1.0 / (4 + num_choices))
    return np.minimum(np.maximum(rule, min_bandwidth), _uniform(num_options))


def density(points: Decisions, widths: Array, num_options: Sequence[int], at: Sequence[int]) -> float:
    """Return the kernel density estimate of a vector of decisions.

    p(x) = mean over the points z of the product over choices j of k_j(x_j, z_j), with the kernel of Aitchison & Aitken
    (1976): k_j is 1 - h_j where x_j = z_j, else h_j / (num_options_j - 1). The densities of all vectors sum to 1.

    Args:
        points: (num_points, num_choices), decisions.
        widths: (num_choices,), the bandwidths h.
        num_options: (num_choices,).
        at: (num_choices,), the decisions x.
    """
    others = np.maximum(np.asarray(num_options) - 1, 1)
    kernels = np.where(points == np.asarray(at), 1.0 - widths, widths / others)
    return float(kernels.prod(axis=1).mean())


def good_and_bad(num_points: int, num_choices: int, good_fraction: float) -> tuple[int, int] | None:
    """Return how many of the best are good, how many of the worst bad; None if there are too few for a model.

    With N_min = num_choices + 1 and N points, max(N_min, good_fraction N) are good and max(N_min, N - that) are bad,
    once N >= N_min + 2 (Falkner et al. 2018, equation 3); of a few points some are both. The authors' code waits until
    none needs to be.
    """
    least = num_choices + 1
    if num_points < least + 2:
        return None
    num_good = max(least, int(good_fraction * num_points))
    return num_good, max(least, num_points - num_good)


def _uniform(num_options: Sequence[int]) -> Array:
    numbers = np.asarray(num_options, dtype=np.float64)
    uniform: Array = (numbers - 1.0) / numbers
    return uniform


@dataclass(frozen=True)
class _Model:
    """The two densities, and draws from that of the good.

    Attributes:
        num_options: of each choice.
        bandwidth_factor: see `build`.
        min_bandwidth: see `build`.
    """

    num_options: tuple[int, ...]
    bandwidth_factor: float
    min_bandwidth: float

    def draw(self, good: Decisions, generator: np.random.Generator) -> list[int]:
        """Return decisions drawn from the density of the good, with widened bandwidths."""
        widths = np.minimum(
            self.bandwidth_factor * bandwidths(good, self.num_options, self.min_bandwidth), _uniform(self.num_options)
        )
        kept = good[int(generator.random() * len(good))]
        made = []
        for decision, number, width, draws in zip(
            kept.tolist(), self.num_options, widths.tolist(), generator.random((len(kept), 2)).tolist(), strict=True
        ):
            leaves, which = draws
            made.append((decision + 1 + int(which * (number - 1))) % number if leaves < width else decision)
        return made

    def promise(self, good: Decisions, bad: Decisions, at: Sequence[int]) -> float:
        """Return how many times more probable decisions are among the good than among the bad."""
        likely, unlikely = (
            density(points, bandwidths(points, self.num_options, self.min_bandwidth), self.num_options, at)
            for points in (good, bad)
        )
        return likely / unlikely


class DensityStarts:
    """Starts what kernel densities of the good and the bad architectures promise most of.

    What starts maximizes l(x) / g(x) among draws from l with widened bandwidths, where l and g are kernel densities of
    the good and the bad architectures on the highest rung that has enough of them; it is a uniform sample before any
    has, and with probability `random_fraction`.

    Follows the paper, for choices that are all categorical. The authors' code widens no bandwidth of a categorical
    choice: bandwidth_factor 1 draws as it does. What the paper leaves open: failures are bad, the worst of their rung;
    choices that do not matter count with their first option; draws that are invalid or known are passed over, and where
    all are a uniform sample starts; others' proposals are learnt from.
    """

    def __init__(
        self,
        space: SearchSpace,
        generator: np.random.Generator,
        num_rungs: int,
        model: _Model,
        num_samples: int,
        random_fraction: float,
        good_fraction: float,
    ) -> None:
        """Start with nothing told.

        Args:
            space: what is searched.
            generator: of all draws.
            num_rungs: at least 1.
            model: the densities.
            num_samples: draws; see `build`, as for the rest.
            random_fraction: probability of a uniform sample.
            good_fraction: share of the good.
        """
        self._space = space
        self._generator = generator
        self._uniform = UniformStarts(generator)
        self._model = model
        self._num_samples = num_samples
        self._random_fraction = random_fraction
        self._good_fraction = good_fraction
        # of each rung (rank key, decisions) of the successes, and the decisions of the failures, as told
        self._done: list[list[tuple[Key, tuple[int, ...]]]] = [[] for _ in range(num_rungs)]
        self._failed: list[list[tuple[int, ...]]] = [[] for _ in range(num_rungs)]

    def draw(self, known: KnownNetworks) -> Architecture | None:
        """Return the most promising of the draws, else a uniform sample; None if hardly any network is unknown."""
        if self._generator.random() >= self._random_fraction:
            groups = self._good_and_bad()
            architecture = None if groups is None else self._most_promising(*groups, known)
            if architecture is not None:
                known.add(architecture)
                return architecture
        return self._uniform.draw(known)

    def tell(self, architecture: Architecture, rung: int, key: Key | None) -> None:
        """Note the result for the densities."""
        if key is None:
            self._failed[rung].append(architecture.decisions)
        else:
            self._done[rung].append((key, architecture.decisions))

    def state_dict(self) -> dict[str, Any]:
        """Return the generator and what was told."""
        return {
            "generator": generator_state(self._generator),
            "done": [[[list(key), list(made)] for key, made in rung] for rung in self._done],
            "failed": [[list(made) for made in rung] for rung in self._failed],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        restore_generator(self._generator, state["generator"])
        self._done = [[(tuple(key), tuple(made)) for key, made in rung] for rung in state["done"]]
        self._failed = [[tuple(made) for made in rung] for rung in state["failed"]]

    def _good_and_bad(self) -> tuple[Decisions, Decisions] | None:
        for done, failed in zip(reversed(self._done), reversed(self._failed), strict=True):
            numbers = good_and_bad(len(done) + len(failed), len(self._space.choices), self._good_fraction)
            if numbers is not None and len(done) >= numbers[0]:
                points = np.array([made for _, made in sorted(done, key=_rank)] + failed, dtype=np.int64)
                return points[: numbers[0]], points[-numbers[1] :]
        return None

    def _most_promising(self, good: Decisions, bad: Decisions, known: KnownNetworks) -> Architecture | None:
        found: list[tuple[float, Architecture]] = []
        for _ in range(self._num_samples):
            made = self._model.draw(good, self._generator)
            flags = active(self._space.choices, made)
            made = [decision if flag else 0 for decision, flag in zip(made, flags, strict=True)]
            architecture = Architecture(self._space.name, tuple(made))
            if self._space.is_valid(architecture) and architecture not in known:
                found.append((self._model.promise(good, bad, made), architecture))
        # of equals the one drawn first starts
        return max(found, key=lambda pair: pair[0])[1] if found else None


def _rank(done: tuple[Key, tuple[int, ...]]) -> Key:
    return done[0]
