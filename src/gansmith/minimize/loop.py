"""`minimize`: a method's steps until the minimum, or until something else ends them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.minimize.bounds import box
from gansmith.minimize.function import BudgetSpent, Function, Gradient
from gansmith.minimize.method import Method, State
from gansmith.minimize.structure import structure_of

_IDLE = 3  # steps in a row that move nothing; Rprop and CG can have one


@dataclass(frozen=True)
class Result:
    """What a minimisation ended with.

    x           like the x that it began with
    value       f(x), with FISTA's term
    evaluations calls of f (with or without its gradient)
    iterations  steps of the method
    converged   was the method's own measure of a minimum reached, or the target?
    why         what ended it, in words
    path        the flat x at the beginning and after each step [iterations + 1, N], if it was asked for

    >>> from gansmith.minimize import minimize
    >>> minimize(lambda x: (x - 2) ** 2, 5.0, iterations=0).why
    'after 0 iterations, as many as allowed'
    """

    x: Any
    value: float
    evaluations: int
    iterations: int
    converged: bool
    why: str
    path: Tensor | None = None


class Progress(NamedTuple):
    """What a callback is told after each step; `x` is a copy.

    >>> Progress(1, 2, 0.5, [1.0]).value
    0.5
    """

    iteration: int
    evaluations: int
    value: float
    x: Any


def minimize(
    f: Callable[[Any], Any],
    x: Any,
    *,
    method: str = "lbfgs",
    gradient: Gradient = None,
    bounds: Any = None,
    callback: Callable[[Progress], Any] | None = None,
    evaluations: int = 10_000,
    iterations: int | None = None,
    tolerance: float | None = None,
    target: float | None = None,
    seed: int = 0,
    keep_path: bool = False,
    **options: Any,
) -> Result:
    """Minimise `f`, from x on: a number, a floating tensor, or dicts, lists and tuples of them. x stays as it is.

    f(x) is one number. gradient: None (gansmith.autograd), True (f returns value and gradient) or a function of x.
    bounds: (low, high), each None, a number for all, or like x. callback: is told a `Progress` after each step, and
    ends the minimisation by returning True. evaluations: of f at most. tolerance: the largest entry of the (projected)
    gradient at a minimum, the square root of the dtype's epsilon by default. target: end at a value at most this.
    seed: of what the method draws. Options are the method's: `gansmith help minimizers/lbfgs`.

    Raises UnknownNameError or OptionError for the method and its options, NoDependencyError where f does not depend on
    a part of x, GansmithError for an x or a value of f that is no number.

    >>> minimize(lambda x: (x - torch.tensor([1.0, 2.0])).square().sum(), torch.zeros(2)).x.round(decimals=4)
    tensor([1., 2.])
    """
    structure = structure_of(x)
    limits = box(bounds, structure)
    chosen = build_method(method, options, seed)
    _require_counts(evaluations=evaluations, iterations=iterations)
    room = evaluations - (chosen.answer is not None)  # the answer elsewhere is evaluated at the end
    transformed = chosen.bounds == "transformed" and limits.bounded
    function = Function(f, structure, limits, gradient, max(room, 1), transformed)
    tolerance = math.sqrt(structure.epsilon) if tolerance is None else tolerance
    search = _Search(function, chosen, tolerance, target, math.inf if iterations is None else iterations, callback)
    u = function.u(structure.flat(x))
    path: list[Tensor] | None = [] if keep_path else None
    u, value, why, converged = search.run(u, path)
    if chosen.answer is not None and search.iteration:
        function.limit = evaluations
        answer = limits.project(chosen.answer(search.state))
        answer_value = search.value(answer)
        if math.isfinite(answer_value):
            u, value = answer, answer_value
    return Result(
        function.tree(u),
        value,
        function.evaluations,
        search.iteration,
        converged,
        why,
        None if path is None else torch.stack(path),
    )


@dataclass
class _Search:
    """One minimisation in progress."""

    function: Function
    method: Method
    tolerance: float
    target: float | None
    iterations: float
    callback: Callable[[Progress], Any] | None

    def __post_init__(self) -> None:
        self.state: State = {}
        self.iteration = 0

    def run(self, u: Tensor, path: list[Tensor] | None) -> tuple[Tensor, float, str, bool]:
        """(u, value, why it ended, has it converged), beginning at u."""
        last, last_value = u.clone(), math.nan
        moved, idle, stopped = False, 0, None
        try:
            while True:
                value = self.value(u)
                if not math.isfinite(value):
                    return last, last_value, f"the value is {value} after step {self.iteration + moved}", False
                self.iteration += moved
                last.copy_(u)
                last_value = value
                if path is not None:
                    path.append(self.function.x(u).clone())
                if moved and self.callback is not None and self._told(value, u):
                    stopped = "stopped by the callback"
                why, converged = self._end(u, value)
                if why or stopped or self.iteration >= self.iterations:
                    limit = f"after {self.iteration} iterations, as many as allowed"
                    return last, value, why or stopped or limit, converged
                self.function.forget(but=u)
                stopped = self.method.step(self.function, u, self.state)
                moved = True
                if self.method.bounds == "projected":
                    u.copy_(self.function.bounds.project(u))
                idle = idle + 1 if self.method.gradient and torch.equal(u, last) else 0
                if idle == _IDLE and not stopped:
                    stopped = f"the step is too small to move x in {str(u.dtype).removeprefix('torch.')}"
        except BudgetSpent:
            return last, last_value, f"after {self.function.evaluations} evaluations, as many as allowed", False

    def value(self, u: Tensor) -> float:
        """f, with its gradient where the method asks for it, and the method's term."""
        ask = self.function.value_and_gradient if self.method.gradient else self.function.value
        output = ask(u)
        value = output[0] if isinstance(output, tuple) else output
        return value if self.method.term is None else value + self.method.term(self.function.x(u))

    def _end(self, u: Tensor, value: float) -> tuple[str, bool]:
        if self.target is not None and value <= self.target:
            return f"the value {value:.6g} is at most the target {self.target:g}", True
        residual = self._residual(u)
        if residual is not None and residual <= self.tolerance:
            what = "the largest entry of the gradient" if self.method.gradient else "the distance to a minimum"
            return f"{what} is {residual:.3g}, at most {self.tolerance:.3g}", True
        return "", False

    def _residual(self, u: Tensor) -> float | None:
        if self.method.gradient:
            _, gradient = self.function.value_and_gradient(u)
            return self.function.bounds.residual(self.function.x(u), gradient)
        return None if self.method.residual is None else self.method.residual(self.state)

    def _told(self, value: float, u: Tensor) -> bool:
        assert self.callback is not None
        progress = Progress(self.iteration, self.function.evaluations, value, self.function.tree(u))
        return self.callback(progress) is True


def build_method(name: str, options: dict[str, Any], seed: int | None = None) -> Method:
    """A method of the catalog with its options; the seed goes to one that draws. Raises as `catalog.build` does."""
    if seed is not None and "seed" in catalog.keyword_options(catalog.find("minimizers", name)):
        options = {"seed": seed, **options}
    method: Method = catalog.build("minimizers", name, **options)
    return method


def _require_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        least = 1 if name == "evaluations" else 0
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < least):
            raise OptionError(f"{name} = {count!r} is not allowed: it takes a whole number, {least} or more")
