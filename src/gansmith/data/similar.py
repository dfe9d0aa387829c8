"""Near-duplicate detection: bursts of photographs, re-compressed or resized copies, small crops, other brightness.

Each image becomes its 64 lowest frequencies of a 32 x 32 grey reduction (its brightness, the zeroth, left out): the
numbers whose signs are the well-known perceptual hash (Zauner 2010, "Implementation and Benchmarking of Perceptual
Image Hash Functions", section 3.2.1). Two choices differ here:

- The numbers are compared, not their signs, after the set's own mean and spread of each frequency were taken out. In
  a set of aligned objects (digits, shirts) all images of a class share their coarse shape and most of their signs;
  what is left is what tells one image from another.
- How close is a copy depends on how close strangers are: the radius is a share of the typical distance to the nearest
  neighbour, within limits. It shrinks in dense sets, so that a class is not chained into one group.

The distance is 1 - cosine, in [0, 2]. All pairs are compared by blocks of matrix products, which is exact: sixty
thousand images take seconds, a million the better part of an hour, in bounded memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gansmith.data.dataset import Dataset
from gansmith.data.subsets import evenly_spaced
from gansmith.system.progress import bar

Floats = NDArray[np.float32]

_SIDE = 32
_THUMBNAIL = 8
_ORDER = sorted((u * u + v * v, u, v) for u in range(_SIDE) for v in range(_SIDE))[1:65]
_ROWS = np.array([u for _, u, _ in _ORDER])
_COLUMNS = np.array([v for _, _, v in _ORDER])
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601

_LOOSE = 0.06  # the largest radius: 95 % of crops by 5 % lie within it in sets of photographs
_TIGHT = 0.012  # the smallest: 95 % of re-compressions and resizes, in all sets tried
_SHARE = 0.25  # of the median distance to the nearest neighbour
_COLOUR = 64.0  # root mean square over an 8 x 8 RGB thumbnail: skin tones pass, a red and a blue square do not
_MARGIN = 0.02  # of each side: compared with the middle of the other, crops of 2 to 6 % come close
_NOISE = 10.0  # of one frequency, in grey levels: compression, rounding, resampling
_PRIOR = 50  # images that the assumed spectrum counts for
_BLOCK = 2048
_PROBES = 512


@dataclass(frozen=True)
class Signatures:
    """frequencies float32 [N, 64], zoomed: likewise, of the middle 96 % of each side, thumbnails uint8 [N, 8, 8, 3],
    contents: 16 bytes each, equal for equal pixels."""

    frequencies: Floats
    zoomed: Floats
    thumbnails: NDArray[np.uint8]
    contents: NDArray[np.void]

    def __len__(self) -> int:
        return len(self.frequencies)


def signatures_of_images(images: NDArray[np.uint8]) -> Signatures:
    """Images uint8 [N, H, W, C], C in (1, 2, 3, 4), of any one size. What lies under full transparency counts."""
    colour = images[..., :3] if images.shape[-1] >= 3 else images[..., :1]
    pixels = colour.astype(np.float32)
    grey = pixels @ _GREY if pixels.shape[-1] == 3 else pixels[..., 0]
    if images.shape[-1] in (2, 4):  # the outline of a sticker is in its transparency
        grey = grey * (images[..., -1].astype(np.float32) / 255)
    height, width = grey.shape[1:]
    spectra = []
    for margin in (0.0, _MARGIN):
        small = _reduction(height, _SIDE, margin) @ grey @ _reduction(width, _SIDE, margin).T
        spectra.append(dctn(small, axes=(1, 2), norm="ortho")[:, _ROWS, _COLUMNS].astype(np.float32))
    tiny = _reduction(height, _THUMBNAIL) @ pixels.transpose(0, 3, 1, 2) @ _reduction(width, _THUMBNAIL).T
    thumbnails = np.broadcast_to(tiny.transpose(0, 2, 3, 1).round(), (len(images), _THUMBNAIL, _THUMBNAIL, 3))
    contents = b"".join(_content(image) for image in images)
    return Signatures(spectra[0], spectra[1], thumbnails.astype(np.uint8), np.frombuffer(contents, dtype="V16"))


def signatures_of_dataset(dataset: Dataset) -> Signatures:
    """The signatures of a dataset of ImageItems of one shape, block by block under a progress bar."""
    parts: list[Signatures] = []
    with bar("looking for near-duplicates", len(dataset)) as advance:
        for start in range(0, len(dataset), 256):
            indices = np.arange(start, min(start + 256, len(dataset)))
            parts.append(signatures_of_images(dataset[indices].image))
            advance(len(indices))
    return join(parts)


def join(parts: list[Signatures]) -> Signatures:
    """The signatures of several blocks, in order."""
    return Signatures(
        np.concatenate([part.frequencies for part in parts]),
        np.concatenate([part.zoomed for part in parts]),
        np.concatenate([part.thumbnails for part in parts]),
        np.concatenate([part.contents for part in parts]),
    )


def groups(signatures: Signatures, *, radius: float | None = None, flips: bool = False) -> NDArray[np.int64]:
    """The group of each image, int64 [N]: equal numbers are near-duplicates, or joined by a chain of them.

    Groups are numbered by their first image. `radius`: None measures it (`recommended_radius`). `flips` also joins
    an image with mirror images. Equal pixels are joined whatever the radius.
    """
    count = len(signatures)
    _, same = np.unique(signatures.contents, return_inverse=True)
    firsts = np.zeros(same.max(initial=-1) + 1, dtype=np.int64)
    firsts[same[::-1]] = np.arange(count)[::-1]
    group = firsts[same]
    for one, other in pairs(signatures, radius=radius, flips=flips):  # merged as they come: there may be very many
        label = connected_components(coo_array((np.ones(len(one), bool), (group[one], group[other])), (count,) * 2))[1]
        first = np.zeros(count, dtype=np.int64)
        first[label[::-1]] = np.arange(count)[::-1]
        group = first[label[group]]
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def pairs(
    signatures: Signatures, *, radius: float | None = None, flips: bool = False
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Blocks of pairs (i, j), i < j, that lie within `radius` and whose colours agree.

    Every such pair is yielded, perhaps more than once."""
    centred = _standardise(signatures.frequencies, signatures.frequencies)
    limit = np.float32(1 - (recommended_radius(signatures) if radius is None else radius))
    views = [(centred, signatures.thumbnails, False)]  # as they are: the same both ways; cropped: compared both ways
    views.append((_standardise(signatures.zoomed, signatures.frequencies), signatures.thumbnails, True))
    if flips:
        sign = np.where(_COLUMNS % 2, -1, 1).astype(np.float32)  # the odd frequencies of a mirrored image
        thumbnails = signatures.thumbnails[:, :, ::-1]
        views.append((_standardise(signatures.frequencies * sign, signatures.frequencies), thumbnails, True))
        views.append((_standardise(signatures.zoomed * sign, signatures.frequencies), thumbnails, True))
    for start in range(0, len(signatures), _BLOCK):
        for vectors, thumbnails, both_ways in views:
            for other in range(0 if both_ways else start, len(signatures), _BLOCK):
                near = centred[start : start + _BLOCK] @ vectors[other : other + _BLOCK].T >= limit
                if not near.any():
                    continue
                one, two = np.nonzero(near)
                one, two = one + start, two + other
                wanted = one != two if both_ways else one < two
                one, two = one[wanted], two[wanted]
                alike = _colour_distance(signatures.thumbnails, thumbnails, one, two) <= _COLOUR
                if alike.any():
                    yield np.minimum(one, two)[alike], np.maximum(one, two)[alike]


