"""FISTA with backtracking: accelerated proximal gradient for f with a gradient plus a term without.

Beck, Teboulle 2009, "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse Problems", section 4.
Restart: O'Donoghue, Candes 2015, "Adaptive Restart for Accelerated Gradient Schemes", section 3.2 (gradient scheme).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.minimize.function import Function
from gansmith.minimize.method import Method, State
from gansmith.system.option_types import NonNegativeFloat, PositiveFloat

_ROUNDING = 4096  # resolutions of the value by which f may lie above its model: else rounding shortens the steps


def build(
    *,
    l1: NonNegativeFloat = 0.0,
    proximal: Callable[[Tensor, float], Tensor] | None = None,
    term: Callable[[Tensor], Any] | None = None,
    lipschitz: PositiveFloat = 1.0,
    increase: Annotated[float, Field(gt=1, le=1000)] = 2.0,
    restart: bool = False,
) -> Method:
    """Minimises f(x) + l1 |x|_1, within the bounds; or f(x) + term(x) for another term and its proximal step.

    proximal: (v, s) -> argmin_x term(x) + |x - v|^2 / (2 s), of flat vectors. lipschitz: first guess of the gradient's
    Lipschitz constant; multiplied by `increase` until the step is short enough (the paper's eta). restart: drop the
    momentum when it points uphill.

    >>> from gansmith.minimize import minimize
    >>> minimize(lambda x: 0.5 * (x - 3) ** 2, 0.0, method="fista", l1=1.0).x
    2.0
    """
    if (proximal is None) != (term is None) or (proximal is not None and l1):
        raise OptionError("minimizers/fista takes l1, or both term and proximal")

    def nearest(function: Function, v: Tensor, size: float) -> Tensor:
        """The proximal step; that of l1 within bounds is the soft threshold, projected."""
        if proximal is not None:
            if function.bounds.bounded:
                raise OptionError("minimizers/fista: bounds beside a proximal step of your own belong into that step")
            return proximal(v, size)
        return function.bounds.project(v.sign() * (v.abs() - l1 * size).clamp(min=0))

    def step(function: Function, x: Tensor, state: State) -> None:
        y: Tensor = state.get("ahead", x.clone())
        bound, t = state.get("lipschitz", lipschitz), state.get("t", 1.0)
        value, gradient = function.value_and_gradient(y)
        slack = _ROUNDING * torch.finfo(x.dtype).eps * abs(value)
        while True:
            new = nearest(function, y - gradient / bound, 1 / bound)
            moved = new - y
            model = value + float(gradient.dot(moved)) + bound / 2 * float(moved.dot(moved))  # Q_L (2.5)
            if function.value(new) <= model + slack or not math.isfinite(bound * increase):
                break
            bound *= increase
        t_next = (1 + math.sqrt(1 + 4 * t * t)) / 2  # (4.2)
        ahead = new + (t - 1) / t_next * (new - x)  # (4.3)
        if restart and float((y - new).dot(new - x)) > 0:
            t_next, ahead = 1.0, new.clone()
        # Differs: the point ahead is projected onto the bounds too, because f may not exist beyond them.
        state.update(ahead=function.bounds.project(ahead), lipschitz=bound, t=t_next)
        state["residual"] = bound * float(moved.abs().max())
        x.copy_(new)

    def extra(x: Tensor) -> float:
        return float(x.abs().sum()) * l1 if term is None else float(term(x))

    return Method(step, bounds="own", gradient=False, residual=lambda state: state.get("residual"), term=extra)
