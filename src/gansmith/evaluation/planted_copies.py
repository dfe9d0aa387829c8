"""Copies of training images, made on purpose: they show what a search for copies would have noticed.

A copy may be mirrored, moved by a pixel or two, re-compressed, a little lighter or flatter, and still be a copy.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gansmith.errors import UnknownNameError, unknown
from gansmith.evaluation.copy_search import margin
from gansmith.evaluation.types import Images
from gansmith.system.seeding import mix

Drawing = np.random.Generator
QUALITY, COARSE = 75, 50  # of re-compressed copies; 75 is Pillow's own default
SIGMA = 0.7  # pixels, of a blurred copy
GRAIN = 8  # levels: the standard deviation of a noisy copy
BRIGHTER = 1.2  # times the levels
CROPPED = 0.95  # of each side
FAR = 3  # pixels that a copy is moved by beyond what the search undoes
_MODES = {1: "L", 3: "RGB"}


def exact(images: Images, rng: Drawing) -> Images:
    """The image itself."""
    return images.copy()


def mirrored(images: Images, rng: Drawing) -> Images:
    """Left and right swapped."""
    return np.ascontiguousarray(images[:, :, ::-1])


def shifted(images: Images, rng: Drawing) -> Images:
    """Moved by up to SHIFT pixels in both directions, never by nothing; what enters repeats the border."""
    cut = margin(images)
    offsets = [(y, x) for y in range(-cut, cut + 1) for x in range(-cut, cut + 1) if (y, x) != (0, 0)]
    return _moved(images, [offsets[index] for index in rng.integers(0, len(offsets), len(images))] if offsets else [])


def shifted_far(images: Images, rng: Drawing) -> Images:
    """Moved by FAR pixels to one of the four sides or corners: more than the search undoes."""
    offsets = [(y, x) for y in (-FAR, 0, FAR) for x in (-FAR, 0, FAR) if (y, x) != (0, 0)]
    return _moved(images, [offsets[index] for index in rng.integers(0, len(offsets), len(images))])


def _moved(images: Images, offsets: list[tuple[int, int]]) -> Images:
    if not offsets:
        return images.copy()
    cut = max(max(map(abs, offset)) for offset in offsets)
    height, width = images.shape[1:3]
    wide = np.pad(images, ((0, 0), (cut, cut), (cut, cut), (0, 0)), mode="edge")
    corners = [(cut + y, cut + x) for y, x in offsets]
    return np.stack([image[y : y + height, x : x + width] for image, (y, x) in zip(wide, corners, strict=True)])


def recompressed(images: Images, rng: Drawing) -> Images:
    """Through JPEG at quality QUALITY; transparency, which JPEG does not know, stays."""
    return _through_jpeg(images, QUALITY)


def coarse(images: Images, rng: Drawing) -> Images:
    """Through JPEG at quality COARSE."""
    return _through_jpeg(images, COARSE)


def _through_jpeg(images: Images, quality: int) -> Images:
    colour = images[..., :3] if images.shape[-1] >= 3 else images[..., :1]
    copies = images.copy()
    for image, flat in zip(copies, colour, strict=True):
        buffer = io.BytesIO()
        mode = _MODES[flat.shape[-1]]
        Image.fromarray(flat[..., 0] if mode == "L" else flat, mode=mode).save(buffer, "JPEG", quality=quality)
        pixels = np.asarray(Image.open(buffer)).reshape(flat.shape)
        image[..., : flat.shape[-1]] = pixels
    return copies


def relit(images: Images, rng: Drawing) -> Images:
    """Contrast times .9 to 1.1 and brightness plus -10 to 10 levels; transparency stays."""
    shape = (len(images), 1, 1, 1)
    colours = images[..., : _colours(images)]
    return _levels((colours - 127.5) * rng.uniform(0.9, 1.1, shape) + 127.5 + rng.uniform(-10, 10, shape), images)


def brighter(images: Images, rng: Drawing) -> Images:
    """Levels times BRIGHTER; transparency stays."""
    colours = _colours(images)
    return _levels(images[..., :colours] * BRIGHTER, images)


def blurred(images: Images, rng: Drawing) -> Images:
    """Gaussian blur of SIGMA pixels; transparency stays."""
    colours = images[..., : _colours(images)].astype(np.float64)
    return _levels(ndimage.gaussian_filter(colours, (0, SIGMA, SIGMA, 0), mode="nearest"), images)


def noisy(images: Images, rng: Drawing) -> Images:
    """Normal noise of GRAIN levels; transparency stays."""
    colours = images[..., : _colours(images)]
    return _levels(colours + rng.normal(0, GRAIN, colours.shape), images)


def cropped(images: Images, rng: Drawing) -> Images:
    """The central CROPPED of each side, enlarged to the whole."""
    height, width = images.shape[1:3]
    cut = (1 - CROPPED) / 2
    box = (cut * width, cut * height, (1 - cut) * width, (1 - cut) * height)
    planes = images.transpose(0, 3, 1, 2).reshape(-1, height, width)
    enlarged = [Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC, box=box) for plane in planes]
    whole = np.stack([np.asarray(plane) for plane in enlarged]).reshape(len(images), -1, height, width)
    return np.ascontiguousarray(whole.transpose(0, 2, 3, 1))


def _colours(images: Images) -> int:
    """How many channels are colours, not transparency."""
    return 3 if images.shape[-1] >= 3 else 1


def _levels(values: NDArray[np.floating[Any]], images: Images) -> Images:
    """Colours in levels, rounded, with the transparency of the images."""
    return np.concatenate([values.round().clip(0, 255).astype(np.uint8), images[..., values.shape[-1] :]], axis=-1)


Copying = Callable[[Images, Drawing], Images]
UNDONE: Mapping[str, Copying] = {  # what the search undoes, or hardly sees
    "exact": exact,
    "mirrored": mirrored,
    "shifted": shifted,
    "recompressed": recompressed,
    "relit": relit,
}
KINDS: Mapping[str, Copying] = {
    **UNDONE,
    "coarsely recompressed": coarse,
    "blurred": blurred,
    "noisy": noisy,
    "brighter": brighter,
    "cropped": cropped,
    "shifted far": shifted_far,
}


def plant(images: Images, kind: str, *, seed: int) -> Images:
    """Copies uint8 [N, H, W, C] of images of that shape, made by one of KINDS; the same seed makes the same ones.

    Raises UnknownNameError for another kind.
    """
    if kind not in KINDS:
        raise UnknownNameError(unknown("kind of copy", kind, KINDS))
    return KINDS[kind](images, np.random.default_rng(mix(seed, "copies", kind)))
