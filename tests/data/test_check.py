"""What `data check`, `data stats` and `data pack` find out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.data.check import check
from gansmith.data.dataset import Arrays, ImageItem, Listed
from gansmith.data.open import open_dataset
from gansmith.data.pack import pack
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.data.statistics import channel_statistics
from gansmith.errors import DataError, OptionError

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """24 images: two identical, one a JPEG of another, grey and transparent ones, sizes from 30 x 40 to 53 x 40."""
    place = tmp_path / "photos"
    for name in ("a", "b"):
        (place / name).mkdir(parents=True)
    for index in range(20):
        rough = RNG.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        image = Image.fromarray(rough).resize((40, 30 + index), Image.Resampling.BICUBIC)
        image.save(place / "a" / f"{index}.png")
        if index == 3:
            image.save(place / "b" / "same.png")
        if index == 5:
            image.save(place / "b" / "like.jpg", quality=80)
    Image.fromarray(RNG.integers(0, 256, (53, 40), dtype=np.uint8)).save(place / "b" / "grey.png")
    Image.fromarray(RNG.integers(0, 256, (53, 40, 4), dtype=np.uint8)).save(place / "b" / "clear.png")
    return place


def test_report(folder: Path) -> None:
    found = check(DataSettings(path=str(folder)))
    assert (found.name, found.count) == ("photos", 24)
    assert found.heights == (30, 39, 53)
    assert found.widths == (40, 40, 40)
    assert found.distinct_sizes == 21
    assert found.modes == {"RGB": 22, "grey": 1, "RGBA": 1}
    assert found.classes == {"a": 20, "b": 4}
    assert found.exact_duplicates == [["a/3.png", "b/same.png"]]
    assert found.near_duplicates == [["a/5.png", "b/like.jpg"]]
    assert found.unreadable == {}
    assert (found.recommended_size, found.recommended_channels) == ((32, 32), 3)
    assert found.holdout == 6  # a quarter: 125 would be more
    assert found.failure is None
    text = found.as_text()
    for line in (
        "images      24\n",
        "smallest    height 30, width 40\n",
        "median      height 39, width 40   (21 different)\n",
        "classes     2\n            a  20\n            b  4\n",
        "identical   2 images in 1 groups\n            2: a/3.png, b/same.png\n",
        "look-alikes 2 images in 1 groups\n            2: a/5.png, b/like.jpg\n",
        "train at    32x32, RGB\n",
    ):
        assert line in text
    assert text.endswith("ready to train on")


def test_holdout_is_that_of_training(folder: Path) -> None:
    settings = DataSettings(path=str(folder), holdout=0.3)
    assert check(settings).holdout == len(prepare(settings, workers=0).holdout_indices)


def test_what_stops_training(folder: Path) -> None:
    (folder / "a" / "7.png").write_bytes((folder / "a" / "7.png").read_bytes()[:200])
    found = check(DataSettings(path=str(folder)))
    assert found.count == 23
    assert list(found.unreadable) == ["a/7.png"]
    assert found.failure is not None
    assert found.failure.startswith("1 image of 24 ")
    assert "7.png cannot be decoded, it is truncated or damaged" in found.as_text()
    assert "verdict     training would stop: 1 image of 24" in found.as_text()
    with pytest.raises(DataError, match="1 image of 24"):
        prepare(DataSettings(path=str(folder)), workers=0)
    assert check(DataSettings(path=str(folder), skip_unreadable=True)).failure is None


def test_nothing_readable(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_bytes(b"")
    found = check(DataSettings(path=str(tmp_path / "bad"), skip_unreadable=True))
    assert found.failure == f"there are no images in {tmp_path / 'bad'} that can be read"


def test_a_rule_that_fits_nothing(folder: Path) -> None:
    found = check(DataSettings(path=str(folder), holdout_by="name:zzz"))
    assert found.failure is not None
    assert "matches no name" in found.failure


@pytest.mark.parametrize(("width", "told"), [(16, True), (17, False)])
def test_images_that_may_be_pairs(width: int, told: bool, tmp_path: Path) -> None:
    for number, side in enumerate((8, 12)):
        Image.new("RGB", (width * side // 8, side), (40 * number, 0, 0)).save(tmp_path / f"{number}.png")
    notes = [note for note in check(DataSettings(path=str(tmp_path))).warnings if "twice as wide as high" in note]
    assert bool(notes) == told


def test_points() -> None:
    found = check(DataSettings(path="ring", options={"count": 400}))
    assert (found.count, found.holdout, found.points, found.failure) == (400, 20, True, None)
    assert found.as_text().startswith("name        ring\npoints      400\n")


def test_statistics_in_closed_form() -> None:
    """Half 0 and half 255: mean 1/2, deviation 1/2; a constant 51: mean 0.2, deviation 0."""
    images = np.zeros((4, 3, 2, 2), np.uint8)
    images[:2, ..., 0] = 255
    images[..., 1] = 51
    found = channel_statistics(Arrays(images))
    assert (found.images, found.pixels) == (4, 24)
    assert found.mean == pytest.approx((0.5, 0.2), abs=1e-15)
    assert found.deviation == pytest.approx((0.5, 0.0), abs=1e-15)
    assert found.signed_mean == pytest.approx((0.0, -0.6), abs=1e-15)
    assert found.signed_deviation == pytest.approx((1.0, 0.0), abs=1e-15)


def test_statistics_weigh_pixels_not_images() -> None:
    images = [RNG.integers(0, 256, (side, 7, 3), dtype=np.uint8) for side in (3, 50)]
    found = channel_statistics(Listed([ImageItem(image) for image in images]))
    pixels = np.concatenate([image.reshape(-1, 3) for image in images]) / 255
    np.testing.assert_allclose(found.mean, pixels.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.deviation, pixels.std(0), rtol=1e-12)


def test_statistics_need_images_of_one_kind() -> None:
    mixed = [ImageItem(np.zeros((2, 2, channels), np.uint8)) for channels in (3, 1)]
    with pytest.raises(DataError, match=r"image 1 has 1 .* 3"):
        channel_statistics(Listed(mixed))
    with pytest.raises(DataError, match="no images"):
        channel_statistics(Listed([]))


def test_packed_images_are_the_same(folder: Path, tmp_path: Path) -> None:
    settings = DataSettings(path=str(folder), size=(24, 32), channels=3)
    assert pack(settings, tmp_path / "out.npy", workers=0) == (24, 24, 32, 3)
    packed = open_dataset(tmp_path / "out.npy")
    direct = open_dataset(folder).resize(size=(24, 32), channels=3)
    indices = np.arange(24)
    np.testing.assert_array_equal(packed[indices].image, direct[indices].image)
    np.testing.assert_array_equal(packed[indices].label, direct[indices].label)


def test_pack_replaces_nothing_unasked(folder: Path, tmp_path: Path) -> None:
    settings = DataSettings(path=str(folder), size=(32, 32))
    with pytest.raises(OptionError, match=r"must end in \.npy, not 'out\.zip'"):
        pack(settings, tmp_path / "out.zip")
    pack(settings, tmp_path / "out.npy", workers=0)
    with pytest.raises(OptionError, match=r"out\.npy.* exist.*out-2\.npy.*--force"):
        pack(settings, tmp_path / "out.npy")
    pack(settings.model_copy(update={"fraction": 0.5}), tmp_path / "out.npy", force=True, workers=0)
    assert len(open_dataset(tmp_path / "out.npy")) == 12
    with pytest.raises(DataError, match="set of points"):
        pack(DataSettings(path="ring"), tmp_path / "ring.npy")


def test_packing_without_classes_removes_the_classes_before(tmp_path: Path, folder: Path) -> None:
    pack(DataSettings(path=str(folder), size=(32, 32)), tmp_path / "out.npy", workers=0)
    assert (tmp_path / "out.labels.npy").exists()
    pack(DataSettings(path=str(folder / "a"), size=(32, 32)), tmp_path / "out.npy", force=True, workers=0)
    assert not (tmp_path / "out.labels.npy").exists()
