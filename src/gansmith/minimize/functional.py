"""The purely functional view: `optimizer(f, x, config)` takes one step, and keeps its state in `config`.

The shape of Torch7's package optim (Collobert, Kavukcuoglu, Farabet 2011, "Torch7: A Matlab-like Environment for
Machine Learning"): `x, values = sgd(f, x, config)` inside a loop of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import torch
from torch import Tensor

from gansmith.errors import GansmithError
from gansmith.minimize.bounds import box
from gansmith.minimize.function import Function
from gansmith.minimize.loop import build_method
from gansmith.minimize.structure import structure_of
from gansmith.system.trees import leaves

Optimizer = Callable[..., tuple[Any, list[float]]]


def optimizer(method: str) -> Optimizer:
    """A function (f, x, config) -> (x, [f at x before the step]) that takes one step of `method`.

    f(x) returns (value, gradient), as `value_and_gradient(f)` does of one that returns the value; for cmaes the value
    suffices. The tensors of x are changed in place. config: the method's options, which may change between steps, and
    after the first step "state"; a deep copy of both goes on by itself. Raises as `minimize` does.

    >>> x, config = torch.tensor([1.0]), {"lr": 0.25}
    >>> optimizer("sgd")(lambda x: (x.square().sum(), 2 * x), x, config)
    (tensor([0.5000]), [1.0])
    """
    build_method(method, {})
    checked: list[tuple[dict[str, Any], Any]] = []  # the options of the last call, and the method that they built

    def step(
        f: Callable[[Any], Any], x: Any, config: MutableMapping[str, Any] | None = None
    ) -> tuple[Any, list[float]]:
        config = {} if config is None else config
        options = {name: value for name, value in config.items() if name != "state"}
        if not checked or checked[0][0] != options:
            checked[:] = [(options, build_method(method, options))]
        chosen = checked[0][1]
        structure = structure_of(x)
        parts = [leaf for leaf, _ in leaves(x)]
        if not all(isinstance(part, Tensor) for part in parts):
            raise GansmithError("x holds a plain number, which a step cannot change in place: make it a tensor")
        function = Function(f, structure, box(None, structure), gradient=True)
        u = structure.flat(x)
        value = function.value_and_gradient(u)[0] if chosen.gradient else function.value(u)
        if chosen.term is not None:
            value += chosen.term(u)
        chosen.step(function, u, config.setdefault("state", {}))
        with torch.no_grad():
            for part, piece in zip(parts, u.split([part.numel() for part in parts]), strict=True):
                part.copy_(piece.view(part.shape))
        return x, [value]

    return step
