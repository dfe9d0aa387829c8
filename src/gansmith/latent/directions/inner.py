"""Latents drawn for an analysis, their images in batches, and what a generator's inner layers make of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.errors import OptionError
from gansmith.latent.latents import Space
from gansmith.latent.renderer import Renderer
from gansmith.system.progress import bar
from gansmith.system.seeding import mix

_TOGETHER = 32  # images that are made at a time
_GRID = 4  # areas a side that activations are averaged to


def space_of_directions(renderer: Renderer) -> Space:
    """Where its directions live: W where there is one, else the prior's space."""
    return "w" if renderer.has_w else "z"


def drawn(renderer: Renderer, count: int, word: str) -> tuple[Tensor, Tensor | None]:
    """Latents [N, n] in the space of directions, of seeds of their own that `word` names, and their classes."""
    seeds = [mix("directions", word, number) for number in range(count)]
    return renderer.latents(seeds, space=space_of_directions(renderer)), renderer.labels(seeds)


def deviation(renderer: Renderer, latents: Tensor, vectors: Tensor) -> Tensor:
    """One standard deviation of latents [N, n] along unit vectors [K, n], [K]: the prior's own in z, measured in W."""
    if renderer.has_w:
        return (latents @ vectors.to(latents).t()).std(0)
    kind = renderer.prior.kind
    return torch.full((len(vectors),), 1 / math.sqrt(3) if kind == "uniform" else 1.0)


@torch.no_grad()
def generate(renderer: Renderer, latents: Tensor, labels: Tensor | None = None, *, what: str | None = None) -> Tensor:
    """Latents [N, n] in the space of directions -> images [N, C, H, W] on the CPU, many at a time: equal to those of
    `Renderer.render` but for rounding. what: of a progress bar."""
    images = []
    waiting = nullcontext(lambda amount: None) if what is None else bar(what, len(latents))
    with threads(renderer), waiting as advance:
        for first in range(0, len(latents), _TOGETHER):
            part = slice(first, first + _TOGETHER)
            images.append(_together(renderer, latents[part], None if labels is None else labels[part]).cpu())
            advance(len(images[-1]))
    return torch.cat(images)


def _together(renderer: Renderer, latents: Tensor, labels: Tensor | None) -> Tensor:
    """The images of latents, on their device."""
    network: Any = renderer.generator
    latents = latents.to(renderer.device)
    if renderer.has_w:
        images: Tensor = network.synthesize(latents)
    else:
        images = network(latents, *([] if labels is None else [labels.to(renderer.device)]))
    return images.float()


def threads(renderer: Renderer) -> AbstractContextManager[None]:
    """Inside, one thread where so many images at a time are too little work for several. Entered before a generator is
    watched, because it is run once to be counted."""

    def one() -> Tensor:
        size = len(getattr(renderer.generator, "w_mean")) if renderer.has_w else renderer.prior.size  # noqa: B009
        label = torch.zeros(1, dtype=torch.int64) if renderer.conditional else None
        return _together(renderer, torch.zeros(1, size), label)

    return renderer.threads.of("directions", one, _TOGETHER)


Watch = Callable[
    [int, Tensor, Tensor], None
]  # (number of the layer in order of the calls, what it reads, what it gives)


@contextmanager
def watched(generator: nn.Module, watch: Watch) -> Iterator[Callable[[], None]]:
    """Inside, each layer (weights, and no layer in it) calls `watch`; what is yielded begins their numbers anew."""
    weighted = [m for m in generator.modules() if any(p.dim() > 1 for p in m.parameters(recurse=False))]
    layers = [m for m in weighted if not any(other is not m and other in weighted for other in m.modules())]
    order: list[int] = []

    def hook(module: nn.Module, read: tuple[Any, ...], made: object) -> None:
        if read and isinstance(read[0], Tensor) and isinstance(made, Tensor) and read[0].is_floating_point():
            watch(len(order), read[0], made)
            order.append(0)

    hooks = [layer.register_forward_hook(hook) for layer in layers]
    try:
        yield order.clear
    finally:
        for one in hooks:
            one.remove()


def activations(renderer: Renderer, latents: Tensor, labels: Tensor | None, layer: int) -> Tensor:
    """What the generator's layer `layer` passes on to the next, behind normalisation and nonlinearity, averaged to at
    most 4 x 4 areas, [N, D]. Raises OptionError for a layer that is not there."""
    kept: list[Tensor] = []
    count = 0

    def watch(number: int, read: Tensor, made: Tensor) -> None:
        nonlocal count
        count = max(count, number + 1)
        if number == layer:
            kept.append(_pooled(read))

    with threads(renderer), watched(renderer.generator, watch) as again:
        for first in range(0, len(latents), _TOGETHER):
            again()
            part = slice(first, first + _TOGETHER)
            kept_before = len(kept)
            images = generate(renderer, latents[part], None if labels is None else labels[part])
            if layer == count and len(kept) == kept_before:  # behind the last layer there is the image
                kept.append(_pooled(images))
    if not 1 <= layer <= count:
        raise OptionError(f"layer = {layer} is not allowed: this generator has the layers 1 to {count}")
    return torch.cat(kept).flatten(1)


def _pooled(maps: Tensor) -> Tensor:
    if maps.dim() == 4:
        maps = F.adaptive_avg_pool2d(maps, (min(_GRID, maps.shape[2]), min(_GRID, maps.shape[3])))
    return maps.detach().flatten(1).float().cpu()


def first_weights(renderer: Renderer) -> Tensor:
    """The weights A [m, n] of all layers that read the latent itself, stacked; of the first layer where none does.

    Each is read off its layer: (y(e_i) - y(-e_i)) / 2 for each axis e_i, which is column i of an affine layer.
    """
    size = renderer.prior.size if not renderer.has_w else len(getattr(renderer.generator, "w_mean"))  # noqa: B009  (its type is not known here)
    axes = torch.cat([torch.eye(size), -torch.eye(size)])
    labels = torch.zeros(len(axes), dtype=torch.int64) if renderer.conditional else None
    made: dict[int, list[Tensor]] = {}
    reads: dict[int, bool] = {}
    part = axes[:0]

    def watch(number: int, read: Tensor, given: Tensor) -> None:
        flat = read.detach().flatten(1).cpu()
        itself = flat.shape[0] == len(part) and flat.shape[1] >= size and flat[:, :size].equal(part)
        reads[number] = reads.get(number, True) and itself
        if itself or number == 0:
            made.setdefault(number, []).append(given.detach().flatten(1).float().cpu())

    with threads(renderer), watched(renderer.generator, watch) as again:
        for first in range(0, len(axes), _TOGETHER):
            again()
            part = axes[first : first + _TOGETHER]
            generate(renderer, part, None if labels is None else labels[: len(part)])
    numbers = [number for number, itself in reads.items() if itself] or [0]
    stacked = torch.cat([torch.cat(made[number]) for number in numbers], dim=1)  # [2 n, m]
    return ((stacked[:size] - stacked[size:]) / 2).t().contiguous()
