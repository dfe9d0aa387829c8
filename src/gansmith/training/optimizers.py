"""Torch's optimizers by name, fused where the device has a fused one; a learning rate may follow the images clock."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch.optim import Optimizer

from gansmith.adversarial import Schedule
from gansmith.errors import OptionError, UnknownNameError, nearest, unknown
from gansmith.training.schedules import Value, schedule

_FUSED = ("adam", "adamw", "sgd")  # on every device that torch 2.6 and later fuse at all
_OURS = {"params", "lr", "fused", "foreach", "capturable", "differentiable", "maximize"}
_NEEDS_MORE = {"lbfgs", "sparseadam", "muon"}  # a closure, sparse gradients, matrices only


@dataclass(frozen=True)
class Scheduled:
    """An optimizer and the schedule of its learning rate."""

    optimizer: Optimizer
    lr: Schedule

    def set_clock(self, images: int) -> None:
        rate = self.lr(images)
        for group in self.optimizer.param_groups:
            group["lr"] = rate


def names() -> list[str]:
    return sorted(_classes())


def build(name: str, parameters: Iterable[torch.nn.Parameter], options: Mapping[str, Any]) -> Scheduled:
    """An optimizer over `parameters`. Options are torch's own, `lr` a number or a schedule. Raises OptionError."""
    chosen = check(name, options)
    kind: Callable[..., Optimizer] = _classes()[name]
    parameters = list(parameters)
    lr = schedule(chosen.pop("lr"))
    fused = name in _FUSED and all(parameter.device.type in ("cpu", "cuda", "mps") for parameter in parameters)
    if fused:
        chosen["fused"] = True
    try:
        return Scheduled(kind(parameters, lr=lr(0), **chosen), lr)
    except ValueError as error:  # torch's own limits: a negative learning rate, a momentum of 1
        raise OptionError(f"optimizer {name}: {error}") from None


def plain(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, completed, as plain numbers, lists and dictionaries. Raises as `check` does."""
    from pydantic_core import to_jsonable_python

    values: dict[str, Any] = to_jsonable_python(check(name, options))
    return values


def check(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options completed with torch's defaults. Raises UnknownNameError or OptionError."""
    if name not in _classes():
        raise UnknownNameError(unknown("optimizer", name, names()))
    where = f"optimizer {name}"
    parameters = inspect.signature(_classes()[name]).parameters
    known = {key: p.default for key, p in parameters.items() if key not in _OURS}
    for option in options:
        if option != "lr" and option not in known:
            have = ", ".join(["lr", *known])
            raise OptionError(f"{where} has no option {option!r}. {nearest(option, ['lr', *known])}It has: {have}")
    given = {"lr": parameters["lr"].default, **known, **options}
    try:
        given["lr"] = TypeAdapter(Value).validate_python(given["lr"])
        for key, default in known.items():
            like: Any = tuple[float | None, ...] if isinstance(default, tuple) else _kind(default)
            given[key] = TypeAdapter(like).validate_python(given[key])
            if isinstance(default, tuple) and len(given[key]) != len(default):
                raise OptionError(f"{where}: {key} = {given[key]!r} is not allowed: it takes {len(default)} numbers")
    except ValidationError as error:
        first = error.errors()[0]
        problem = first["msg"].removeprefix("Value error, ")
        raise OptionError(f"{where}: {first['input']!r} is not allowed: {problem}") from None
    return given


def _kind(default: Any) -> Any:
    return type(default) if isinstance(default, bool) else float if isinstance(default, (int, float)) else Any


def _classes() -> dict[str, type[Optimizer]]:
    found = {
        name.lower(): value
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value) and issubclass(value, Optimizer) and value is not Optimizer
    }
    return {name: value for name, value in found.items() if name not in _NEEDS_MORE}
