"""Learning rates of the first-order minimisers: all rates at once, in NumPy, until one of them is low enough.

Each rule is torch's, for rows of x [rates, n]; what it finds is measured again with the package itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.minimizer_problems import MOST, NEAR, Problem

Array = np.ndarray[Any, np.dtype[np.float64]]
Rule = Callable[[Array, Array], Iterator[Array]]  # (x, rates [rates, 1]) -> is sent gradients, yields what is looked at
RATES = np.array([factor * 10.0**power for power in range(-5, 2) for factor in (1, 3)])[:, None]


def sgd(x: Array, lr: Array, *, momentum: float = 0.9, nesterov: bool = False) -> Any:
    velocity = np.zeros_like(x)
    while True:
        g = yield x
        velocity = momentum * velocity + g
        x -= lr * (g + momentum * velocity if nesterov else velocity)


def asgd(x: Array, lr: Array) -> Any:
    average, step = x.copy(), 0
    while True:
        g = yield average
        x -= lr * g
        average += (x - average) / max(1, step)
        step += 1


def adagrad(x: Array, lr: Array) -> Any:
    total = np.zeros_like(x)
    while True:
        g = yield x
        total += g * g
        x -= lr * g / (np.sqrt(total) + 1e-10)


def adadelta(x: Array, lr: Array) -> Any:
    squares, steps = np.zeros_like(x), np.zeros_like(x)
    while True:
        g = yield x
        squares = 0.9 * squares + 0.1 * g * g
        step = np.sqrt(steps + 1e-6) / np.sqrt(squares + 1e-6) * g
        steps = 0.9 * steps + 0.1 * step * step
        x -= lr * step


def rmsprop(x: Array, lr: Array) -> Any:
    squares = np.zeros_like(x)
    while True:
        g = yield x
        squares = 0.99 * squares + 0.01 * g * g
        x -= lr * g / (np.sqrt(squares) + 1e-8)


def adam(x: Array, lr: Array) -> Any:
    mean, squares, t = np.zeros_like(x), np.zeros_like(x), 0
    while True:
        g = yield x
        t += 1
        mean = 0.9 * mean + 0.1 * g
        squares = 0.999 * squares + 0.001 * g * g
        x -= lr / (1 - 0.9**t) * mean / (np.sqrt(squares) / math.sqrt(1 - 0.999**t) + 1e-8)


def adamax(x: Array, lr: Array) -> Any:
    mean, largest, t = np.zeros_like(x), np.zeros_like(x), 0
    while True:
        g = yield x
        t += 1
        mean = 0.9 * mean + 0.1 * g
        largest = np.maximum(0.999 * largest, np.abs(g) + 1e-8)
        x -= lr / (1 - 0.9**t) * mean / largest


def rprop(x: Array, lr: Array) -> Any:
    before, size = np.zeros_like(x), np.broadcast_to(lr, x.shape).copy()
    while True:
        g = (yield x).copy()
        sign = np.sign(g * before)
        size = np.clip(size * np.where(sign > 0, 1.2, np.where(sign < 0, 0.5, 1.0)), 0.0, 50.0)
        g[sign < 0] = 0.0
        x -= np.sign(g) * size
        before = g


RULES: dict[str, Callable[[Array, Array], Any]] = {
    "sgd": sgd,
    "asgd": asgd,
    "nesterov": lambda x, lr: sgd(x, lr, nesterov=True),
    **{"adagrad": adagrad, "adadelta": adadelta, "rmsprop": rmsprop},
    **{"adam": adam, "adamax": adamax, "rprop": rprop},
}


def fastest(problem: Problem, method: str, most: int = MOST) -> tuple[float, int]:
    """(rate, evaluations) of the rate that is low enough first; (the rate that came lowest, 0) if none is."""
    x = np.tile(problem.start.numpy(), (len(RATES), 1))
    rule = RULES[method](x, RATES)
    lowest = np.full(len(RATES), np.inf)
    seen = next(rule)
    with np.errstate(all="ignore"):
        for count in range(1, most + 1):
            values, gradients = problem.rows(x)
            if method == "asgd":  # the first is at the start; an average is looked at after its step
                values = problem.rows(seen)[0]
            lowest = np.fmin(lowest, np.where(np.isfinite(values), values, np.inf))
            low = np.flatnonzero(values <= NEAR)
            if len(low):
                return float(f"{RATES[low[0], 0]:g}"), count
            seen = rule.send(np.nan_to_num(gradients, nan=0.0, posinf=1e300, neginf=-1e300))
    return float(f"{RATES[int(lowest.argmin()), 0]:g}"), 0
