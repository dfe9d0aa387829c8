"""What excites a unit of a discriminator most: real images, and the parts of them that it sees.

A unit is a channel of a layer; how strongly an image excites it is the largest value of its feature map. The part of
the image that this value is computed from, its receptive field, is where the value's gradient is not zero (Zeiler,
Fergus 2014, "Visualizing and Understanding Convolutional Networks", Fig. 2, shows such parts).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from gansmith.latent.inside.layers import feature_maps, up_to
from gansmith.system.progress import bar

Call = Callable[[Tensor], object]  # runs the network on images [B, C, H, W] in [-1, 1]

BATCH = 32  # images at once


@dataclass(frozen=True)
class Excitement:
    """How strongly N images excite each of K units: values [N, K], and where in the feature map [N, K, 2] (y, x)."""

    values: Tensor
    places: Tensor

    def strongest(self, unit: int, count: int) -> list[int]:
        """The images that excite a unit most, the strongest first."""
        return self.values[:, unit].argsort(descending=True, stable=True)[:count].tolist()

    def selective(self, count: int) -> list[int]:
        """Units by how far their `count` strongest images lie above all images, in standard deviations; those that
        nothing excites come last."""
        top = self.values.topk(min(count, len(self.values)), dim=0).values.mean(0)
        spread = self.values.std(0, correction=0)
        apart = torch.where(spread > 0, (top - self.values.mean(0)) / spread.clamp_min(1e-30), -torch.inf)
        return apart.argsort(descending=True, stable=True).tolist()


def excitement(network: nn.Module, layer: str, images: Tensor, call: Call) -> Excitement:
    """Images [N, C, H, W] in [-1, 1] -> how strongly each excites the units of a layer.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten())
    >>> excitement(network, "0", torch.rand(5, 1, 8, 8), network).places.shape
    torch.Size([5, 4, 2])
    """
    return excitements(network, [layer], images, call)[layer]


@torch.no_grad()
def excitements(network: nn.Module, layers: Sequence[str], images: Tensor, call: Call) -> dict[str, Excitement]:
    """`excitement` of several layers, by name: images pass through the network once.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 3), nn.Flatten())
    >>> excitements(network, ["0", "1"], torch.rand(5, 1, 8, 8), network)["1"].values.shape
    torch.Size([5, 2])
    """
    values: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    places: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    with bar("images that excite units", len(images)) as advance:
        for start in range(0, len(images), BATCH):
            part = images[start : start + BATCH]
            for layer, maps in feature_maps(network, layers, partial(call, part)).items():
                best = maps.flatten(2).max(2)
                values[layer].append(best.values)
                places[layer].append(torch.stack([best.indices // maps.shape[3], best.indices % maps.shape[3]], dim=2))
            advance(len(part))
    return {layer: Excitement(torch.cat(values[layer]), torch.cat(places[layer])) for layer in layers}


def receptive_field(
    network: nn.Module, layer: str, place: tuple[int, int], shape: tuple[int, int, int], call: Call
) -> tuple[int, int, int, int]:
    """The part (top, left, bottom, right) of an image of `shape` (C, H, W) that a layer's values at (y, x) are computed
    from: where their gradient is not zero, at an image of noise.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1))
    >>> receptive_field(network, "1", (4, 0), (1, 8, 8), network)
    (2, 0, 7, 3)
    """
    noise = torch.randn((1, *shape), generator=torch.Generator().manual_seed(0))
    image = noise.to(next(network.parameters()).device).requires_grad_()
    maps = up_to(network, layer, lambda: call(image))
    (slope,) = torch.autograd.grad(maps[0, :, place[0], place[1]].sum(), image)
    rows, columns = (slope[0].abs().sum((0, axis)).nonzero()[:, 0] for axis in (2, 1))
    if not len(rows):
        return 0, 0, shape[1], shape[2]
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
