"""One pass over every image of a set: what each is, for the report of a check."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.data import similar
from gansmith.data.decode import conform, decode, open_image
from gansmith.data.encoded import Encoded
from gansmith.data.kinds import HEAD, OF_SUFFIX, kind_of, suffix_of
from gansmith.data.recommend import is_grey
from gansmith.data.source import Source
from gansmith.data.unreadable import reason
from gansmith.errors import UnreadableImageError
from gansmith.system.progress import bar

MODES = {1: "grey", 2: "grey + alpha", 3: "RGB", 4: "RGBA"}
_BLOCK = 256  # images whose signatures are computed at once
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF", "TIFF")  # a JPEG's further images are previews and depths, of telephones


@dataclass
class Inspected:
    """The images that can be read, in order; names of those that are special in some way; the others with the reason.

    keys         names;  sizes  (height, width);  positions  in the source, int
    modes        number of images of each mode;  grey  whether red, green and blue are equal
    contents     16 bytes each, equal for equal pixels;  signatures  of near-duplicates, None without any image
    transparent  names of images of which some pixel is not opaque
    animated     names of files of several frames
    kinds        name -> kind, of files that are of another than their name says
    """

    keys: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    modes: Counter[str] = field(default_factory=Counter)
    grey: list[bool] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    signatures: similar.Signatures | None = None
    transparent: list[str] = field(default_factory=list)
    animated: list[str] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


def inspect_images(source: Source, background: tuple[int, int, int]) -> Inspected:
    """Decode every image of `source` once, at its own size."""
    seen = Inspected()
    parts: list[similar.Signatures] = []
    small: list[NDArray[np.uint8]] = []
    with bar("checking", len(source)) as advance:
        for index, key in enumerate(source.keys):
            try:
                image = _image(source, index, key, seen)
            except (UnreadableImageError, OSError) as error:
                seen.unreadable[key] = reason(error)
            else:
                seen.keys.append(key)
                seen.positions.append(index)
                _note(image, key, seen, background)
                small.append(conform(image, size=(64, 64), channels=3, fit="stretch", background=background))
            if small and (len(small) == _BLOCK or index == len(source) - 1):
                parts.append(similar.signatures_of_images(np.stack(small)))
                small.clear()
            advance()
    seen.signatures = similar.join(parts) if parts else None
    return seen


def _image(source: Source, index: int, key: str, seen: Inspected) -> NDArray[Any]:
    """The image; of a file also what kind it is, and whether it has several frames."""
    if not isinstance(source, Encoded):
        return source.one(index).image
    data = source.reader.read(index)
    image = decode(data, source.reader.where(index))
    kind = kind_of(data[:HEAD])
    if kind is not None and OF_SUFFIX.get(suffix_of(key), kind) != kind:
        seen.kinds[key] = kind
    if kind in _ANIMATED:
        with suppress(Exception), open_image(data) as opened:  # it was decoded: what is behind the first frame is extra
            if getattr(opened, "is_animated", False):
                seen.animated.append(key)
    return image


def _note(image: NDArray[Any], key: str, seen: Inspected, background: tuple[int, int, int]) -> None:
    seen.sizes.append((image.shape[0], image.shape[1]))
    seen.modes[MODES[image.shape[2]]] += 1
    seen.grey.append(is_grey(image, background))
    seen.contents.append(hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16).digest())
    if image.shape[2] in (2, 4) and bool((image[..., -1] < 255).any()):
        seen.transparent.append(key)
