"""Channels of a generator switched off."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from gansmith.errors import OptionError
from gansmith.latent.inside.switched_off import switched_off, without


def test_the_change_is_a_share_of_the_difference_between_samples() -> None:
    """Of three images that are sums of their channels: by pairs, in a plain loop, in float64."""
    net = nn.Sequential(nn.Identity(), nn.Conv2d(3, 1, 1, bias=False)).double()
    weights = torch.tensor([2.0, -1.0, 0.0], dtype=torch.float64)
    net[1].weight.data = weights.reshape(1, 3, 1, 1)
    maps = torch.randn(4, 3, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = switched_off(net, "0", 3, partial(net, maps))
    images = (weights[:, None, None] * maps).sum(1)
    between = [(images[i] - images[j]).square().mean() for i in range(4) for j in range(4) if i != j]
    wanted = torch.stack([(weights[k] * maps[:, k]).square().mean() for k in range(3)]) / torch.stack(between).mean()
    torch.testing.assert_close(found.change, wanted)
    assert found.change[2] == 0
    assert found.order == found.change.argsort(descending=True).tolist()
    torch.testing.assert_close(found.images, images[:, None])
    torch.testing.assert_close(without(net, "0", [0, 1], partial(net, maps)), torch.zeros_like(found.images))
    torch.testing.assert_close(net(maps), found.images)  # nothing stays switched off


def test_of_many_channels_those_with_the_strongest_maps_are_tried() -> None:
    """The mean square of a map decides, not its sign nor what the channel does to the image."""
    net = nn.Sequential(nn.Identity(), nn.Conv2d(4, 1, 1, bias=False))
    net[1].weight.data = torch.tensor([1.0, 9.0, 1.0, 2.0]).reshape(1, 4, 1, 1)
    maps = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    maps *= torch.tensor([2.0, 0.1, -3.0, 0.5]).reshape(1, 4, 1, 1)
    whole = switched_off(net, "0", 4, partial(net, maps))
    some = switched_off(net, "0", 4, partial(net, maps), most=2)
    assert some.order == [2, 0]
    assert some.change.isnan().tolist() == [False, True, False, True]
    torch.testing.assert_close(some.change[[0, 2]], whole.change[[0, 2]])
    assert sorted(whole.order) == [0, 1, 2, 3]


def test_one_image_has_nothing_to_be_compared_with() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Conv2d(2, 1, 1))
    with pytest.raises(OptionError, match="two"):
        switched_off(net, "0", 2, lambda: net(torch.rand(1, 1, 4, 4)))
