"""Structure of the state in a checkpoint: what every one holds, and what one must hold that continues a given run.

A file can be whole and hold another state than this version writes: of other networks, or edited by a program.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gansmith.errors import DamagedCheckpointError
from gansmith.training import whole_set
from gansmith.training.checkpoint import State

_KINDS: Mapping[str, type] = {
    **{"format": int, "step": int, "images": int, "seconds": float, "threads": int, "data": str, "device": str},
    **dict.fromkeys(("versions", "experiment", "stream", "players", "optimizers", "averaging", "game"), dict),
}
_MOST_THREADS = 4096


def require_state(state: State) -> None:
    """Raises DamagedCheckpointError, with the reason alone, for what no run's checkpoint is."""
    for name, kind in _KINDS.items():
        if name not in state:
            _refuse(f"it has no {name!r}")
        if not _is(state[name], kind):
            _refuse(f"{name} is {_brief(state[name])}")
    for name in ("step", "images", "seconds"):
        if not 0 <= state[name] < math.inf:
            _refuse(f"{name} is {state[name]}")
    if not 1 <= state["threads"] <= _MOST_THREADS:
        _refuse(f"threads is {state['threads']}")
    for group in ("players", "averaging"):
        for player, tensors in state[group].items():
            if not isinstance(tensors, Mapping) or not all(_is(value, Tensor) for value in tensors.values()):
                _refuse(f"{group}.{player} is not a network's state")


def require_fitting(state: State, like: State, optimizers: Mapping[str, Optimizer]) -> None:
    """Raises DamagedCheckpointError, with the reason alone, for a state that does not fit a run whose state, before
    its first step, is `like`."""
    if state["stream"].get("drawn") != state["images"] or not _is(state["stream"]["drawn"], int):
        _refuse(f"it counts {state['images']:,} images, and its stream {_brief(state['stream'].get('drawn'))}")
    for group in ("players", "averaging"):
        _require_names(group, state[group], like[group])
        for player, tensors in like[group].items():
            _require_tensors(f"{group}.{player}", state[group][player], tensors)
    _require_names("optimizers", state["optimizers"], like["optimizers"])
    for player, optimizer in optimizers.items():
        _require_optimizer(f"optimizers.{player}", state["optimizers"][player], optimizer)
    _require_names("game", state["game"], like["game"])
    for part, values in like["game"].items():
        theirs = state["game"][part]
        if not isinstance(theirs, Mapping):
            _refuse(f"game.{part} is {_brief(theirs)}")
        _require_names(f"game.{part}", theirs, values)
        for name, value in values.items():
            _require_value(f"game.{part}.{name}", theirs[name], value)


def require_workers(state: State, like: State, optimizers: Mapping[str, Optimizer]) -> None:
    """Raises DamagedCheckpointError, with the reason alone, where a worker of elastic averaging has no state that fits
    a run whose state, before its first step, is `like`."""
    workers = state.get("workers")
    if not isinstance(workers, list) or not workers:
        _refuse(f"workers is {_brief(workers)}")
    for rank, worker in enumerate(workers):
        whole = {**state, **worker} if isinstance(worker, Mapping) else {}
        try:
            require_state(whole)
            require_fitting(whole, like, optimizers)
        except DamagedCheckpointError as error:
            _refuse(f"worker {rank}: {error}")


def _require_names(where: str, theirs: Iterable[str], ours: Iterable[str]) -> None:
    missing, more = [*({*ours} - {*theirs})], [*({*theirs} - {*ours})]
    if missing or more:
        named = ", ".join([f"no {name!r}" for name in sorted(map(str, missing))][:2] or [repr(more[0])])
        _refuse(f"{where} has {named}")


def _require_tensors(where: str, theirs: Mapping[str, Tensor], ours: Mapping[str, Tensor]) -> None:
    _require_names(where, theirs, ours)
    for name, value in ours.items():
        _require_tensor(f"{where}.{name}", theirs[name], value)


def _require_tensor(where: str, theirs: Tensor, ours: Tensor) -> None:
    if theirs.shape != ours.shape:
        _refuse(f"{where} is {list(theirs.shape)} and not {list(ours.shape)}")
    if theirs.dtype != ours.dtype:
        _refuse(f"{where} is of {theirs.dtype} and not {ours.dtype}")
    _require_finite(where, theirs)


def _require_finite(where: str, value: Tensor) -> None:
    if not bool(torch.isfinite(value).all()):
        _refuse(f"{where} is not finite")


