"""Copies of training images, made on purpose: they show what a search for copies would have noticed.

A copy may be mirrored, moved by a pixel or two, re-compressed, a little lighter or flatter, and still be a copy.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from gansmith.errors import UnknownNameError, unknown
from gansmith.evaluation.copy_search import margin
from gansmith.evaluation.types import Images
from gansmith.system.seeding import mix

Drawing = np.random.Generator
QUALITY = 75  # of a re-compressed copy: Pillow's own default
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
    offsets = [(y, x) for y in range(2 * cut + 1) for x in range(2 * cut + 1) if (y, x) != (cut, cut)]
    height, width = images.shape[1:3]
    wide = np.pad(images, ((0, 0), (cut, cut), (cut, cut), (0, 0)), mode="edge")
    drawn = [offsets[index] for index in rng.integers(0, len(offsets), len(images))] if offsets else []
    moved = [image[y : y + height, x : x + width] for image, (y, x) in zip(wide, drawn, strict=False)]
    return np.stack(moved) if moved else images.copy()


def recompressed(images: Images, rng: Drawing) -> Images:
    """Through JPEG at quality QUALITY; transparency, which JPEG does not know, stays."""
    colour = images[..., :3] if images.shape[-1] >= 3 else images[..., :1]
    copies = images.copy()
    for image, flat in zip(copies, colour, strict=True):
        buffer = io.BytesIO()
        mode = _MODES[flat.shape[-1]]
        Image.fromarray(flat[..., 0] if mode == "L" else flat, mode=mode).save(buffer, "JPEG", quality=QUALITY)
        pixels = np.asarray(Image.open(buffer)).reshape(flat.shape)
        image[..., : flat.shape[-1]] = pixels
    return copies


def relit(images: Images, rng: Drawing) -> Images:
    """Contrast times .9 to 1.1 and brightness plus -10 to 10 levels; transparency stays."""
    shape = (len(images), 1, 1, 1)
    colours = 3 if images.shape[-1] >= 3 else 1
    levels = (images[..., :colours] - 127.5) * rng.uniform(0.9, 1.1, shape) + 127.5 + rng.uniform(-10, 10, shape)
    return np.concatenate([levels.round().clip(0, 255).astype(np.uint8), images[..., colours:]], axis=-1)


KINDS: Mapping[str, Callable[[Images, Drawing], Images]] = {
    "exact": exact,
    "mirrored": mirrored,
    "shifted": shifted,
    "recompressed": recompressed,
    "relit": relit,
}


def plant(images: Images, kind: str, *, seed: int) -> Images:
    """Copies uint8 [N, H, W, C] of images of that shape, made by one of KINDS; the same seed makes the same ones.

    Raises UnknownNameError for another kind.
    """
    if kind not in KINDS:
        raise UnknownNameError(unknown("kind of copy", kind, KINDS))
    return KINDS[kind](images, np.random.default_rng(mix(seed, "copies", kind)))
