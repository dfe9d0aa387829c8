"""The file of a model's directions, in safetensors, with a digest of the model that they belong to.

    tensors    vectors, float32 [K, n]; steps, float32 [K]
    metadata   "gansmith_directions": JSON of `Header`. No path, no name of a file, host or user

It is read as data from a stranger, as a latent file is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import safetensors.torch
import torch
from pydantic import Field

from gansmith.errors import OptionError
from gansmith.latent.directions.direction import Direction, Directions, Method
from gansmith.latent.headed_file import Entries, read_headed, require_entries
from gansmith.latent.latents import Space
from gansmith.latent.origin import Data, Origin
from gansmith.system.files import atomic

_KEY = "gansmith_directions"
_MOST = 1000
_WHAT = "file of directions"

Share = Annotated[float, Field(ge=0, le=1)]


class Entry(Data):
    """What the metadata says of one direction."""

    name: Annotated[str, Field(max_length=200)]
    method: Method
    change: Annotated[float, Field(ge=0)] | None = None
    purity: Share | None = None
    auc: Share | None = None


class Header(Origin):
    """What the metadata of a file of directions says."""

    format: Literal[1] = 1
    space: Space
    directions: Annotated[tuple[Entry, ...], Field(min_length=1, max_length=_MOST)]


def save_directions(path: str | Path, directions: Directions, *, force: bool = False) -> Path:
    """Write directions; returns the path. force: replace a file that exists. Raises OptionError for none or too many.

    >>> origin = Origin(version="1.0", model="0" * 64)
    >>> mine = Directions((Direction(torch.tensor([1.0, 0.0]), "smile"),), "z", origin)
    >>> load_directions(save_directions("mine.safetensors", mine)).find("smile").vector
    tensor([1., 0.])
    """
    if not 1 <= len(directions) <= _MOST:
        raise OptionError(f"a {_WHAT} holds 1 to {_MOST:,} of them, not {len(directions):,}")
    entries = tuple(
        Entry(name=d.name, method=d.method, change=d.change, purity=d.purity, auc=d.auc) for d in directions.items
    )
    header = Header(space=directions.space, directions=entries, **directions.origin.model_dump())
    tensors = {
        "vectors": torch.stack([d.vector.cpu() for d in directions.items]).contiguous(),
        "steps": torch.tensor([d.step for d in directions.items], dtype=torch.float32),
    }
    with atomic(Path(path), replace=force) as file:
        file.write(safetensors.torch.save(tensors, metadata={_KEY: header.model_dump_json()}))
    return Path(path)


def load_directions(path: str | Path, *, digest: str | None = None) -> Directions:
    """The directions of a file. digest: of the generator that they must belong to. Raises OptionError for any other
    file, and for directions of other weights.

    >>> origin = Origin(version="1.0", model="0" * 64)
    >>> path = save_directions("d.safetensors", Directions((Direction(torch.ones(1), "size"),), "z", origin))
    >>> load_directions(path, digest="0" * 64).items
    (Direction('size' of 1 numbers, pca),)
    """
    path = Path(path)
    header, tensors = read_headed(path, _KEY, Header, _check, what=_WHAT, most_header=2**19)
    known = Origin(**header.model_dump(include=set(Origin.model_fields)))
    if digest is not None and known.model != digest:
        raise OptionError(
            f"{path} belongs to {known}, and these weights are {digest[:16]}: along its directions this model would "
            f"change something else. Make them anew: gansmith directions RUN --method pca --replace"
        )
    items = tuple(
        Direction(vector.clone(), entry.name, entry.method, float(step), entry.change, entry.purity, entry.auc)
        for vector, step, entry in zip(tensors["vectors"], tensors["steps"], header.directions, strict=True)
    )
    return Directions(items, header.space, known)


def _check(entries: Entries, header: Header) -> None:
    count, shape = len(header.directions), entries["vectors"]["shape"]
    if not isinstance(shape, list) or len(shape) != 2 or shape[0] != count or shape[1] < 1:
        raise ValueError(f"vectors of shape {shape} for {count} directions")
    require_entries(entries, {"vectors": ("F32", shape), "steps": ("F32", [count])})