def _require_value(where: str, theirs: Any, ours: Any) -> None:
    """A part's own value: a tensor where a tensor is, which may grow from an empty one; else a number, or None, or the
    0-dimensional tensor that a number becomes."""
    if isinstance(ours, Tensor):
        if not isinstance(theirs, Tensor):
            _refuse(f"{where} is {_brief(theirs)}")
        if ours.numel() and theirs.shape != ours.shape:
            _refuse(f"{where} is {list(theirs.shape)} and not {list(ours.shape)}")
        _require_finite(where, theirs)
    elif isinstance(ours, (int, float, type(None))):
        number = theirs.item() if isinstance(theirs, Tensor) and theirs.numel() == 1 else theirs
        if number is None and ours is None:
            return
        if not isinstance(number, (int, float)) or not math.isfinite(number):
            _refuse(f"{where} is {_brief(theirs)}")


def _require_optimizer(where: str, theirs: Any, optimizer: Optimizer) -> None:
    groups = theirs.get("param_groups") if isinstance(theirs, Mapping) else None
    states = theirs.get("state") if isinstance(theirs, Mapping) else None
    if not isinstance(groups, list) or not isinstance(states, Mapping):
        _refuse(f"{where} is not an optimizer's state")
    ours = optimizer.state_dict()["param_groups"]
    if [_members(group) for group in groups] != [_members(group) for group in ours]:
        _refuse(f"{where} is of other parameters")
    options = {*inspect.signature(type(optimizer)).parameters} - {"params"}
    for group, mine in zip(groups, ours, strict=True):
        for name in options & {*mine}:
            value = group.get(name, mine[name])  # an option that an earlier version of torch did not have
            if not _alike(value, mine[name]) or (name == "lr" and name not in group):
                _refuse(f"{where}.{name} is {_brief(value)}")
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if whole_set.evaluates_again(optimizer):
        _require_flat_state(where, states, parameters)
        return
    wanted = {*_buffers(optimizer)}
    for index, buffers in states.items():
        if index not in range(len(parameters)) or not isinstance(buffers, Mapping):
            _refuse(f"{where}.state.{index} belongs to no parameter")
        _require_names(f"{where}.state.{index}", buffers, wanted)
        for name, value in buffers.items():
            if isinstance(value, Tensor):
                if value.numel() != 1 and value.shape != parameters[index].shape:
                    _refuse(f"{where}.state.{index}.{name} is {list(value.shape)}")
                _require_finite(f"{where}.state.{index}.{name}", value)
            elif not isinstance(value, (int, float, type(None))):
                _refuse(f"{where}.state.{index}.{name} is {_brief(value)}")


def _require_flat_state(where: str, states: Mapping[int, Any], parameters: list[nn.Parameter]) -> None:
    """The state of an optimizer of all parameters as one vector, which torch keeps under the first of them."""
    size = sum(parameter.numel() for parameter in parameters)
    for index, buffers in states.items():
        if index != 0 or not isinstance(buffers, Mapping):
            _refuse(f"{where}.state.{index} belongs to no parameter")
        for name, value in buffers.items():
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, Tensor):
                    if part.numel() not in (1, size):
                        _refuse(f"{where}.state.0.{name} is {list(part.shape)} and not {[size]}")
                    _require_finite(f"{where}.state.0.{name}", part)
                elif not isinstance(part, (int, float, type(None))):
                    _refuse(f"{where}.state.0.{name} is {_brief(part)}")


def _members(group: Any) -> Any:
    return group.get("params") if isinstance(group, Mapping) else None


def _buffers(optimizer: Optimizer) -> Iterable[str]:
    """Names of what this optimizer keeps for a parameter: what another one with its options keeps after a step."""
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    known = inspect.signature(type(optimizer)).parameters
    options = {name: value for name, value in optimizer.param_groups[0].items() if name in known and name != "params"}
    other = type(optimizer)([parameter], **options)
    other.step()
    return list(other.state[parameter])


def _alike(theirs: Any, ours: Any) -> bool:
    """Both numbers and finite, both of as many of them, or equal."""
    if isinstance(ours, (tuple, list)):
        return isinstance(theirs, (tuple, list)) and len(theirs) == len(ours) and all(map(_alike, theirs, ours))
    if isinstance(ours, (int, float)) and not isinstance(ours, bool):
        return _is(theirs, float) and math.isfinite(theirs)
    return bool(theirs == ours)


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _brief(value: Any) -> str:
    """A value in a few letters; the kind of one that is long.

    >>> _brief("a word"), _brief({"a": 1})
    ("'a word'", 'a dict')
    """
    if isinstance(value, Tensor):
        return f"a tensor of {list(value.shape)}"
    short = isinstance(value, (str, int, float, type(None))) and len(str(value)) <= 40
    return repr(value) if short else f"a {type(value).__name__}"


def _refuse(reason: str) -> NoReturn:
    raise DamagedCheckpointError(reason)
