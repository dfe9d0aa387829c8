"""Just noticeable differences beside the paper's equations written pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.evaluation.just_noticeable import just_noticeable, noticeable_detail

Array = NDArray[np.float64]


def by_hand(image: Array, row: int, column: int) -> float:
    """Chou and Li 1995: max of f1(bg, mg) and f2(bg) at one pixel that has two neighbours on every side."""
    near = {(i, j): image[row + i, column + j] for i in range(-2, 3) for j in range(-2, 3)}
    ring = {1: 2.0, 2: 1.0}
    bg = sum(ring[max(abs(i), abs(j))] * value for (i, j), value in near.items() if (i, j) != (0, 0)) / 32
    lines = (1, 3, 8, 3, 1)
    down = sum(lines[k] * (near[-1, k - 2] - near[1, k - 2]) for k in range(5)) / 16
    across = sum(lines[k] * (near[k - 2, -1] - near[k - 2, 1]) for k in range(5)) / 16
    upper = {(-2, 0): 1, (-1, -1): 8, (-1, 0): 3, (0, -2): 1, (0, -1): 3}  # above the falling diagonal
    slanted = sum(w * (near[i, j] - near[-i, -j]) for (i, j), w in upper.items()) / 16
    mirrored = sum(w * (near[i, -j] - near[-i, j]) for (i, j), w in upper.items()) / 16
    mg = max(abs(down), abs(across), abs(slanted), abs(mirrored))
    f1 = mg * (bg * 0.0001 + 0.115) + 0.5 - bg * 0.01
    f2 = 3 / 128 * (bg - 127) + 3 if bg > 127 else 3.0  # on dark pixels: ours, not the paper's
    return max(f1, f2)


def test_equals_the_equations_pixel_by_pixel() -> None:
    image = np.random.default_rng(0).uniform(0, 255, (9, 11))
    image[:, 6:] *= 0.2  # an edge
    expected = [[by_hand(image, row, column) for column in range(2, 9)] for row in range(2, 7)]
    np.testing.assert_allclose(just_noticeable(image[None])[0, 2:7, 2:9], expected)


@pytest.mark.parametrize(("level", "expected"), [(0, 3), (127, 3), (191, 4.5), (255, 6)])
def test_flat_images(level: int, expected: float) -> None:
    np.testing.assert_allclose(just_noticeable(np.full((1, 7, 7), float(level))), expected)


def test_an_edge_hides_more_than_a_flat_place() -> None:
    image = np.zeros((1, 16, 16))
    image[..., 8:] = 200
    thresholds = just_noticeable(image)[0, 8]
    assert thresholds[7] > 15
    assert thresholds[2] == 3


@pytest.mark.parametrize("channels", [1, 3])
def test_noticeable_detail_of_a_known_wave(channels: int) -> None:
    """A checkerboard of amplitude 6 on a middle grey: 2 just noticeable differences everywhere, squared."""
    rows, columns = np.mgrid[:16, :12]
    image = (127 + 6 * (-1) ** (rows + columns)).astype(np.uint8)
    images = np.stack([image, np.full_like(image, 127)])[..., None].repeat(channels, axis=-1)
    values = noticeable_detail(images)
    assert values[0] == pytest.approx(4, rel=0.05)
    assert values[1] == pytest.approx(0, abs=1e-12)


def test_coarse_waves_are_no_fine_detail() -> None:
    columns = np.arange(32)
    image = np.rint(127 + 60 * np.cos(np.pi * (columns + 0.5) / 8)).astype(np.uint8)  # a period of 16 pixels
    images = np.broadcast_to(image, (1, 32, 32))[..., None]
    assert noticeable_detail(images)[0] < 0.01


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
    whole = noticeable_detail(images)
    monkeypatch.setattr("gansmith.evaluation.just_noticeable._BLOCK", 512)
    np.testing.assert_allclose(noticeable_detail(images), whole)
