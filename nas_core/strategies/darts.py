"""DARTS: differentiable architecture search by a softmax over the options of each choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Gt, Interval

from nas_core.differentiable.decoding import Without, by_space
from nas_core.differentiable.first_order import first_order
from nas_core.differentiable.order import parameters_first, weights_first
from nas_core.differentiable.parameter_optimizer import Adam
from nas_core.differentiable.parts import Parts
from nas_core.differentiable.softmax import Softmax
from nas_core.differentiable.strategy import DifferentiableStrategy
from nas_core.differentiable.unrolled import Unrolled
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    second_order: bool = False,
    learning_rate: Annotated[float, Gt(0)] = 3e-4,
    first_beta: Annotated[float, Interval(ge=0, lt=1)] = 0.5,
    weight_decay: Annotated[float, Ge(0)] = 1e-3,
    initial_scale: Annotated[float, Gt(0)] = 1e-3,
    train_weights_first: bool = False,
    exclude_option: str | None = None,
) -> DifferentiableStrategy:
    """Return DARTS, whose alpha learn by gradient through a mixture of all options.

    Gates are softmax(alpha). With weights w trained on L_tr, alpha minimizes L_val(w - xi dL_tr/dw, alpha): xi = 0 in
    first order, else the learning rate of the weights (`nas_core.differentiable.unrolled`).

    Liu et al. 2019 (DARTS), arXiv:1806.09055. Follows the paper. Where spaces decode the scores of an option "none" is
    up to them; on NAS-Bench-201 the published runs take the best of all five options of each edge, "none" among them,
    train the weights before alpha, and end in cells of skip connections. The objectives do not enter: alpha sees the
    loss alone.

    Args:
        space: what to search; it needs a supernet.
        objectives: not used.
        streams: of this strategy.
        second_order: differentiate through one step of the weights, at about three times the price.
        learning_rate: of alpha's Adam.
        first_beta: decay of Adam's first moment.
        weight_decay: of alpha, added to its gradient.
        initial_scale: standard deviation of the initial alpha.
        train_weights_first: train the weights before alpha in each pair of minibatches, as NAS-Bench-201's runs do.
        exclude_option: an option never to decode to, such as "none"; None allows all.

    Raises:
        ValueError: if `exclude_option` is no option of the space.
    """
    known = {option for choice in space.choices for option in choice.options}
    if exclude_option is not None and exclude_option not in known:
        raise ValueError(f"exclude_option is {exclude_option!r}; options of {space.name}: {', '.join(sorted(known))}")
    parts = Parts(
        relaxation=Softmax(initial_scale),
        gradient=Unrolled() if second_order else first_order,
        order=weights_first if train_weights_first else parameters_first,
        optimizer=Adam(learning_rate, (first_beta, 0.999), weight_decay),
        decoding=by_space if exclude_option is None else Without(exclude_option),
    )
    return DifferentiableStrategy(space, streams, parts)
