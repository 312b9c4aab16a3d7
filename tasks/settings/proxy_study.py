"""The studies of proxies of params.yaml as types: which scores of a sample of networks go with accuracy and cost."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Interval, MinLen
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from tasks.settings.parts import NamedPlugIn, PlugIn, Section
from tasks.settings.rules import Seed, all_or_names, distinct


class AccuracySettings(BaseModel):
    """What gives the accuracies: an evaluator with its settings beside it.

    Attributes:
        name: of the evaluator, such as low_fidelity or tabular.
        reported: the measurement of a table to take, such as test_accuracy; null for its validation accuracy.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str
    reported: Annotated[str, MinLen(1)] | None = None

    @property
    def plug_in(self) -> PlugIn:
        """The evaluator."""
        extra: dict[str, Any] = self.model_extra or {}
        return PlugIn(**{**extra, "name": self.name})


class ProxyStudySettings(Section):
    """One study.

    Attributes:
        space: whose networks are drawn; null is search.space.
        sample_size: distinct networks.
        proxies: names, or all; parameters, FLOPs, latency, and energy if it can be measured, always come besides.
        batch_size: examples in the minibatch of a score.
        accuracy: where accuracies come from.
        num_resamples: of the bootstrap.
        seed: of the sample, the minibatches, the initializations and the bootstrap.
    """

    space: NamedPlugIn | None = None
    sample_size: Annotated[int, Interval(ge=5, le=5000)] = 100
    proxies: Annotated[
        Literal["all"] | Annotated[tuple[str, ...], AfterValidator(distinct)], BeforeValidator(all_or_names)
    ] = "all"
    batch_size: Annotated[int, Ge(2)] = 64
    accuracy: AccuracySettings = AccuracySettings(name="low_fidelity")
    num_resamples: Annotated[int, Interval(ge=100, le=100_000)] = 1000
    seed: Seed = 0
