"""CMA-ES: a normal distribution that learns its mean, step and covariance from the ranks of its samples.

Hansen 2016, "The CMA Evolution Strategy: A Tutorial" (arXiv 1604.00772v1), Figure 6 with the constants of Table 1. No
gradient is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from gansmith.minimize.function import Function
from gansmith.minimize.method import Method, State
from gansmith.system.option_types import LARGEST, NonNegativeInt, PositiveFloat

_ILL = 1e14  # condition number of the covariance at which rounding takes over


def build(
    *,
    sigma: PositiveFloat = 0.5,
    population: Annotated[int, Field(ge=4, le=LARGEST)] | None = None,
    seed: NonNegativeInt = 0,
) -> Method:
    """sigma: the first standard deviation: about a third of the distance at which the minimum may lie. population:
    samples a step, 4 + 3 ln n where None. A step is one generation; x is the best sample so far.

    >>> from gansmith.minimize import minimize
    >>> round(minimize(lambda x: abs(x - 3), 0.0, method="cmaes", tolerance=1e-6).x, 4)
    3.0
    """

    def step(function: Function, u: Tensor, state: State) -> str | None:
        if not state:
            _begin(state, u, sigma, seed)
        constants = Constants.of(u.numel(), population)
        rng = torch.Generator().set_state(state["rng"])
        basis, scale = _axes(state)
        z = torch.randn(constants.population, u.numel(), generator=rng, dtype=torch.float64)
        y = (z * scale) @ basis.T
        state["rng"] = rng.get_state()
        lowest, values = function.value(u), []
        for sample in (state["mean"] + state["sigma"] * y).to(u):
            value = function.value(sample)
            values.append(math.inf if math.isnan(value) else value)
            if value < lowest:
                lowest = value
                u.copy_(sample)
        order = torch.tensor(values, dtype=torch.float64).argsort(stable=True)
        update(state, y[order], basis, scale, constants)
        if scale.max() > math.sqrt(_ILL) * scale.min():
            return f"the condition number of the covariance is over {_ILL:g}"
        return None

    return Method(step, bounds="transformed", gradient=False, residual=_spread)


@dataclass(frozen=True)
class Constants:
    """Table 1 for n variables; `weights` [population] of ranked samples, the better half positive."""

    population: int
    weights: Tensor
    mass: float  # mu_eff
    c_sigma: float
    d_sigma: float
    c_c: float
    c_1: float
    c_mu: float

    @classmethod
    def of(cls, n: int, population: int | None) -> Constants:
        count = population or 4 + int(3 * math.log(n))  # (48)
        raw = math.log((count + 1) / 2) - torch.arange(1, count + 1, dtype=torch.float64).log()  # (49)
        best, rest = raw[: count // 2], raw[count // 2 :]
        mass, mass_rest = (float(part.sum() ** 2 / part.square().sum()) for part in (best, rest))
        c_1 = 2 / ((n + 1.3) ** 2 + mass)  # (57)
        c_mu = min(1 - c_1, 2 * (mass - 2 + 1 / mass) / ((n + 2) ** 2 + mass))  # (58)
        negative = min(1 + c_1 / c_mu, 1 + 2 * mass_rest / (mass + 2), (1 - c_1 - c_mu) / (n * c_mu))  # (50)-(52)
        plus, minus = float(raw.clamp(min=0).sum()), float(-raw.clamp(max=0).sum())
        c_sigma = (mass + 2) / (n + mass + 5)  # (55)
        return cls(
            population=count,
            weights=torch.where(raw >= 0, raw / plus, negative * raw / minus),  # (53)
            mass=mass,
            c_sigma=c_sigma,
            d_sigma=1 + 2 * max(0.0, math.sqrt((mass - 1) / (n + 1)) - 1) + c_sigma,
            c_c=(4 + mass / n) / (n + 4 + 2 * mass / n),  # (56)
            c_1=c_1,
            c_mu=c_mu,
        )


def _begin(state: dict[str, Any], u: Tensor, sigma: float, seed: int) -> None:
    n, mean = u.numel(), u.detach().cpu().double().clone()
    zeros, identity = torch.zeros(n, dtype=torch.float64), torch.eye(n, dtype=torch.float64)
    rng = torch.Generator().manual_seed(seed).get_state()
    state.update(mean=mean, sigma=sigma, covariance=identity, path_sigma=zeros, path_c=zeros, generation=0, rng=rng)


def _axes(state: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Eigenvectors [n, n] of the covariance, and the roots of its eigenvalues [n]."""
    values, basis = torch.linalg.eigh(state["covariance"])
    return basis, values.clamp(min=float(values.max()) * 1e-20).sqrt()


def update(state: dict[str, Any], y: Tensor, basis: Tensor, scale: Tensor, constants: Constants) -> None:
    """The distribution after a generation of steps y [population, n] at unit sigma, the best first: (41) to (47)."""
    k, n = constants, y.shape[1]
    weights, generation = k.weights, state["generation"] + 1
    expected = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))  # of |N(0, I)|
    mean_step = weights.clamp(min=0) @ y  # (41)
    whiten = basis / scale @ basis.T
    path = (1 - k.c_sigma) * state["path_sigma"]
    path = path + math.sqrt(k.c_sigma * (2 - k.c_sigma) * k.mass) * (whiten @ mean_step)  # (43)
    length = float(path.norm())
    damped = length / math.sqrt(1 - (1 - k.c_sigma) ** (2 * (generation + 1)))
    stalled = float(damped < (1.4 + 2 / (n + 1)) * expected)  # h_sigma
    path_c = (1 - k.c_c) * state["path_c"] + stalled * math.sqrt(k.c_c * (2 - k.c_c) * k.mass) * mean_step  # (45)
    lengths = (y @ whiten).square().sum(1)
    shares = weights * torch.where(weights >= 0, 1.0, n / (lengths + 1e-300))  # (46)
    kept = 1 + k.c_1 * (1 - stalled) * k.c_c * (2 - k.c_c) - k.c_1 - k.c_mu * float(weights.sum())
    covariance = kept * state["covariance"] + k.c_1 * torch.outer(path_c, path_c) + k.c_mu * (y.T * shares) @ y  # (47)
    state.update(
        mean=state["mean"] + state["sigma"] * mean_step,  # (42)
        sigma=state["sigma"] * math.exp(min(1.0, k.c_sigma / k.d_sigma * (length / expected - 1))),  # (44)
        covariance=(covariance + covariance.T) / 2,
        path_sigma=path,
        path_c=path_c,
        generation=generation,
    )


def _spread(state: dict[str, Any]) -> float | None:
    """The largest standard deviation of a variable; None before the first generation."""
    return float(state["sigma"] * state["covariance"].diagonal().max().sqrt()) if state else None
