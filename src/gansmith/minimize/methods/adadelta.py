"""AdaDelta: torch's. Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method", Algorithm 1."""

from __future__ import annotations

import torch

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import FractionBelowOne, NonNegativeFloat, PositiveFloat


def build(
    *,
    lr: PositiveFloat = 1.0,
    rho: FractionBelowOne = 0.9,
    eps: PositiveFloat = 1e-6,
    weight_decay: NonNegativeFloat = 0.0,
) -> Method:
    """lr multiplies the step, whose size is otherwise its own. rho: decay of both averages.

    >>> from gansmith.minimize import minimize
    >>> minimize(lambda x: x * x, 1.0, method="adadelta", iterations=9).value < 1
    True
    """
    options = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay}
    return Method(torch_step(torch.optim.Adadelta, options))
