"""The bond between the two files of a packed set, NAME.npy and NAME.labels.npy, which two renames put in their places.

Behind its array, where readers of the format do not go, the file of the images says which labels are its own: a digest
of their file (BLAKE2b, 16 bytes), or zeros for none. A packing that was killed between the renames is noticed by that.
Files that numpy wrote have no such mark, and may lie beside any labels.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from gansmith.errors import DataError

_MARK = b"\ngansmith labels "
_DIGITS = 32
_LENGTH = len(_MARK) + _DIGITS + 1


def mark_of(labels: bytes | None) -> bytes:
    """What follows the images whose labels have this file, or none."""
    digest = "0" * _DIGITS if labels is None else hashlib.blake2b(labels, digest_size=_DIGITS // 2).hexdigest()
    return _MARK + digest.encode() + b"\n"


def check_pair(images: Path, labels: Path) -> None:
    """Raise DataError where the images say that other labels are theirs, or none; OSError for an unreadable file."""
    with images.open("rb") as file:
        file.seek(-min(_LENGTH, images.stat().st_size), os.SEEK_END)
        mark = file.read()
    present = labels.is_file()
    if not mark.startswith(_MARK) or mark == mark_of(labels.read_bytes() if present else None):
        return
    if mark == mark_of(None):
        what = f"{images} was packed without labels, and {labels} is there"
    else:
        what = f"{labels} {'is not the one that was' if present else 'is missing, which was'} packed with {images}"
    raise DataError(
        f"{what}: a packing was interrupted, or the labels were changed since. Pack again with --force; if the labels "
        f"are right as they are, write the images with numpy, which ties them to none: np.save(path, np.load(path))"
    )
