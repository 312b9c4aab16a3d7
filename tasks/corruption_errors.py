"""How often every network errs under every shift: each example is shifted once, for all networks alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nas_core.atomic_files import write_json
from nas_core.randomness import Streams
from nas_core.task import DescribesShifts, Task
from tasks.measures import spread

if TYPE_CHECKING:
    from torch import nn

    from nas_core.robustness.errors import MeasuredErrors

BATCH_SIZE = 512


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        names: shifts, in the order of the result.
        severities: 1 to 5, rising.
        omitted: shifts that were asked for and are left out, with the reason.
        published: shifts over which a benchmark takes its mean; empty if the task has no such benchmark.
        families: the family of every shift.
    """

    names: tuple[str, ...]
    severities: tuple[int, ...]
    omitted: Mapping[str, str]
    published: tuple[str, ...]
    families: Mapping[str, str]

    @property
    def averaged(self) -> tuple[str, ...]:
        """The shifts that means are taken over: the published ones where all are measured, else all measured."""
        return self.published if self.published and set(self.published) <= set(self.names) else self.names

    @property
    def is_published_mean(self) -> bool:
        """Whether means are over the published shifts and all five severities."""
        from nas_core.robustness.severity import SEVERITY_LEVELS

        return bool(self.published) and self.averaged == self.published and self.severities == SEVERITY_LEVELS


def plan(chosen: Sequence[str] | Literal["all"], severities: Sequence[int], task: Task) -> Plan:
    """Return what is measured.

    Args:
        chosen: names of shifts, or "all" that the task has.
        severities: 1 to 5.
        task: whose shifts they are.

    Raises:
        ValueError: nothing is left, or the task has no such shift.
    """
    known = tuple(task.shifts(1))
    wanted = known if chosen == "all" else tuple(dict.fromkeys(chosen))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(f"robustness.corruptions names {unknown}; {task.name!r} has {', '.join(known)}")
    families: Mapping[str, str] = dict.fromkeys(known, "shift")
    ineffective: Mapping[str, str] = {}
    published: tuple[str, ...] = ()
    if isinstance(task, DescribesShifts):
        families, ineffective, published = task.shift_families(), task.ineffective_shifts(), task.published_shifts()
    names = tuple(name for name in wanted if name not in ineffective)
    omitted = {name: ineffective[name] for name in wanted if name in ineffective}
    if not names:
        reasons = "; ".join(f"{name} {reason}" for name, reason in omitted.items())
        raise ValueError(f"robustness.corruptions is {list(wanted)}: {reasons}; name others")
    return Plan(names, tuple(sorted(set(severities))), omitted, published, families)


def count(
    networks: Mapping[str, nn.Module],
    task: Task,
    name: str,
    severities: Sequence[int],
    streams: Streams,
    folder: Path,
) -> dict[str, list[int]]:
    """Return how many shifted test examples every network gets wrong at each severity, by the network's key.

    Counts are kept in a file of the shift's own; those that are there are not made again.

    Args:
        networks: by key, in evaluation mode on the task's device.
        task: classification with its test split.
        name: of the shift.
        severities: rising.
        streams: each shift and severity draws from a stream of its own.
        folder: where the counts are kept.
    """

    def counted() -> dict[str, list[int]]:
        found: dict[str, list[int]] = {key: [] for key in networks}
        for severity in severities:
            shift, generator = task.shifts(severity)[name], streams.torch(f"{name} {severity}")
            for key, wrong in _wrong(networks, task, lambda inputs, s=shift, g=generator: s(inputs, g)).items():
                found[key].append(wrong)
        return found

    return _kept(counts_file(name, folder), counted)


def counts_file(name: str, folder: Path) -> Path:
    """Return where the counts of a shift are kept."""
    return folder / f"{name}.json"


def measured(
    networks: Mapping[str, nn.Module], task: Task, plan: Plan, streams: Streams, folder: Path
) -> dict[str, MeasuredErrors]:
    """Return the error rates of every network on the test split, by the network's key; see `count`."""
    from nas_core.robustness.errors import MeasuredErrors

    num_examples = task.num_examples("test")
    clean = _kept(folder / "clean.json", lambda: {key: [n] for key, n in _wrong(networks, task).items()})
    counts = {name: count(networks, task, name, plan.severities, streams, folder) for name in plan.names}
    return {
        key: MeasuredErrors(
            clean[key][0] / num_examples,
            {name: [wrong / num_examples for wrong in counts[name][key]] for name in plan.names},
            num_examples,
        )
        for key in networks
    }


