"""Fine detail of images, beside these after known damages."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from gansmith.evaluation import fine_detail
from gansmith.evaluation.damages import TEXTURE
from gansmith.evaluation.fine_detail import GRAINY, SMOOTH, as_fine_as, detail
from gansmith.evaluation.types import Images


def images(seed: int, channels: int = 3) -> Images:
    """Soft shapes."""
    rng = np.random.default_rng(seed)
    fields = ndimage.gaussian_filter(rng.normal(size=(40, 24, 24)), (0, 1, 1))
    levels = np.clip(128 + 150 * fields, 0, 255)
    return np.repeat(levels[..., None], channels, axis=-1).astype(np.uint8)


@pytest.mark.parametrize("name", [*SMOOTH, *GRAINY])
@pytest.mark.parametrize("channels", [1, 3])
def test_damaged_images_are_as_fine_as_others_with_the_same_damage(name: str, channels: int) -> None:
    assert as_fine_as(images(0, channels), TEXTURE[name](images(1, channels))) == name


def test_other_real_images_are_undamaged() -> None:
    assert as_fine_as(images(0), images(1)) == "undamaged"


def test_detail_is_that_of_the_laplacian() -> None:
    field = np.zeros((1, 5, 5, 1), np.uint8)
    field[0, 2, 2, 0] = 10
    assert detail(field) == pytest.approx(np.log((40**2 + 4 * 10**2) / 25 + 0.1))
    assert detail(np.full((2, 5, 5, 3), 7, np.uint8)) == pytest.approx(np.log(0.1))


def test_at_most_200_images_of_each_side_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    monkeypatch.setattr(fine_detail, "detail", lambda rows: counts.append(len(rows)) or 0.0)
    many = np.zeros((399, 4, 4, 1), np.uint8)
    fine_detail.as_fine_as(many, many[:250])
    assert set(counts) == {200}
