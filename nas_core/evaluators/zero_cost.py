"""Score every candidate without training it, by zero-cost proxies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, MinLen

from nas_core.evaluation import Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.task import Task
from nas_core.training.candidate_network import candidate_network
from nas_core.training.compatibility import check_search
from nas_core.training.independent_evaluator import IndependentEvaluator
from nas_core.training.predicted_latency import PREDICTED_LATENCY, with_predicted_latency
from nas_core.training.scores import measure

NAME = "zero_cost"


@dataclass(frozen=True)
class ZeroCostScores:
    """Proxies of a freshly initialized network, each the mean over initializations with a minibatch of their own.

    A proposal's fidelity plays no part: nothing is trained.

    Attributes:
        space: builds the networks.
        objectives: names of proxies.
        streams: root of all randomness.
        batch_size: examples in a minibatch.
        num_seeds: initializations, each with one minibatch.
    """

    space: SearchSpace
    objectives: tuple[str, ...]
    streams: Streams
    batch_size: int
    num_seeds: int

    def __call__(self, task: Task, proposal: Proposal) -> Mapping[str, float]:
        """Return the mean scores of a proposal's architecture by objective name."""
        architecture = proposal.architecture
        evaluation = self.streams.child("evaluation").child(architecture.key)
        measurements = []
        for seed in range(self.num_seeds):
            streams = evaluation.child(str(seed))
            network = candidate_network(self.space, architecture, task, streams)
            measurements.append(measure(network, task, self.objectives, streams, batch_size=self.batch_size))
        return {name: math.fsum(scores[name] for scores in measurements) / self.num_seeds for name in self.objectives}


def check(space: SearchSpace, strategy: Strategy, objectives: Sequence[Objective]) -> None:
    """Raise a ValueError if the strategy learns with shared weights, or an objective is no proxy."""
    scored = [objective for objective in objectives if objective.name != PREDICTED_LATENCY]
    check_search(NAME, strategy, scored, trains=False)


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    load_task: Callable[[], Task],
    *,
    batch_size: Annotated[int, Ge(2)] = 64,
    num_seeds: Annotated[int, Ge(1)] = 1,
    latency_table: Annotated[str, MinLen(1)] | None = None,
) -> IndependentEvaluator:
    """Return the evaluator; the minibatch and the initialization of a candidate depend on its key and the seed.

    Args:
        space: of the architectures.
        objectives: proxies, and ``predicted_latency_ms`` if there is a table.
        streams: root of all randomness.
        load_task: loads the task.
        batch_size: examples in a minibatch.
        num_seeds: initializations, each with one minibatch.
        latency_table: file with the latencies of operations, as ``python -m tasks.latency_table`` writes it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the table is missing, damaged, or of no use in the space.
    """
    names = tuple(objective.name for objective in objectives)
    scored = tuple(name for name in names if name != PREDICTED_LATENCY)
    scores = ZeroCostScores(space, scored, streams, batch_size, num_seeds)
    return IndependentEvaluator(load_task, with_predicted_latency(scores, space, names, latency_table))
