"""The second-order gradient against the exact hypergradient, and against a case worked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.func import functional_call

from nas_core.differentiable.first_order import first_order
from nas_core.differentiable.penalty import no_penalty
from nas_core.differentiable.softmax import Softmax
from nas_core.differentiable.unrolled import Unrolled
from nas_core.task import TaskShape
from nas_core.weight_sharing.gates import Gates
from nas_core.weight_sharing.minibatch_pair import Minibatch, MinibatchPair
from nas_core.weight_sharing.weight_optimizer import WeightOptimizer, WeightRecipe


class Mixture(nn.Module):
    """Two mixed layers of three activations each, in double precision."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.layers = nn.ModuleList(nn.Linear(4, 4).double() for _ in range(2))
        self.head = nn.Linear(4, 3).double()
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(0.5 * torch.randn(weight.shape, generator=generator, dtype=torch.float64))

    def forward(self, inputs: torch.Tensor, gates: Gates) -> torch.Tensor:
        hidden = inputs
        for layer, weights in zip(self.layers, gates.options, strict=True):
            outputs = layer(hidden)
            hidden = weights[0] * torch.tanh(outputs) + weights[1] * torch.sin(outputs) + weights[2] * outputs
        logits: torch.Tensor = self.head(hidden)
        return logits


class Regression:
    """The part of a task that a pair of minibatches needs."""

    name = "regression"
    shape = TaskShape((4,), (3,))
    metric = "accuracy"
    device = torch.device("cpu")

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(outputs, targets)

    def metrics(self, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        return {"accuracy": float((outputs.argmax(1) == targets).double().mean())}


def minibatch(seed: int) -> Minibatch:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(16, 4, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(3, (16,), generator=generator)


def relax(parameters: Sequence[torch.Tensor]) -> Gates:
    return Softmax().gates(parameters, [], 1.0)


def endless(minibatch: Minibatch) -> Iterator[Minibatch]:
    while True:
        yield minibatch


def alpha() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(3, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)]


def test_it_is_the_exact_hypergradient_within_a_millionth() -> None:
    module, task, parameters = Mixture(), Regression(), alpha()
    recipe = WeightRecipe(learning_rate=0.1, momentum=0.9, weight_decay=3e-3)
    optimizer = WeightOptimizer(module, recipe)
    pair = MinibatchPair(module, optimizer, task, minibatch(1), endless(minibatch(2)), epoch=0, progress=0.0)  # type: ignore[arg-type]
    for _ in range(3):
        pair.step(pair.training_loss(relax(parameters).detach()))
    before = [weight.detach().clone() for weight in module.parameters()]
    found = Unrolled()(pair, parameters, relax, no_penalty)
    assert all(map(torch.equal, before, [weight.detach() for weight in module.parameters()]))

    buffers = optimizer.state_dict()["momentum"]
    names, weights = zip(*module.named_parameters(), strict=True)
    training_loss = task.loss(module(minibatch(1)[0], relax(parameters)), minibatch(1)[1])
    gradients = torch.autograd.grad(training_loss, weights, create_graph=True)
    unrolled = {}
    for name, weight, gradient, buffer in zip(names, weights, gradients, buffers, strict=True):
        unrolled[name] = weight - 0.1 * (0.9 * buffer + gradient + 3e-3 * weight)
    validation_loss = task.loss(
        functional_call(module, unrolled, (minibatch(2)[0], relax(parameters))), minibatch(2)[1]
    )
    exact = torch.autograd.grad(validation_loss, parameters)
    plain = first_order(pair, parameters, relax, no_penalty)
    for one, other, first in zip(found, exact, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
        assert (first - other).abs().max() > 1e-3, "the second order must matter for this test to say anything"


class HandWorked:
    """L_tr = (w - g_0)^2, L_val = w^2 with one scalar weight w = 2 and gates that are the parameters themselves."""

    epoch = 0
    progress = 0.0

    def __init__(self) -> None:
        self.weight = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
        self.optimizer = WeightOptimizer(_holding(self.weight), WeightRecipe(0.25, 0.0, 0.0, 0.0))
        self.weight = self.optimizer.weights[0]

    def training_loss(self, gates: Gates) -> torch.Tensor:
        return (self.weight - gates.options[0][0]) ** 2

    def validation_loss(self, gates: Gates) -> torch.Tensor:
        return self.weight**2

    def gradient(self, loss: torch.Tensor) -> list[torch.Tensor]:
        return self.optimizer.gradient(loss)

    def unrolled_direction(self, loss: torch.Tensor) -> tuple[list[torch.Tensor], float]:
        return self.optimizer.direction(loss), self.optimizer.learning_rate

    shifted = property(lambda self: self.optimizer.shifted)


def _holding(weight: torch.Tensor) -> nn.Module:
    module = nn.Module()
    module.weight = nn.Parameter(weight.detach())
    return module


def test_a_case_worked_by_hand() -> None:
    # g = 1: w' = 2 - .25 * 2 * (2 - 1) = 1.5, and dL_val(w')/dg = 2 w' * dw'/dg = 3 * (.25 * 2) = 1.5
    parameters = [torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)]
    weights = HandWorked()
    found = Unrolled()(weights, parameters, lambda p: Gates(tuple(p)), no_penalty)  # type: ignore[arg-type]
    torch.testing.assert_close(found[0], torch.tensor([1.5, 0.0], dtype=torch.float64), rtol=0, atol=1e-9)
    # with xi = .5: w' = 1, dw'/dg = 1, so 2
    found = Unrolled(0.5)(weights, parameters, lambda p: Gates(tuple(p)), no_penalty)  # type: ignore[arg-type]
    torch.testing.assert_close(found[0], torch.tensor([2.0, 0.0], dtype=torch.float64), rtol=0, atol=1e-9)


def test_without_a_gradient_by_the_weights_only_the_direct_part_remains() -> None:
    class Flat(HandWorked):
        def validation_loss(self, gates: Gates) -> torch.Tensor:
            return 0.0 * self.weight + 3.0 * gates.options[0][1]

    parameters = [torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)]
    found = Unrolled()(Flat(), parameters, lambda p: Gates(tuple(p)), no_penalty)  # type: ignore[arg-type]
    assert found[0].tolist() == [0.0, 3.0]
