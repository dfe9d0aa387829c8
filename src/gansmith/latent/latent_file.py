"""Latent files: the latents of some images, in safetensors, with a digest of the model that they belong to.

    tensors    latents, float32 [N, Z], [N, Z, h, w] of canvases, or [N, W] of the space of styles; labels, int64 [N],
               where all are known
    metadata   "gansmith_latents": JSON of `Header`. No path, no name of a file, host or user

A file is data from a stranger until it is read: its size, its header's, the names, types and shapes of its tensors and
each field are checked before any tensor is made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import safetensors.torch
import torch

from gansmith.errors import OptionError
from gansmith.latent.headed_file import Entries, read_headed, require_entries
from gansmith.latent.latents import Latent, Space
from gansmith.latent.origin import Origin
from gansmith.system.files import atomic

SUFFIX = ".safetensors"
_KEY = "gansmith_latents"
_MOST_LATENTS = 10_000


class Header(Origin):
    """What the metadata of a latent file says."""

    format: Literal[1] = 1
    space: Space


class Latents(NamedTuple):
    """The latents of a file, and which model they belong to."""

    latents: tuple[Latent, ...]
    origin: Origin


def save_latents(path: str | Path, latents: Sequence[Latent], origin: Origin, *, force: bool = False) -> Path:
    """Write latents of one space and shape, at most 10,000. Returns the path. force: replace a file that exists.

    Raises OptionError for none, for latents that differ, and for another suffix than .safetensors.

    >>> origin = Origin(version="1.0", model="0" * 64)
    >>> save_latents("mine.safetensors", [Latent(torch.zeros(4))], origin).name
    'mine.safetensors'
    """
    path = require_latent_suffix(path)
    kinds = {(latent.space, latent.values.shape) for latent in latents}
    if len(kinds) != 1 or len(latents) > _MOST_LATENTS:
        raise OptionError(
            f"a latent file holds 1 to {_MOST_LATENTS:,} latents of one space and shape, not {len(latents):,} of "
            f"{len(kinds)} kinds"
        )
    tensors = {"latents": torch.stack([latent.values.cpu() for latent in latents]).contiguous()}
    labels = [latent.label for latent in latents if latent.label is not None]
    if len(labels) == len(latents):
        tensors["labels"] = torch.tensor(labels)
    header = Header(space=latents[0].space, **origin.model_dump())
    with atomic(path, replace=force) as file:
        file.write(safetensors.torch.save(tensors, metadata={_KEY: header.model_dump_json()}))
    return path


def require_latent_suffix(path: str | Path) -> Path:
    """The path. Raises OptionError where its suffix is another than .safetensors."""
    if Path(path).suffix != SUFFIX:
        raise OptionError(f"cannot write {Path(path).name!r}: a latent file ends in {SUFFIX}")
    return Path(path)


def load_latents(path: str | Path) -> Latents:
    """The latents of a file, named by it: `mine`, or `mine-0`, `mine-1` ... Raises OptionError for any other file.

    >>> origin = Origin(version="1.0", model="0" * 64)
    >>> path = save_latents("mine.safetensors", [Latent(torch.ones(4))], origin)
    >>> load_latents(path).latents
    (Latent(z of 4 numbers, 'mine'),)
    """
    path = Path(path)
    header, tensors = read_headed(path, _KEY, Header, _check_tensors, what="latent file")
    values, labels = tensors["latents"], tensors.get("labels")
    names = [path.stem] if len(values) == 1 else [f"{path.stem}-{number}" for number in range(len(values))]
    latents = tuple(
        Latent(one.clone(), header.space, None if labels is None else int(labels[number]), names[number])
        for number, one in enumerate(values)
    )
    return Latents(latents, Origin(**header.model_dump(include=set(Origin.model_fields))))


def _check_tensors(plain: Entries, header: Header) -> None:
    """Raises ValueError for other tensors than `latents` and `labels`, of other types or shapes."""
    shape = plain["latents"]["shape"]
    known = {"latents": ("F32", shape)}
    if not isinstance(shape, list) or len(shape) not in ((2, 4) if header.space == "z" else (2,)):
        raise ValueError(f"latents of shape {shape}")
    if not 1 <= shape[0] <= _MOST_LATENTS:
        raise ValueError(f"{shape[0]} latents, 1 to {_MOST_LATENTS:,} are allowed")
    if "labels" in plain:
        known["labels"] = ("I64", [shape[0]])
    require_entries(plain, known)
