"""What a set of images says of the files in it that are not read."""

from __future__ import annotations

from collections import Counter

from gansmith.data.encoded import Ignored
from gansmith.data.kinds import IMAGES, OF_SUFFIX, kind_of, missing, suffix_of
from gansmith.data.listing import known_suffixes
from gansmith.errors import DataError
from gansmith.system.text import printable

_LOOKED_AT = 200  # files whose first bytes are read
_SUFFIXES = 6  # of them in a line
# Suffixes of images that are not read: worth a word before training, unlike notes and tables
_RAW = (".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf")  # of cameras
_OTHER = (".svg", ".jp2", ".jxl", ".psd", ".eps", ".ico", ".tga", ".exr", ".hdr", ".ppm", ".pgm")
_PICTURES = frozenset((*OF_SUFFIX, *_RAW, *_OTHER))


def counted(ignored: Ignored) -> dict[str, int]:
    """Suffix -> number of files that are not read, the most frequent first; "no suffix" for those without."""
    return dict(Counter(suffix_of(name) or "no suffix" for name in ignored.names).most_common())


def disguised(ignored: Ignored) -> dict[str, str]:
    """Name -> kind of images whose names do not say that they are, of the first 200 files that are not read."""
    names = [name for name in ignored.names if suffix_of(name) not in _PICTURES][:_LOOKED_AT]
    kinds = {name: kind_of(head) for name, head in ignored.heads(names).items()} if names else {}
    return {name: kind for name, kind in kinds.items() if kind in IMAGES}


def listed(counts: dict[str, int]) -> str:
    """`3 .heic, 1 .txt`, the most frequent first."""
    first = [f"{count:,} {printable(suffix)}" for suffix, count in list(counts.items())[:_SUFFIXES]]
    more = sum(list(counts.values())[_SUFFIXES:])
    return ", ".join([*first, *([f"{more:,} more"] if more else [])])


def about(ignored: Ignored) -> tuple[str, ...]:
    """A note on images that are not read; none where all other files are tables, texts and the like."""
    pictures = {suffix: count for suffix, count in counted(ignored).items() if suffix in _PICTURES}
    if not pictures:
        return ()
    return ("; ".join([f"ignored: {listed(pictures)}", *ways_out(ignored)]),)


def nothing_to_read(place: object, ignored: Ignored) -> DataError:
    """The error of a set without an image that can be read."""
    there = f" It holds {listed(counted(ignored))}." if ignored.names else ""
    hidden = disguised(ignored)
    renamed = [f"{printable(name)} is {kind}: give it the suffix {_usual(kind)}" for name, kind in hidden.items()]
    more = [*ways_out(ignored), *renamed[:1]]
    return DataError(
        f"no images in {printable(place)}: files that end in {known_suffixes()} are read, in subfolders too."
        f"{there}{' ' if more else ''}{'; '.join(more)}"
    )


def ways_out(ignored: Ignored) -> list[str]:
    """What would read those of these files that are images, by kind."""
    kinds = {OF_SUFFIX[suffix] for suffix in counted(ignored) if suffix in OF_SUFFIX}
    return [text for kind in sorted(kinds) if (text := missing(kind)) is not None]


def _usual(kind: str) -> str:
    return next(suffix for suffix, of in OF_SUFFIX.items() if of == kind)
