"""The evaluator that predicts scores by models fitted to a sample of a benchmark's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, MinLen
from numpy.typing import NDArray

from nas_core import catalog, nested_settings
from nas_core.architecture import Architecture
from nas_core.calibration import Calibration, PredictionQuality
from nas_core.encodings import one_hot, paths
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective
from nas_core.predictor import Predictor
from nas_core.randomness import Streams
from nas_core.space import HasPathEncoding, SearchSpace
from nas_core.strategy import Strategy
from nas_core.table_evaluator import TableEvaluator
from nas_core.task import Task
from nas_core.training.compatibility import check_tabulated

Array = NDArray[np.float64]
Encode = Callable[[Sequence[Architecture]], Array]

LEARNING_SHARE, CALIBRATION_SHARE = 0.8, 0.1
"""Of the sample: what models learn from, and what calibrates them; the rest measures their quality."""

MIN_EXAMPLES = 50


def check(space: SearchSpace, strategy: Strategy, objectives: Sequence[Objective]) -> None:
    """Raise a ValueError if the space is in no benchmark, or the strategy learns, for which there are no weights."""
    check_tabulated("surrogate", space, strategy)


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    load_task: Callable[[], Task],
    *,
    path: Annotated[str, MinLen(1)],
    benchmark: str = "nasbench101",
    data_set: str = "cifar10",
    num_examples: Annotated[int, Ge(MIN_EXAMPLES)] = 4000,
    predictor: str = "random_forest",
    predictor_settings: Mapping[str, bool | int | float | str] | None = None,
    encoding: Literal["one_hot", "path"] = "one_hot",
    noise: bool = True,
    fit_seed: Annotated[int, Ge(0)] = 0,
) -> Evaluator:
    """Return the surrogate of a benchmark, by which all members of a space have scores, in the table or not.

    Args:
        space: the space of the benchmark; the whole one, where the table holds a part of it.
        objectives: scores that the table holds.
        streams: source of the noise, so that each repetition of a search meets its own.
        load_task: not used.
        path: the benchmark's file.
        benchmark: name of a module in `nas_core.benchmarks`, or an import path with a dot.
        data_set: the data set whose measurements to learn.
        num_examples: rows of the table that are drawn, for the models, their calibration and their test.
        predictor: name of a module in `nas_core.predictors`, or an import path with a dot.
        predictor_settings: settings of its own; None for its defaults.
        encoding: what it sees of a canonical form.
        noise: whether scores are draws from the calibrated prediction; without, they are its means.
        fit_seed: of the sample and the models, the same in every repetition of a search.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the benchmark or the predictor is unknown, or the file, the space, an objective or a setting does
            not fit.
    """
    values = dict(predictor_settings or {})
    nested_settings.check("predictor", predictor, values)
    module = catalog.load("predictor", predictor)
    if getattr(module, "ENCODING", None) is not None:
        raise ValueError(f"predictor {predictor!r} takes no vectors; use one that does, as random_forest")
    encode: Encode = partial(one_hot, space.choices)
    if encoding == "path":
        if not isinstance(space, HasPathEncoding):
            raise ValueError(f"encoding is 'path', which space {space.name} has not; use one_hot")
        encode = partial(paths, space)
    table: TableEvaluator = catalog.load("benchmark", benchmark).build(path, space, objectives, data_set=data_set)
    return SurrogateEvaluator(
        space,
        objectives,
        table,
        encode,
        partial(module.build, **values),
        num_examples,
        Streams(fit_seed).child("surrogate"),
        streams.child("noise") if noise else None,
    )


@dataclass(frozen=True, slots=True)
class _Model:
    """A fitted predictor of one score.

    Attributes:
        predictor: of the score itself, not of a cost.
        calibration: of its deviations.
        quality: on examples that neither has seen.
        lowest: no draw is below; -inf if it has no bound.
        highest: no draw is above; inf if it has no bound.
    """

    predictor: Predictor
    calibration: Calibration
    quality: PredictionQuality
    lowest: float
    highest: float


class SurrogateEvaluator:
    """Predicts what a table would say (as NAS-Bench-301 does; Zela et al. 2022, arXiv:2008.09777).

    A sample of the table is divided by chance: from eight tenths a predictor learns each objective, one tenth
    calibrates its deviations (see `Calibration`), and on the last one its quality is measured. A score is a draw from
    the normal distribution of the calibrated prediction, the same for a network whenever it is asked for, but another
    with another seed, as a training with another seed would be; shares and accuracies stay between 0 and 1 if the
    table's do. Models are fitted when the first proposal of a fidelity comes.

    Differs from NAS-Bench-301, whose noise is that of an ensemble over trainings with several seeds: here the
    deviation holds both the noise of a training and what the model misses, as it can be measured with one training a
    network.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        table: TableEvaluator,
        encode: Encode,
        predictor: Callable[[Streams], Predictor],
        num_examples: int,
        fit_streams: Streams,
        noise_streams: Streams | None,
    ) -> None:
        """Keep the parts; nothing is fitted yet.

        Args:
            space: of the architectures.
            objectives: scores that the table holds.
            table: what is learnt.
            encode: architectures -> features.
            predictor: returns a new predictor that draws from the given streams.
            num_examples: see `build`.
            fit_streams: of the sample and the models.
            noise_streams: of the draws; None for means.

        Raises:
            ValueError: if the table has too few rows.
        """
        num_rows = len(table.architectures())
        if num_rows < MIN_EXAMPLES:
            raise ValueError(f"the table has {num_rows} rows; a surrogate needs {MIN_EXAMPLES} at least")
        self._space = space
        self._names = [objective.name for objective in objectives]
        self._table = table
        self._encode = encode
        self._predictor = predictor
        self._num_examples = min(num_examples, num_rows)
        self._fit_streams = fit_streams
        self._noise_streams = noise_streams
        self._models: dict[Fidelity | None, Mapping[str, _Model] | str] = {}

    def prepare(self, strategy: Strategy) -> None:
        """Do nothing: models are fitted when they are needed."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order; a fidelity that the table has not is a failure."""
        return [self._evaluation(proposal) for proposal in proposals]

    def report(self, architecture: Architecture) -> dict[str, float]:
        """Return the predicted mean of every objective and its calibrated deviation, for reports.

        Raises:
            ValueError: the architecture is no member of the space.
        """
        if not self._space.is_valid(architecture):
            raise ValueError(f"{architecture.key} is no member of {self._space.name}; ask for one")
        models = self._fitted(None)
        if isinstance(models, str):
            raise ValueError(models)
        found = {}
        for name, (mean, deviation) in self._predicted(models, architecture).items():
            found[name] = mean
            found[f"{name}_deviation"] = deviation
        return found

    def quality(self) -> dict[str, dict[str, float]]:
        """Return by objective how good the predictions are that a proposal without a fidelity gets; fits if need be."""
        models = self._fitted(None)
        return {} if isinstance(models, str) else {name: asdict(model.quality) for name, model in models.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: models follow from the table and the seed."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""

    def _evaluation(self, proposal: Proposal) -> Evaluation:
        architecture = proposal.architecture
        if not self._space.is_valid(architecture):
            return Evaluation(proposal, failure=f"{architecture.key} is no member of {self._space.name}")
        models = self._fitted(proposal.fidelity)
        if isinstance(models, str):
            return Evaluation(proposal, failure=models)
        canonical = self._space.canonical(architecture)
        scores = {}
        for name, (mean, deviation) in self._predicted(models, canonical).items():
            drawn = mean + deviation * self._noise(canonical, proposal.fidelity, name)
            scores[name] = min(max(drawn, models[name].lowest), models[name].highest)
        return Evaluation(proposal, scores)

    def _predicted(self, models: Mapping[str, _Model], architecture: Architecture) -> dict[str, tuple[float, float]]:
        """Return mean and calibrated deviation by objective."""
        features = self._encode([self._space.canonical(architecture)])
        found = {}
        for name, model in models.items():
            means, deviations = model.predictor.predict(features)
            found[name] = (float(means[0]), float(model.calibration.deviations(deviations)[0]))
        return found

    def _noise(self, canonical: Architecture, fidelity: Fidelity | None, name: str) -> float:
        """Return a draw from N(0, 1) that belongs to a network, a fidelity and an objective; 0 without noise."""
        if self._noise_streams is None:
            return 0.0
        return float(self._noise_streams.numpy(f"{canonical.key} {fidelity} {name}").standard_normal())

    def _fitted(self, fidelity: Fidelity | None) -> Mapping[str, _Model] | str:
        """Return the models of a fidelity, or one line that says why there are none."""
        if fidelity not in self._models:
            self._models[fidelity] = self._fit(fidelity)
        return self._models[fidelity]

    def _fit(self, fidelity: Fidelity | None) -> Mapping[str, _Model] | str:
        rows = self._table.architectures()
        order = self._fit_streams.numpy("sample").permutation(len(rows))[: self._num_examples]
        sample = [rows[place] for place in order.tolist()]
        evaluations = self._table.evaluate([Proposal(architecture, fidelity) for architecture in sample])
        told = [each for each in evaluations if each.failure is None]
        if len(told) < MIN_EXAMPLES:
            return next((each.failure for each in evaluations if each.failure), "the table has too few rows")
        features = self._encode([self._space.canonical(each.proposal.architecture) for each in told])
        first = int(LEARNING_SHARE * len(told))
        second = first + int(CALIBRATION_SHARE * len(told))
        learning, held_out, test = slice(first), slice(first, second), slice(second, None)
        models = {}
        for name in self._names:
            values = np.array([each.scores[name] for each in told])
            predictor = self._predictor(self._fit_streams.child(f"{fidelity} {name}"))
            predictor.fit(features[learning], values[learning])
            calibration = Calibration.fitted(*predictor.predict(features[held_out]), values[held_out])
            means, deviations = predictor.predict(features[test])
            quality = PredictionQuality.measured(means, calibration.deviations(deviations), values[test])
            is_share = bool(values.min() >= 0 and values.max() <= 1)
            lowest, highest = (0.0, 1.0) if is_share else (-np.inf, np.inf)
            models[name] = _Model(predictor, calibration, quality, lowest, highest)
        return models
