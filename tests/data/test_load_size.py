"""Images loaded larger than they are trained at: a random crop each time they are drawn, the middle elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from PIL import Image
from pydantic import ValidationError

from gansmith.data.crop import MiddleCrop, random_crops
from gansmith.data.dataset import Arrays
from gansmith.data.prepare import prepare, prepare_domains
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings
from gansmith.data.stream import PairStream, Stream
from gansmith.errors import DataError

RAMP = np.arange(6 * 8, dtype=np.uint8).reshape(1, 6, 8, 1)  # a pixel's value is its place


def corners(batch: torch.Tensor) -> list[tuple[int, int]]:
    """(top, left) of each crop of the ramp."""
    values = ((batch[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
    return [divmod(value, 8) for value in values]


def stream(seed: int = 0, batch: int = 30, crop: tuple[int, int] | None = (4, 5), **options: int) -> Stream:
    return Stream(Arrays(np.repeat(RAMP, 50, axis=0), np.arange(50)), batch=batch, seed=seed, crop=crop, **options)


def test_every_place_is_drawn_and_none_beyond() -> None:
    drawn = stream()
    found = Counter(place for _ in range(40) for place in corners(next(drawn)["real"].image))
    assert set(found) == {(top, left) for top in range(3) for left in range(4)}
    expected = 1200 / 12
    assert all(abs(count - expected) < 5 * expected**0.5 for count in found.values())


def test_a_crop_is_a_part_of_its_image() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 8, 3), dtype=np.uint8)
    for image, part in zip(images, random_crops(images, (4, 5), torch.Generator().manual_seed(0)), strict=True):
        places = [(top, left) for top in range(3) for left in range(4)]
        assert any(np.array_equal(part, image[top : top + 4, left : left + 5]) for top, left in places)


def test_crops_are_decided_by_seed_and_place_in_the_stream() -> None:
    def places(seed: int, since: int, workers: int = 0) -> list[tuple[int, int]]:
        drawn = stream(seed, workers=workers)
        drawn.load_state_dict({"drawn": 30 * since})
        got = [place for _ in range(4 - since) for place in corners(next(drawn)["real"].image)]
        drawn.close()
        return got

    whole = places(1, 0)
    torch.manual_seed(7)
    assert places(1, 0) == whole
    assert places(1, 2) == whole[60:]
    assert places(1, 0, workers=2) == whole
    assert places(2, 0) != whole


def test_order_labels_and_flips_do_not_change_with_a_crop() -> None:
    with_crop, without = (next(stream(crop=crop))["real"].label for crop in ((4, 5), None))
    assert with_crop is not None
    assert without is not None
    assert with_crop.tolist() == without.tolist()


def test_the_middle() -> None:
    data = MiddleCrop(Arrays(np.repeat(RAMP, 3, axis=0), np.arange(3)), (4, 5))
    assert (len(data), data[2].label) == (3, 2)
    assert_array_equal(data[1].image, RAMP[0, 1:5, 1:6])
    assert_array_equal(data[[0, 2]].image, np.repeat(RAMP, 2, axis=0)[:, 1:5, 1:6])


# ---------------------------------------------------------------- prepared


@pytest.fixture
def photos(tmp_path: Path, own_cache: None) -> Path:
    rng = np.random.default_rng(0)
    for domain in ("a", "b"):
        (tmp_path / domain).mkdir()
        for number in range(30):
            Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(tmp_path / domain / f"{number}.png")
    return tmp_path


def prepared(place: Path, **settings: object) -> Prepared:
    return prepare(DataSettings.model_validate({"path": str(place), "holdout": 0.2, **settings}), workers=0)


@pytest.mark.parametrize("cache", [True, False])
def test_prepared_larger(photos: Path, cache: bool) -> None:
    data = prepared(photos / "a", load_size=24, size=16, cache=cache)
    assert data.shape == (3, 16, 16)
    assert data.larger is not None
    assert data.holdout is not None
    assert data.larger[0].image.shape == (24, 24, 3)
    assert_array_equal(data.train[0].image, data.larger[0].image[4:20, 4:20])
    assert data.holdout[0].image.shape == (16, 16, 3)
    plain = prepared(photos / "a", size=24, cache=cache)
    assert_array_equal(data.larger[0].image, plain.train[0].image)


def test_a_digest_tells_crops_apart(photos: Path) -> None:
    sizes = [{"size": 16}, {"size": 24}, {"load_size": 24, "size": 16}, {"load_size": 24, "size": 20}]
    assert len({prepared(photos / "a", **size).digest for size in sizes}) == 4


def test_pairs_are_cropped_alike(photos: Path) -> None:
    both = DataSettings(path=str(photos / "a"), other=str(photos / "b"), size=(16, 16), load_size=(24, 24), holdout=0)
    data = prepare_domains(both, paired=True, workers=0)
    assert data.other is not None
    assert data.larger is not None
    assert data.other.larger is not None
    batch = next(PairStream(data, batch=4, crop=(16, 16)))
    places = {}
    for name, whole in (("a", data.larger), ("b", data.other.larger)):
        part = ((batch[name].image[0].permute(1, 2, 0) + 1) * 127.5).round().numpy().astype(np.uint8)
        places[name] = next(
            (index, top, left)
            for index in range(30)
            for top in range(9)
            for left in range(9)
            if np.array_equal(whole[index].image[top : top + 16, left : left + 16], part)
        )
    assert places["a"] == places["b"]


@pytest.mark.parametrize("load_size", [16, 12, "24x15"])
def test_no_room_to_crop_is_refused(load_size: object) -> None:
    with pytest.raises(ValidationError, match=r"load_size is larger than size.*16x16"):
        DataSettings.model_validate({"load_size": load_size, "size": 16})


def test_no_room_around_the_recommended_size(photos: Path) -> None:
    with pytest.raises(DataError, match=r"load_size .*20x20 .*24x24.*--size"):
        prepared(photos / "a", load_size=20)


def test_points_have_no_size() -> None:
    with pytest.raises(DataError, match=r"points.*data\.load_size"):
        prepare(DataSettings(path="ring", load_size=(32, 32)))
