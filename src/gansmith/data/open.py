"""Opening of a source of images: a path, or the name of a built-in set."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gansmith import catalog
from gansmith.data.classes import of_classes
from gansmith.data.listing import is_image, is_visible, known_suffixes
from gansmith.data.settings import DataSettings
from gansmith.data.side_by_side import count_side_by_side
from gansmith.data.source import Domains, Source
from gansmith.data.stages.values import Opened
from gansmith.errors import DataError, OptionError, nearest
from gansmith.system.files import refused
from gansmith.system.paths import expanded
from gansmith.system.text import printable

_LONGEST = 200  # letters of a path in a message


def open_dataset(path: str | Path, *, format: str | None = None, trust: bool = False, **options: Any) -> Source:
    """The source at `path`: a folder or file, or, where no such path exists, a built-in set of that name.

    The format is recognised by the path, or named; `options` are those of the format (or of the built-in set). A format
    from outside gansmith (dotted) needs `trust`.
    Raises DataError for a path that is missing or not recognised, UnknownNameError and OptionError for wrong names.

    >>> digits = open_dataset("digits")
    >>> len(digits), digits.one(0).image.shape, int(digits.one(0).label)
    (1797, (8, 8, 1), 0)

    >>> digits = open_dataset("digits")
    >>> len(digits), digits[0].image.shape, digits[[0, 1]].label.tolist()
    (1797, (8, 8, 1), [0, 1])
    """
    place = expanded(path)
    reason = refused(place)
    if reason is not None:
        raise DataError(f"{printable(place)[:_LONGEST]} cannot be read: {reason}")
    if not place.exists():
        name = builtin_name(path)
        if name is None:
            raise DataError(_missing(place))
        if format is not None:
            raise OptionError(f"{path} is a built-in dataset: it has no format to choose")
        built: Source = catalog.build("datasets", name, **options)
        return built
    if format is None:
        format = _recognise(place)
    elif trust:
        catalog.vouch([format])
    source: Source = catalog.build("formats", format, place, **options)
    return source


def builtin_name(path: str | Path) -> str | None:
    """The built-in set that `path` names, in any case, with dashes or underscores; None where there is none.

    >>> builtin_name("Fashion-MNIST"), builtin_name("photos")
    ('fashion_mnist', None)
    """
    name = _plain(path)
    return name if name in catalog.names("datasets") else None


def _plain(path: str | Path) -> str:
    return str(path).replace("-", "_").lower()


def open_source(settings: DataSettings) -> Source:
    """The source that the settings of one set name. Raises what `open_dataset` raises."""
    return of_classes(open_dataset(settings.path, format=settings.format, **settings.options), settings.classes)


def open_one(settings: DataSettings) -> Opened:
    """The first stage of preparation for one domain. Raises what `open_dataset` raises."""
    source = open_source(settings)
    return Opened((source,), source.name, notes=source.notes)


def open_both(settings: DataSettings, *, paired: bool = False) -> Opened:
    """The first stage of preparation for two domains. Raises what `open_domains` raises."""
    domains = open_domains(settings, paired=paired)
    return Opened((domains.a, domains.b), domains.name, paired, (*domains.notes, *_notes_of_both(domains)))


def _notes_of_both(domains: Domains) -> Iterator[str]:
    """The notes of each source, which both may share."""
    of_a, of_b = domains.a.notes, domains.b.notes
    if of_a == of_b:
        yield from of_a
        return
    for letter, source in (("a", domains.a), ("b", domains.b)):
        yield from (f"domain {letter}, {source.name}: {note}" for note in source.notes)


def open_domains(settings: DataSettings, *, paired: bool = False) -> Domains:
    """The two sources of a translation: at `path` and `other`, or both in the one place at `path`, whose layout is
    recognised (or named as the format) among those with pairs, or among those without.

    Raises DataError for one set alone, and what `open_dataset` raises.
    """
    layouts = catalog.names("formats", "domains")
    if settings.other is not None:
        if settings.format in layouts:
            raise OptionError(
                f"data.format = {settings.format} is of one place that holds both domains, and data.other names a "
                f"second: leave one of them out"
            )
        a, b = (
            open_dataset(place, format=settings.format, **settings.options) for place in (settings.path, settings.other)
        )
        return _of_classes(Domains(a, b, f"{a.name} | {b.name}"), settings)
    place = expanded(settings.path)
    layout = settings.format
    if layout is None:
        layout = _layout(place, paired=paired)
    elif layout not in layouts and "." not in layout:
        layout = None  # it is of one set
    if layout is None:
        raise DataError(_one_set(place, settings, paired=paired))
    opened: Domains = catalog.build("formats", layout, place, factory="domains", **settings.options)
    return _of_classes(opened, settings)


def _of_classes(domains: Domains, settings: DataSettings) -> Domains:
    a, b = (of_classes(source, settings.classes) for source in (domains.a, domains.b))
    return domains._replace(a=a, b=b)


def _layout(place: Path, *, paired: bool) -> str | None:
    for name in catalog.names("formats", "accepts_domains"):
        of_pairs: Any = catalog.find("formats", name, "PAIRED")
        if of_pairs == paired and catalog.find("formats", name, "accepts_domains")(place):
            return name
    return None


def _one_set(place: Path, settings: DataSettings, *, paired: bool) -> str:
    """The message where there is only one set. Raises DataError where there is none."""
    options = {} if settings.format is None else settings.options
    source = None
    try:
        source = open_dataset(settings.path, format=settings.format, **options)
        begin = f"{printable(place)} holds one set of images"
    except DataError as error:
        if not place.is_dir():
            raise
        begin = str(error)
    equal = " of equal names" if paired else ""
    lines = [
        f"{begin}, and a translation is between two. Give them as one of",
        f"  a second set{', with images' if paired else ''}{equal}: --set data.other=PATH",
        f"  one folder with two folders or zips{' of images' if paired else ''}{equal}, and no other images: "
        f"a and b (or A and B, or trainA and trainB)",
    ]
    if paired:
        wide, readable = (0, 0) if source is None else count_side_by_side(source)
        lines.append(
            f"  images with the pair side by side, each twice as wide as high: {wide} of {readable} in a sample are"
        )
        if wide:
            lines.append("  (to cut every image in the middle nonetheless: --set data.format=paired)")
    return "\n".join(lines)


def _recognise(place: Path) -> str:
    # a folder that something more particular claims (an LMDB, idx files) is that; any other is a folder of images
    for name in sorted(catalog.names("formats", "accepts"), key=lambda name: (name == "folder", name)):
        if catalog.find("formats", name, "accepts")(place):
            return name
    if is_image(place.name):
        raise DataError(f"{printable(place)} is one image; give the folder it lies in: {printable(place.parent)}")
    lines = [f"  {name}: {catalog.describe('formats', name)}" for name in catalog.names("formats", "build")]
    raise DataError(
        f"{printable(place)} is of no known format (image files end in {known_suffixes()}). Known formats, "
        "also to force one with format:\n" + "\n".join(lines)
    )


def _missing(place: Path) -> str:
    sets = catalog.names("datasets")
    guess = nearest(_plain(place), sets)
    if not guess and place.parent.is_dir():
        names = [entry.name for entry in place.parent.iterdir() if is_visible(entry.name)]
        near = difflib.get_close_matches(place.name, names, n=8, cutoff=0.5)
        could_be = next((name for name in near if _opens(place.parent / name)), None)
        guess = f"Did you mean {printable(could_be)!r}? " if could_be is not None else ""
    return (
        f"no file or folder {printable(place)}, and no built-in dataset of that name. {guess}"
        f"Built-in: {', '.join(sets)}"
    )


def _opens(place: Path) -> bool:
    """Whether a format would read what is there."""
    return any(catalog.find("formats", name, "accepts")(place) for name in catalog.names("formats", "accepts"))
