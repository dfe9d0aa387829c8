"""Features by the content of the image, kept in memory: an image that is seen again is not extracted again.

A first look's images are some of those of the whole audit. The features of an image do not depend on which others are
extracted with it (see `extract`), so what is known of it stands for what would be computed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from gansmith.evaluation.types import Features, Images

Pair = tuple[Features, Features | None]  # features [N, D], and class probabilities [N, K] where there are classes


class KnownFeatures:
    """Features of images, by the extractor's own words and a digest of each image.

    >>> images, calls = np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1), []
    >>> compute = lambda some: (calls.append(len(some)) or some.reshape(len(some), -1).astype(np.float32), None)
    >>> known = KnownFeatures()
    >>> known.of(images[1:], "mean", compute)[0].shape, known.of(images, "mean", compute)[0].shape, calls
    ((2, 4), (3, 4), [2, 1])
    """

    def __init__(self) -> None:
        self._rows: dict[bytes, tuple[Features, Features | None]] = {}
        self._remembers = True

    def as_it_is(self) -> KnownFeatures:
        """The same rows, to which none are added: those of a whole audit would fill the memory."""
        other = KnownFeatures()
        other._rows, other._remembers = self._rows, False
        return other

    def of(self, images: Images, extractor: str, compute: Callable[[Images], Pair]) -> Pair:
        """Features of `images` [N, H, W, C] in their order; `compute` is asked for those that are not known yet, each
        once."""
        keys = [self._key(image, extractor) for image in images]
        new = {key: place for place, key in reversed(list(enumerate(keys))) if key not in self._rows}
        fresh: dict[bytes, tuple[Features, Features | None]] = {}
        if new:
            places = sorted(new.values())
            values, classes = compute(images[places])
            fresh = {
                keys[place]: (values[row], None if classes is None else classes[row])
                for row, place in enumerate(places)
            }
        if self._remembers:
            self._rows |= fresh
        rows = [fresh[key] if key in fresh else self._rows[key] for key in keys]
        probabilities = [row[1] for row in rows if row[1] is not None]
        return np.stack([row[0] for row in rows]), np.stack(probabilities) if probabilities else None

    def add(self, images: Images, extractor: str, values: Pair) -> None:
        """Remember what was computed, or read from a file."""
        if not self._remembers:
            return
        features, probabilities = values
        for place, image in enumerate(images):
            own = None if probabilities is None else probabilities[place]
            self._rows[self._key(image, extractor)] = features[place], own

    @staticmethod
    def _key(image: Images, extractor: str) -> bytes:
        head = f"{extractor} {list(image.shape)};".encode()
        return hashlib.blake2b(head + np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
