"""Rprop, steps by the signs of the gradient: torch's.

Riedmiller, Braun 1993, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm".
"""

from __future__ import annotations

import torch

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import NonNegativeFloat, PositiveFloat


def build(
    *,
    lr: PositiveFloat = 1e-2,
    etas: tuple[PositiveFloat, PositiveFloat] = (0.5, 1.2),
    step_sizes: tuple[NonNegativeFloat, PositiveFloat] = (0.0, 50.0),
) -> Method:
    """lr: the first step of each variable. etas: its factor where the sign of the gradient changes, and where not.
    step_sizes: the smallest and the largest step.

    >>> from gansmith.minimize import minimize
    >>> minimize(lambda x: x * x, 1.0, method="rprop").converged
    True
    """
    # Differs: the smallest step is 0 and not torch's (and the paper's) 1e-6, with which no minimum is met more closely.
    return Method(torch_step(torch.optim.Rprop, {"lr": lr, "etas": etas, "step_sizes": step_sizes}))
