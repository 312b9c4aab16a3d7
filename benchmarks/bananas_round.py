"""How long a round of BANANAS takes: its ensemble fitted at once, beside the same ensemble fitted in a loop.

`python -m benchmarks.bananas_round [--architectures 100] [--candidates 1000] [--repetitions 5]`. Random cells of
NAS-Bench-201 in the path encoding with random costs, since neither decides how long it takes; batch and epochs are the
published ones.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Table, command_line, measured
from nas_core.acquisition import thompson_sampling
from nas_core.encodings import paths
from nas_core.predictors.mlp_ensemble import BETAS, MLPEnsemble
from nas_core.randomness import Streams
from nas_core.spaces import nasbench201
from nas_core.training.one_thread import one_thread
from nas_core.variation import sample

Array = NDArray[np.float64]

NUM_MEMBERS, NUM_LAYERS, WIDTH, NUM_EPOCHS, BATCH_SIZE, LEARNING_RATE = 5, 10, 20, 150, 32, 0.01


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = command_line("bananas_round", __doc__.partition("\n")[0])
    parser.add_argument("--architectures", type=int, default=100, help="that the ensemble is fitted to")
    parser.add_argument("--candidates", type=int, default=1000, help="among which the acquisition function chooses")
    parser.add_argument("--repetitions", type=int, default=5, help="of each figure, of which the median counts")
    parser.add_argument("--epochs", type=int, default=NUM_EPOCHS)
    chosen = parser.parse_args(arguments)
    settings = {"architectures": chosen.architectures, "candidates": chosen.candidates, "epochs": chosen.epochs}
    measured(
        lambda: [_table(chosen.architectures, chosen.candidates, chosen.epochs, chosen.repetitions)],
        {**settings, "repetitions": chosen.repetitions},
        as_json=chosen.json,
    )
    return 0


def _table(num_architectures: int, num_candidates: int, num_epochs: int, repetitions: int) -> Table:
    generator = np.random.default_rng(0)
    space = nasbench201.build()
    cells = [sample(space, generator) for _ in range(num_architectures + num_candidates)]
    features, costs = paths(space, cells), generator.random(num_architectures)
    told, candidates = features[:num_architectures], features[num_architectures:]

    def at_once() -> None:
        ensemble(NUM_MEMBERS, 0, num_epochs).fit(told, costs)

    def in_a_loop() -> None:
        for number in range(NUM_MEMBERS):
            ensemble(1, number, num_epochs).fit(told, costs)

    def with_modules() -> None:
        for number in range(NUM_MEMBERS):
            _fit_module(told, costs, number, num_epochs)

    def whole_round() -> None:
        predictor = ensemble(NUM_MEMBERS, 0, num_epochs)
        predictor.fit(told, costs)
        mean, deviation = predictor.predict(candidates)
        thompson_sampling(mean, deviation, float(costs.min()), generator)

    measurements: dict[str, Callable[[], None]] = {
        "the ensemble, all members at once": at_once,
        "the same members one after the other": in_a_loop,
        "torch modules one after the other, single precision": with_modules,
        f"a whole round: the fit, and the acquisition over {num_candidates} candidates": whole_round,
    }
    at_once()
    # in turns, so that other work on the machine meets all of them alike
    seconds: dict[str, list[float]] = {name: [] for name in measurements}
    for _ in range(repetitions):
        for name, call in measurements.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: median(values) for name, values in seconds.items()}
    first = next(iter(medians.values()))
    return Table(
        f"{NUM_MEMBERS} networks of {NUM_LAYERS} x {WIDTH} units, {num_epochs} epochs of batches of {BATCH_SIZE}",
        ("what", "seconds", "times the first"),
        tuple((name, value, value / first) for name, value in medians.items()),
    )


def ensemble(num_members: int, seed: int, num_epochs: int) -> MLPEnsemble:
    """Return an ensemble with the published settings, of which one member is enough here."""
    return MLPEnsemble(Streams(seed), num_members, NUM_LAYERS, WIDTH, num_epochs, BATCH_SIZE, LEARNING_RATE)


def _fit_module(features: Array, costs: Array, seed: int, num_epochs: int) -> None:
    """Fit one network as it is written with modules."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        sizes = [features.shape[1], *[WIDTH] * NUM_LAYERS]
        hidden = [part for left, right in itertools.pairwise(sizes) for part in (nn.Linear(left, right), nn.ReLU())]
        network = nn.Sequential(*hidden, nn.Linear(WIDTH, 1))
        optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, betas=BETAS, fused=True)
        inputs = torch.from_numpy(features).float()
        targets = torch.from_numpy((costs - costs.mean()) / costs.std()).float()
        for _ in range(num_epochs):
            for batch in torch.randperm(len(targets)).split(BATCH_SIZE):
                loss = (network(inputs[batch])[:, 0] - targets[batch]).abs().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


if __name__ == "__main__":
    sys.exit(main())