def recommended_radius(signatures: Signatures) -> float:
    """A quarter of the median distance to the nearest neighbour that is no plain copy, within [0.012, 0.06]."""
    centred = _standardise(signatures.frequencies, signatures.frequencies)
    probes = evenly_spaced(len(signatures), _PROBES)
    nearest = np.full(len(probes), np.float32(2))
    for start in range(0, len(signatures), _BLOCK):
        distance = 1 - centred[probes] @ centred[start : start + _BLOCK].T
        distance[distance <= _TIGHT] = 2  # itself and its copies say nothing about strangers
        nearest = np.minimum(nearest, distance.min(axis=1))
    return float(np.clip(_SHARE * np.median(nearest), _TIGHT, _LOOSE)) if len(signatures) else _TIGHT


def _standardise(frequencies: Floats, over: Floats) -> Floats:
    """Unit vectors: each frequency in units of its spread over the set, its mean taken out.

    Mean and spread are drawn towards those assumed of any image (mean 0, power falling with the square of the
    frequency), as if 50 such images were in the set: two images alone would otherwise be opposites.
    """
    count = len(over)
    if not count:
        return frequencies
    assumed = 1 / np.array([square for square, _, _ in _ORDER], dtype=np.float64)
    assumed *= np.square(over, dtype=np.float64).sum(axis=1).mean() / assumed.sum()
    mean = over.mean(axis=0, dtype=np.float64) * count / (count + _PRIOR)
    power = (np.square(over - mean).sum(axis=0, dtype=np.float64) + _PRIOR * assumed) / (count + _PRIOR)
    vectors = (frequencies - mean) / np.sqrt(power + _NOISE**2)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = (vectors / np.maximum(lengths, 1e-6)).astype(np.float32)
    return unit


def _colour_distance(
    left: NDArray[np.uint8], right: NDArray[np.uint8], one: NDArray[np.int64], two: NDArray[np.int64]
) -> NDArray[np.float64]:
    distance = np.empty(len(one))
    for start in range(0, len(one), 1 << 16):
        span = slice(start, start + (1 << 16))
        difference = left[one[span]].astype(np.float32) - right[two[span]]
        distance[span] = np.sqrt(np.square(difference).mean(axis=(1, 2, 3)))
    return distance


def _reduction(pixels: int, to: int, margin: float = 0.0) -> Floats:
    """The matrix [to, pixels] that averages over boxes, exact for every ratio; `margin` is the share left out at each
    end."""
    edges = np.linspace(margin * pixels, (1 - margin) * pixels, to + 1)
    lower, upper = edges[:-1, None], edges[1:, None]
    pixel = np.arange(pixels)
    overlap = np.minimum(upper, pixel + 1) - np.maximum(lower, pixel)
    weights: Floats = (np.clip(overlap, 0, None) / (upper - lower)).astype(np.float32)
    return weights


def _content(image: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
