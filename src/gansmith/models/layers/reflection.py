"""Reflection padding [B, C, H, W] -> [B, C, H + 2p, W + 2p] whose gradient on CUDA is the same to the bit every time.

torch's own kernel adds the gradients of mirrored pixels by atomic operations there, in an order that changes from call
to call, so a resumed run would not be the run that was not interrupted. On other devices torch's kernel is used.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ReflectionPad(nn.ReflectionPad2d):
    """`nn.ReflectionPad2d(pixels)`, on CUDA by mirrored slices. Needs pixels < H and pixels < W."""

    def forward(self, input: Tensor) -> Tensor:
        return mirrored(input, self.padding[0]) if input.is_cuda else super().forward(input)


def mirrored(images: Tensor, pixels: int) -> Tensor:
    """Images [..., H, W] with `pixels` of their own reflection round them; the border itself is not repeated.

    >>> mirrored(torch.tensor([[[[1.0, 2.0, 3.0]]]]).expand(1, 1, 3, 3), 1)[0, 0, 0]
    tensor([2., 1., 2., 3., 2.])
    """
    for side in (-1, -2):
        size = images.shape[side]
        before = images.narrow(side, 1, pixels).flip(side)
        after = images.narrow(side, size - 1 - pixels, pixels).flip(side)
        images = torch.cat([before, images, after], side)
    return images
