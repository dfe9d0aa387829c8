"""Minimisation of any function: thirteen methods behind one call, and one step at a time.

    from gansmith.minimize import minimize
    minimize(f, x, method="lbfgs").x

Importing this package does not import torch; the names below do, when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansmith.minimize.function import value_and_gradient
    from gansmith.minimize.functional import optimizer
    from gansmith.minimize.loop import Progress, Result, minimize

_HOMES = {
    "Progress": "gansmith.minimize.loop",
    "Result": "gansmith.minimize.loop",
    "minimize": "gansmith.minimize.loop",
    "optimizer": "gansmith.minimize.functional",
    "value_and_gradient": "gansmith.minimize.function",
}
__all__ = ["Progress", "Result", "minimize", "optimizer", "value_and_gradient"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gansmith.minimize' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
