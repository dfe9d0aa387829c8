"""Fully connected networks for points in the plane and for very small images.

The networks of the toy mixtures of Gaussians: Metz, Poole, Pfau, Sohl-Dickstein 2017, "Unrolled Generative
Adversarial Networks", appendix A (two hidden layers of 128; here the depth is an option).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from math import prod
from typing import Literal

from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.system.option_types import PositiveInt, SmallInt

Activation = Literal["relu", "leaky_relu", "silu"]

SMALLEST = 1  # points in the plane


def generator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 128,
    depth: SmallInt = 2,
    activation: Activation = "relu",
    output: Literal["linear", "tanh"] = "linear",
) -> Generator:
    """Latents [B, Z] -> images [B, C, H, W]; points in the plane are images of shape [2, 1, 1].

    width, depth: of the hidden layers. activation: behind each of them; the leaky ReLU's slope is 0.2.

    >>> import torch
    >>> generator(Dimensions(2, 1, 1, latent=16))(torch.zeros(5, 16)).shape
    torch.Size([5, 2, 1, 1])
    """
    return Generator(dimensions, _connected(dimensions.latent, prod(dimensions[:3]), width, depth, activation), output)


def discriminator(
    dimensions: Dimensions, *, width: PositiveInt = 128, depth: SmallInt = 2, activation: Activation = "relu"
) -> Discriminator:
    """Images [B, C, H, W] -> raw scores [B]. The options are the generator's.

    >>> import torch
    >>> discriminator(Dimensions(2, 1, 1), depth=3)(torch.zeros(5, 2, 1, 1)).shape
    torch.Size([5])
    """
    return Discriminator(_connected(prod(dimensions[:3]), 1, width, depth, activation))


class Generator(nn.Module):
    """See `generator`."""

    def __init__(self, dimensions: Dimensions, layers: nn.Sequential, output: str) -> None:
        super().__init__()
        self.shape = dimensions[:3]
        self.layers = layers
        self.output = nn.Tanh() if output == "tanh" else nn.Identity()

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.output(self.layers(z)).unflatten(1, self.shape)
        return images


class Discriminator(nn.Module):
    """See `discriminator`."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        scores: Tensor = self.layers(image.flatten(1)).squeeze(1)
        return scores


_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": partial(nn.LeakyReLU, 0.2),
    "silu": nn.SiLU,
}


def _connected(inputs: int, outputs: int, width: int, depth: int, activation: Activation) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise([inputs, *[width] * depth]):
        layers += [nn.Linear(before, after), _ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))
