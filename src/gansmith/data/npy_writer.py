"""One .npy file that several processes write, each a block of images at its place.

Written as a file, not through a memory map: a full disk is then an error that can be caught instead of a signal
that ends the process, and no process holds more than one block in memory. The header has a fixed length and is
written last, when the number of readable images is known.

The .npy format: NumPy Enhancement Proposal 1 (Kern 2007), version 1.0.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 16 << 20  # read or written at once
HEADER = 128  # bytes


def described(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """The header's words for an array.

    >>> described((2, 3), np.dtype(np.uint8))
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3)}"
    """
    return repr({"descr": dtype.str, "fortran_order": False, "shape": shape})


def digest_of(text: str) -> hashlib.blake2b:
    """A running digest that begins with the header's words; pixels follow, and labels as little-endian int64."""
    return hashlib.blake2b(text.encode(), digest_size=16)


class NpyWriter:
    """A .npy file of `count` images, whose shape the first image decides. Used as a context."""

    def __init__(self, path: Path, count: int) -> None:
        self.path, self.count = path, count
        self.shape: tuple[int, ...] = ()
        self.dtype = np.dtype(np.uint8)
        self.descriptor = -1

    def __enter__(self) -> NpyWriter:
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.descriptor)

    @property
    def bytes_each(self) -> int:
        """The size of one image."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def allocate(self, first: NDArray[Any]) -> None:
        """Take the shape of the first image and room for all: a full disk is an error before the work is done."""
        self.shape, self.dtype = first.shape, first.dtype
        size = HEADER + self.count * self.bytes_each
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self.descriptor, 0, size)
        else:
            os.truncate(self.descriptor, size)

    def write(self, start: int, images: NDArray[Any]) -> None:
        """Write images [n, ...] at position `start`."""
        self._put(HEADER + start * self.bytes_each, np.ascontiguousarray(images).data.cast("B"))

    def compact(self, kept: NDArray[np.int64]) -> None:
        """Move the images at `kept` (ascending) to the front and drop the others."""
        if len(kept) < self.count:
            for target, origin in enumerate(kept.tolist()):
                if target != origin:
                    self._put(HEADER + target * self.bytes_each, memoryview(self._get(origin, 1)))
        self.count = len(kept)
        os.truncate(self.descriptor, HEADER + self.count * self.bytes_each)

    def finish(self) -> hashlib.blake2b:
        """Write the header, sync, and return the running digest of shape and pixels."""
        text = described((self.count, *self.shape), self.dtype)
        room = HEADER - 10
        header = b"\x93NUMPY\x01\x00" + struct.pack("<H", room) + text.ljust(room - 1).encode() + b"\n"
        assert len(header) == HEADER
        self._put(0, memoryview(header))
        os.fsync(self.descriptor)
        digest = digest_of(text)
        step = max(1, BLOCK_BYTES // self.bytes_each)
        for start in range(0, self.count, step):
            digest.update(self._get(start, min(step, self.count - start)))
        return digest

    def _put(self, offset: int, data: memoryview) -> None:
        os.lseek(self.descriptor, offset, os.SEEK_SET)
        while data:
            data = data[os.write(self.descriptor, data) :]

    def _get(self, start: int, count: int) -> bytes:
        os.lseek(self.descriptor, HEADER + start * self.bytes_each, os.SEEK_SET)
        content = b""
        while len(content) < count * self.bytes_each:
            content += os.read(self.descriptor, count * self.bytes_each - len(content))
        return content
