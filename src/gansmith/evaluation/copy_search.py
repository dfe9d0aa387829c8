"""Search for copies of training images, and planted copies that show what a test would have noticed.

A copy may be mirrored, moved by a pixel or two, re-compressed, a little lighter or flatter, and still be a copy.
Planting makes such copies of training images. The search undoes what it can: by pixels, a query is compared with every
training image at every shift up to a margin, as it is and mirrored, both cropped by the margin, so that no border has
to be invented. A network's features, where each view costs a pass, are taken of the image as it is and mirrored; such
a network is chosen because its features hardly move under a shift, and planted copies show whether that holds.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from gansmith.errors import DataError, UnknownNameError, unknown
from gansmith.evaluation.extract import extract
from gansmith.evaluation.pairwise_distances import nearest
from gansmith.evaluation.types import Extractor, Images
from gansmith.system.progress import bar
from gansmith.system.seeding import mix

Drawing = np.random.Generator
SHIFT = 2  # pixels, at most, that a copy may be moved by; the search undoes it
QUALITY = 75  # of a re-compressed copy: Pillow's own default
RANK = 5  # the distance to this nearest training image is what the nearest one's is measured by
_EVERY_SHIFT = "pixels"  # the extractor that is cheap enough for every view
_CHUNK = 256  # queries searched for at once: with fifty views each, 80 MB of features
_WAYS = ("", ", mirrored")
_MODES = {1: "L", 3: "RGB"}


class Nearest(NamedTuple):
    """The nearest training image of each of N queries.

    distance  float64 [N]: to the nearest training image, in the extractor's features
    nearness  float64 [N]: the same as a share of the distance to the fifth nearest one: 0 for a copy, towards 1 for an
              image that is no nearer to one training image than to others. Smooth images are near to all of them
    source    int64 [N]: the nearest training image
    scale     float64 [N]: the distance to the fifth nearest one
    """

    distance: NDArray[np.float64]
    nearness: NDArray[np.float64]
    source: NDArray[np.int64]
    scale: NDArray[np.float64]


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


def margin(images: Images) -> int:
    """Pixels that the search cuts from each side, and shifts by: SHIFT, less for images below 8 SHIFT pixels."""
    height, width = images.shape[1:3]
    return min(SHIFT, int(height) // (4 * SHIFT), int(width) // (4 * SHIFT))


def inside(images: Images) -> Images:
    """Images uint8 [N, H, W, C] cropped by the margin."""
    cut = margin(images)
    return images[:, cut : images.shape[1] - cut, cut : images.shape[2] - cut]


def views(images: Images) -> Iterator[Images]:
    """Every shift of uint8 [N, H, W, C] within the margin, as it is and mirrored; the first is `inside(images)`."""
    cut = margin(images)
    height, width = (side - 2 * cut for side in images.shape[1:3])
    offsets = sorted((abs(y - cut) + abs(x - cut), y, x) for y in range(2 * cut + 1) for x in range(2 * cut + 1))
    for whole in (images, images[:, :, ::-1]):
        for _, y, x in offsets:
            yield whole[:, y : y + height, x : x + width]


def search(
    queries: Images, train: Images, extractor: Extractor, *, what: str, own: NDArray[np.int64] | None = None
) -> Nearest:
    """The nearest training images [M, H, W, C] of queries [N, H, W, C], mirrored and moved ones included.

    own: int64 [N], a training image for each query that it must not find (itself). what: whose images, for progress.
    Raises DataError for images of another shape, or fewer than two (others) to compare with.
    """
    if queries.shape[1:] != train.shape[1:]:
        raise DataError(
            f"{what} are of {list(queries.shape[1:])} and the training images of {list(train.shape[1:])} "
            f"(height, width, channels): copies can only be looked for among images of one shape"
        )
    others = len(train) - (own is not None)
    if others < 2:
        raise DataError(
            f"{len(train)} training image(s) are too few to look for copies of: at least {2 + (own is not None)}"
        )
    rank = min(RANK, others)
    every = extractor.name == _EVERY_SHIFT
    base = _features(inside(train) if every else train, extractor, "the training images")
    shifted_views = list(views(queries)) if every else [queries, np.ascontiguousarray(queries[:, :, ::-1])]
    known = (
        [] if every else [_features(v, extractor, f"{what}{way}") for v, way in zip(shifted_views, _WAYS, strict=True)]
    )
    parts = []
    with bar(f"searching for copies: {what}", len(queries)) as advance:
        for start in range(0, len(queries), _CHUNK):
            part = slice(start, start + _CHUNK)
            features = (
                [_features(view[part], extractor, what) for view in shifted_views]
                if every
                else [rows[part] for rows in known]
            )
            count = rank + (own is not None)
            neighbours = nearest(np.concatenate(features), base, count=count, quiet=True, device=extractor.device)
            parts.append(_merged(*neighbours, len(features), rank, None if own is None else own[part]))
            advance(len(queries[part]))
    return Nearest(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _features(images: Images, extractor: Extractor, what: str) -> NDArray[np.float32]:
    if extractor.name != _EVERY_SHIFT:
        return extract(images, extractor, what=what)[0]
    parts = []
    with torch.inference_mode():  # cheaper than to keep, and too many views for a progress bar each
        for start in range(0, len(images), 1024):
            batch = torch.from_numpy(np.ascontiguousarray(images[start : start + 1024].transpose(0, 3, 1, 2)))
            parts.append(extractor.run(batch.to(extractor.device)).features.float().cpu().numpy())
    return np.concatenate(parts)


def _merged(
    distances: NDArray[np.float32],
    indices: NDArray[np.int64],
    view_count: int,
    rank: int,
    own: NDArray[np.int64] | None,
) -> Nearest:
    """[view_count * n, k] of each view -> the nearest of all views, each training image once, at its nearest."""
    count = len(distances) // view_count
    near = distances.reshape(view_count, count, -1).transpose(1, 0, 2).reshape(count, -1).astype(np.float64)
    where = indices.reshape(view_count, count, -1).transpose(1, 0, 2).reshape(count, -1)
    order = np.lexsort((near, where))  # by training image, then by distance
    near, where = np.take_along_axis(near, order, 1), np.take_along_axis(where, order, 1)
    again = np.zeros(near.shape, dtype=bool)
    again[:, 1:] = where[:, 1:] == where[:, :-1]
    near[again if own is None else again | (where == own[:, None])] = np.inf
    order = np.argsort(near, axis=1, kind="stable")[:, :rank]
    first, last = (np.take_along_axis(near, order[:, [place]], 1)[:, 0] for place in (0, rank - 1))
    nearness = np.divide(first, last, out=np.zeros_like(first), where=last > 0)
    return Nearest(first, nearness, np.take_along_axis(where, order[:, :1], 1)[:, 0], last)
