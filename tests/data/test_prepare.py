"""The chain that training uses, on small folders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gansmith.data import similar
from gansmith.data.decode import conform
from gansmith.data.open import open_dataset
from gansmith.data.prepare import prepare
from gansmith.data.recommend import is_grey, recommended_size
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, OptionError

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _photograph(height: int, width: int, channels: int = 3) -> Image.Image:
    rough = RNG.integers(0, 256, (6, 6, channels), dtype=np.uint8)
    return Image.fromarray(rough.squeeze()).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """60 images of 40 x 56 in two classes, the last five a copy of the first five."""
    place = tmp_path / "photos"
    for name in ("cats", "dogs"):
        (place / name).mkdir(parents=True)
    made = [_photograph(40, 56) for _ in range(55)]
    for index, image in enumerate([*made, *made[:5]]):
        image.save(place / ("cats" if index < 30 else "dogs") / f"{index:02}.png")
    return place


def _settings(path: Path, **options: Any) -> DataSettings:
    return DataSettings(path=str(path), **options)


def test_the_images_are_those_of_the_files(folder: Path) -> None:
    found = prepare(_settings(folder, size=32, channels=3, holdout=0.1), workers=0)
    assert found.shape == (3, 32, 32)
    assert (found.count, len(found.train), found.holdout and len(found.holdout)) == (60, 54, 6)
    assert found.classes == ("cats", "dogs")
    assert found.labelled
    assert found.name == "photos"
    source = open_dataset(folder)
    train = [index for index in range(60) if index not in set(found.holdout_indices.tolist())]
    for position, index in enumerate(train):
        expected = conform(source.one(index).image, size=(32, 32), channels=3)
        np.testing.assert_array_equal(found.train[position].image, expected)
        assert found.train[position].label == (index >= 30)
    assert found.holdout is not None
    np.testing.assert_array_equal(
        found.holdout[0].image, conform(source.one(int(found.holdout_indices[0])).image, size=(32, 32), channels=3)
    )


@pytest.mark.parametrize("cache", [True, False])
def test_copies_fall_on_one_side(folder: Path, cache: bool) -> None:
    for share in (0.1, 0.2, 0.3, 0.4, 0.5):
        found = prepare(_settings(folder, size=32, channels=3, holdout=share, cache=cache), workers=0)
        held = set(found.holdout_indices.tolist())
        assert len(held) == round(60 * share)
        for index in range(5):
            assert (index in held) == (index + 55 in held)


def test_without_cache_the_same_images_and_sides(folder: Path, cache_folder: Path) -> None:
    cached = prepare(_settings(folder, size=32, channels=3, holdout=0.2), workers=0)
    direct = prepare(_settings(folder, size=32, channels=3, holdout=0.2, cache=False), workers=0)
    np.testing.assert_array_equal(cached.holdout_indices, direct.holdout_indices)
    indices = np.arange(len(cached.train))
    np.testing.assert_array_equal(cached.train[indices].image, direct.train[indices].image)
    np.testing.assert_array_equal(cached.train[indices].label, direct.train[indices].label)
    assert cached.keys == direct.keys


@pytest.mark.parametrize("cache", [True, False])
def test_looking_for_copies_happens_once(folder: Path, cache: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings(folder, size=32, channels=3, holdout=0.2, cache=cache)
    first = prepare(settings, workers=0)
    monkeypatch.setattr(similar, "signatures_of_images", lambda *_: pytest.fail("looked again"))
    again = prepare(settings, workers=0)
    np.testing.assert_array_equal(first.holdout_indices, again.holdout_indices)
    assert first.digest == again.digest


def test_a_changed_image_changes_the_digest(folder: Path) -> None:
    settings = _settings(folder, size=32, channels=3)
    digests = {prepare(settings, workers=0).digest}
    _photograph(40, 56).save(folder / "cats" / "07.png")
    digests.add(prepare(settings, workers=0).digest)
    (folder / "cats" / "08.png").rename(folder / "dogs" / "08.png")  # the same pixels, another class
    digests.add(prepare(settings, workers=0).digest)
    digests.add(prepare(_settings(folder, size=32, channels=3, fit="pad"), workers=0).digest)
    digests.add(prepare(_settings(folder, size=32, channels=3, fit="pad", background=(0, 0, 0)), workers=0).digest)
    assert len(digests) == 5


def test_size_and_channels_are_found(folder: Path, tmp_path: Path) -> None:
    found = prepare(_settings(folder), workers=0)
    assert (found.settings.size, found.settings.channels) == ((40, 56), 3)
    assert found.shape == (3, 40, 56)
    grey = tmp_path / "grey"
    grey.mkdir()
    for index in range(25):
        _photograph(70 + index, 90, 1).convert("RGB" if index % 2 else "L").save(grey / f"{index}.png")
    assert prepare(_settings(grey), workers=0).shape == (1, 64, 64)
    _photograph(90, 90, 3).save(grey / "colour.png")
    assert prepare(_settings(grey), workers=0).shape == (3, 64, 64)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)] * 3, (28, 28)),
        ([(16, 64)] * 3, (16, 64)),
        ([(8, 8)] * 3, (32, 32)),
        ([(65, 65)] * 3, (64, 64)),
        ([(63, 500), (63, 400)], (32, 32)),
        ([(64, 500), (400, 64)], (64, 64)),
        ([(20, 20), (21, 21)], (32, 32)),
    ],
)
def test_recommended_size(sizes: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    assert recommended_size(sizes) == expected


def test_greyness() -> None:
    equal = np.repeat(RNG.integers(0, 256, (4, 4, 1), dtype=np.uint8), 3, axis=2)
    assert is_grey(equal)
    tinted = equal.copy()
    tinted[3, 3, 2] ^= 1
    assert not is_grey(tinted)
    assert is_grey(equal[..., :1])
    transparent = np.concatenate([equal, equal[..., :1]], axis=2)
    assert is_grey(transparent)
    assert not is_grey(transparent, (255, 0, 0))  # a red background shows through


def test_fraction(folder: Path) -> None:
    found = prepare(_settings(folder, size=32, fraction=0.5, holdout=0), workers=0)
    assert (found.count, len(found.train), found.holdout) == (30, 30, None)
    names = [key for key in open_dataset(folder).keys if key in set(found.keys)]
    assert list(found.keys) == names  # in their order
    labels = found.train[np.arange(30)].label
    np.testing.assert_array_equal(labels, [name.startswith("dogs") for name in names])


def test_rules(folder: Path) -> None:
    by_class = prepare(_settings(folder, size=32, holdout=0.4, holdout_by="class"), workers=0)
    assert sorted(by_class.holdout_indices.tolist()) in (list(range(30)), list(range(30, 60)))
    by_name = prepare(_settings(folder, size=32, holdout=0.2, holdout_by=r"name:/(\d)\d\."), workers=0)
    tens = {int(by_name.keys[index].split("/")[1][0]) for index in by_name.holdout_indices}
    assert (len(by_name.holdout_indices), len(tens)) == (10, 1)
    with pytest.raises(OptionError, match=r"\[A-Z\] matches no name.*'cats/00\.png'"):
        prepare(_settings(folder, size=32, holdout_by="name:[A-Z]"), workers=0)


@pytest.mark.parametrize("cache", [True, False])
def test_unreadable(folder: Path, cache: bool) -> None:
    (folder / "cats" / "03.png").write_bytes(b"no image")
    (folder / "dogs" / "40.png").write_bytes((folder / "dogs" / "40.png").read_bytes()[:300])
    with pytest.raises(DataError, match=r"2 images of 60 .*03\.png.*40\.png.*--skip-unreadable"):
        prepare(_settings(folder, size=32, channels=3, cache=cache), workers=0)
    for _ in range(2):  # the second time from what was kept
        found = prepare(
            _settings(folder, size=32, channels=3, cache=cache, skip_unreadable=True, holdout=0.1), workers=0
        )
        assert (found.count, len(found.train), len(found.holdout_indices)) == (58, 52, 6)
        assert "cats/03.png" not in found.keys
        assert len(found.keys) == 58
        assert found.warnings[0].startswith("left out 2 images")
        assert found.train[np.arange(52)].image.shape == (52, 32, 32, 3)
        kept = np.setdiff1d(np.arange(58), found.holdout_indices)
        labels = [found.keys[index].startswith("dogs") for index in kept]
        np.testing.assert_array_equal(found.train[np.arange(52)].label, labels)
    if not cache:
        with pytest.raises(DataError, match="2 images of 60"):
            prepare(_settings(folder, size=32, channels=3, cache=cache), workers=0)


def test_few_images_are_a_warning(folder: Path) -> None:
    (warning,) = prepare(_settings(folder, size=32), workers=0).warnings
    assert warning.startswith("only 60 images")


def test_nothing_to_train_on(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images in"):
        prepare(_settings(tmp_path / "empty"))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"none of the images in .*bad "):
        prepare(_settings(tmp_path / "bad"))
    (tmp_path / "one").mkdir()
    _photograph(40, 40).save(tmp_path / "one" / "x.png")
    with pytest.raises(DataError, match=r"1 images in 1 groups.*--holdout"):
        prepare(_settings(tmp_path / "one", holdout=0.9), workers=0)


def test_groups_that_allow_no_holdout_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / "same").mkdir()
    image = _photograph(40, 40)
    for index in range(25):
        image.save(tmp_path / "same" / f"{index}.png")
    found = prepare(_settings(tmp_path / "same", holdout=0.2), workers=0)
    assert found.holdout is None
    assert re.search(r"^0 of 25 images .* 5 .*\(similar\)", found.warnings[-1])


@pytest.mark.parametrize(
    ("names", "share", "held_out", "warned"),
    [
        ("x" * 22 + "abc", 0.3, 3, True),  # 7.5 were asked for: 3 is less than half of it
        ("x" * 21 + "abcd", 0.3, 4, False),
        ("x" * 15 + "y" * 10, 0.1, 10, True),  # 2.5 were asked for
        ("x" * 20 + "y" * 5, 0.1, 5, False),
    ],
)
def test_a_warning_where_less_than_half_or_more_than_twice_is_held_out(
    names: str, share: float, held_out: int, warned: bool, tmp_path: Path
) -> None:
    for index, name in enumerate(names):
        _photograph(8, 8).save(tmp_path / f"{name}{index}.png")
    found = prepare(_settings(tmp_path, size=8, holdout=share, holdout_by="name:^[a-z]"), workers=0)
    assert len(found.holdout_indices) == held_out
    assert len(found.warnings) == 1 + warned


def test_points() -> None:
    found = prepare(DataSettings(path="ring", options={"count": 1000}))
    assert found.points
    assert found.shape == (2, 1, 1)
    assert (len(found.train), len(found.holdout_indices)) == (950, 50)
    assert found.train[np.arange(3)].image.dtype == np.float32
    assert found.warnings == ()


def test_workers_agree(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone = prepare(_settings(folder, size=32), workers=0)
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "another"))
    assert prepare(_settings(folder, size=32), workers=2).digest == alone.digest


def test_the_digest_knows_what_is_held_out() -> None:
    """A resumed run must train on the same side of the split."""
    some, more, none = (prepare(DataSettings(path="digits", size=(8, 8), holdout=share)) for share in (0.05, 0.1, 0.0))
    assert len({some.digest, more.digest, none.digest}) == 3
    assert prepare(DataSettings(path="digits", size=(8, 8), holdout=0.05)).digest == some.digest
