"""Nesterov's accelerated gradient with a constant momentum: torch's SGD with nesterov=True.

Nesterov 1983, "A method for solving the convex programming problem with convergence rate O(1/k^2)"; in this form:
Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and momentum in deep learning", section 2.
"""

from __future__ import annotations

import torch

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import FractionBelowOne, NonNegativeFloat, PositiveFloat


def build(
    *, lr: PositiveFloat = 1e-3, momentum: FractionBelowOne = 0.9, weight_decay: NonNegativeFloat = 0.0
) -> Method:
    """The gradient is that at x, which is where the momentum has carried it: the paper's look-ahead point.

    >>> from gansmith.minimize import minimize
    >>> minimize(lambda x: x * x, 1.0, method="nesterov", lr=0.1).converged
    True
    """
    options = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "nesterov": momentum > 0}
    return Method(torch_step(torch.optim.SGD, options))
