"""StyleGAN2's networks written out plainly, after the equations of the paper: float64, one image at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models import stylegan2

State = Mapping[str, Tensor]
SMALL = Dimensions(3, 16, 16, 5)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair(dimensions: Dimensions = SMALL, **options: Any) -> tuple[stylegan2.Generator, stylegan2.Discriminator]:
    """Both networks in float64 and evaluation mode, every parameter and buffer with random values."""
    torch.manual_seed(0)
    shared = {"width": 6, "channel_base": 64, "depth": 3, **options}
    made = (
        stylegan2.generator(dimensions, styles=7, **shared).double().eval(),
        stylegan2.discriminator(dimensions, **shared).double().eval(),
    )
    for number, network in enumerate(made):
        for index, (name, value) in enumerate([*network.named_parameters(), *network.named_buffers()]):
            if not bool(value.detach().any()):  # offsets, noise strengths, running means
                own = normal(*value.shape, seed=1000 * number + index)
                value.data.copy_(30 * own if "mapping" in name else 0.3 * own)
    return made


def values_of(network: nn.Module) -> dict[str, Tensor]:
    """Parameters, which can be differentiated by, and buffers."""
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


def lrelu(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x) * math.sqrt(2)


def dense(state: State, name: str, x: Tensor, rate: float = 1.0) -> Tensor:
    """The runtime weight is rate / root of the fan-in times the stored one."""
    weight = state[f"{name}.weight"]
    return x @ weight.T * rate / math.sqrt(weight.shape[1]) + rate * state[f"{name}.bias"]


def unit(x: Tensor) -> Tensor:
    return x / (x.pow(2).mean(1, keepdim=True) + 1e-8).sqrt()


def mapping(state: State, name: str, z: Tensor | None, label: Tensor | None, depth: int = 3) -> Tensor:
    parts = [] if z is None else [unit(z)]
    if label is not None:
        parts.append(unit(state[f"{name}.embedding.weight"][label]))
    x = torch.cat(parts, 1)
    for layer in range(depth):
        x = lrelu(dense(state, f"{name}.layers.{layer}", x, rate=0.01))
    return x


def filtered(x: Tensor, gain: float) -> Tensor:
    """[1, 3, 3, 1] / 8 along both sides, without padding, tap by tap."""
    for d in (2, 3):
        count = x.shape[d] - 3
        x = sum(tap / 8 * x.narrow(d, k, count) for k, tap in enumerate((1, 3, 3, 1)))  # type: ignore[assignment]
    return gain * x


def with_zeros(x: Tensor) -> Tensor:
    """A zero behind every pixel but the last, along both sides."""
    wide = x.new_zeros(*x.shape[:2], 2 * x.shape[2] - 1, 2 * x.shape[3] - 1)
    wide[:, :, ::2, ::2] = x
    return wide


def doubled(x: Tensor, size: torch.Size) -> Tensor:
    """Zeros between the pixels, then the filter with a gain of 4."""
    return filtered(F.pad(with_zeros(x), (2, 2, 2, 2)), 4.0)[:, :, : size[0], : size[1]]


def halved(x: Tensor) -> Tensor:
    x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))
    return filtered(F.pad(x, (1, 1, 1, 1)), 1.0)[:, :, ::2, ::2]


def modulated(x: Tensor, weight: Tensor, style: Tensor, *, up: bool, demodulated: bool) -> Tensor:
    """Eq. 1 and 3, with weights of its own for each image."""
    images = []
    for image, s in zip(x, style, strict=True):
        own = weight * s[None, :, None, None]  # Eq. 1
        if demodulated:
            own = own / (own.pow(2).sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()  # Eq. 3
        y = with_zeros(image[None]) if up else image[None]
        padding = 2 if up else weight.shape[2] // 2
        y = F.conv2d(y, own, padding=padding)
        images.append(filtered(F.pad(y, (1, 1, 1, 1)), 4.0) if up else y)
    return torch.cat(images)


def synthesis(state: State, w: Tensor) -> Tensor:
    """w [B, L, W] -> images, with the fixed noise."""
    x = state["synthesis.basis"].expand(len(w), -1, -1, -1)
    image, layer, block = None, 0, 0
    while f"synthesis.blocks.{block}.image.weight" in state:
        of_block = f"synthesis.blocks.{block}"
        for number in range(1 if block == 0 else 2):
            name = f"{of_block}.convolutions.{number}"
            noise = state[f"{name}.noise"]
            style = dense(state, f"{name}.style", w[:, layer])
            up = block > 0 and number == 0
            x = modulated(x, state[f"{name}.weight"], style, up=up, demodulated=True)
            x = x[:, :, : noise.shape[0], : noise.shape[1]] + state[f"{name}.strength"] * noise
            x = lrelu(x + state[f"{name}.bias"][:, None, None])
            layer += 1
        style = dense(state, f"{of_block}.image.style", w[:, layer]) / math.sqrt(x.shape[1])
        added = modulated(x, state[f"{of_block}.image.weight"], style, up=False, demodulated=False)
        added = added + state[f"{of_block}.image.bias"][:, None, None]
        image = added if image is None else doubled(image, x.shape[2:]) + added
        block += 1
    assert image is not None
    return image


def convolution(state: State, name: str, x: Tensor) -> Tensor:
    weight = state[f"{name}.weight"]
    y = F.conv2d(x, weight / math.sqrt(weight[0].numel()), padding=weight.shape[2] // 2)
    return lrelu(y + state[f"{name}.bias"][:, None, None])


def deviations(x: Tensor, group: int) -> Tensor:
    """The statistic of each image's group, for a batch that the group divides, as the authors order it."""
    grouped = x.reshape(group, -1, *x.shape[1:])
    of_group = (grouped.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
    return of_group.repeat(group)


def discriminator(state: State, image: Tensor, label: Tensor | None = None, *, group: int | None = None) -> Tensor:
    """Scores [B]; group: with the batch's own statistic, in groups of so many, else with the running mean."""
    x = convolution(state, "begin", image)
    block = 0
    while f"blocks.{block}.first.weight" in state:
        name = f"blocks.{block}"
        y = convolution(state, f"{name}.first", x)
        weight = state[f"{name}.second.weight"] / math.sqrt(state[f"{name}.second.weight"][0].numel())
        y = F.pad(y, (0, y.shape[3] % 2, 0, y.shape[2] % 2))
        y = F.conv2d(filtered(F.pad(y, (2, 2, 2, 2)), 1.0), weight, stride=2)
        y = lrelu(y + state[f"{name}.second.bias"][:, None, None])
        weight = state[f"{name}.shortcut.weight"] / math.sqrt(x.shape[1])
        x = (y + F.conv2d(halved(x), weight)) / math.sqrt(2)
        block += 1
    spread = state["deviation.mean"].expand(len(x)) if group is None else deviations(x, group)
    x = torch.cat([x, spread[:, None, None, None].expand(-1, 1, *x.shape[2:])], 1)
    x = convolution(state, "last", x).flatten(1)
    x = dense(state, "scores", lrelu(dense(state, "features", x)))
    if label is None:
        return x[:, 0]
    return (x * mapping(state, "mapping", None, label)).sum(1) / math.sqrt(x.shape[1])
