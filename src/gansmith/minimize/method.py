"""Method: how one minimiser takes a step; and the methods that are torch's optimizers on one flat parameter."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from gansmith.minimize.function import Function

State = dict[str, Any]
Step = Callable[[Function, Tensor, State], str | None]


@dataclass(frozen=True)
class Method:
    """One minimiser, never subclassed; the state of a minimisation is a dictionary, empty at first.

    step      (function, u [N], state) -> moves u in place and returns None, or why it cannot go on
    bounds    how it keeps to bounds: "projected" after each step, "transformed" to variables without bounds, or "own"
    gradient  does it ask for the gradient at every u? If not, it says itself when it has converged:
    residual  state -> a number that is zero at a minimum, or None where there is none
    term      x [N] -> what it adds to f, or None: the part without a gradient (FISTA's)
    answer    state -> the result u [N] where it is not the last u (an average), or None
    """

    step: Step
    bounds: Literal["projected", "transformed", "own"] = "projected"
    gradient: bool = True
    residual: Callable[[State], float | None] | None = None
    term: Callable[[Tensor], float] | None = None
    answer: Callable[[State], Tensor] | None = None


class OnOneParameter:
    """A torch optimizer of one flat parameter [N]; a deep copy goes on by itself, which one of L-BFGS alone cannot."""

    def __init__(self, kind: Callable[..., torch.optim.Optimizer], options: Mapping[str, Any], u: Tensor) -> None:
        self.kind, self.options = kind, options
        self.parameter = nn.Parameter(u.detach().clone())
        self.optimizer = kind([self.parameter], **options)

    def __deepcopy__(self, memo: Any) -> OnOneParameter:
        other = OnOneParameter(self.kind, self.options, self.parameter)
        other.optimizer.load_state_dict(copy.deepcopy(self.optimizer.state_dict()))
        return other


def torch_step(
    kind: Callable[..., torch.optim.Optimizer],
    options: Mapping[str, Any],
    *,
    rate: Callable[[int], float] | None = None,
) -> Step:
    """A step of a torch optimizer on one flat parameter, which lives in the state; the options are set at every step.

    rate: steps taken so far -> learning rate, in place of a constant one.
    """

    def step(function: Function, u: Tensor, state: State) -> None:
        if "torch" not in state:
            state["torch"] = OnOneParameter(kind, options, u)
        optimizer, parameter = state["torch"].optimizer, state["torch"].parameter
        (group,) = optimizer.param_groups
        group.update(options)
        if rate is not None:
            group["lr"] = rate(state.setdefault("steps", 0))
            state["steps"] += 1

        def closure() -> float:
            value, gradient = function.value_and_gradient(parameter.detach())
            parameter.grad = function.free_gradient(parameter.detach(), gradient).clone()
            return value

        with torch.no_grad():
            parameter.copy_(u)
            optimizer.step(closure)
            u.copy_(parameter)

    return step
