"""Optimizers that evaluate the loss of one batch, the whole set, several times a step: L-BFGS and conjugate gradients.

They compare values of one function, so every evaluation of a step draws the same random numbers and starts from the
same buffers (batch normalisation's averages), which move once a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gansmith.minimize.conjugate_gradients import ConjugateGradients

CLASSES: Mapping[str, type[Optimizer]] = {"lbfgs": torch.optim.LBFGS, "cg": ConjugateGradients}
# Differs: torch's L-BFGS takes 20 iterations a step and no line search by default; here a step is one iteration, so
# that records and checkpoints can fall between any two, with a line search of up to 24 evaluations.
DEFAULTS: Mapping[str, Any] = {"max_iter": 1, "max_eval": 25, "line_search_fn": "strong_wolfe"}
COUNTS = ("max_iter", "max_eval", "history_size", "trials", "memory")  # options that are whole numbers


def evaluates_again(optimizer: Optimizer) -> bool:
    """Does a step of this optimizer evaluate the loss more than once?"""
    return isinstance(optimizer, tuple(CLASSES.values()))


def step(optimizer: Optimizer, network: nn.Module, loss: float, evaluate: Callable[[], float]) -> None:
    """One step from `loss`, whose gradient is in the parameters, by `evaluate`, which computes both anew. The network's
    buffers stay as they are: they have moved with the first evaluation."""
    known = [loss]
    after = [buffer.clone() for buffer in network.buffers()]

    def closure() -> float:
        value = known.pop() if known else evaluate()
        for parameter in network.parameters():
            if parameter.grad is not None:  # torch's L-BFGS reads them as flat vectors
                parameter.grad = parameter.grad.contiguous()
        return value

    optimizer.step(closure)
    set_buffers(network, after)


def set_buffers(network: nn.Module, values: Iterable[Tensor]) -> None:
    """Give the network's buffers these values."""
    with torch.no_grad():
        for buffer, value in zip(network.buffers(), values, strict=True):
            buffer.copy_(value)
