"""Functions whose minimum is known, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def double(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def rosenbrock(x: Tensor) -> Tensor:
    """Rosenbrock 1960: a curved valley; minimum 0 at (1, ..., 1)."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quadratic(n: int, condition: float, seed: int) -> tuple[Tensor, Tensor]:
    """(A, b) of x A x / 2 - b x: eigenvalues from 1 to `condition`, evenly on a logarithmic scale."""
    rng = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(n, n, generator=rng, dtype=torch.float64))
    values = torch.logspace(0, math.log10(condition), n, dtype=torch.float64)
    return basis * values @ basis.T, torch.randn(n, generator=rng, dtype=torch.float64)


class Counted:
    """A function that counts its calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.calls = function, 0

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        return self.function(*arguments)
