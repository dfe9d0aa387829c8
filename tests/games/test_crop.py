"""Random crops of reflected images, against numpy's own padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gansmith.games.parts.crop import crop
from refusals import refused


def rng(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(*shape: int) -> Tensor:
    """Every pixel another value."""
    return torch.arange(np.prod(shape), dtype=torch.float32).reshape(shape)


def by_numpy(given: Tensor, padding: int, *, flip: bool, seed: int) -> Tensor:
    """Pad, cut out, mirror, one image at a time, from the same draws in their order: rows, columns, coins."""
    drawn = rng(seed)
    count, _, height, width = given.shape
    tops, lefts = (torch.randint(-padding, padding + 1, (count, 1), generator=drawn) + padding for _ in range(2))
    coins = torch.rand(count, 1, generator=drawn) < 0.5 if flip else torch.zeros(count, 1)
    found = []
    for image, top, left, coin in zip(given.numpy(), tops.flatten(), lefts.flatten(), coins.flatten(), strict=True):
        padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)), mode="reflect")
        cut = padded[:, top : top + height, left : left + width]
        found.append(cut[:, :, ::-1] if coin else cut)
    return torch.from_numpy(np.stack(found))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("shape", "padding"), [((40, 3, 8, 8), 4), ((40, 1, 5, 9), 4), ((17, 4, 12, 7), 6), ((9, 2, 6, 6), 0)]
)
def test_values(shape: tuple[int, ...], padding: int, flip: bool) -> None:
    given = images(*shape)
    for memory_format in (torch.contiguous_format, torch.channels_last):
        found = crop(given.contiguous(memory_format=memory_format), padding=padding, flip=flip, rng=rng(5))
        assert found.shape == shape
        torch.testing.assert_close(found, by_numpy(given, padding, flip=flip, seed=5), rtol=0, atol=0)


def test_every_place_and_both_sides_are_as_likely_as_the_others() -> None:
    """One bright pixel in the middle, far from the border, tells where each image was shifted and whether mirrored."""
    one = torch.zeros(1, 1, 13, 13)
    one[0, 0, 6, 6], one[0, 0, 6, 7] = 2, 1  # the second lies right of the first, or left of it when mirrored
    found = crop(one.expand(20_000, 1, 13, 13), padding=2, flip=True, rng=rng())
    bright = found.flatten(1).argmax(1)
    rows, columns = bright // 13, bright % 13
    mirrored = found.flatten(1).gather(1, (bright - 1)[:, None])[:, 0] == 1
    assert abs(float(mirrored.float().mean()) - 0.5) < 0.015  # 4 deviations of a share of 20,000
    counts = torch.bincount((rows - 4) * 5 + (columns - 4), minlength=25)
    assert len(counts) == 25
    # chi-square with 24 degrees of freedom: 51.2 is its 99.9 % quantile
    assert float(((counts - 800.0) ** 2 / 800).sum()) < 51.2


def test_each_image_by_itself() -> None:
    same = images(1, 1, 8, 8).expand(60, 1, 8, 8)
    assert len(crop(same, padding=4, flip=False, rng=rng()).unique(dim=0)) > 30
    only_flipped = crop(same, padding=0, flip=True, rng=rng())
    assert len(only_flipped.unique(dim=0)) == 2
    for image in only_flipped:
        assert torch.equal(image, same[0]) or torch.equal(image, same[0].flip(2))


def test_the_rng_decides_alone_and_the_images_stay_as_they_were() -> None:
    given = images(16, 3, 8, 8)
    before = given.clone()
    torch.manual_seed(0)
    one = crop(given, padding=3, flip=True, rng=rng(1))
    torch.manual_seed(9)
    assert torch.equal(one, crop(given, padding=3, flip=True, rng=rng(1)))
    assert not torch.equal(one, crop(given, padding=3, flip=True, rng=rng(2)))
    assert torch.equal(given, before)


def test_nothing_to_do() -> None:
    given = images(4, 3, 8, 8)
    assert torch.equal(crop(given, padding=0, flip=False, rng=rng()), given)


@pytest.mark.parametrize(
    ("size", "padding", "most", "advice"), [((4, 9), 4, 3, 0), ((32, 16), 20, 15, 2), ((1, 1), 1, 0, 0)]
)
def test_more_padding_than_image(size: tuple[int, int], padding: int, most: int, advice: int) -> None:
    with refused(f"{size[0]}x{size[1]}", f"at most {most}", f"by {padding}", f"--set game.padding={advice}"):
        crop(torch.zeros(2, 1, *size), padding=padding, flip=False, rng=rng())


def test_the_most_padding_there_is() -> None:
    given = images(30, 1, 4, 4)
    torch.testing.assert_close(
        crop(given, padding=3, flip=False, rng=rng(2)), by_numpy(given, 3, flip=False, seed=2), rtol=0, atol=0
    )
