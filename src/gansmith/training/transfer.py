"""Weights of one network as the beginning of another: of another size, channel count or class count.

A network of another size has more or fewer stages, stored in lists (`layers.3.weight`). Each list is aligned with its
counterpart so that the order is kept and as many numbers as possible are taken; a pair must agree in the shape of a
weight. Both networks of a DCGAN for 64 pixels so begin with all stages of one for 32 that touch the image.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gansmith.adversarial import Dimensions

State = Mapping[str, Tensor]
Item = Mapping[str, str]  # of a list: {the name of a tensor inside the item: its name in the network}
Fits = Callable[[str, str], bool]  # does the tensor of mine that is named first take that of theirs?
_COLOURS = 3  # channels of an image that are no transparency, at most
_IN_A_LIST = re.compile(r"(.*?)\.(\d+)\.(.+)")


class Transfer(NamedTuple):
    """What a network begins with: its complete state, {its tensor: the other network's}, and those of them that were
    changed to fit another number of channels or classes."""

    state: dict[str, Tensor]
    taken: dict[str, str]
    changed: list[str]


class Change(NamedTuple):
    """Another number of channels, classes or latents than before: the dimensions of both networks, and their role."""

    theirs: Dimensions
    mine: Dimensions
    role: str


def transfer(mine: State, theirs: State, change: Change | None = None) -> Transfer:
    """The state `mine` with everything of `theirs` that fits. change: where the other network's dimensions are known.

    >>> mine, theirs = {"a.0.weight": torch.zeros(2, 2)}, {f"a.{i}.weight": torch.ones(3 - i, 3 - i) for i in (0, 1)}
    >>> transfer(mine, theirs).taken
    {'a.0.weight': 'a.1.weight'}
    """

    def fits(name: str, other: str) -> bool:
        return _fitted(mine[name], theirs[other], change) is not None

    pairs = {name: name for name in mine if name in theirs and not _IN_A_LIST.fullmatch(name)}
    ours, others = _lists(mine), _lists(theirs)
    for name in ours.keys() & others.keys():
        pairs |= _aligned(ours[name], others[name], mine, fits)
    state, taken, changed = dict(mine), {}, []
    for name, other in ((name, pairs[name]) for name in mine if name in pairs):
        value = _fitted(mine[name], theirs[other], change)
        if value is not None:
            state[name], taken[name] = value, other
            if theirs[other].shape != value.shape:
                changed.append(name)
    return Transfer(state, taken, changed)


def _lists(state: State) -> dict[str, list[Item]]:
    """{a list of modules: its items in order}. What has scales and shifts alone belongs to the item before it."""
    numbered: dict[str, dict[int, dict[str, str]]] = {}
    for name in state:
        match = _IN_A_LIST.fullmatch(name)
        if match:
            numbered.setdefault(match[1], {}).setdefault(int(match[2]), {})[match[3]] = name
    lists: dict[str, list[Item]] = {}
    for name, items in numbered.items():
        joined: list[tuple[int, dict[str, str]]] = []
        for place in sorted(items):
            if joined and all(state[tensor].dim() < 2 for tensor in items[place].values()):
                begin, before = joined[-1]
                before.update({f"+{place - begin}.{key}": tensor for key, tensor in items[place].items()})
            else:
                joined.append((place, dict(items[place])))
        lists[name] = [item for _, item in joined]
    return lists


def _aligned(ours: Sequence[Item], others: Sequence[Item], mine: State, fits: Fits) -> dict[str, str]:
    """{tensor of mine: of theirs} for the pairs of items, in order, that have the most numbers in common; where several
    choices have as many, the first items are paired first."""
    pairs = [[_common(one, other, mine, fits) for other in others] for one in ours]
    scores = [[sum(mine[name].numel() for name in pair) for pair in row] for row in pairs]
    best = [[0] * (len(others) + 1) for _ in range(len(ours) + 1)]  # of the items from there on
    for i in reversed(range(len(ours))):
        for j in reversed(range(len(others))):
            best[i][j] = max(scores[i][j] + best[i + 1][j + 1], best[i + 1][j], best[i][j + 1])
    chosen: dict[str, str] = {}
    i = j = 0
    while i < len(ours) and j < len(others):
        if scores[i][j] and best[i][j] == scores[i][j] + best[i + 1][j + 1]:
            chosen |= pairs[i][j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            i += 1
    return chosen


def _common(one: Item, other: Item, mine: State, fits: Fits) -> dict[str, str]:
    """The tensors that two items have in common; none unless a weight is among them, where there is one."""
    agreed = {one[key]: other[key] for key in one if key in other and fits(one[key], other[key])}
    weighty = any(mine[name].dim() > 1 for name in one.values())
    return agreed if not weighty or any(mine[name].dim() > 1 for name in agreed) else {}


def _fitted(mine: Tensor, theirs: Tensor, change: Change | None) -> Tensor | None:
    """`theirs` in the shape of `mine`; None where it does not fit."""
    if theirs.shape == mine.shape:
        return theirs
    sides = [side for side, sizes in enumerate(zip(theirs.shape, mine.shape, strict=False)) if sizes[0] != sizes[1]]
    if change is None or len(sides) != 1 or theirs.dim() != mine.dim():
        return None
    (side,) = sides
    before, after = theirs.shape[side], mine.shape[side]
    old, new = change.theirs, change.mine
    if (before, after) == (old.classes, new.classes):
        return _averaged(theirs, side, after)
    if old.latent == new.latent and before - old.latent in (0, old.classes) and after - new.latent in (0, new.classes):
        own, labels = theirs.split([old.latent, before - old.latent], side)  # a one-hot label beside the latent
        begun = mine.narrow(side, new.latent, after - new.latent).to(theirs)
        return torch.cat([own, _averaged(labels, side, begun.shape[side]) if labels.shape[side] else begun], side)
    if (before, after) == (old.channels, new.channels):
        return _other_channels(mine, theirs, side, change.role)
    return None


def _averaged(theirs: Tensor, side: int, count: int) -> Tensor:
    """What belongs to a class: its mean over the classes, for every one of `count` others."""
    return theirs.float().mean(side, keepdim=True).to(theirs.dtype).repeat_interleave(count, side)


def _other_channels(mine: Tensor, theirs: Tensor, side: int, role: str) -> Tensor | None:
    """Grey and colour: a generator makes, and a discriminator reads, a grey image as it did; of four channels and three
    the first three are the same, and the fourth, transparency, is that of `mine`."""
    if role not in ("generator", "discriminator"):
        return None
    before, after = (min(one.shape[side], _COLOURS) for one in (theirs, mine))
    colours = theirs.narrow(side, 0, before)
    if before != after:
        mean = _averaged(colours, side, after)
        colours = mean if role == "generator" else mean * (before / after)
    return torch.cat([colours, mine.narrow(side, after, mine.shape[side] - after).to(theirs)], side)
