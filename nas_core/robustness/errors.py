"""Mean corruption error: how much more a model errs on corrupted images than a reference does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MeasuredErrors:
    """Error rates of one model on one test set.

    Attributes:
        clean: error rate on the clean images, 0..1.
        corrupted: error rates by corruption, one a severity, mildest first, 0..1.
        num_images: images in the test set, the same for every corruption and severity.
    """

    clean: float
    corrupted: Mapping[str, Sequence[float]]
    num_images: int

    def __post_init__(self) -> None:
        """Check the rates and counts."""
        if self.num_images < 1:
            raise ValueError(f"num_images is {self.num_images}; it must be 1 or more")
        if not self.corrupted:
            raise ValueError("corrupted is empty; measure at least one corruption")
        for name, rates in {"clean": (self.clean,), **self.corrupted}.items():
            if not rates or not all(0 <= rate <= 1 for rate in rates):
                raise ValueError(f"error rates of {name} are {tuple(rates)}; they must be one or more numbers in 0..1")


@dataclass(frozen=True)
class CorruptionError:
    """The error on one corruption against the reference's.

    Attributes:
        name: the corruption.
        mean_error_percent: the model's own error, mean over severities.
        corruption_error_percent: 100 when the model errs as often as the reference.
        relative_corruption_error_percent: the same for the rise of the error above that on clean images.
        is_floored: the reference's error was below the floor and was replaced by it.
        is_relative_floored: the same for the reference's rise.
    """

    name: str
    mean_error_percent: float
    corruption_error_percent: float
    relative_corruption_error_percent: float
    is_floored: bool
    is_relative_floored: bool


@dataclass(frozen=True)
class MeanCorruptionError:
    """Means over corruptions, in percent, and the corruptions they are taken over."""

    mean_error_percent: float
    mean_corruption_error_percent: float
    relative_mean_corruption_error_percent: float
    corruptions: tuple[CorruptionError, ...]


def mean_corruption_error(model: MeasuredErrors, reference: MeasuredErrors) -> MeanCorruptionError:
    """Return the model's corruption errors against the reference, and their means.

    CE_c = sum_s E_{s,c} / sum_s R_{s,c}, mCE = mean_c CE_c; relative: clean errors are subtracted from every E and R.

    Hendrycks and Dietterich (2019, arXiv:1903.12261). Differs from the paper: a denominator below 1 / num_images is
    replaced by 1 / num_images. This is the one-error floor: the reference is treated as if it had made
    one error (more than on clean images, if relative) over all severities. It keeps ratios finite where
    the reference makes no error, or fewer than on clean images. A relative error may be negative.

    Args:
        model: errors of the model.
        reference: errors of the reference network, on the same images, corruptions and severities.

    Raises:
        ValueError: the two were not measured on the same corruptions, severities and number of images.
    """
    check_comparable(model, reference)
    floor = 1 / reference.num_images
    errors = []
    for name, rates in model.corrupted.items():
        reference_rates = reference.corrupted[name]
        total, reference_total = math.fsum(rates), math.fsum(reference_rates)
        rise = total - len(rates) * model.clean
        reference_rise = reference_total - len(rates) * reference.clean
        errors.append(
            CorruptionError(
                name=name,
                mean_error_percent=100 * total / len(rates),
                corruption_error_percent=100 * total / max(reference_total, floor),
                relative_corruption_error_percent=100 * rise / max(reference_rise, floor),
                is_floored=reference_total < floor,
                is_relative_floored=reference_rise < floor,
            )
        )
    return MeanCorruptionError(
        mean_error_percent=math.fsum(one.mean_error_percent for one in errors) / len(errors),
        mean_corruption_error_percent=math.fsum(one.corruption_error_percent for one in errors) / len(errors),
        relative_mean_corruption_error_percent=(
            math.fsum(one.relative_corruption_error_percent for one in errors) / len(errors)
        ),
        corruptions=tuple(errors),
    )


def check_comparable(model: MeasuredErrors, reference: MeasuredErrors) -> None:
    """Raise a ValueError unless both were measured on the same corruptions, severities and number of images."""
    only_one = sorted(set(model.corrupted) ^ set(reference.corrupted))
    if only_one:
        raise ValueError(
            f"measured for the model or the reference alone: {', '.join(only_one)}; measure both on the same"
        )
    for name, rates in model.corrupted.items():
        num_reference = len(reference.corrupted[name])
        if len(rates) != num_reference:
            raise ValueError(f"{name} has {len(rates)} severities for the model, {num_reference} for the reference")
    if model.num_images != reference.num_images:
        raise ValueError(
            f"the model saw {model.num_images} images, the reference {reference.num_images}; measure both on the same"
        )
