"""Adam: torch's. Kingma, Ba 2015, "Adam: A Method for Stochastic Optimization", Algorithm 1."""

from __future__ import annotations

import torch

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import FractionBelowOne, NonNegativeFloat, PositiveFloat


def build(
    *,
    lr: PositiveFloat = 1e-3,
    betas: tuple[FractionBelowOne, FractionBelowOne] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
    amsgrad: bool = False,
) -> Method:
    """The paper's defaults.

    >>> from gansmith.minimize import minimize
    >>> round(minimize(lambda x: x * x, 1.0, method="adam", lr=0.1, iterations=1).x, 4)
    0.9
    """
    options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
    return Method(torch_step(torch.optim.Adam, options))
