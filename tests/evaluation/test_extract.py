"""Features are taken in batches, whatever their number, kept by content, and computed anew when damaged."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gansmith.errors import DataError
from gansmith.evaluation import extract as extraction
from gansmith.evaluation import extract as module
from gansmith.evaluation.extract import extract, folder
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.system.seeding import seeded


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


class Counting:
    """An extractor with a convolution, that counts its batches."""

    def __init__(self, classes: int = 0) -> None:
        with seeded("extract"):
            self.network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.head = nn.Linear(8, classes) if classes else None
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, images: Tensor) -> Outputs:
        assert images.dtype == torch.uint8
        assert torch.is_inference_mode_enabled()
        self.batches.append(tuple(images.shape))
        seen = self.network(images.float() / 255)
        return Outputs(seen, None if self.head is None else 3 * self.head(seen))


def made(run: Any, **changes: Any) -> Extractor:
    return replace(Extractor("toy", "abc", "as they are", run, batch=4), **changes)


def images(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 9, 7, 3), dtype=np.uint8)


def test_features_and_probabilities_are_those_of_the_network() -> None:
    run, given = Counting(classes=3), images(10)
    features, probabilities = extract(given, made(run), what="the images")
    with torch.no_grad():
        expected = run.network(torch.from_numpy(given).permute(0, 3, 1, 2).contiguous().float() / 255)
        logits = (3 * run.head(expected)).numpy()  # type: ignore[misc]
    assert features.dtype == np.float32
    assert features.shape == (10, 8)
    np.testing.assert_allclose(features, expected, rtol=1e-5)
    assert probabilities is not None
    np.testing.assert_allclose(probabilities, np.exp(logits) / np.exp(logits).sum(1, keepdims=True), rtol=1e-5)
    assert run.batches == [(4, 3, 9, 7)] * 3


def test_an_image_has_the_same_features_in_every_company() -> None:
    given = images(11)
    together, _ = extract(given, made(Counting()), what="the images")
    for count in (1, 3, 4, 7):
        np.testing.assert_array_equal(extract(given[:count], made(Counting()), what="some")[0], together[:count])
    order = np.random.default_rng(1).permutation(11)
    np.testing.assert_array_equal(extract(given[order], made(Counting()), what="mixed")[0], together[order])


@pytest.mark.parametrize("classes", [0, 3])
def test_the_second_time_nothing_is_computed(classes: int, cache: Path) -> None:
    run = Counting(classes)
    first = extract(images(6), made(run), what="the images")
    assert len(run.batches) == 2
    again = extract(images(6), made(run), what="the images by another name")
    assert len(run.batches) == 2
    np.testing.assert_array_equal(first[0], again[0])
    if classes:
        np.testing.assert_array_equal(first[1], again[1])  # type: ignore[arg-type]
    else:
        assert again[1] is None
    assert folder() == cache
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    "change", [{"name": "other"}, {"digest": "abd"}, {"prepared": "otherwise"}, {"batch": 5}, {"images": True}]
)
def test_another_extractor_or_another_pixel_is_computed(change: dict[str, Any]) -> None:
    run, given = Counting(), images(6)
    extract(given, made(run), what="the images")
    before = len(run.batches)
    if change.pop("images", False):
        given[5, 8, 6, 2] ^= 1
    extract(given, made(run, **change), what="the images")
    assert len(run.batches) == before + 2


def test_shapes_with_the_same_bytes_are_told_apart() -> None:
    run, given = Counting(), images(6)
    extract(given, made(run), what="the images")
    extract(given.reshape(6, 7, 9, 3), made(run), what="the images")
    assert run.batches[-1] == (4, 3, 7, 9)


def test_without_the_cache_nothing_is_kept(cache: Path) -> None:
    run = Counting()
    for _ in range(2):
        extract(images(3), made(run), what="the images", cache=False)
    assert len(run.batches) == 2
    assert not cache.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "pickle", "other rows"])
def test_what_is_damaged_is_computed_anew(damage: str, cache: Path) -> None:
    run = Counting(classes=2)
    first, _ = extract(images(6), made(run), what="the images")
    (path,) = cache.iterdir()
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        place = content.index(first[3].tobytes())
        content[place] ^= 1
        path.write_bytes(content)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "pickle":
        with path.open("wb") as file:
            np.savez(file, features=np.array([object()], dtype=object))
    else:
        with path.open("wb") as file:
            np.savez(file, features=first[:5])
    again, _ = extract(images(6), made(run), what="the images")
    np.testing.assert_array_equal(again, first)
    assert len(run.batches) == 4
    extract(images(6), made(run), what="the images")
    assert len(run.batches) == 4


@pytest.mark.parametrize("classes", [0, 3])
def test_every_flipped_byte_is_noticed_or_harmless(classes: int, cache: Path) -> None:
    """The names of the arrays in the archive have no checksum of their own."""
    run = Counting(classes)
    features, probabilities = extract(images(6), made(run), what="the images")
    (path,) = cache.iterdir()
    content = path.read_bytes()
    refused = 0
    for place in range(len(content)):
        flipped = content[place] ^ (1, 0x15, 0x80)[place % 3]
        path.write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
        kept = extraction._read(path, 6)
        refused += kept is None
        if kept is not None:
            np.testing.assert_array_equal(kept[0], features)
            assert (kept[1] is None) == (probabilities is None)
            assert probabilities is None or np.array_equal(kept[1], probabilities)  # type: ignore[arg-type]
    assert refused > 0.7 * len(content)


def test_features_of_an_earlier_version_are_read(cache: Path) -> None:
    run = Counting(classes=3)
    features, probabilities = extract(images(6), made(run), what="the images")
    (path,) = cache.iterdir()
    with path.open("wb") as file:
        np.savez(file, features=features, probabilities=probabilities)
    extract(images(6), made(run), what="the images")
    assert len(run.batches) == 2


def test_the_longest_unused_goes_when_there_is_no_room(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Counting()
    for seed in (1, 2, 3):
        extract(images(6, seed), made(run), what="the images")
        for path in cache.iterdir():
            os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**10))
    extract(images(6, 1), made(run), what="the images")  # used: 2 is the oldest now
    size = next(cache.iterdir()).stat().st_size
    monkeypatch.setattr(module, "LIMIT", 3 * size)
    extract(images(6, 4), made(run), what="the images")
    assert len(list(cache.iterdir())) == 3
    before = len(run.batches)
    for seed in (1, 3, 4):
        extract(images(6, seed), made(run), what="the images")
    assert len(run.batches) == before
    monkeypatch.setattr(module, "LIMIT", 1)
    extract(images(6, 5), made(run), what="the images")
    assert len(list(cache.iterdir())) == 1  # what was just made stays


def test_a_cache_that_cannot_be_written_is_no_error(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where the folder should be")
    features, _ = extract(images(3), made(Counting()), what="the images")
    assert features.shape == (3, 8)
    assert "could not write" in capsys.readouterr().err


def test_not_a_number_names_the_extractor(cache: Path) -> None:
    def run(batch: Tensor) -> Outputs:
        seen = batch.float().mean((2, 3))
        return Outputs(torch.where(batch[:, :, 0, 0] == 255, torch.nan, seen))

    given = images(9)
    given[:, 0, 0] = 0
    given[[2, 7], 0, 0, 1] = 255
    with pytest.raises(DataError, match=r"toy.*2 of 9 images.*the fakes"):
        extract(given, made(run), what="the fakes")
    assert not cache.exists()
    with pytest.raises(DataError, match="NaN or an infinity for 9 of 9"):
        extract(given, made(lambda b: Outputs(b.float().mean((2, 3)), b.float().mean((2, 3)) / 0)), what="the fakes")


def test_images_that_are_none() -> None:
    with pytest.raises(DataError, match="the fakes: there is no image"):
        extract(images(0), made(Counting()), what="the fakes")
    for wrong in (images(2).astype(np.float32), images(2)[0], images(2)[..., :2], images(2)[:, :0]):
        with pytest.raises(DataError, match=r"the fakes.*uint8 \[N, H, W, C\].*1, 3 or 4"):
            extract(wrong, made(Counting()), what="the fakes")  # type: ignore[arg-type]
