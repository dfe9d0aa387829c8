"""Minimisers on functions whose minimum is known: evaluations until the value is 1e-6 above it.

    python -m benchmarks.minimizers --search     # once: the rates of the first-order methods, into minimizers.json
    python -m benchmarks.minimizers              # the table of docs/minimize.md, with those rates
    python -m benchmarks.minimizers --picture docs/pictures/minimize.webp

An evaluation is a call of the function, with or without its gradient, whoever asks; counted is the first that is low
enough (asgd: the first step after which the average is). The rates tried are 1 and 3 times the powers of ten from
1e-5 to 30, each with 100,000 evaluations at most; the counts of the search are those of the package (a test holds it).
CMA-ES: the median of seeds 0 to 4.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy.optimize
import torch
from torch import Tensor

from benchmarks.minimizer_problems import MOST, NEAR, Problem, problems
from benchmarks.minimizer_rates import RULES, fastest
from gansmith.minimize import minimize

RATES = Path(__file__).with_suffix(".json")
FIRST_ORDER = tuple(RULES)
OTHERS = ("lbfgs", "cg", "fista", "cmaes")
OPTIONS: Mapping[str, dict[str, Any]] = {"sgd": {"momentum": 0.9}}


class Reached(Exception):  # noqa: N818  (it is what is waited for)
    """The function was asked low enough, at this evaluation."""


class Asked:
    """A problem's function that counts, and ends whoever asks it low enough."""

    def __init__(self, problem: Problem, most: int = MOST) -> None:
        self.problem, self.most, self.count, self.lowest = problem, most, 0, math.inf

    def __call__(self, x: Tensor) -> tuple[float, Tensor]:
        value, gradient = self.problem(x)
        self.count += 1
        self.lowest = min(self.lowest, value if math.isfinite(value) else math.inf)
        if value <= NEAR:
            raise Reached(self.count)
        if self.count >= self.most:
            raise Reached(0)
        return value, gradient


def evaluations(problem: Problem, method: str, options: dict[str, Any], most: int = MOST) -> tuple[int, float]:
    """(evaluations until the value is low enough, 0 where never; the lowest value that was met)."""
    asked = Asked(problem, most)
    try:
        minimize(asked, problem.start, method=method, gradient=True, evaluations=most + 1, tolerance=0.0, **options)
    except Reached as reached:
        return int(reached.args[0]), asked.lowest
    return 0, asked.lowest


def search() -> dict[str, dict[str, list[float]]]:
    """{problem: {method: [rate, evaluations with it, 0 for none]}}."""
    rates: dict[str, dict[str, list[float]]] = {}
    for name, problem in problems().items():
        rates[name] = {}
        for method in FIRST_ORDER:
            rates[name][method] = list(fastest(problem, method))
            print(name, method, rates[name][method], flush=True)
    return rates


def peers(problem: Problem) -> dict[str, int]:
    """Evaluations of SciPy's methods and of torch's L-BFGS as torch has it."""
    counts: dict[str, int] = {}
    for method in ("CG", "L-BFGS-B", "Nelder-Mead"):
        asked = Asked(problem)
        options = {"maxiter": MOST, "maxfev": MOST} if method == "Nelder-Mead" else {"maxiter": MOST}

        def value(x: np.ndarray, asked: Asked = asked) -> float:
            return asked(torch.from_numpy(x.copy()))[0]

        def both(x: np.ndarray, asked: Asked = asked) -> tuple[float, np.ndarray]:
            value, gradient = asked(torch.from_numpy(x.copy()))
            return value, gradient.numpy()

        simplex = method == "Nelder-Mead"
        counts[f"SciPy {method}"] = _until(
            functools.partial(
                scipy.optimize.minimize,
                value if simplex else both,
                problem.start.numpy(),
                jac=None if simplex else True,
                method=method,
                options=options,
                tol=1e-12,
            )
        )
    asked = Asked(problem)
    parameter = torch.nn.Parameter(problem.start.clone())
    theirs = torch.optim.LBFGS([parameter], line_search_fn="strong_wolfe")

    def closure() -> float:
        value, gradient = asked(parameter.detach())
        parameter.grad = gradient
        return value

    counts["torch LBFGS"] = _until(lambda: [theirs.step(closure) for _ in range(1000)])
    return counts


def _until(run: Callable[[], Any]) -> int:
    try:
        run()
    except Reached as reached:
        return int(reached.args[0])
    return 0


def table() -> str:
    """The table as Markdown, with the rates of minimizers.json in brackets."""
    rates, known = json.loads(RATES.read_text()), problems()
    rows: dict[str, list[str]] = {}
    for name, problem in known.items():
        for method in OTHERS:
            seeds = range(5) if method == "cmaes" else range(1)
            counts = [evaluations(problem, method, {"seed": seed})[0] for seed in seeds]
            rows.setdefault(method, []).append(_cell(median(counts) if all(counts) else 0))
        for method in FIRST_ORDER:
            rate, count = rates[name][method]
            rows.setdefault(method, []).append(_cell(count) + (f" ({rate:g})" if count else ""))
        for method, count in peers(problem).items():
            rows.setdefault(method, []).append(_cell(count))
    lines = [["method", *known], ["---", *("---:" for _ in known)], *([method, *row] for method, row in rows.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(count: float) -> str:
    return f"{count:,.0f}" if count else f"not in {MOST:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--search", action="store_true", help="search the rates and write them")
    parser.add_argument("--picture", type=Path, help="draw the paths into this WebP file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.search:
        RATES.write_text(json.dumps(search(), indent=2) + "\n")
    elif arguments.picture:
        from benchmarks.minimizer_paths import draw

        draw().save(arguments.picture, quality=82, method=6)
    else:
        print(table())


if __name__ == "__main__":
    main()
