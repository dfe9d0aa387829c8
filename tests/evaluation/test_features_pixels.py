"""Pixel features, by hand."""

from __future__ import annotations

import pytest
import torch

from gansmith import catalog
from gansmith.errors import OptionError


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_small_images_are_kept_pixel_by_pixel(channels: int) -> None:
    images = torch.randint(0, 256, (5, channels, 7, 9), dtype=torch.uint8)
    seen = catalog.build("features", "pixels").run(images)
    assert seen.logits is None
    torch.testing.assert_close(seen.features, (images / 127.5 - 1).flatten(1))


def test_large_ones_are_averaged_over_areas() -> None:
    images = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    images[0, 0, :2, 2:] = torch.tensor([[255, 0], [0, 255]])
    images[0, 0, 2:, 2:] = 255
    seen = catalog.build("features", "pixels", size=2).run(images).features
    assert seen.tolist() == [[-1, 0, -1, 1]]


def test_one_side_may_be_small() -> None:
    seen = catalog.build("features", "pixels").run(torch.zeros(2, 3, 4, 64, dtype=torch.uint8)).features
    assert seen.shape == (2, 3 * 4 * 16)


def test_the_protocol_tells_sizes_apart() -> None:
    small, large = (catalog.build("features", "pixels", size=size) for size in (8, 16))
    assert small.digest != large.digest
    assert small.prepared == "channels as they are, areas averaged to at most 8x8"


def test_weights_and_sizes_that_make_no_sense() -> None:
    with pytest.raises(OptionError, match=r"pixels.*'x\.pth'"):
        catalog.build("features", "pixels", weights="x.pth")
    with pytest.raises(OptionError, match="size = 0 is not allowed"):
        catalog.build("features", "pixels", size=0)
