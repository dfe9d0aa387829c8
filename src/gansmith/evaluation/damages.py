"""Known damages of images, by which a distance to real images can be read: of their layout, and of their texture.

All take and return uint8 [N, H, W, C]; what is random is drawn from a seed made of the image's own pixels, so that an
image is damaged in the same way whatever others stand beside it. Transparency stays as it is, but moves with the pixels
where these move.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gansmith.evaluation.types import Images
from gansmith.system.seeding import mix

Damage = Callable[[Images], Images]


def tiles(images: Images, *, count: int) -> Images:
    """Each image cut into `count` x `count` tiles, which are shuffled; rows and columns that are left over stay."""
    number, height, width, channels = images.shape
    high, wide = height // count, width // count
    if not (high and wide):
        return images.copy()
    result = images.copy()
    inner = images[:, : high * count, : wide * count]
    cut = inner.reshape(number, count, high, count, wide, channels).swapaxes(2, 3)
    cut = cut.reshape(number, count * count, high, wide, channels)
    orders = np.stack([_moved(rng.permutation(count * count)) for rng in _drawings(images, f"tiles {count}")])
    cut = np.take_along_axis(cut, orders[:, :, None, None, None], axis=1)
    cut = cut.reshape(number, count, count, high, wide, channels).swapaxes(2, 3)
    result[:, : high * count, : wide * count] = cut.reshape(inner.shape)
    return result


def phases(images: Images) -> Images:
    """Random phases, the same for all colours of an image, with its spectrum kept: no layout is left."""
    values, alpha = _colours(images)
    drawn = np.stack([rng.normal(size=values.shape[1:3]) for rng in _drawings(images, "phases")])
    noise = np.fft.fft2(drawn, axes=(1, 2))
    turn = noise / np.maximum(np.abs(noise), 1e-12)
    turn[:, 0, 0] = 1  # the mean stays
    turned = np.fft.ifft2(np.fft.fft2(values, axes=(1, 2)) * turn[..., None], axes=(1, 2)).real
    return _levels(turned, alpha)


def blur(images: Images, *, sigma: float) -> Images:
    """Gaussian blur; sigma in pixels."""
    values, alpha = _colours(images)
    return _levels(ndimage.gaussian_filter(values, (0, sigma, sigma, 0), mode="nearest"), alpha)


def noise(images: Images, *, deviation: float) -> Images:
    """Gaussian noise, of its own for each pixel and colour; deviation in levels of 255."""
    values, alpha = _colours(images)
    drawn = np.stack([rng.normal(size=values.shape[1:]) for rng in _drawings(images, "noise")])
    return _levels(values + deviation * drawn, alpha)


def jpeg(images: Images, *, quality: int) -> Images:
    """Stored as JPEG of that quality, and read again."""
    values, alpha = _colours(images)
    return _levels(np.stack([_stored(image, quality) for image in values.astype(np.uint8)]), alpha)


def checkerboard(images: Images, *, height: float) -> Images:
    """A checkerboard of single pixels: `height` levels up and down in turn."""
    values, alpha = _colours(images)
    rows, columns = np.arange(images.shape[1])[:, None], np.arange(images.shape[2])
    return _levels(values + height * (1 - 2 * ((rows + columns) % 2))[..., None], alpha)


def in_turn(images: Images, changes: Sequence[Damage]) -> Images:
    """Each image changed by one of `changes`: the first by the first, the second by the second, and so on in turn."""
    result = images.copy()
    for place, change in enumerate(changes):
        result[place :: len(changes)] = change(images[place :: len(changes)])
    return result


LAYOUT: Mapping[str, Damage] = {
    "cut into 2 x 2 and shuffled": partial(tiles, count=2),
    "cut into 4 x 4 and shuffled": partial(tiles, count=4),
    "with random phases": phases,
}
TEXTURE: Mapping[str, Damage] = {
    "after a blur of 0.5 pixels": partial(blur, sigma=0.5),
    "after a blur of 1 pixel": partial(blur, sigma=1),
    "after a blur of 2 pixels": partial(blur, sigma=2),
    "with noise of 12 levels": partial(noise, deviation=12),
    "with noise of 25 levels": partial(noise, deviation=25),
    "stored as JPEG of quality 50": partial(jpeg, quality=50),
    "stored as JPEG of quality 10": partial(jpeg, quality=10),
    "under a checkerboard of 10 levels": partial(checkerboard, height=10),
}


def _drawings(images: Images, what: str) -> Iterator[np.random.Generator]:
    """A generator of random numbers for each image."""
    for image in images:
        yield np.random.default_rng(mix(what, zlib.crc32(np.ascontiguousarray(image).data)))


COARSE: tuple[Damage, ...] = (  # the textures that failing generators have, and none
    np.copy,
    partial(blur, sigma=2),
    partial(noise, deviation=25),
    partial(jpeg, quality=10),
    partial(checkerboard, height=10),
    partial(checkerboard, height=30),
)


def _coarse(change: Damage) -> Damage:
    return lambda images: in_turn(change(images), COARSE)


# A failing generator has no layout *and* a texture of its own: shuffled images have such textures too, or what the
# classifier says of it is chance. Halves of an image keep much of its layout, and a texture would drown the rest.
WITHOUT_LAYOUT: Mapping[str, Damage] = {
    name: change if "2 x 2" in name else _coarse(change) for name, change in LAYOUT.items()
}


def _moved(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order, or its reverse where it would leave everything in place."""
    return order[::-1] if bool((order == np.arange(len(order))).all()) else order


def _colours(images: Images) -> tuple[NDArray[np.float64], Images | None]:
    """Colours as floats, and transparency where there is any."""
    if images.shape[-1] != 4:
        return images.astype(np.float64), None
    return images[..., :3].astype(np.float64), images[..., 3:]


def _levels(values: NDArray[np.float64], alpha: Images | None) -> Images:
    levels: Images = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels if alpha is None else np.concatenate([levels, alpha], axis=-1)


def _stored(image: Images, quality: int) -> NDArray[np.uint8]:
    grey = image.shape[-1] == 1
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if grey else image).save(buffer, "JPEG", quality=quality)
    read = np.asarray(Image.open(buffer))
    return read[..., None] if grey else read
