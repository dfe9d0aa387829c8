"""Colour channels of an image: grey, RGB, RGBA, or a pair of such images one behind the other.

Transparency is no colour and stays unchanged. The two images of a pair (the input of a discriminator of pairs) are
changed alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gansmith.errors import ExperimentError


class Layout(NamedTuple):
    """Number of images in the channels, and of colour channels in each, which come first."""

    images: int
    colours: int


LAYOUTS = {1: Layout(1, 1), 3: Layout(1, 3), 4: Layout(1, 3), 2: Layout(2, 1), 6: Layout(2, 3), 8: Layout(2, 3)}


def on_colours(images: Tensor, change: Callable[[Tensor], Tensor], *, otherwise: str) -> Tensor:
    """Images [B, C, H, W] with `change` done to their colours [B, 1 or 2 images, 1 or 3 colours, H, W].

    Raises ExperimentError, with `otherwise` as the way out, for a number of channels that is no image's.
    """
    channels = images.shape[1]
    if channels not in LAYOUTS:
        raise ExperimentError(
            f"colours can be augmented in images of 1 (grey), 3 (RGB) or 4 channels (RGBA) and in pairs of them, "
            f"not in images of {channels} channels: leave the colours out, for example {otherwise}"
        )
    layout = LAYOUTS[channels]
    each = images.unflatten(1, (layout.images, channels // layout.images))
    colours, rest = each.tensor_split([layout.colours], dim=2)
    return torch.cat([change(colours), rest], 2).flatten(1, 2) if rest.shape[2] else change(colours).flatten(1, 2)
