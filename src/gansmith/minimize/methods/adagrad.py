"""AdaGrad: torch's.

Duchi, Hazan, Singer 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", Figure 1.
"""

from __future__ import annotations

import torch

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import NonNegativeFloat, PositiveFloat


def build(
    *,
    lr: PositiveFloat = 1e-2,
    lr_decay: NonNegativeFloat = 0.0,
    eps: PositiveFloat = 1e-10,
    weight_decay: NonNegativeFloat = 0.0,
) -> Method:
    """lr_decay: the rate after k steps is lr / (1 + k lr_decay).

    >>> from gansmith.minimize import minimize
    >>> round(minimize(lambda x: x * x, 1.0, method="adagrad", lr=0.1, iterations=1).x, 4)
    0.9
    """
    options = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
    return Method(torch_step(torch.optim.Adagrad, options))
