"""Checksums of the small files that this package stores for itself: damage is noticed where it is read.

A JSON object carries the field "checksum", of all its others; a .npy file carries it behind its array, where readers of
the format do not go. Files without one, of earlier versions, are taken as they are. BLAKE2b, 16 bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.system.files import atomic, write_json

_MARK = b"\ngansmith checksum "
_DIGITS = 32


def write_sealed_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object with its checksum, atomically."""
    write_json(path, {**value, "checksum": _of_object(value)})


def read_sealed_json(path: Path) -> dict[str, Any]:
    """The object in the file at `path`. Raises OSError, or ValueError where it is damaged."""
    try:
        value = json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} is not an object")
    checksum = value.pop("checksum", None)
    if checksum is not None and checksum != _of_object(value):
        raise ValueError(f"the checksum of {path.name} is wrong")
    return value


def write_sealed_array(path: Path, array: NDArray[Any]) -> None:
    """Write a .npy file with its checksum, atomically."""
    content = BytesIO()
    np.save(content, array, allow_pickle=False)
    with atomic(path) as file:
        file.write(content.getvalue() + _MARK + _digest(content.getvalue()).encode() + b"\n")


def read_sealed_array(path: Path) -> NDArray[Any]:
    """The array in the .npy file at `path`. Raises OSError, or ValueError where it is damaged."""
    content = path.read_bytes()
    end = len(content) - len(_MARK) - _DIGITS - 1
    if content[end:].startswith(_MARK) and content[end + len(_MARK) : -1] != _digest(content[:end]).encode():
        raise ValueError(f"the checksum of {path.name} is wrong")
    try:
        array: NDArray[Any] = np.load(BytesIO(content), allow_pickle=False)
    except Exception as error:  # a damaged header raises all sorts: SyntaxError, MemoryError, TokenError
        raise ValueError(f"{path.name} is not an array: {error}") from error
    return array


def _of_object(value: Mapping[str, Any]) -> str:
    return _digest(json.dumps(value, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGITS // 2).hexdigest()
