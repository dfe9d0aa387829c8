"""Numbers of the answer on quality where many real images are equal."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation.audit.quality import answer
from gansmith.evaluation.audit.quality_numbers import common_flaw, kid_share
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Extractor, Number, Outputs, Side

PIXELS = Extractor("pixels", "0", "as they are", lambda images: Outputs(images.flatten(1).float()))


def half_blank(count: int, blank: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(count).standard_normal((count, 6)).astype(np.float32)
    rows[:blank] = 1.0
    return rows


def test_most_training_images_blank_are_measured_by_the_mean_distance() -> None:
    real = half_blank(200, 180)
    share = kid_share(Number(1.0, 0.5, 1.5), real)
    rows = np.square(real.astype(float)).mean(axis=1)
    cubes = (rows + 1) ** 3
    every = (cubes[:, None] + cubes[None] - 2 * (real.astype(float) @ real.T / 6 + 1) ** 3) / 2
    pairs = every[np.triu_indices(200, 1)]
    assert np.median(pairs) == 0
    assert 1 / share.value == pytest.approx(pairs.mean(), rel=0.4)  # of 100 pairs
    sides = Side("train", features=real), Side("held", features=half_blank(100, 90))
    made = Side("made", features=half_blank(120, 0))
    given = Evidence(*sides, (made,), PIXELS, PIXELS, Protocol("", "pixels", "r", 0, 0, "2x3x1", "raw"))
    numbers = answer(given).numbers
    assert all(np.isfinite(numbers[name].value) for name in ("kid_share", "kid"))


def test_equal_real_images_have_no_distance_to_measure_by() -> None:
    real = np.ones((200, 6), np.float32)
    with pytest.raises(DataError, match=r"200 real images are equal"):
        kid_share(Number(1.0), real)
    with pytest.raises(DataError, match=r"equal"):
        common_flaw(half_blank(60, 0), real, np.arange(60))
