"""Jitter: crops of an enlarged image, each as likely, and the same for what is jittered as one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gansmith.games.parts.jitter import jitter


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=rng(1)) * 2 - 1


def places(larger: Tensor, crop: Tensor) -> list[tuple[int, int]]:
    """Where `crop` [C, H, W] is found in `larger` [C, H', W']."""
    _, height, width = crop.shape
    return [
        (top, left)
        for top in range(larger.shape[1] - height + 1)
        for left in range(larger.shape[2] - width + 1)
        if torch.equal(larger[:, top : top + height, left : left + width], crop)
    ]


@pytest.mark.parametrize(
    ("size", "pixels", "larger"), [((8, 8), 2, (10, 10)), ((8, 12), 2, (10, 15)), ((9, 6), 1, (11, 7))]
)
def test_every_image_is_a_crop_of_itself_enlarged(size: tuple[int, int], pixels: int, larger: tuple[int, int]) -> None:
    given = images(64, 3, *size)
    made = jitter(given, pixels=pixels, rng=rng())
    assert made.shape == given.shape
    assert made.is_contiguous()
    assert float(made.abs().max()) <= 1
    enlarged = F.interpolate(given, size=larger, mode="bicubic").clamp(-1, 1)
    found = [places(one, crop) for one, crop in zip(enlarged, made, strict=True)]
    assert all(len(each) == 1 for each in found)
    rows, columns = zip(*(each[0] for each in found), strict=True)
    assert set(rows) == set(range(larger[0] - size[0] + 1))  # all of them, the last too
    assert set(columns) == set(range(larger[1] - size[1] + 1))
    assert len({*zip(rows, columns, strict=True)}) > max(len({*rows}), len({*columns}))  # drawn independently


def test_each_place_is_as_likely() -> None:
    made = jitter(torch.linspace(-1, 1, 8).expand(3_000, 1, 8, 8).contiguous(), pixels=2, rng=rng())
    _, counts = (made[:, 0, 0, 0] * 1e3).round().unique(return_counts=True)
    assert len(counts) == 3
    assert all(abs(int(count) - 1_000) < 5 * (3_000 * 2 / 9) ** 0.5 for count in counts)


def test_no_pixels_no_jitter() -> None:
    given = images(2, 3, 5, 6)
    assert jitter(given, pixels=0, rng=rng()) is given


def test_what_is_jittered_as_one_moves_alike() -> None:
    given = images(16, 3, 8, 8)
    one, other = jitter(torch.cat([given, -given], 1), pixels=3, rng=rng()).chunk(2, 1)
    assert torch.equal(one, -other)


def test_the_randomness_is_an_argument() -> None:
    given = images(16, 1, 8, 8)
    assert torch.equal(jitter(given, pixels=3, rng=rng(5)), jitter(given, pixels=3, rng=rng(5)))
    assert not torch.equal(jitter(given, pixels=3, rng=rng(5)), jitter(given, pixels=3, rng=rng(6)))
