"""What a differentiable method is put together from."""

from __future__ import annotations

from dataclasses import dataclass, field

from nas_core.differentiable.decoding import Decoding, by_space
from nas_core.differentiable.first_order import first_order
from nas_core.differentiable.gradient import Gradient
from nas_core.differentiable.order import Order, parameters_first
from nas_core.differentiable.parameter_optimizer import Adam, ParameterOptimizer
from nas_core.differentiable.penalty import Penalty, no_penalty
from nas_core.differentiable.perturbation import Perturbation, unperturbed
from nas_core.differentiable.relaxation import Relaxation
from nas_core.differentiable.stopping import NeverStops, Stopping
from nas_core.differentiable.temperature import ConstantTemperature, Temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One choice for everything in which differentiable methods differ; the defaults are first-order DARTS.

    Attributes:
        relaxation: from parameters and noise to gates.
        gradient: how the gradient by the parameters is estimated.
        perturbation: from the gates to those of the weight step.
        penalty: what the parameters minimize besides the loss.
        stopping: when the parameters have learnt enough; it has state, so each strategy needs its own.
        temperature: from progress to the temperature of the relaxation.
        order: what happens in one turn.
        optimizer: of the parameters.
        decoding: from scores to an architecture.
    """

    relaxation: Relaxation
    gradient: Gradient = first_order
    perturbation: Perturbation = unperturbed
    penalty: Penalty = no_penalty
    stopping: Stopping = field(default_factory=NeverStops)
    temperature: Temperature = field(default_factory=ConstantTemperature)
    order: Order = parameters_first
    optimizer: ParameterOptimizer = field(default_factory=Adam)
    decoding: Decoding = by_space
