"""Mirror images: whether a set's images could as well be mirrored left to right, so that training may mirror them.

An image x has an odd part (x - mirror(x)) / 2, which changes its sign in the mirror; so has its power spectrum, which
knows slants wherever in the image they lie. A classifier of images against their mirror images is an odd function of
such a part: kernel ridge regression (Saunders, Gammerman, Vovk 1998, "Ridge Regression Learning Algorithm in Dual
Variables") with the kernel k(a, b) - k(a, -b), k Gaussian, of parts of unit length. Each image is judged by the others,
in closed form (Allen 1974: the residual over one minus the leverage). Digits, and shoes that all point one way, are
told from their mirror images; animals and cars are not.

A set of many kinds is judged as a whole. Of Twemoji a third are their own mirror images; objects, food, symbols and
places cannot be told (.45 to .55), flags, animals and faces can (.64 to .66), people better (.75). Of 400 of them
together .54 are told on average of eight draws, .61 at most, and so most draws mirror them. To leave the symmetric ones
out (.55), to ask all 1,606 (.60) or to count the surest quarter alone (.57 to .76; of frogs and trucks up to .69) does
not part them from photographs.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from gansmith.data.decode import conform
from gansmith.data.source import Source
from gansmith.errors import DataError, UnreadableImageError
from gansmith.system.seeding import mix

MOST = 400  # images of a source that are asked
SURE = 0.6  # share that is told rightly: above, mirrored images are others
_SIDE = 16  # pixels that an image is reduced to
_PENALTY = 0.1  # of the ridge, in units of the mean eigenvalue
_FEWEST = 2
_ROUNDING = 1e-6  # length of an odd part that is none
_NOISE = 1e-2  # power below which a frequency does not count: that of a level's rounding


def told_from_mirror_images(images: NDArray[np.uint8]) -> float:
    """uint8 [N, H, W, C] -> the share that a classifier tells from their mirror images, each by the others: 1/2 where
    both are alike, 1 where each can be told. Raises DataError for fewer than two images.

    >>> told_from_mirror_images(np.random.default_rng(0).integers(0, 256, (100, 16, 16, 1), np.uint8)) < 0.7
    True
    """
    if len(images) < _FEWEST:
        raise DataError(f"{len(images)} images cannot say whether mirrored ones are alike: at least {_FEWEST}")
    small = _reduced(images)
    spectra = np.log(np.square(np.abs(np.fft.fft2(small - small.mean((1, 2), keepdims=True), axes=(1, 2)))) + _NOISE)
    turned = np.roll(spectra[:, :, ::-1], 1, axis=2)  # frequency -f instead of f: the spectrum of the mirror image
    return max(_told(small - small[:, :, ::-1]), _told(spectra - turned))


def _told(odd: NDArray[np.float64]) -> float:
    """Odd parts [N, ...] -> the share whose sign is told by the others; half of those count that are no longer
    than rounding."""
    odd = odd.reshape(len(odd), -1)
    lengths = np.linalg.norm(odd, axis=1, keepdims=True)
    odd = np.where(lengths > _ROUNDING, odd / np.maximum(lengths, _ROUNDING), 0.0)
    cosine = odd @ odd.T
    values, vectors = np.linalg.eigh(np.exp(2 * cosine - 2) - np.exp(-2 * cosine - 2))  # exp(-|a -+ b|^2)
    values = np.maximum(values, 0.0)
    if values.max() < 1e-9:  # all are their own mirror images
        return 0.5
    kept = values / (values + _PENALTY * values.mean())
    leverage = np.square(vectors) @ kept
    said = (vectors @ (kept * vectors.sum(axis=0)) - leverage) / np.maximum(1 - leverage, 1e-9)
    return float(np.where(lengths[:, 0] > _ROUNDING, said > 0, 0.5).mean())


def mirrored_alike(images: NDArray[np.uint8]) -> bool:
    """uint8 [N, H, W, C] -> whether mirrored images are surely of the same kind: the share that is told from its mirror
    image, with its standard error, is at most SURE. Few images are hardly ever sure: 400 allow .575, 100 .55, 25 .50.

    >>> mirrored_alike(np.random.default_rng(0).integers(0, 256, (400, 16, 16, 1), np.uint8))
    True
    """
    told = told_from_mirror_images(images)
    return told + float(np.sqrt(0.25 / len(images))) <= SURE


def source_mirrors_alike(source: Source, background: tuple[int, int, int] = (255, 255, 255)) -> bool:
    """`mirrored_alike` for a random choice of MOST images of a source, the same each time, as squares; those that
    cannot be read are passed over."""
    order = np.random.default_rng(mix(0, "mirror")).permutation(len(source))[:MOST]
    squares = []
    for index in order.tolist():
        with suppress(UnreadableImageError, OSError):
            image = source.one(index).image
            squares.append(conform(image, size=(2 * _SIDE, 2 * _SIDE), channels=3, background=background))
    return len(squares) >= _FEWEST and mirrored_alike(np.stack(squares))


def _reduced(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Means of blocks: _SIDE x _SIDE a channel; a pixel on an edge counts to both sides by its share."""
    rows, columns = (_blocks(side) for side in images.shape[1:3])
    means: NDArray[np.float64] = np.einsum("ph,nhwc,qw->npqc", rows, images / 127.5 - 1, columns, optimize=True)
    return means


def _blocks(side: int) -> NDArray[np.float64]:
    """[_SIDE, side]: each row the mean over a block of neighbours; the rows mirrored are those of the mirror image."""
    edges = np.linspace(0, side, _SIDE + 1)
    starts, ends = np.arange(side), np.arange(1, side + 1)
    overlap = np.minimum(ends, edges[1:, None]) - np.maximum(starts, edges[:-1, None])
    shares = np.maximum(overlap, 0.0)
    blocks: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return blocks
