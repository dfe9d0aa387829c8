"""From what a user names (a path, or a built-in set) to a source of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gansmith import catalog
from gansmith.data.listing import is_image, known_suffixes
from gansmith.data.source import Source
from gansmith.errors import DataError, OptionError, nearest


def open_dataset(path: str | Path, *, format: str | None = None, trust: bool = False, **options: Any) -> Source:
    """The source at `path`: a folder or file, or, where no such path exists, a built-in set of that name.

    The format is found by looking, or given; `options` are the format's (or the built-in set's) own. A format from
    outside gansmith (dotted) needs `trust`.
    Raises DataError for a path that is missing or not recognised, UnknownNameError and OptionError for wrong names.
    """
    place = Path(path).expanduser()
    if not place.exists():
        name = str(path).replace("-", "_").lower()
        if name not in catalog.names("datasets"):
            raise DataError(_missing(place, name))
        if format is not None:
            raise OptionError(f"{path} is a built-in dataset: it has no format to choose")
        built: Source = catalog.build("datasets", name, **options)
        return built
    if format is None:
        format = _recognise(place)
    source: Source = catalog.build("formats", format, place, trust=trust, **options)
    return source


def _recognise(place: Path) -> str:
    # a folder that something more particular claims (an LMDB, idx files) is that; any other is a folder of images
    for name in sorted(catalog.names("formats", "accepts"), key=lambda name: (name == "folder", name)):
        if catalog.find("formats", name, "accepts")(place):
            return name
    if is_image(place.name):
        raise DataError(f"{place} is one image; give the folder it lies in: {place.parent}")
    lines = [f"  {name}: {catalog.describe('formats', name)}" for name in catalog.names("formats")]
    raise DataError(
        f"{place} is of no known format (image files end in {known_suffixes()}). Known formats, also to force one "
        "with format:\n" + "\n".join(lines)
    )


def _missing(place: Path, name: str) -> str:
    sets = catalog.names("datasets")
    guess = nearest(name, sets)
    if not guess and place.parent.is_dir():
        guess = nearest(place.name, [entry.name for entry in place.parent.iterdir() if not entry.name.startswith(".")])
    return f"no file or folder {place}, and no built-in dataset of that name. {guess}Built-in: {', '.join(sets)}"
