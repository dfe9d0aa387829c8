"""The files that `gansmith translate` writes, one or several for each image, and those of IN that it leaves out."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.system.paths import resolved

if TYPE_CHECKING:
    from gansmith.data.source import Source
    from gansmith.system.outputs import Files

_NAMED = 5  # files named in a note


def translation_targets(source: Path, images: Source, out: str, styles: int) -> list[list[Path]]:
    """The files that each image becomes. Raises OptionError where they would be one file, or the originals."""
    from gansmith.errors import OptionError
    from gansmith.records.images import SUFFIXES

    folder = Path(out)
    one_image = source.is_file() and len(images) == 1 and images.keys[0] == source.name
    if folder.suffix and not out.endswith("/") and not folder.is_dir():
        if folder.suffix.lower() not in SUFFIXES:
            raise OptionError(
                f"cannot write {out!r}: an image file ends in {', '.join(SUFFIXES)}; for a folder give {out}/"
            )
        if len(images) > 1:
            raise OptionError(f"{source} holds {len(images):,} images: give a folder to write to, {out}/, not one file")
        targets = [[folder]]
    else:
        numbers = [""] if styles == 1 else [f"_{number}" for number in range(styles)]
        targets = [[folder / f"{name}{number}.png" for number in numbers] for name in _names(images.keys)]
    place = source.parent if one_image else source
    originals = {resolved(place / key) for key in images.keys}
    over = next((file for files in targets for file in files if resolved(file) in originals), None)
    if over is not None:
        inside = source.is_dir() and resolved(folder).is_relative_to(resolved(source))
        why = f": {out} lies inside {source}, whose images are all read" if inside else ""
        raise OptionError(f"{over} is an image of {source} itself and would be overwritten{why}. Choose another OUT")
    return targets


def output_files(out: Path, targets: Sequence[Sequence[Path]]) -> Files:
    """The files that another OUT would become."""
    from gansmith.system.outputs import inside, itself

    names = [file for files in targets for file in files]
    return itself if names == [out] else inside(*(str(file.relative_to(out)) for file in names))


def _names(keys: Sequence[str]) -> list[str]:
    """What the images are called in OUT: without suffix, where that leaves them different. Raises OptionError."""
    from gansmith.errors import OptionError

    # an archive may name files outside the folder
    plain = ["/".join(part for part in key.split("/") if part not in ("", ".", "..")) for key in keys]
    stems = [str(Path(name).with_suffix("")) if _has_image_suffix(name) else name for name in plain]
    count = Counter(stem.lower() for stem in stems)
    some = [stem if count[stem.lower()] == 1 else name for stem, name in zip(stems, plain, strict=True)]
    for names in (some, plain):  # "x.png" and "x.jpg" keep their suffix, and beside them "x.png.png" must too
        if len({name.lower() for name in names}) == len(names):
            return names
    twice = next(name for name, times in Counter(name.lower() for name in plain).items() if times > 1)
    raise OptionError(f"two of the images would both become {twice}.png: rename one of them")


def _has_image_suffix(name: str) -> bool:
    from gansmith.data.listing import SUFFIXES

    return name.lower().endswith(SUFFIXES)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def left_out(source: Path, images: Source) -> list[str]:
    """The note about what is in a folder or zip and is no image."""
    names: list[str] = []
    if source.is_dir():
        names = [path.relative_to(source).as_posix() for path in sorted(source.rglob("*")) if path.is_file()]
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    read = set(images.keys)
    others = [name for name in names if name not in read and not _hidden(name)]
    more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
    return [f"left out what is no image: {', '.join(others[:_NAMED])}{more}"] if others else []
