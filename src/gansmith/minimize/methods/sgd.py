"""Gradient descent with momentum: torch's SGD, with the learning rate's decay of the lesson.

Robbins, Monro 1951, "A Stochastic Approximation Method"; momentum: Polyak 1964, "Some methods of speeding up the
convergence of iteration methods".
"""

from __future__ import annotations

import torch

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import FractionBelowOne, NonNegativeFloat, PositiveFloat


def build(
    *,
    lr: PositiveFloat = 1e-3,
    momentum: FractionBelowOne = 0.0,
    dampening: FractionBelowOne = 0.0,
    weight_decay: NonNegativeFloat = 0.0,
    lr_decay: NonNegativeFloat = 0.0,
) -> Method:
    """lr_decay: the rate after k steps is lr / (1 + k lr_decay), as in Torch7's optim.

    >>> from gansmith.minimize import minimize
    >>> round(minimize(lambda x: x * x, 1.0, method="sgd", lr=0.25, iterations=2).x, 4)
    0.25
    """
    options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
    return Method(torch_step(torch.optim.SGD, options, rate=lambda steps: lr / (1 + steps * lr_decay)))
