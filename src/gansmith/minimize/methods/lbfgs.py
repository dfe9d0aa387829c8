"""L-BFGS with a line search for the strong Wolfe conditions: torch's, one iteration a step.

Liu, Nocedal 1989, "On the limited memory BFGS method for large scale optimization".
"""

from __future__ import annotations

import torch

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import PositiveFloat, SmallInt

_TRIALS = 25  # of one line search


def build(*, history: SmallInt = 10, lr: PositiveFloat = 1.0) -> Method:
    """history: pairs of steps and gradient differences that are kept. lr: the first trial of a line search, where 1 is
    the quasi-Newton step.

    >>> from gansmith.minimize import minimize
    >>> minimize(lambda x: (x - 3) ** 4, 1.0, method="lbfgs").converged
    True
    """
    options = {
        "lr": lr,
        "history_size": history,
        "line_search_fn": "strong_wolfe",
        "max_iter": 1,
        "max_eval": _TRIALS + 1,
        "tolerance_grad": 0.0,  # when it has converged is measured elsewhere
        "tolerance_change": 0.0,
    }
    return Method(torch_step(torch.optim.LBFGS, options), bounds="transformed")
