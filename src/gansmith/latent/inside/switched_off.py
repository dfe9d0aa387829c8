"""What each channel of a generator's layer does: images with the channel switched off, beside the images as they are.

Bau, Zhu, Strobelt, Zhou, Tenenbaum, Freeman, Torralba 2019, "GAN Dissection: Visualizing and Understanding Generative
Adversarial Networks", section 3.2 (ablation: the unit is set to zero); Radford, Metz, Chintala 2016, section 6.3.1
("forgetting to draw certain objects").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gansmith.errors import OptionError
from gansmith.latent.inside.layers import hooked
from gansmith.system.progress import bar


@dataclass(frozen=True)
class SwitchedOff:
    """Images [N, C, H, W] as they are, and what a layer's channels do to them.

    change  float64 [K]: the mean squared change of the images without each of K channels, as a share of the mean
            squared difference between two of them; not a number for a channel that was not switched off
    """

    layer: str
    images: Tensor
    change: Tensor

    @property
    def order(self) -> list[int]:
        """The channels that were switched off, the one that changes most first."""
        known = (~self.change.isnan()).nonzero()[:, 0]
        order: list[int] = known[self.change[known].argsort(descending=True, stable=True)].tolist()
        return order


def without(network: nn.Module, layer: str, channels: Sequence[int], render: Callable[[], Tensor]) -> Tensor:
    """What `render` makes with these channels of the layer at zero in every pixel."""

    def off(maps: Tensor) -> Tensor:
        changed = maps.clone()
        changed[:, list(channels)] = 0
        return changed

    with torch.no_grad(), hooked(network, {layer: off}):
        return render()


def switched_off(
    network: nn.Module, layer: str, channels: int, render: Callable[[], Tensor], *, most: int | None = None
) -> SwitchedOff:
    """Each of the `channels` of a layer switched off by itself; of more than `most` only those with the largest mean
    square in these images. Raises OptionError for fewer than two images.

    >>> network = nn.Sequential(nn.Conv2d(2, 2, 1, groups=2, bias=False), nn.Conv2d(2, 1, 1, bias=False))
    >>> images = torch.rand(3, 2, 4, 4)
    >>> switched_off(network, "0", 2, lambda: network(images)).change.shape
    torch.Size([2])
    """
    made: list[Tensor] = []
    with torch.no_grad(), hooked(network, {layer: lambda maps: made.append(maps.square().mean((0, 2, 3)))}):
        images = render()
    if len(images) < 2:
        raise OptionError(f"what a channel does is measured on at least two images, not {len(images)}")
    tried = made[-1].argsort(descending=True, stable=True)[:most].sort().values.tolist()
    exact = images.double()
    # the mean over pairs i != j of |x_i - x_j|^2 is twice the unbiased variance
    between = 2 * exact.var(0, correction=1).mean()
    change = torch.full((channels,), torch.nan, dtype=torch.float64)
    with bar(f"switching off channels of {layer}", len(tried), "channels") as advance:
        for channel in tried:
            apart = without(network, layer, [channel], render).double() - exact
            change[channel] = apart.square().mean() / between.clamp_min(1e-30)
            advance()
    return SwitchedOff(layer, images, change)
