"""Notes of a check: what becomes of images that are special in some way, and what classes are hard to learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gansmith.data.check_images import Inspected
from gansmith.data.encoded import Encoded
from gansmith.data.ignored_files import about, disguised, ways_out
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.stages.result import FEW
from gansmith.system.text import printable

_NAMED = 3  # names in a note
_ENLARGED = 2.0  # from here on an enlarged image is blurred to the eye
_KEPT = 0.5  # of an image's area, when it is cropped to another aspect
_FEW_OF_A_CLASS = 20  # images
_MANY_CLASSES = 20


def notes(source: Source, seen: Inspected, settings: DataSettings) -> Iterator[str]:
    """Notes for the user; `settings` with size and channels resolved."""
    yield from notes_of_source(source)
    if settings.channels != 4 and seen.transparent:
        yield (
            f"{_some(seen.transparent)} transparent parts, which show the background "
            f"{','.join(map(str, settings.background))} (data.background): --channels 4 keeps the transparency"
        )
    if settings.size is not None:
        yield from _about_sizes(seen, settings.size, settings.fit)
    if seen.animated:
        yield f"{_some(seen.animated)} several frames: the first is read"
    if seen.kinds:
        key, kind = next(iter(seen.kinds.items()))
        yield f"{_some(list(seen.kinds))} another kind than the name says ({printable(key)} is {kind}): read by content"
    if 0 < len(seen.keys) < FEW:
        yield f"fewer than {FEW} images: a network memorises so few"


def notes_of_source(source: Source) -> Iterator[str]:
    """What the source says of itself; of files that are not read what would read them, as the report counts them."""
    ignored = source.ignored if isinstance(source, Encoded) else None
    yield from (note for note in source.notes if ignored is None or note not in about(ignored))
    if ignored is not None:
        yield from ways_out(ignored)
        if hidden := disguised(ignored):
            key, kind = next(iter(hidden.items()))
            yield (
                f"ignored although {'it is an image' if len(hidden) == 1 else f'{len(hidden):,} are images'} by "
                f"content ({printable(key)} is {kind}): give a name that ends in .{kind.lower()}"
            )


def notes_of_classes(
    amounts: Mapping[str, int], identical: Sequence[Sequence[str]], of: Mapping[str, str]
) -> list[str]:
    """Notes on classes: name -> number of images; groups of names of identical images; name -> class."""
    lines = []
    counts = np.array(list(amounts.values()))
    single = [name for name, count in amounts.items() if count == 1]
    if single:
        listed = ", ".join(printable(name) for name in single[:_NAMED]) + (" ..." if len(single) > _NAMED else "")
        lines.append(
            f"{len(single):,} class{'es have' if len(single) > 1 else ' has'} one image ({listed}): a network that is "
            f"told classes learns it by heart, and none of the class is left where it is held out"
        )
    if len(counts) >= _MANY_CLASSES and np.median(counts) < _FEW_OF_A_CLASS:
        lines.append(
            f"{len(counts):,} classes, half of them of {int(np.median(counts)):,} images or fewer: too few to learn "
            f"each. If the folders are no kinds of things (persons, scenes, dates), train without classes, as most "
            f"recipes do"
        )
    mixed = [group for group in identical if len({of.get(name) for name in group}) > 1]
    if mixed:
        first = ", ".join(f"{printable(name)} in {printable(of.get(name))}" for name in mixed[0][:_NAMED])
        lines.append(f"{len(mixed):,} image{'s are' if len(mixed) > 1 else ' is'} in several classes: {first}")
    return lines


def _about_sizes(seen: Inspected, size: tuple[int, int], fit: str) -> Iterator[str]:
    height, width = size
    high, wide = np.array(seen.sizes, dtype=np.float64).reshape(-1, 2).T
    aspect = (wide / high) / (width / height)
    kept = np.minimum(aspect, 1 / aspect)  # the share of an image within the largest box of the new aspect
    cut = np.flatnonzero(kept < _KEPT)
    if len(cut) and fit != "stretch":
        worst = int(cut[kept[cut].argmin()])
        lost = "of which more than half is cut off" if fit == "crop" else "which fills less than half of the canvas"
        yield (
            f"{_some([seen.keys[index] for index in cut])} an extreme aspect, {lost} at {height}x{width} "
            f"({printable(seen.keys[worst])} is {int(high[worst])}x{int(wide[worst])}): fit "
            f"{'pad or stretch' if fit == 'crop' else 'crop or stretch'} (--set data.fit=...) does otherwise"
        )
    scale = np.maximum(height / high, width / wide) if fit == "crop" else np.minimum(height / high, width / wide)
    enlarged = np.flatnonzero(scale > _ENLARGED)
    if len(enlarged):
        smallest = int(enlarged[scale[enlarged].argmax()])
        of = f"{int(high[smallest])}x{int(wide[smallest])}"
        yield (
            f"{_some([seen.keys[index] for index in enlarged])} to be enlarged more than {_ENLARGED:g} times, which "
            f"blurs ({printable(seen.keys[smallest])} is {of}): choose a smaller "
            f"--size, or leave {'it' if len(enlarged) == 1 else 'them'} out"
        )


def _some(names: Sequence[str]) -> str:
    """`1 image has`, `4 images have`."""
    return f"{len(names):,} image{' has' if len(names) == 1 else 's have'}"
