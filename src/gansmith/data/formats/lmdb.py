"""An LMDB of encoded images, one per key, as LSUN is published.

Yu et al. 2015, "LSUN: Construction of a Large-scale Image Dataset using Deep Learning with Humans in the Loop".
LMDB refuses to open one file twice in a process, and its handles do not survive a fork: there is one handle per
process and path, opened when first needed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gansmith.data.encoded import Encoded, digest
from gansmith.data.limits import require_image_size
from gansmith.data.sample import png, sample_images
from gansmith.errors import DataError, UnreadableImageError
from gansmith.system.extras import missing_extra
from gansmith.system.paths import resolved

NEEDS = {"package": "lmdb", "extra": "lmdb"}
LABELLED = False  # there is no usual place for labels
_NOT_IMAGES = (b"length", b"__len__", b"__keys__")  # counts that some writers keep beside the images
_environments: dict[tuple[int, str], Any] = {}


def accepts(path: Path) -> bool:
    return (path / "data.mdb").is_file() or (path.name == "data.mdb" and path.is_file())


def build(path: Path) -> Encoded:
    """Every value of the database, in the order of its keys.

    Raises MissingExtraError without the package lmdb, DataError for what is no such database or holds nothing.

    >>> images = build(example(Path(".")))
    >>> len(images), images.keys[0], images[0].image.shape
    (12, '000000', (32, 32, 3))
    """
    folder = path.parent if path.name == "data.mdb" else path
    with _environment(folder).begin() as transaction:
        names = [bytes(key) for key in transaction.cursor().iternext(keys=True, values=False)]
    names = [name for name in names if name not in _NOT_IMAGES]
    if not names:
        raise DataError(f"{folder} is an LMDB without any image")
    keys = [name.decode("utf-8", "backslashreplace") for name in names]
    return Encoded(LmdbReader(folder, names), name=resolved(folder).name, keys=keys)


def example(folder: Path) -> Path:
    """The sample images as PNG files under running numbers. Raises MissingExtraError without the package lmdb."""
    path = folder / "images_lmdb"
    path.mkdir(parents=True)
    with _package(path).open(str(path), map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        for index, image in enumerate(sample_images()):
            transaction.put(f"{index:06}".encode(), png(image))
    return path


class LmdbReader:
    """Reader of the values of a database."""

    def __init__(self, folder: Path, names: list[bytes]) -> None:
        self.folder, self.names = folder, names

    def where(self, index: int) -> str:
        return f"{self.folder}/{self.names[index].decode('utf-8', 'backslashreplace')}"

    def read(self, index: int) -> bytes:
        with _environment(self.folder).begin(buffers=True) as transaction:
            value = transaction.get(self.names[index])
            if value is None:
                raise UnreadableImageError(f"{self.where(index)} is no longer in the database")
            require_image_size(len(value), self.where(index))
            return bytes(value)

    def stamp(self, index: int) -> bytes:
        return digest(self.names[index], self.read(index))


def _package(folder: Path) -> Any:
    try:
        import lmdb
    except ImportError:
        problem = f"{folder} is an LMDB, and the package that reads it is not installed"
        raise missing_extra(problem, "lmdb") from None
    return lmdb


def _environment(folder: Path) -> Any:
    lmdb = _package(folder)
    key = (os.getpid(), str(resolved(folder)))
    if key not in _environments:
        for other in [known for known in _environments if known[0] != key[0]]:
            _environments.pop(other).close()  # inherited by a fork: of no use here, and in the way of a new one
        try:
            opened = lmdb.open(str(folder), readonly=True, lock=False, readahead=False, create=False)
        except lmdb.Error as error:
            raise DataError(f"{folder} cannot be opened as an LMDB: {error}") from error
        stated, present = (
            (opened.info()["last_pgno"] + 1) * opened.stat()["psize"],
            (folder / "data.mdb").stat().st_size,
        )
        if present < stated:  # it is mapped: a page beyond the end of the file would end the process
            opened.close()
            raise DataError(f"{folder}/data.mdb is cut short: it states {stated:,} bytes, and {present:,} are there")
        _environments[key] = opened
    return _environments[key]