def averaged_over_seeds(runs: Sequence[MeasuredErrors]) -> MeasuredErrors:
    """Return the mean error rates of the trainings of one network: the denominator of every corruption error.

    A mean of ratios to single trainings would swing with the few errors of each; against the mean, the reference's own
    corruption errors average 100 %.
    """
    from statistics import fmean

    from nas_core.robustness.errors import MeasuredErrors

    first = runs[0]
    return MeasuredErrors(
        fmean(run.clean for run in runs),
        {
            name: [fmean(run.corrupted[name][place] for run in runs) for place in range(len(rates))]
            for name, rates in first.corrupted.items()
        },
        first.num_images,
    )


def means(
    runs: Sequence[MeasuredErrors], reference: MeasuredErrors, names: Sequence[str]
) -> dict[str, dict[str, Any]] | None:
    """Return mean error and mean corruption errors over some corruptions, with spread over seeds; None over none.

    Args:
        runs: of one network, one a seed.
        reference: the reference's mean over its seeds.
        names: of the corruptions.
    """
    from nas_core.robustness.errors import mean_corruption_error

    if not names:
        return None
    found = [mean_corruption_error(restricted(run, names), restricted(reference, names)) for run in runs]
    return {
        "mean_error": spread([each.mean_error_percent / 100 for each in found]),
        "mean_corruption_error_percent": spread([each.mean_corruption_error_percent for each in found]),
        "relative_mean_corruption_error_percent": spread(
            [each.relative_mean_corruption_error_percent for each in found]
        ),
    }


def table(runs: Sequence[MeasuredErrors], reference: MeasuredErrors, severities: Sequence[int]) -> dict[str, Any]:
    """Return, by corruption, the error at every severity, and the corruption errors against the reference.

    Args:
        runs: of one network, one a seed.
        reference: the reference's mean over its seeds.
        severities: those that were measured, in the order of the rates.
    """
    from nas_core.robustness.errors import mean_corruption_error

    found = [{each.name: each for each in mean_corruption_error(run, reference).corruptions} for run in runs]
    return {
        name: {
            "error": {
                str(severity): spread([run.corrupted[name][place] for run in runs])
                for place, severity in enumerate(severities)
            },
            "corruption_error_percent": spread([each[name].corruption_error_percent for each in found]),
            "relative_corruption_error_percent": spread(
                [each[name].relative_corruption_error_percent for each in found]
            ),
            "is_floored": found[0][name].is_floored,
            "is_relative_floored": found[0][name].is_relative_floored,
        }
        for name in reference.corrupted
    }


def restricted(errors: MeasuredErrors, names: Sequence[str]) -> MeasuredErrors:
    """Return the errors under some of the corruptions alone."""
    from nas_core.robustness.errors import MeasuredErrors

    return MeasuredErrors(errors.clean, {name: errors.corrupted[name] for name in names}, errors.num_images)


def _wrong(networks: Mapping[str, nn.Module], task: Task, shift: Callable[..., Any] | None = None) -> dict[str, int]:
    """Return how many test examples each network gets wrong."""
    import torch

    from nas_core.training.precision import forward

    totals = {key: torch.zeros((), dtype=torch.int64, device=task.device) for key in networks}
    with torch.no_grad():
        for inputs, labels in task.batches("test", BATCH_SIZE):
            seen = inputs if shift is None else shift(inputs)
            for key, network in networks.items():
                totals[key] += (forward(network, seen, task.device).argmax(dim=1) != labels).sum()
    return {key: int(total) for key, total in totals.items()}


def _kept(path: Path, count: Callable[[], dict[str, list[int]]]) -> dict[str, list[int]]:
    """Return the counts in a file, or count and write them."""
    if path.is_file():
        kept: dict[str, list[int]] = json.loads(path.read_bytes())
        return kept
    found = count()
    write_json(path, found)
    return found
