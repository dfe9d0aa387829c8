"""Nonlinear conjugate gradients, Hestenes-Stiefel, with a line search that is exact on quadratics.

Hestenes, Stiefel 1952; Nocedal, Wright 2006, "Numerical Optimization", section 5.2.
"""

from __future__ import annotations

from gansmith.minimize.conjugate_gradients import ConjugateGradients
from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import FractionBelowOne, PositiveFloat, SmallInt


def build(
    *, lr: PositiveFloat = 1.0, curvature: FractionBelowOne = 0.4, trials: SmallInt = 25, memory: SmallInt = 50
) -> Method:
    """lr: length of the first trial step. curvature: c2 of the strong Wolfe conditions. trials: of a line search.
    memory: earlier directions that rounding must not forget, on a quadratic.

    >>> from gansmith.minimize import minimize
    >>> minimize(lambda x: (x - 3) ** 2, 1.0, method="cg").iterations
    1
    """
    options = {"lr": lr, "decrease": min(1e-4, curvature / 2), "curvature": curvature, "trials": trials}
    return Method(torch_step(ConjugateGradients, {**options, "memory": memory}), bounds="transformed")
