"""Brightness, contrast, luma flip, hue and saturation of a batch in one linear map of its colours.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila 2020, "Training Generative Adversarial Networks with Limited Data",
appendix B: each is an affine map of the RGB cube. All of them keep the grey axis v = (1, 1, 1) / sqrt(3), so their
product is known: with P the projection on v and K y = v x y (the cross product) it is

    image -> c (s cos(h) y + (f - s cos(h)) P y + s sin(h) K y),   y = image + b

Both P and K treat red, green and blue alike, in turn, so that each colour becomes the same mixture of itself, the
next and the one before.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Recolour(NamedTuple):
    """Colour change of each image of a batch, each [B].

    brightness  b, added to every colour
    contrast    c, a factor about mid-grey, which is 0
    flip        f: -1 mirrors the luma, and so turns light to dark with the hues kept; 1 does not
    hue         h, an angle about the grey axis
    saturation  s, a factor on the distance from the grey axis
    """

    brightness: Tensor
    contrast: Tensor
    flip: Tensor
    hue: Tensor
    saturation: Tensor


def recoloured(colours: Tensor, change: Recolour) -> Tensor:
    """Colours [B, K, 1 or 3, H, W] in [-1, 1] -> the same shape. Of one colour only the luma can change."""
    brightness, contrast, flip, hue, saturation = (value.to(colours.dtype).view(-1, 1, 1, 1, 1) for value in change)
    bright = colours + brightness
    if colours.shape[2] == 1:
        return contrast * flip * bright
    along, across = saturation * hue.cos(), saturation * hue.sin() / math.sqrt(3)
    grey = (flip - along) / 3
    mixed = contrast * (along + grey) * bright
    # v x (R, G, B) = (B - G, R - B, G - R) / sqrt(3): the one before minus the next
    mixed = torch.addcmul(mixed, contrast * (grey - across), bright.roll(-1, 2))
    return torch.addcmul(mixed, contrast * (grey + across), bright.roll(1, 2))
