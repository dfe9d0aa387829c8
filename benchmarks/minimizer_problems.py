"""Functions with the minimum 0 at which minimisers are measured: Rosenbrock's valley and a quadratic, in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

MOST, NEAR = 100_000, 1e-6  # evaluations; a value as low as that is the minimum
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Problem:
    """rows: x [B, n] -> values [B] and gradients [B, n]; the start [n]."""

    rows: Callable[[Array], tuple[Array, Array]]
    start: Tensor

    def __call__(self, x: Tensor) -> tuple[float, Tensor]:
        values, gradients = self.rows(x.numpy()[None])
        return float(values[0]), torch.from_numpy(gradients[0])


def problems() -> dict[str, Problem]:
    """Rosenbrock of 2 and 10 variables, and a quadratic of 10 with condition number 100."""
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((10, 10)))
    matrix = basis * np.logspace(0, 2, 10) @ basis.T

    def rosenbrock(x: Array) -> tuple[Array, Array]:
        left, right = x[:, :-1], x[:, 1:]
        valley, ahead = right - left**2, 1 - left
        gradients = np.zeros_like(x)
        gradients[:, :-1] = -400 * left * valley - 2 * ahead
        gradients[:, 1:] += 200 * valley
        return (100 * valley**2 + ahead**2).sum(1), gradients

    def quadratic(x: Array) -> tuple[Array, Array]:
        slope = x @ matrix
        return 0.5 * (x * slope).sum(1), slope

    start = torch.tensor([-1.2, 1.0] * 5, dtype=torch.float64)
    return {
        "Rosenbrock, n = 2": Problem(rosenbrock, start[:2]),
        "Rosenbrock, n = 10": Problem(rosenbrock, start),
        "quadratic, n = 10": Problem(quadratic, start),
    }
