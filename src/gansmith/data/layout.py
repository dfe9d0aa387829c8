"""What the folders of a set of images mean: the parts to train and to test on, and the classes.

The class of an image is the first folder below the one that all names share. Folders called train, val and test (or
training, valid, validation, testing, in any case) are no classes but parts, of which one is used, and the class is the
folder below: a conditional model must not learn the split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.data.listing import numbered, ordered
from gansmith.errors import DataError
from gansmith.system.text import printable

Split = Literal["train", "val", "test", "all", "none"]
_ORDER = ("train", "val", "test")
PARTS: Mapping[str, str] = {
    **{"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val"},
    **{"test": "test", "testing": "test"},
}
_STRAY = 20  # up to one in so many images may lie beside the parts, and one in any case
_NAMED = 3  # stray names in a message

Labels = tuple[NDArray[np.int64] | None, tuple[str, ...] | None]


class Layout(NamedTuple):
    """The images that are used, in natural order; labels int64 [N] and classes, or None; notes for the user."""

    keys: list[str]
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]


class _Parts(NamedTuple):
    """Names of each part (train, val, test), the depth of its folder, and the names beside the parts."""

    names: dict[str, list[str]]
    depth: int
    stray: list[str]


def layout(names: Iterable[str], place: object, split: Split | None = None) -> Layout:
    """What the names of images, with `/` between folders, say of them; `place` is what messages call the set.

    split   of parts, the one to use (train where None), or `all` together; `none`: the folders are classes whatever
            they are called

    Raises DataError for a part that is not there, and where there are several parts and none is to train on.
    """
    keys = ordered(names)
    parts = None if split == "none" else _parts(keys)
    if parts is None or (split is None and len(parts.names) == 1 and not parts.stray):
        if split not in (None, "none", "all"):
            raise DataError(
                f"{printable(place)} has no part {split}: its images are not divided into folders train, val and test"
            )
        return Layout(keys, *classes_of(keys), _why_no_classes(keys))
    chosen = _chosen(parts, place, split)
    wanted = {name for part in chosen for name in parts.names[part]}
    used = [name for name in keys if name in wanted]
    labels, classes = _classes_in(used, parts)
    notes = [_about(parts, chosen, len(used))] if len(parts.names) > 1 else []
    if parts.stray:
        notes.append(f"left out beside the folders of parts: {_some(parts.stray)}")
    return Layout(used, labels, classes, (*notes, *_why_no_classes([_below(name, parts.depth) for name in used])))


def classes_of(names: Sequence[str]) -> Labels:
    """Names with `/` between folders -> (labels [N], the classes' names), or (None, None).

    Folders that all names share (`Dataset/0/x.jpg`, `Dataset/1/y.jpg`) are skipped first. There are classes when then
    every name lies in a folder and there are at least two of them.
    """
    depth = _class_depth(names)
    return (None, None) if depth is None else numbered([name.split("/")[depth] for name in names])


def _class_depth(names: Sequence[str]) -> int | None:
    """How many folders lie above those of the classes; None without classes."""
    parts = [name.split("/") for name in names]
    depth = 0
    while parts and all(len(part) > depth + 1 for part in parts) and len({part[depth] for part in parts}) == 1:
        depth += 1
    return None if not parts or any(len(part) <= depth + 1 for part in parts) else depth


def _parts(names: Sequence[str]) -> _Parts | None:
    """The parts, at the first level whose folders are all parts but for a few stray images; None without such a level.
    Above it all images but the stray ones share one folder."""
    stray: list[str] = []
    rest = [(name, name.split("/")) for name in names]
    for depth in range(max((len(folders) for _, folders in rest), default=0)):
        stray += [name for name, folders in rest if len(folders) == depth + 1]
        rest = [(name, folders) for name, folders in rest if len(folders) > depth + 1]
        found: dict[str, list[str]] = {}
        for name, folders in rest:
            found.setdefault(PARTS.get(folders[depth].lower(), ""), []).append(name)
        others = found.pop("", [])
        if len(stray) + len(others) > max(1, len(names) // _STRAY) and found:
            return None
        if len(found) > 1 or ("train" in found and not others):
            return _Parts({part: found[part] for part in _ORDER if part in found}, depth, stray + others)
        if len({folders[depth] for _, folders in rest}) != 1:
            return None
    return None


def _chosen(parts: _Parts, place: object, split: Split | None) -> list[str]:
    if split == "all":
        return list(parts.names)
    wanted = split or "train"
    if wanted in parts.names:
        return [wanted]
    there = ", ".join(f"{part} ({_images(len(parts.names[part]))})" for part in parts.names)
    raise DataError(
        f"{printable(place)} is divided into {there}, and has no part {wanted}. Choose one: "
        f"--set data.options.split={next(iter(parts.names))} (gansmith data: --set split=...), or name its folder"
    )


def _classes_in(used: Sequence[str], parts: _Parts) -> Labels:
    """Labels of the used part, numbered as in the part to train on where it has the same classes."""
    below = [_below(name, parts.depth) for name in used]
    trained = [_below(name, parts.depth) for name in parts.names.get("train", [])]
    depth, classes = _class_depth(trained), classes_of(trained)[1]
    if depth is not None and classes is not None:
        words = [name.split("/")[depth] if name.count("/") > depth else "" for name in below]
        if set(words) <= set(classes):
            return np.array([classes.index(word) for word in words], dtype=np.int64), classes
    return classes_of(below)


def _about(parts: _Parts, chosen: Sequence[str], count: int) -> str:
    others = [f"{part} ({len(names):,})" for part, names in parts.names.items() if part not in chosen]
    left = f", left out: {', '.join(others)}" if others else ""
    return (
        f"divided into parts: {' and '.join(chosen)} used ({_images(count)}){left}. The option split chooses "
        f"(train, val, test, all; none: the folders are classes): --set data.options.split=test"
    )


def _why_no_classes(names: Sequence[str]) -> tuple[str, ...]:
    """A note where a few images beside the folders of classes are the reason that there are none."""
    parts = [name.split("/") for name in names]
    for depth in range(max((len(part) for part in parts), default=0)):
        loose = [name for name, part in zip(names, parts, strict=True) if len(part) == depth + 1]
        inside = [name for name, part in zip(names, parts, strict=True) if len(part) > depth + 1]
        if loose:
            classes = classes_of(inside)[1] if len(loose) <= len(inside) // 2 else None
            if classes is None:
                return ()
            one = len(loose) == 1
            return (
                f"no classes: {_some(loose)} {'lies' if one else 'lie'} beside the {len(classes):,} folders that would "
                f"be classes ({', '.join(printable(name) for name in classes[:_NAMED])}"
                f"{' ...' if len(classes) > _NAMED else ''}). Move {'it' if one else 'them'} into one of these, or "
                f"out of the set",
            )
        if len(Counter(part[depth] for part in parts)) > 1:
            return ()
    return ()


def _below(name: str, depth: int) -> str:
    return "/".join(name.split("/")[depth + 1 :])


def _some(names: Sequence[str]) -> str:
    """`1 image (a.png)`, `4 images (a.png, b.png, c.png ...)`."""
    listed = ", ".join(printable(name) for name in names[:_NAMED]) + (" ..." if len(names) > _NAMED else "")
    return f"{_images(len(names))} ({listed})"


def _images(count: int) -> str:
    return f"{count:,} image{'s' * (count != 1)}"
