"""From settings to what training reads: open, take a share, resize, cache, hold some out.

This is the whole way of the pictures before the stream; nothing in it is random but by fixed seeds, so that the same
settings over the same files always give the same pictures on the same side.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PIL
from numpy.typing import NDArray

from gansmith.data import cache, holdout, similar
from gansmith.data.dataset import Dataset, Listed, Picture
from gansmith.data.open import open_dataset
from gansmith.data.selection import Selection
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.errors import DataError, GansmithError, UnreadableImageError
from gansmith.system.files import atomic, write_json
from gansmith.system.progress import bar, track

FEW = 500  # pictures: fewer are trained on with a warning
SEED = 0  # of the share taken and of the hold-out: another training seed sees the same pictures
LOOKED_AT = 256  # pictures that decide size and channels when the user does not
_GROUPING = 1  # goes up when `similar` would group otherwise: stored groups are then found anew

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Prepared:
    """Pictures ready to be streamed.

    train, holdout   datasets of Pictures of one shape; no hold-out is None
    shape            (channels, height, width): of a batch inside the program
    classes          their names, or None;  labelled: whether the pictures have classes at all
    frequencies      how many pictures of each class there are to train on, or none
    count            of all pictures, both sides;  keys: their names
    holdout_indices  int64, ascending, into the `count` pictures
    digest           of the content, of what was done to it and of what is held out: what a checkpoint remembers
    settings         as given, with size and channels resolved;  warnings: for the user
    other            for translation: the pictures of domain b, while these are of a
    paired           is picture i of `train` (of `holdout`) here the partner of picture i there?
    """

    train: Dataset
    holdout: Dataset | None
    shape: tuple[int, int, int]
    classes: tuple[str, ...] | None
    labelled: bool
    count: int
    keys: tuple[str, ...]
    holdout_indices: Indices
    digest: str
    name: str
    points: bool
    settings: DataSettings
    warnings: tuple[str, ...] = ()
    other: Prepared | None = None
    paired: bool = False
    frequencies: tuple[int, ...] = ()

    def amounts(self) -> tuple[str, str]:
        """How many are trained on and held out, in words: "1,200", or "1,200 + 900" of two domains."""
        sides = [self] if self.other is None else [self, self.other]
        train, held = [len(side.train) for side in sides], [side.count - len(side.train) for side in sides]
        return " + ".join(f"{count:,}" for count in train), " + ".join(f"{count:,}" for count in held)


@dataclass(frozen=True)
class Pixels:
    """All pictures at one size, before some are held out. kept: where they stand among those that were asked for."""

    data: Dataset
    keys: tuple[str, ...]
    kept: Indices
    labels: Indices | None
    digest: str
    folder: Path  # where what is found out about them may be kept
    warnings: tuple[str, ...]


def prepare(settings: DataSettings, *, workers: int | None = None, trust: bool = False) -> Prepared:
    """The chain that training uses. `workers` processes decode; None: as many as help.

    Raises DataError for a set that is missing, empty, unreadable, or that the hold-out would use up.
    """
    source = open_dataset(settings.path, format=settings.format, trust=trust, **settings.options)
    settings = resolve(source, settings)
    pixels = pixels_of(source, settings, workers=workers)
    groups = groups_of(pixels, settings, points=source.points)
    kept, held = holdout.split(len(pixels.data), settings.holdout, groups, SEED)
    if not len(kept):
        raise holdout.nothing_left(len(pixels.data), groups)
    return divided(source, settings, pixels, kept, held)


def divided(source: Source, settings: DataSettings, pixels: Pixels, kept: Indices, held: Indices) -> Prepared:
    """The pictures of `source`, of which those at `held` are held out."""
    count = len(pixels.data)
    warnings = list(pixels.warnings)
    if count < FEW and not source.points:
        warnings.append(
            f"only {count:,} picture{'' if count == 1 else 's'}: a network remembers so few by heart, "
            f"and what it makes may be copies of them"
        )
    wanted = settings.holdout * count
    if count >= holdout.ENOUGH and not wanted / 2 <= len(held) <= 2 * max(wanted, 1):
        warnings.append(
            f"{len(held):,} of {count:,} pictures are held out where {wanted:,.0f} were asked for: "
            f"the groups that must stay together ({settings.holdout_by}) allow no better"
        )
    height, width, channels = pixels.data.one(0).image.shape
    frequencies: tuple[int, ...] = ()
    if pixels.labels is not None and source.classes is not None:
        frequencies = tuple(np.bincount(pixels.labels[kept], minlength=len(source.classes)).tolist())
    return Prepared(
        train=Selection(pixels.data, kept),
        holdout=Selection(pixels.data, held) if len(held) else None,
        shape=(channels, height, width),
        classes=source.classes,
        labelled=pixels.labels is not None,
        count=count,
        keys=pixels.keys,
        holdout_indices=held,
        digest=hashlib.blake2b(pixels.digest.encode() + kept.tobytes(), digest_size=16).hexdigest(),
        name=source.name,
        points=source.points,
        settings=settings,
        warnings=tuple(warnings),
        frequencies=frequencies,
    )


def resolve(source: Source, settings: DataSettings) -> DataSettings:
    """`settings` with a size and a number of channels, where the user left them open. Points have neither."""
    return resolve_over([source], settings)


def resolve_over(sources: Sequence[Source], settings: DataSettings) -> DataSettings:
    """As `resolve`, for sets of pictures that are to have one size and one number of channels."""
    for source in sources:
        if not len(source):
            raise DataError(f"there are no images in {settings.path if len(sources) == 1 else source.name}")
    if sources[0].points or (settings.size is not None and settings.channels is not None):
        return settings
    own = {source.size for source in sources}
    size, channels = settings.size or (own.pop() if len(own) == 1 else None), settings.channels
    if size is None or channels is None:
        looks = []
        for source in sources:
            found = list(_looks(source, settings.background))
            if not found:
                where = settings.path if len(sources) == 1 else source.name
                raise DataError(f"none of the images in {where} could be read")
            looks += found
        size = size or recommended_size([look[0] for look in looks])
        channels = channels or recommended_channels([look[1] for look in looks])
    return settings.model_copy(update={"size": size, "channels": channels})


def recommended_size(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """The common size if both its sides are within 16 to 64, else the square of 64 if the median shorter side reaches
    that, else of 32."""
    if len(set(sizes)) == 1 and all(16 <= side <= 64 for side in sizes[0]):
        return sizes[0]
    shorter = float(np.median([min(size) for size in sizes]))
    return (64, 64) if shorter >= 64 else (32, 32)


def recommended_channels(grey: list[bool]) -> Literal[1, 3]:
    """1 when every picture looked at is grey, else 3."""
    return 1 if all(grey) else 3


def is_grey(image: NDArray[Any], background: tuple[int, int, int] = (255, 255, 255)) -> bool:
    """uint8 [H, W, C]: no colour in any pixel, nor behind transparent ones."""
    if image.shape[-1] in (2, 4) and len(set(background)) > 1:
        return False
    return image.shape[-1] <= 2 or bool((image[..., :1] == image[..., 1:3]).all())


def share_of(count: int, fraction: float) -> Indices:
    """The positions, ascending, of the share that is used of `count` pictures: drawn, the same every time."""
    everything = np.arange(count, dtype=np.int64)
    if fraction == 1:
        return everything
    taken: Indices = Listed(range(count)).take(fraction=fraction, seed=SEED).indices
    return taken


def pixels_of(
    source: Source, settings: DataSettings, *, workers: int | None = None, taken: Indices | None = None
) -> Pixels:
    """The pictures of `source` at the resolved size: cached, or decoded as they come. taken: which of them, and in
    which order; the settings' fraction when not given."""
    if taken is None:
        taken = share_of(len(source), settings.fraction)
    dataset: Dataset = Selection(source if source.points else _resized(source, settings), taken)
    names = [source.keys[index] for index in taken.tolist()]
    how = {
        "size": settings.size,
        "channels": settings.channels,
        "fit": settings.fit,
        "background": settings.background,
        "points": source.points,
        "classes": source.classes,
        "pillow": None if source.points else PIL.__version__.partition(".")[0],
    }
    key = cache.key_of(_stamps(source, taken), how)
    if settings.cache and not source.points:
        found = cache.store(
            dataset,
            key=key,
            names=names,
            classes=source.classes,
            settings=how,
            workers=workers,
            skip_unreadable=settings.skip_unreadable,
        )
        labels = found.data.labels
        return Pixels(found.data, found.keys, found.kept, labels, found.digest, found.folder, found.warnings)
    folder = cache.root() / f"{key}.seen"
    warnings: tuple[str, ...] = ()
    kept = np.arange(len(taken), dtype=np.int64)
    labels = None if source.labels is None else source.labels[taken]
    if not source.points and (settings.skip_unreadable or (settings.holdout and settings.holdout_by == "similar")):
        seen = _scan(dataset, names, folder, settings)
        if seen["skipped"]:
            warnings = (cache.left_out(seen["skipped"]),)
        kept = np.asarray(seen["kept"], dtype=np.int64)
        dataset, names = Selection(dataset, kept), [names[index] for index in kept.tolist()]
        labels = None if labels is None else labels[kept]
        key = hashlib.blake2b(f"{key} {seen['kept'] if seen['skipped'] else ''}".encode(), digest_size=16).hexdigest()
    return Pixels(dataset, tuple(names), kept, labels, key, folder, warnings)


