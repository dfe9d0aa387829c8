"""Layers of a network whose outputs are feature maps, found by running it: for any architecture, by no list of kinds.

A layer is a module that returns one tensor [B, C, h, w] with more than one pixel. Of those at one resolution the last
that ran with more channels than an image has is the stage: what the next resolution, or the output, is computed from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.errors import OptionError, UnknownNameError, unknown

_IMAGE = 4  # channels that an image has at most


@dataclass(frozen=True)
class Layer:
    """A layer: its name in the network, the class of its module, and the shape of its feature maps. resized: it has no
    weights, and its feature maps are those that it reads in another size."""

    name: str
    kind: str
    channels: int
    height: int
    width: int
    resized: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}): {self.channels} channels of {self.height} x {self.width}"


class _EnoughError(Exception):
    """The layer that was asked for has run."""


def layers_of(network: nn.Module, call: Callable[[], object]) -> list[Layer]:
    """The layers that run when `call` runs `network`, in the order in which they end; the network itself is none.

    >>> network = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten())
    >>> [str(layer) for layer in layers_of(network, lambda: network(torch.zeros(1, 1, 8, 8)))]
    ['0 (Conv2d): 6 channels of 6 x 6', '1 (ReLU): 6 channels of 6 x 6']
    """
    ran: dict[str, Layer] = {}

    def note(name: str, module: nn.Module, read: tuple[object, ...], made: object) -> None:
        if isinstance(made, Tensor) and made.dim() == 4 and made.shape[2] * made.shape[3] > 1:
            bare = next(module.parameters(), None) is None
            resized = bare and any(isinstance(one, Tensor) and one.shape[2:] != made.shape[2:] for one in read)
            ran.pop(name, None)
            channels, height, width = made.shape[1:]
            ran[name] = Layer(name, type(module).__name__, channels, height, width, resized)

    hooks = [
        module.register_forward_hook(lambda module, read, made, name=name: note(name, module, read, made))
        for name, module in network.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            call()
    finally:
        for hook in hooks:
            hook.remove()
    return list(ran.values())


def stages_of(layers: Sequence[Layer]) -> list[Layer]:
    """The last layer of each resolution that is neither an image nor resized, in the order in which they ran.

    >>> both = [Layer("a", "Conv2d", 8, 4, 4), Layer("b", "ReLU", 8, 4, 4), Layer("c", "Conv2d", 3, 4, 4)]
    >>> [stage.name for stage in stages_of(both)]
    ['b']
    """
    last: dict[tuple[int, int], Layer] = {}
    for layer in layers:
        if layer.channels > _IMAGE and not layer.resized:
            last.pop((layer.height, layer.width), None)
            last[layer.height, layer.width] = layer
    return list(last.values())


def layer_named(layers: Sequence[Layer], name: str) -> Layer:
    """The layer of that name. Raises UnknownNameError with the nearest one."""
    known = {layer.name: layer for layer in layers}
    if name not in known:
        raise UnknownNameError(unknown("layer", name, known))
    return known[name]


def feature_maps(network: nn.Module, names: Sequence[str], call: Callable[[], object]) -> dict[str, Tensor]:
    """The outputs [B, C, h, w] of the layers of these names when `call` runs `network`, as they were.

    >>> network = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(inplace=True))
    >>> feature_maps(network, ["1"], lambda: network(torch.zeros(2, 1, 8, 8)))["1"].shape
    torch.Size([2, 6, 6, 6])
    """
    made: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[Tensor], None]:
        return lambda maps: made.update({name: maps.clone()})

    with hooked(network, {name: keep(name) for name in names}):
        call()
    missing = [name for name in names if name not in made]
    if missing:
        raise OptionError(f"the layer {missing[0]} did not run, or made no feature maps: choose another")
    return made


@contextmanager
def hooked(network: nn.Module, changes: dict[str, Callable[[Tensor], Any]]) -> Iterator[None]:
    """While inside, the feature maps of layers pass through functions by name; None keeps them.

    Raises UnknownNameError for a name that is no module's.
    """
    modules = dict(network.named_modules())

    def apply(change: Callable[[Tensor], Any], made: object) -> Any:
        return change(made) if isinstance(made, Tensor) and made.dim() == 4 else None

    hooks = []
    try:
        for name, change in changes.items():
            if name not in modules:
                raise UnknownNameError(unknown("layer", name, [one for one in modules if one]))
            hooks.append(
                modules[name].register_forward_hook(lambda module, read, made, change=change: apply(change, made))
            )
        yield
    finally:
        for hook in hooks:
            hook.remove()


def up_to(network: nn.Module, name: str, call: Callable[[], object]) -> Tensor:
    """The output of one layer [B, C, h, w], with its graph; what comes behind the layer does not run."""
    made: list[Tensor] = []

    def stop(maps: Tensor) -> None:
        made.append(maps)
        raise _EnoughError

    with hooked(network, {name: stop}):
        try:
            call()
        except _EnoughError:
            return made[0]
    raise OptionError(f"the layer {name} did not run, or made no feature maps: choose another")
