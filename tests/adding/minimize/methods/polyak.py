"""Subgradient steps of Polyak's length: needs to know the minimum's value.

Polyak 1969, "Minimization of unsmooth functionals".
"""

from __future__ import annotations

from torch import Tensor

from gansmith.minimize.function import Function
from gansmith.minimize.method import Method, State
from gansmith.system.option_types import FiniteFloat


def build(*, least: FiniteFloat = 0.0) -> Method:
    """least: the value of the minimum, or a bound below it.

    >>> from gansmith.minimize.function import value_and_gradient
    >>> value_and_gradient(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    def step(function: Function, u: Tensor, state: State) -> None:
        value, gradient = function.value_and_gradient(u)
        u -= (value - least) / gradient.square().sum().clamp(min=1e-30) * gradient

    return Method(step)
