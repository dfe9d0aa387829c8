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
            squared difference between two of them
    """

    layer: str
    images: Tensor
    change: Tensor

    @property
    def order(self) -> list[int]:
        """The channels, the one that changes most first."""
        return self.change.argsort(descending=True, stable=True).tolist()


def without(network: nn.Module, layer: str, channels: Sequence[int], render: Callable[[], Tensor]) -> Tensor:
    """What `render` makes with these channels of the layer at zero in every pixel."""

    def off(maps: Tensor) -> Tensor:
        changed = maps.clone()
        changed[:, list(channels)] = 0
        return changed

    with torch.no_grad(), hooked(network, {layer: off}):
        return render()


def switched_off(network: nn.Module, layer: str, channels: int, render: Callable[[], Tensor]) -> SwitchedOff:
    """Each of the `channels` of a layer switched off by itself. Raises OptionError for fewer than two images.

    >>> network = nn.Sequential(nn.Conv2d(2, 2, 1, groups=2, bias=False), nn.Conv2d(2, 1, 1, bias=False))
    >>> images = torch.rand(3, 2, 4, 4)
    >>> switched_off(network, "0", 2, lambda: network(images)).change.shape
    torch.Size([2])
    """
    with torch.no_grad():
        images = render()
    if len(images) < 2:
        raise OptionError(f"what a channel does is measured on at least two images, not {len(images)}")
    exact = images.double()
    # the mean over pairs i != j of |x_i - x_j|^2 is twice the unbiased variance
    between = 2 * exact.var(0, correction=1).mean()
    changes = []
    with bar(f"switching off channels of {layer}", channels, "channels") as advance:
        for channel in range(channels):
            apart = without(network, layer, [channel], render).double() - exact
            changes.append(apart.square().mean() / between.clamp_min(1e-30))
            advance()
    return SwitchedOff(layer, images, torch.stack(changes))