def groups_file(folder: Path, *, flips: bool) -> Path:
    """Where the groups of near-duplicates of the pictures in `folder` are kept."""
    return folder / f"groups-{_GROUPING}{'-mirrored' if flips else ''}.npy"


def similar_groups(data: Dataset, folder: Path, *, flips: bool) -> Indices:
    """The groups of near-duplicates, found once and kept in `folder`."""
    path = groups_file(folder, flips=flips)
    with suppress(OSError, ValueError, EOFError):
        stored = np.load(path, allow_pickle=False)
        if stored.shape == (len(data),) and stored.dtype == np.int64:
            kept: Indices = stored
            return kept
    found = similar.groups(similar.signatures_of(data), flips=flips)
    _keep(path, found)
    return found


def _keep(path: Path, array: NDArray[Any]) -> None:
    with suppress(GansmithError), atomic(path) as file:  # a folder that cannot be written costs only time
        np.save(file, array, allow_pickle=False)


def groups_of(pixels: Pixels, settings: DataSettings, *, points: bool = False) -> Indices:
    """What must stay together, by the settings' rule: int64 [N], equal numbers for one group."""
    if points or not settings.holdout:  # two points may be near each other and are still two draws
        return np.arange(len(pixels.data), dtype=np.int64)
    return holdout.groups_by(
        settings.holdout_by,
        keys=pixels.keys,
        labels=pixels.labels,
        similar=lambda: similar_groups(pixels.data, pixels.folder, flips=settings.flip),
    )


