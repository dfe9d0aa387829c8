"""Samples of another number of channels, size or colourfulness than the real images: said first, and put right.

Quality, diversity and metrics are then judged at the data's own channels and size, because what the samples lack is
what a person sees first. Copies, collapse and artifacts are questions of pixels, and are answered at the samples' own:
a grey copy of a colour photograph is a copy.

A run's size is its owner's choice, named in the protocol, and no mismatch: photographs are nearly always larger than
what is trained. Files are brought to the data's size where all real images are of one size, of the samples' shape and
at most FACTOR times as large or as small; else everything is judged at the samples' size, and the first line says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from gansmith.data.open import open_one
from gansmith.data.recommend import is_grey
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.subsets import random_subset
from gansmith.errors import GansmithError, UnreadableImageError
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Images, Side
from gansmith.judge.image_sets import Subject
from gansmith.judge.reference_images import RealImages, reals_of, settings_of
from gansmith.system.seeding import mix

Shape = tuple[int, int, int]  # height, width, channels

FACTOR = 4  # between two sizes, at most: a sample of 16 pixels says nothing at 512
ASPECT = 1.02  # between two shapes, at most: rounding
PEEKED = 200  # real images that are looked at as they are in their files
COLOURFUL = 4.0  # levels between the strongest and the weakest channel, on average over an image: less is grey
GREYER = 0.2  # of the images: a difference in how many are grey that is said


@dataclass(frozen=True)
class Mismatch:
    """lines: what differs, for the top of the report;  shape: at which quality is judged, None for the samples' own."""

    lines: tuple[str, ...] = ()
    shape: Shape | None = None


def reals_at_their_shape(subject: Subject, *, against: str | None, resized: bool, **options: Any) -> RealImages:
    """`reals_of` at the shape that quality is judged at; with what is said of it, and the same at the samples' own
    shape where that is another. resized: a size was asked for."""
    mismatch = mismatch_of(subject, against=against, resized=resized)
    if mismatch.shape is None:
        return replace(reals_of(subject, against=against, **options), above=mismatch.lines)
    own, reals = (
        reals_of(one, against=against, resized=True, **options)
        for one in (subject, replace(subject, shape=mismatch.shape))
    )
    return replace(reals, notes=own.notes, above=mismatch.lines, shape=mismatch.shape, as_made=own)


def mismatch_of(subject: Subject, *, against: str | None, resized: bool) -> Mismatch:
    """Where the subject's images are of other channels than the real ones, or files of another size. resized: a size
    was asked for."""
    height, width, channels = subject.shape
    lines, shape = [], subject.shape
    own, coloured = _own_shape(settings_of(subject, against)[0])
    if channels == 1 and coloured:
        shape = (height, width, 3)
        way = " Train in colour: --channels 3." if subject.run is not None else ""
        lines.append(
            "The samples are grey, and the real images have colours. Quality and diversity were judged in colour, "
            f"copies, collapse and artifacts in grey.{way}"
        )
    if own is not None and own != (height, width) and subject.run is None and not resized:
        sizes = f"The samples are {height}x{width} pixels, and the real images {own[0]}x{own[1]}."
        if _within_reason((height, width), own):
            shape = (*own, shape[2])
            lines.append(
                f"{sizes} Quality and diversity were judged at the size of the real images, copies, collapse and "
                f"artifacts at that of the samples."
            )
        else:
            lines.append(f"{sizes} All was judged at the size of the samples: what they lack in size is not counted.")
    return Mismatch(tuple(lines), None if shape == subject.shape else shape)


def fitted(images: Images, shape: Shape | None) -> Images:
    """Images uint8 [N, H, W, C] brought to `shape`: grey becomes three equal channels, sizes change bicubically.

    >>> fitted(np.full((2, 4, 4, 1), 7, np.uint8), (8, 8, 3)).shape
    (2, 8, 8, 3)
    """
    if shape is None:
        return images
    if images.shape[3] == 1 and shape[2] == 3:
        images = images.repeat(3, axis=3)
    if images.shape[1:3] == shape[:2]:
        return images
    result = np.empty((len(images), *shape[:2], images.shape[3]), np.uint8)
    for to, one in zip(result, images, strict=True):
        plain = Image.fromarray(one[..., 0] if one.shape[2] == 1 else one)
        resized = np.asarray(plain.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))
        to[...] = resized.reshape(to.shape)
    return result


def greyness(real: Images, samples: Sequence[Images]) -> tuple[str, ...]:
    """The line on samples that are grey where the real images have colours, or the reverse; all in three channels or
    four."""
    if real.shape[3] < 3 or any(images.shape[3] < 3 for images in samples):
        return ()
    made, own = _grey_share(np.concatenate(samples)), _grey_share(real)
    if abs(made - own) <= GREYER:
        return ()
    return (
        f"{100 * made:.0f} of 100 samples are grey, though stored in colour; of the real images {100 * own:.0f} of 100."
        if made > own
        else f"{100 * (1 - made):.0f} of 100 samples have colours; of the real images {100 * (1 - own):.0f} of 100.",
    )


def with_as_made(evidence: Evidence, reals: RealImages, samples: Sequence[Images], base: Protocol) -> Evidence:
    """The evidence with `as_made`: the images at the samples' own shape, in the same order, with the same features."""

    def own(side: Side, images: Images) -> Side:
        features = side.features if len(images) == len(side) else None
        return replace(side, images=images, features=features)

    held_out = evidence.holdout
    as_made = replace(
        evidence,
        train=own(evidence.train, reals.train[0]),
        holdout=held_out if held_out is None or reals.holdout is None else own(held_out, reals.holdout[0]),
        fakes=tuple(own(side, images) for side, images in zip(evidence.fakes, samples, strict=True)),
        base=base,
    )
    return replace(evidence, as_made=as_made)


def _own_shape(settings: DataSettings) -> tuple[tuple[int, int] | None, bool]:
    """The one size (height, width) of the real images as they are, None where there are several; and whether some have
    colours. By PEEKED of them."""
    sizes: Counter[tuple[int, int]] = Counter()
    coloured = False
    with suppress(GansmithError):  # whoever reads the images says what is wrong
        source: Source = open_one(settings).sources[0]
        for index in random_subset(len(source), PEEKED, np.random.default_rng(mix("shapes of real images"))):
            with suppress(UnreadableImageError):
                image = source.one(int(index)).image
                sizes[image.shape[0], image.shape[1]] += 1
                coloured |= not is_grey(image)
    return (next(iter(sizes)) if len(sizes) == 1 else None), coloured


def _within_reason(one: tuple[int, int], other: tuple[int, int]) -> bool:
    factors = [b / a for a, b in zip(one, other, strict=True)]
    alike = max(factors) / min(factors) <= ASPECT
    return alike and min(factors) >= 1 / FACTOR and max(factors) <= FACTOR


def _grey_share(images: Images) -> float:
    colours = images[..., :3].astype(np.int16)
    spread = (colours.max(axis=3) - colours.min(axis=3)).mean(axis=(1, 2))
    return float((spread < COLOURFUL).mean())
