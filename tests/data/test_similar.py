"""Near-duplicates: planted copies are found, strangers of one class are not chained."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from scipy.fft import dctn
from sklearn.datasets import load_digits

from gansmith.data import similar
from gansmith.data.decode import conform
from gansmith.data.open import open_dataset

Pixels = NDArray[np.uint8]


def _textures(count: int, side: int = 48) -> Pixels:
    """Random images with the spectrum of photographs, in colour."""
    rng = np.random.default_rng(1)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None]) + 1 / side
    noise = rng.standard_normal((count, 3, side, side)) + rng.standard_normal((count, 1, side, side))
    smooth = np.fft.ifft2(np.fft.fft2(noise) / frequency).real
    smooth = (smooth - smooth.mean((2, 3), keepdims=True)) / smooth.std((2, 3), keepdims=True)
    return np.clip(128 + 40 * smooth, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60)
    return Image.open(buffer)


def _smaller(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.resize((round(width * 0.94), round(height * 0.94)), Image.Resampling.LANCZOS).resize((width, height))


def _cropped(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.resize(image.size, Image.Resampling.BICUBIC, box=(0.02 * width, 0.02 * height, width, 0.97 * height))


def _darker(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(0.8)


COPIES = (_jpeg, _smaller, _cropped, _darker)


def _changed(images: Pixels, change: object) -> Pixels:
    made = [np.asarray(change(Image.fromarray(image.squeeze()))) for image in images]  # type: ignore[operator]
    return np.stack(made).reshape(images.shape)


def _share_found(images: Pixels, copies: Pixels, **options: bool) -> tuple[float, int]:
    """(share of copies in their original's group, size of the largest group)."""
    found = similar.groups(similar.signatures_of_images(np.concatenate([images, copies])), **options)
    return float((found[: len(copies)] == found[len(images) :]).mean()), int(np.bincount(found).max())


@pytest.mark.parametrize("change", COPIES)
def test_copies_of_images_are_found(change: object) -> None:
    images = _textures(200)
    share, largest = _share_found(images, _changed(images[:60], change))
    assert share >= 0.95
    assert largest == 2


def test_strangers_are_apart() -> None:
    np.testing.assert_array_equal(similar.groups(similar.signatures_of_images(_textures(300))), np.arange(300))


@pytest.mark.parametrize("change", [_jpeg, _smaller, _darker])
def test_digits_are_not_chained(change: object) -> None:
    grey = (load_digits().images * 255 / 16).round().astype(np.uint8)[..., None]
    images = np.stack([conform(image, size=(32, 32), channels=1) for image in grey])
    found = similar.groups(similar.signatures_of_images(images))
    sizes = np.bincount(found)
    assert sizes.max() <= 4
    assert (sizes[found] > 1).mean() < 0.02
    share, largest = _share_found(images, _changed(images[:200], change))
    assert share >= 0.95
    assert largest <= 6


@pytest.mark.parametrize(("name", "size"), [("signdigits100_jpg.zip", 64), ("emoji_google.zip", 64)])
def test_real_sets(name: str, size: int, test_data: Path) -> None:
    source = open_dataset(test_data / name)
    images = source.resize(size=size, channels=3)[np.arange(0, len(source), 2)].image
    found = similar.groups(similar.signatures_of_images(images))
    assert np.bincount(found).max() < 0.02 * len(images)
    for change in (_jpeg, _smaller):
        share, largest = _share_found(images, _changed(images[:100], change))
        assert share >= 0.95
        assert largest < 0.03 * len(images)


def test_variants_of_an_emoji_are_together(test_data: Path) -> None:
    source = open_dataset(test_data / "emoji_google.zip")
    images = source.resize(size=64, channels=3)[np.arange(len(source))].image
    found = similar.groups(similar.signatures_of_images(images))
    hearts = ["1f5a4", "1f49a", "1f49b", "1f49c"]  # black, green, yellow, purple
    places = [next(i for i, key in enumerate(source.keys) if key.endswith(f"/{heart}.png")) for heart in hearts]
    assert len(set(found[places].tolist())) == 1


def test_mirrored_only_when_asked() -> None:
    images = _textures(100)
    mirrored = np.ascontiguousarray(images[:40, :, ::-1])
    assert _share_found(images, mirrored)[0] == 0
    assert _share_found(images, mirrored, flips=True) == (1.0, 2)
    upside_down = np.ascontiguousarray(images[:40, ::-1])
    assert _share_found(images, upside_down, flips=True)[0] == 0


def test_equal_images_are_together_whatever_the_radius() -> None:
    images = _textures(20)
    both = similar.signatures_of_images(np.concatenate([images, images[5:7]]))
    found = similar.groups(both, radius=-1.0)
    np.testing.assert_array_equal(found, [*range(20), 5, 6])


def test_colours_keep_flat_images_apart() -> None:
    flat = np.zeros((3, 32, 32, 3), np.uint8)
    flat[0, ..., 0] = flat[1, ..., 2] = 255  # red, blue
    flat[2] = flat[0]
    np.testing.assert_array_equal(similar.groups(similar.signatures_of_images(flat)), [0, 1, 0])


def test_one_grey_image_in_other_colours_is_another() -> None:
    """Red and blue of the same brightness have one spectrum; a darker red is a copy."""
    grey = _textures(1)[0].astype(np.float64).mean(axis=2) * 0.114
    red, blue = np.zeros((2, *grey.shape, 3))
    red[..., 0], blue[..., 2] = grey / 0.299, grey / 0.114  # ITU-R 601
    signatures = similar.signatures_of_images(np.stack([red, blue, 0.95 * red]).round().astype(np.uint8))
    np.testing.assert_allclose(signatures.frequencies[0], signatures.frequencies[1], atol=2)
    np.testing.assert_array_equal(similar.groups(signatures, radius=0.05), [0, 1, 0])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_sets(count: int) -> None:
    images = _textures(2)[:count]
    np.testing.assert_array_equal(similar.groups(similar.signatures_of_images(images)), np.arange(count))
    if count == 2:  # a copy is one however few there are
        assert _share_found(images, _changed(images, _jpeg)) == (1.0, 2)


def test_chains_are_joined() -> None:
    """a ~ b and b ~ c puts a with c: none of them may be on another side than its like."""
    angle = np.array([0.0, 0.02, 0.04, 1.5])
    frequencies = np.zeros((4, 64), np.float32)
    frequencies[:, 0], frequencies[:, 1] = 5000 * np.cos(angle), 5000 * np.sin(angle)
    thumbnails = np.zeros((4, 8, 8, 3), np.uint8)
    made = similar.Signatures(frequencies, frequencies, thumbnails, np.array([b"%16d" % i for i in range(4)], "V16"))
    unit = similar._standardise(frequencies, frequencies)
    near, far = 1 - unit[0] @ unit[1], 1 - unit[0] @ unit[2]
    assert near < far
    found = similar.groups(made, radius=float(near + far) / 2)
    np.testing.assert_array_equal(found, [0, 0, 0, 1])


def test_pairs_are_exact_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal to comparing every two in one go."""
    rng = np.random.default_rng(0)
    frequencies = (rng.standard_normal((70, 64)) * 300).astype(np.float32)
    frequencies[35:] = frequencies[:35] + rng.standard_normal((35, 64)) * rng.uniform(0, 200, (35, 1))
    zoomed = np.roll(frequencies, 1, axis=0)
    made = similar.Signatures(frequencies, zoomed, np.zeros((70, 8, 8, 3), np.uint8), np.zeros(70, "V16"))
    plain = similar._standardise(frequencies, frequencies)
    other = similar._standardise(zoomed, frequencies)
    near = (1 - plain @ plain.T <= 0.1) | (1 - plain @ other.T <= 0.1) | (1 - other @ plain.T <= 0.1)
    expected = {(i, j) for i in range(70) for j in range(i + 1, 70) if near[i, j]}
    monkeypatch.setattr(similar, "_BLOCK", 16)
    found = {pair for one, two in similar.pairs(made, radius=0.1) for pair in zip(one, two, strict=True)}
    assert found == expected
    assert len(expected) > 70


def test_frequencies_are_those_of_the_reduced_grey_image() -> None:
    images = _textures(3, side=64)
    grey = images.astype(float) @ [0.299, 0.587, 0.114]
    small = grey.reshape(3, 32, 2, 32, 2).mean((2, 4))
    spectrum = dctn(small, axes=(1, 2), norm="ortho")
    found = similar.signatures_of_images(images)
    np.testing.assert_allclose(found.frequencies[:, 0], spectrum[:, 0, 1], rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(found.frequencies[:, 1], spectrum[:, 1, 0], rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(found.frequencies[:, 2], spectrum[:, 1, 1], rtol=1e-3, atol=0.1)
    blocks = images.reshape(3, 8, 8, 8, 8, 3).mean((2, 4))
    np.testing.assert_array_less(np.abs(found.thumbnails - blocks), 0.51)


def test_dense_sets_get_a_smaller_radius() -> None:
    shared = _textures(1).astype(float)
    detail = _textures(400).astype(float)
    aligned = (0.75 * shared + 0.25 * detail).astype(np.uint8)
    aligned[200:] = (0.9 * aligned[:200].astype(float) + 0.1 * aligned[200:]).astype(np.uint8)
    sparse = similar.recommended_radius(similar.signatures_of_images(_textures(400)))
    dense = similar.recommended_radius(similar.signatures_of_images(aligned))
    assert sparse == pytest.approx(0.06)
    assert 0.012 <= dense < 0.06
