"""A zip of image files, read without unpacking; folders inside are classes as in a folder."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from gansmith.data.encoded import Encoded, Ignored, digest
from gansmith.data.ignored_files import about, nothing_to_read
from gansmith.data.kinds import HEAD
from gansmith.data.layout import Split, layout
from gansmith.data.limits import require_image_size
from gansmith.data.listing import is_image, is_visible
from gansmith.data.sample import png, sample_images, sample_labels
from gansmith.errors import DataError, UnreadableImageError
from gansmith.system.text import printable

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError)


def accepts(path: Path) -> bool:
    return path.is_file() and (zipfile.is_zipfile(path) or path.suffix.lower() == ".zip")


def build(path: Path, *, split: Split | None = None) -> Encoded:
    """Every image in the archive, in natural order. Raises DataError when there is none, or no archive.

    split   of folders train, val and test, the one to read (train where None), or `all`; `none`: they are classes

    >>> images = build(example(Path(".")))
    >>> len(images), images.keys[0], images.labels.tolist()
    (12, '0/00.png', [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir() and is_visible(info.filename)]
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{printable(path)} is no whole zip, it may have been cut short: {error}") from error
    entries = {entry.filename: entry for entry in infos if is_image(entry.filename)}
    ignored = Ignored([entry.filename for entry in infos if entry.filename not in entries], partial(_heads, path))
    if not entries:
        raise nothing_to_read(path, ignored)
    keys, labels, classes, notes = layout(entries, path, split)
    stamps = [digest(key, entries[key].CRC, entries[key].file_size) for key in keys]
    return Encoded(
        ZipReader(path, keys, stamps),
        name=path.stem,
        keys=keys,
        labels=labels,
        classes=classes,
        notes=(*notes, *about(ignored)),
        ignored=ignored,
    )


def example(folder: Path) -> Path:
    """The sample images as an archive of PNG files, one folder for each class."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index, (image, label) in enumerate(zip(sample_images(), sample_labels().tolist(), strict=True)):
            archive.writestr(f"{label}/{index:02}.png", png(image))
    return path


class ZipReader:
    """Reader of files in an archive, which each process opens for itself: a file position cannot be shared."""

    def __init__(self, path: Path, names: list[str], stamps: list[bytes]) -> None:
        self.path, self.names, self.stamps = path, names, stamps
        self._opened: tuple[int, zipfile.ZipFile] | None = None

    def where(self, index: int) -> str:
        return printable(f"{self.path}/{self.names[index]}")

    def read(self, index: int) -> bytes:
        try:
            archive = self._archive()
            require_image_size(archive.getinfo(self.names[index]).file_size, self.where(index))
            return archive.read(self.names[index])
        except RuntimeError as error:  # zipfile's word for a password
            raise UnreadableImageError(f"{self.where(index)} cannot be read: {error}") from error
        except _DAMAGED as error:
            raise UnreadableImageError(f"{self.where(index)} cannot be read, the zip is damaged: {error}") from error

    def stamp(self, index: int) -> bytes:
        return self.stamps[index]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": None}

    def _archive(self) -> zipfile.ZipFile:
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), zipfile.ZipFile(self.path))
        return self._opened[1]


def _heads(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    heads = {}
    with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as archive:
        for name in names:
            with suppress(*_DAMAGED, RuntimeError), archive.open(name) as file:
                heads[name] = file.read(HEAD)
    return heads
