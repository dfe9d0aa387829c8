"""FastGAN's networks written out a second time, from the paper and the authors' code, in plain tensors and loops.

Evaluation mode: running statistics, the fixed planes of noise. `state` is a network's state by name; its parameters
may require gradients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

State = Mapping[str, Tensor]


def weight_of(state: State, name: str) -> Tensor:
    """W / (u' W v), after one power iteration of constants."""
    weight = state[f"{name}.weight"]
    if f"{name}.u" not in state:
        return weight
    matrix = weight.flatten(1)
    right = matrix.detach().T @ state[f"{name}.u"]
    right = right / right.norm()
    left = matrix.detach() @ right
    left = left / left.norm()
    return weight / (left @ matrix @ right)


def convolved(state: State, name: str, x: Tensor, *, stride: int = 1, padding: int | None = None) -> Tensor:
    """Cross-correlation, one position of the kernel after the other."""
    weight = weight_of(state, name)
    high, wide = weight.shape[2:]
    edge = (high - 1) // 2 if padding is None else padding
    padded = x.new_zeros(*x.shape[:2], x.shape[2] + 2 * edge, x.shape[3] + 2 * edge)
    padded[:, :, edge : edge + x.shape[2], edge : edge + x.shape[3]] = x
    rows, columns = ((padded.shape[2 + d] - size) // stride + 1 for d, size in enumerate((high, wide)))
    total = x.new_zeros(len(x), len(weight), rows, columns)
    for i in range(high):
        for j in range(wide):
            part = padded[:, :, i : i + stride * (rows - 1) + 1 : stride, j : j + stride * (columns - 1) + 1 : stride]
            total = total + torch.einsum("bchw,oc->bohw", part, weight[:, :, i, j])
    return total


def normalised(state: State, name: str, x: Tensor) -> Tensor:
    mean, variance, scale, shift = (
        state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (variance + 1e-5).sqrt() * scale + shift


def gated(x: Tensor) -> Tensor:
    half = x.shape[1] // 2
    return x[:, :half] / (1 + torch.exp(-x[:, half:]))


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x)


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def averaged(x: Tensor, side: int = 4) -> Tensor:
    height, width = x.shape[2:]

    def ends(cell: int, size: int) -> slice:
        return slice(math.floor(cell * size / side), math.ceil((cell + 1) * size / side))

    rows = [
        torch.stack([x[:, :, ends(i, height), ends(j, width)].mean((2, 3)) for j in range(side)], -1)
        for i in range(side)
    ]
    return torch.stack(rows, 2)


def excited(state: State, name: str, x: Tensor, source: Tensor) -> Tensor:
    hidden = convolved(state, f"{name}.squeeze", averaged(source), padding=0)
    hidden = hidden / (1 + torch.exp(-hidden))
    return x / (1 + torch.exp(-convolved(state, f"{name}.gate", hidden, padding=0)))


def generator(state: State, z: Tensor, size: tuple[int, int], reach: int) -> Tensor:
    weight = weight_of(state, "first")
    grid = torch.stack([z @ weight[channel].flatten(1) for channel in range(len(weight))], 1)
    maps = [gated(normalised(state, "first_norm", grid.unflatten(2, weight.shape[2:])))]
    number = 1
    while f"blocks.{number - 1}.norms.0.weight" in state:
        block, x = f"blocks.{number - 1}", maps[-1]
        for layer in range(2 if number % 2 else 1):
            x = convolved(state, f"{block}.convolutions.{layer}", x if layer else doubled(x))
            if number % 2:
                x = x + state[f"{block}.noises.{layer}.weight"] * state[f"{block}.noises.{layer}.plane"]
            x = gated(normalised(state, f"{block}.norms.{layer}", x))
        if number >= reach:
            x = excited(state, f"excitations.{number}", x, maps[number - reach])
        maps.append(x)
        number += 1
    image = torch.tanh(convolved(state, "last", maps[-1]))
    top, left = ((image.shape[2 + d] - size[d]) // 2 for d in range(2))
    return image[:, :, top : top + size[0], left : left + size[1]]


def features(state: State, image: Tensor) -> list[Tensor]:
    """The discriminator's maps, for a stem that keeps the size."""
    maps = [leaky(convolved(state, "stem.0", image))]
    number = 1
    reach = min(3, len({name.split(".")[1] for name in state if name.startswith("blocks.")}))
    while f"blocks.{number - 1}.main.0.weight" in state:
        block, x = f"blocks.{number - 1}", maps[-1]
        main = leaky(normalised(state, f"{block}.main.1", convolved(state, f"{block}.main.0", x, stride=2)))
        main = leaky(normalised(state, f"{block}.main.4", convolved(state, f"{block}.main.3", main)))
        high, wide = (side // 2 * 2 for side in x.shape[2:])
        x = x[:, :, :high, :wide].unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean((3, 5))
        direct = leaky(normalised(state, f"{block}.direct.2", convolved(state, f"{block}.direct.1", x)))
        x = (main + direct) / 2
        if number >= reach:
            x = excited(state, f"excitations.{number}", x, maps[number - reach])
        maps.append(x)
        number += 1
    return maps


def discriminator(state: State, image: Tensor, label: Tensor | None = None) -> Tensor:
    last = features(state, image)[-1]
    hidden = leaky(normalised(state, "features.1", convolved(state, "features.0", last)))
    scores = convolved(state, "score", hidden, padding=0)[:, 0]
    if label is None:
        return scores
    rows = weight_of(state, "projection")[label]
    return scores + (rows * hidden.mean((2, 3))).sum(1)[:, None, None]


def decoded(state: State, name: str, x: Tensor) -> Tensor:
    number = 0
    while f"{name}.norms.{number}.weight" in state:
        x = convolved(state, f"{name}.convolutions.{number}", doubled(x))
        x = gated(normalised(state, f"{name}.norms.{number}", x))
        number += 1
    return torch.tanh(convolved(state, f"{name}.last", x))


def apart(one: Tensor, other: Tensor) -> Tensor:
    """Multi-scale L1 of two images [C, H, W], by the means of ever larger cells."""
    scales, cell = [], 1
    high, wide = one.shape[1:]
    while cell == 1 or min(high, wide) // cell >= 4:
        cells = [
            (one - other)[:, i * cell : (i + 1) * cell, j * cell : (j + 1) * cell].mean((1, 2)).abs()
            for i in range(high // cell)
            for j in range(wide // cell)
        ]
        scales.append(torch.stack(cells).mean())
        cell *= 2
    return sum(scales[1:], start=scales[0]) / len(scales)


def reconstruction(state: State, image: Tensor, quadrants: list[int]) -> Tensor:
    """Eq. 2 for images whose size is a multiple of their maps'; one quadrant of the fine map for each image."""
    *_, fine, coarse = features(state, image)
    high, wide = (-(-side // 2) for side in fine.shape[2:])
    parts = []
    for x, which in zip(fine, quadrants, strict=True):
        rows = x[:, -high:] if which in (2, 3) else x[:, :high]
        parts.append(rows[:, :, -wide:] if which in (1, 3) else rows[:, :, :wide])
    part = decoded(state, "decoders.part", torch.stack(parts))
    whole = decoded(state, "decoders.whole", coarse)
    total = image.new_zeros(())
    for number, which in enumerate(quadrants):
        target = shrunk(image[number], fine.shape[2] * part.shape[2] // high, fine.shape[3] * part.shape[3] // wide)
        target = target[:, -part.shape[2] :] if which in (2, 3) else target[:, : part.shape[2]]
        target = target[:, :, -part.shape[3] :] if which in (1, 3) else target[:, :, : part.shape[3]]
        total = total + apart(part[number], target)
        total = total + apart(whole[number], shrunk(image[number], *whole.shape[2:]))
    return total / len(image)


def shrunk(image: Tensor, height: int, width: int) -> Tensor:
    """Means of equal cells of an image [C, H, W]."""
    return image.unflatten(2, (width, -1)).unflatten(1, (height, -1)).mean((2, 4))
