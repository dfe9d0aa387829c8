"""Safetensors files with a JSON header of ours, read as data from a stranger: nothing is made of a file that is not
right in size, header, and the names, types and shapes of its tensors."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
from pydantic import BaseModel, ValidationError
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.system.files import unreadable
from gansmith.system.option_words import shown

H = TypeVar("H", bound=BaseModel)
Entries = Mapping[str, Mapping[str, Any]]  # {name: {"dtype": "F32", "shape": [3, 4], ...}}


def read_headed(
    path: Path,
    key: str,
    header: type[H],
    check: Callable[[Entries, H], None],
    *,
    what: str,
    most_bytes: int = 2**26,
    most_header: int = 2**14,
) -> tuple[H, dict[str, Tensor]]:
    """Header (the metadata `key`, JSON) and tensors of a file, which is a `what`, as "latent file".

    check: raises ValueError for entries of tensors that do not fit. Raises OptionError for any other file.
    """
    try:
        return _read(path, key, header, check, (what, most_bytes, most_header))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        said = f"{where} = {shown(first['input'])}: {first['msg']}"
        raise OptionError(f"{path} is damaged, or no {what} of gansmith: {said}") from error
    except (OSError, KeyError, RecursionError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise OptionError(f"{path} is damaged, or no {what} of gansmith: {error}") from error


def _read(
    path: Path, key: str, header: type[H], check: Callable[[Entries, H], None], limits: tuple[str, int, int]
) -> tuple[H, dict[str, Tensor]]:
    what, most_bytes, most_header = limits
    reason = unreadable(path)
    if reason is not None or not path.is_file():
        raise OptionError(f"{path} cannot be read: {reason or 'there is no such file'}")
    size = path.stat().st_size
    if not 8 < size <= most_bytes:
        raise ValueError(f"it has {size:,} bytes, and a {what} at most {most_bytes:,}")
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    length = struct.unpack("<Q", data[:8])[0]
    if length > min(most_header, len(data) - 8):
        raise ValueError(f"its header has {length:,} bytes, at most {most_header:,} are allowed")
    plain = json.loads(data[8 : 8 + length])
    if not isinstance(plain, dict) or not isinstance(plain.get("__metadata__"), dict):
        raise TypeError("its header holds no metadata")
    if key not in plain["__metadata__"]:
        raise ValueError("it is a safetensors file of another kind, as a model, which is given as RUN")
    known = header.model_validate_json(plain.pop("__metadata__")[key], strict=True)
    check(plain, known)
    return known, safetensors.torch.load(data)


def require_entries(entries: Entries, known: Mapping[str, tuple[str, list[int]]]) -> None:
    """Raises ValueError where the tensors are others than `known`, {name: (type, shape)}."""
    here = {name: (entry["dtype"], entry["shape"]) for name, entry in entries.items()}
    if here != known:
        raise ValueError(f"its tensors are {shown(here)}, not {known}")
