"""The ruler's thumbnails: a real image damaged in each way, and a sample in its place among them."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith.evaluation.audit.ruler_thumbnails import WIDTH, thumbnails
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.types import Number, Ruler

SAMPLE = (10, 200, 30)


def ruler(place: float) -> Ruler:
    layout = dict(zip(LAYOUT, map(Number, (0.4, 1.0, 1.5)), strict=True))
    texture = {name: Number(0.1 * (i + 1)) for i, name in enumerate(TEXTURE)}
    return Ruler(Number(place), Number(0.0), layout, texture, unit=1.0)


@pytest.mark.parametrize(("place", "column"), [(0.1, 1), (0.6, 2), (1.2, 3), (2.0, 4)])
@pytest.mark.parametrize(("size", "channels"), [((32, 32), 3), ((28, 28), 1), ((30, 50), 3), ((300, 200), 4)])
def test_the_sample_stands_between_nearer_and_farther_damages(
    place: float, column: int, size: tuple[int, int], channels: int
) -> None:
    real = np.full((1, *size, channels), 128, np.uint8)
    sample = np.broadcast_to(np.uint8([*SAMPLE, 255][:channels]), (1, *size, channels))
    drawn = np.asarray(thumbnails(ruler(place), real, sample))
    assert drawn.shape[1] == WIDTH
    middles = drawn[52 + 4 + 88, 120::240]  # of the five images of the row of layouts
    expected = SAMPLE if channels > 1 else (SAMPLE[0],) * 3
    near = [np.abs(colour.astype(int) - expected).max() < 4 for colour in middles]
    assert near == [place == column for place in range(5)]