def _resized(source: Source, settings: DataSettings) -> Dataset:
    resized: Dataset = source.resize(
        size=settings.size, channels=settings.channels, fit=settings.fit, background=settings.background
    )
    return resized


def _stamps(source: Source, taken: Indices) -> Iterator[bytes]:
    """What makes each picture what it is: its content, its name and its class."""
    for index in track(taken.tolist(), "reading", len(taken), "files"):
        try:
            stamp = source.stamp(index)
        except UnreadableImageError:
            stamp = b"unreadable"
        label = "" if source.labels is None else str(int(source.labels[index]))
        yield stamp + f"\0{source.keys[index]}\0{label}".encode("utf-8", "surrogateescape")


def _looks(source: Source, background: tuple[int, int, int]) -> Iterator[tuple[tuple[int, int], bool]]:
    """(height, width) and greyness of pictures spread evenly over the set; of the first readable one if none is."""
    spread = np.unique(np.linspace(0, len(source) - 1, min(LOOKED_AT, len(source))).round().astype(np.int64)).tolist()
    found = False
    for number, index in enumerate([*spread, *range(len(source))]):
        if found and number >= len(spread):
            return
        with suppress(UnreadableImageError, OSError):
            image = source.one(index).image
            yield (image.shape[0], image.shape[1]), is_grey(image, background)
            found = True


def _scan(dataset: Dataset, names: list[str], folder: Path, settings: DataSettings) -> dict[str, Any]:
    """One pass over pictures that will be decoded as they come: which can be read, and which look alike. Kept."""
    path = folder / "seen.json"
    seen: dict[str, Any] = {}
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = json.loads(path.read_text())
        if stored["count"] == len(dataset) and groups_file(folder, flips=settings.flip).exists():
            seen = stored
    if not seen:
        parts: list[similar.Signatures] = []
        pictures: list[Picture] = []
        kept: list[int] = []
        failures: dict[str, str] = {}
        with bar("looking at the images", len(dataset)) as advance:
            for index in range(len(dataset)):
                try:
                    pictures.append(dataset.one(index))
                    kept.append(index)
                except (UnreadableImageError, OSError) as error:
                    failures[names[index]] = " ".join(str(error).split())
                if pictures and (len(pictures) == 256 or index == len(dataset) - 1):
                    parts.append(similar.signatures(np.stack([picture.image for picture in pictures])))
                    pictures.clear()
                advance()
        if not parts:
            raise cache.unreadable(failures, len(dataset))
        _keep(groups_file(folder, flips=settings.flip), similar.groups(similar.join(parts), flips=settings.flip))
        seen = {"count": len(dataset), "kept": kept, "skipped": failures}
        with suppress(GansmithError):
            write_json(path, seen)
    if seen["skipped"] and not settings.skip_unreadable:
        raise cache.unreadable(seen["skipped"], len(dataset))
    return seen
