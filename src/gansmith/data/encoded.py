"""Source of encoded image files, wherever they lie: a reader returns the bytes, this decodes them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import ImageItem
from gansmith.data.decode import decode
from gansmith.data.limits import require_image_size
from gansmith.data.source import Source
from gansmith.errors import UnreadableImageError
from gansmith.system.text import printable

WHOLE = 256 * 1024  # bytes; a stamp reads files up to this size whole, of larger ones both ends


class Reader(Protocol):
    """Access to the bytes. Must survive pickling and forking: open files and handles lazily, per process."""

    def read(self, index: int) -> bytes:
        """The encoded image. Raises UnreadableImageError naming it."""

    def stamp(self, index: int) -> bytes:
        """Bytes that change when the image changes."""

    def where(self, index: int) -> str:
        """Name of the image in messages, enough to find the file."""


def _no_heads(names: Sequence[str]) -> dict[str, bytes]:
    return {}


class Ignored(NamedTuple):
    """Visible files of a set that are not read: their names, and a function from names to each file's first bytes,
    which pickles."""

    names: Sequence[str] = ()
    heads: Callable[[Sequence[str]], dict[str, bytes]] = _no_heads


class Encoded(Source):
    """Images behind a reader, decoded one by one."""

    def __init__(
        self,
        reader: Reader,
        *,
        name: str,
        keys: Sequence[str],
        labels: NDArray[np.int64] | None = None,
        classes: tuple[str, ...] | None = None,
        notes: tuple[str, ...] = (),
        ignored: Ignored | None = None,
    ) -> None:
        self.reader = reader
        self.name, self.keys, self.labels, self.classes = name, keys, labels, classes
        self.notes, self.ignored = notes, ignored or Ignored()

    def one(self, index: int) -> ImageItem:
        return self.near(index, None)

    def near(self, index: int, size: tuple[int, int] | None) -> ImageItem:
        """The image; a JPEG much larger than `size` = (height, width) is decoded at a reduced size, which is faster."""
        image = decode(self.reader.read(index), self.reader.where(index), near=size)
        return ImageItem(image, None if self.labels is None else int(self.labels[index]))

    def stamp(self, index: int) -> bytes:
        return self.reader.stamp(index)


class Files:
    """The reader of plain files, named relative to a folder."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.root, self.names = root, names

    def where(self, index: int) -> str:
        return printable(self.root / self.names[index])

    def read(self, index: int) -> bytes:
        try:
            with self._opened(index) as file:
                require_image_size(os.fstat(file.fileno()).st_size, self.where(index))
                return file.read()
        except OSError as error:
            raise UnreadableImageError(f"{self.where(index)} cannot be read: {error.strerror or error}") from error

    def _opened(self, index: int) -> IO[bytes]:
        path = self.root / self.names[index]
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe waits for somebody who writes into it
            raise UnreadableImageError(f"{self.where(index)} is no regular file")
        return path.open("rb")

    def stamp(self, index: int) -> bytes:
        name = self.names[index]
        try:
            with self._opened(index) as file:
                status = os.fstat(file.fileno())
                if status.st_size <= WHOLE:
                    return digest(name, status.st_size, file.read())
                head = file.read(WHOLE // 2)
                file.seek(-(WHOLE // 2), os.SEEK_END)
                return digest(name, status.st_size, head, file.read(), status.st_mtime_ns)
        except OSError as error:
            raise UnreadableImageError(f"{self.where(index)} cannot be read: {error.strerror or error}") from error


def digest(*parts: bytes | str | int) -> bytes:
    """16 bytes that tell apart different sequences of parts (blake2b; each part is framed by its length)."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.digest()
