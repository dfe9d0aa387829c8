"""Losses of an inversion: how far images are from the one that is looked for, on pixels or on a network's features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.errors import OptionError
from gansmith.evaluation.preprocess import levels, to_channels
from gansmith.pretrained import lpips
from gansmith.pretrained.lpips import apart, units

Loss: TypeAlias = Callable[[Tensor], Tensor]  # images [B, C, H, W] in [-1, 1] -> distances [B] from the target
Metric: TypeAlias = Callable[[Tensor], Loss]  # targets [1 or B, C, H, W] -> distances from them

_SIDE = 64  # pixels a side that images are enlarged to for LPIPS, whose heads were fitted on patches of that size
_TINY = 1e-10


def pixels(target: Tensor) -> Loss:
    """Mean squared difference from the target [1, C, H, W].

    >>> pixels(torch.zeros(1, 1, 2, 2))(torch.full((1, 1, 2, 2), 0.5))
    tensor([0.2500])
    """
    return lambda images: (images - target).square().flatten(1).mean(1)


def perceptual(target: Tensor, network: lpips.Lpips) -> Loss:
    """LPIPS from the target [1, C, H, W]: Zhang et al. 2018, Eq. 1; images below 64 pixels a side are enlarged.

    >>> from gansmith.pretrained.lpips import Lpips
    >>> image = torch.rand(1, 1, 16, 16)
    >>> perceptual(image, Lpips(((2,), (3,))))(image).tolist()
    [0.0]
    """

    def features(images: Tensor) -> list[Tensor]:
        colour = to_channels(levels(images), 3) / 127.5 - 1
        short = min(colour.shape[2:])
        if short < _SIDE:
            size = [round(side * _SIDE / short) for side in colour.shape[2:]]
            colour = F.interpolate(colour, size, mode="bicubic", align_corners=False)
        return units(network.stages, colour)

    with torch.no_grad():
        wanted = features(target)
    return lambda images: apart(network.heads, features(images), wanted)


def discriminator_features(target: Tensor, discriminator: nn.Module) -> Loss:
    """Distance from the target [1, C, H, W] on the run's own discriminator: LPIPS' formula, without its heads, on the
    output of each convolution, averaged over these.

    Larsen, Sonderby, Larochelle, Winther 2016, "Autoencoding beyond pixels using a learned similarity metric", take one
    of its layers. Raises OptionError for a discriminator that is conditional or has no convolution.
    """
    # Differs: all its convolutions instead of one layer, at unit length: no layer must be chosen
    network = discriminator.eval().requires_grad_(False)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    if not layers or bool(getattr(network, "conditional", False)):
        raise OptionError(
            "features of this discriminator cannot be compared (it has no convolution, or reads classes): "
            "--loss pixels, or --loss lpips"
        )

    def features(images: Tensor) -> Sequence[Tensor]:
        maps: list[Tensor] = []
        hooks = [layer.register_forward_hook(lambda module, read, made: maps.append(made)) for layer in layers]
        try:
            network(images)
        finally:
            for hook in hooks:
                hook.remove()
        return [x / (x.norm(dim=1, keepdim=True) + _TINY) for x in maps if x.dim() == 4]

    with torch.no_grad():
        wanted = features(target)

    def loss(images: Tensor) -> Tensor:
        parts = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(features(images), wanted, strict=True)]
        return torch.stack(parts).mean(0)

    return loss
