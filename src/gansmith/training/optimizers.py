"""Torch's optimizers by name, fused where the device has a fused implementation; the learning rate and every other
number among their options (momentum, each of the betas) may be a schedule over the images drawn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from pydantic import BaseModel, TypeAdapter, ValidationError
from torch.optim import Optimizer

from gansmith.errors import OptionError, UnknownNameError, nearest, unknown
from gansmith.schedules import Schedule, Value, schedule
from gansmith.system.option_types import PositiveInt
from gansmith.system.option_words import allowed, booleans_as_numbers, explain, shown
from gansmith.training import whole_set

_FUSED = ("adam", "adamw", "sgd")  # on every device that torch 2.6 and later fuse at all
_OURS = {"params", "lr", "fused", "foreach", "capturable", "differentiable", "maximize"}
_ONCE = {"initial_accumulator_value"}  # read when the optimizer is built, so that a schedule would do nothing
_NEEDS_MORE = {"sparseadam", "muon"}  # sparse gradients, matrices only


@dataclass(frozen=True)
class Scheduled:
    """An optimizer, and the schedules of its learning rate and other scheduled options, by the images drawn. A tuple
    of schedules stands for an option that is a tuple."""

    optimizer: Optimizer
    schedules: Mapping[str, Schedule | tuple[Schedule, ...]]

    def set_images(self, images: int) -> None:
        """Set every scheduled option to its value at `images` real images drawn."""
        values = {name: _at(value, images) for name, value in self.schedules.items()}
        for group in self.optimizer.param_groups:
            group.update(values)


def names() -> list[str]:
    return sorted(_classes())


def build(name: str, parameters: Iterable[torch.nn.Parameter], options: Mapping[str, Any]) -> Scheduled:
    """An optimizer over `parameters`. Options are torch's own, numbers or schedules. Raises OptionError."""
    chosen = check(name, options)
    kind: Callable[..., Optimizer] = _classes()[name]
    parameters = list(parameters)
    schedules = {key: _schedules(value) for key, value in chosen.items() if key == "lr" or _changes(value)}
    chosen |= {key: _at(value, 0) for key, value in schedules.items()}
    fused = name in _FUSED and all(parameter.device.type in ("cpu", "cuda", "mps") for parameter in parameters)
    if fused:
        chosen["fused"] = True
    try:
        return Scheduled(kind(parameters, **chosen), schedules)
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
    known |= {key: value for key, value in whole_set.DEFAULTS.items() if key in known}
    for option in options:
        if option != "lr" and option not in known:
            have = ", ".join(["lr", *known])
            raise OptionError(f"{where} has no option {option!r}. {nearest(option, ['lr', *known])}It has: {have}")
    completed = {"lr": parameters["lr"].default, **known, **options}
    completed["lr"] = _read(where, "lr", completed["lr"], Value)
    for key, default in known.items():
        like: Any = tuple[Value | None, ...] if isinstance(default, tuple) else _kind(key, default)
        completed[key] = _read(where, key, completed[key], like)
        if isinstance(default, tuple) and len(completed[key]) != len(default):
            raise OptionError(f"{where}: {key} = {completed[key]!r} is not allowed: it takes {len(default)} numbers")
    return completed


def _read(where: str, option: str, value: Any, like: Any) -> Any:
    """`value` as the annotation `like` reads it. Raises OptionError."""
    try:
        read = _adapter(like).validate_python(value)
    except ValidationError as error:
        problem = explain(error.errors()[0], like)
        raise OptionError(f"{where}: {option} = {shown(value)} is not allowed: {problem}") from None
    if list(booleans_as_numbers(value, read)):
        raise OptionError(f"{where}: {option} = {shown(value)} is not allowed: it takes {allowed(like)}")
    return read


@cache
def _adapter(like: Any) -> TypeAdapter[Any]:
    return TypeAdapter(like)


def _kind(option: str, default: Any) -> Any:
    if isinstance(default, bool):
        return bool
    if option in whole_set.COUNTS:
        return PositiveInt
    if isinstance(default, (int, float)):
        return float if option in _ONCE else Value
    return Any


def _changes(value: Any) -> bool:
    """Whether an option's value is a schedule, or a tuple that holds one."""
    return any(isinstance(part, BaseModel) for part in (value if isinstance(value, tuple) else (value,)))


def _schedules(value: Any) -> Schedule | tuple[Schedule, ...]:
    return tuple(schedule(part) for part in value) if isinstance(value, tuple) else schedule(value)


def _at(value: Schedule | tuple[Schedule, ...], images: int) -> float | tuple[float, ...]:
    return tuple(part(images) for part in value) if isinstance(value, tuple) else value(images)


def _classes() -> dict[str, type[Optimizer]]:
    classes = {
        name.lower(): value
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value) and issubclass(value, Optimizer) and value is not Optimizer
    }
    return {**{name: value for name, value in classes.items() if name not in _NEEDS_MORE}, **whole_set.CLASSES}
