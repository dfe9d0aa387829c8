"""Averaged stochastic gradient descent: torch's ASGD; the result is the average.

Polyak, Juditsky 1992, "Acceleration of stochastic approximation by averaging".
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import NonNegativeFloat, PositiveFloat


def build(
    *,
    lr: PositiveFloat = 1e-2,
    lambd: NonNegativeFloat = 0.0,
    alpha: NonNegativeFloat = 0.75,
    t0: NonNegativeFloat = 0.0,
    weight_decay: NonNegativeFloat = 0.0,
) -> Method:
    """t0: average from step t0 + 2 on. lambd: weight decay, with which the rate falls too: lr / (1 + lambd lr k)^alpha.

    >>> from gansmith.minimize import minimize
    >>> minimize(lambda x: x * x, 1.0, method="asgd", lr=0.25, iterations=3).x  # of 0.25 and 0.125
    0.1875
    """
    # Differs: torch's defaults are lambd 1e-4 and t0 1e6, because it is for long training: the first moves the
    # minimum, and with the second nothing is averaged within a million steps.
    options = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay}
    return Method(torch_step(torch.optim.ASGD, options), answer=_average)


def _average(state: dict[str, Any]) -> Tensor:
    (buffers,) = state["torch"].optimizer.state.values()
    average: Tensor = buffers["ax"].clone()
    return average
