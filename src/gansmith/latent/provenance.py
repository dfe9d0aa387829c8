"""Provenance of generated images: what a PNG file says of itself, as data, and the latents that it stands for.

The text is JSON of `Provenance` under the keyword `gansmith`: which model, and what was asked of it. It holds no path,
no name of a file, host or user, and no name of a class. It is read as data from a stranger: each field by its type and
bounds, none that is unknown.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import torch
from pydantic import Field, ValidationError

from gansmith.errors import OptionError
from gansmith.latent.latents import Latent, Seed
from gansmith.latent.origin import Data, Origin
from gansmith.records.png_text import MOST, read_text
from gansmith.system.option_types import LARGEST
from gansmith.system.option_words import shown

KEYWORD = "gansmith"
_MOST_IMAGES = 100_000  # that one file stands for

ClassNumber = Annotated[int, Field(ge=0, le=LARGEST)]
Cut = Annotated[float, Field(ge=0, le=1e6)]  # of a truncation
Side = Annotated[int, Field(ge=1, le=10_000)]


class Values(Data):
    """A latent that no seed drew: float32, little-endian, in base64; its shape; its space and class."""

    values: Annotated[str, Field(pattern="^[A-Za-z0-9+/]+={0,2}$", max_length=MOST)]
    shape: Annotated[tuple[Side, ...], Field(min_length=1, max_length=3)]
    space: Literal["z", "w"]
    label: ClassNumber | None = None


Point: TypeAlias = Annotated[int, Field(ge=0, le=10**300)] | Values  # a seed, or a latent


class Samples(Data):
    """An image for each seed."""

    command: Literal["sample"] = "sample"
    seeds: Annotated[tuple[Point, ...], Field(min_length=1, max_length=_MOST_IMAGES)]
    labels: Annotated[tuple[ClassNumber, ...], Field(max_length=_MOST_IMAGES)] | None = None  # where chosen one by one
    truncation: Cut | None = None
    canvas: tuple[Side, Side] | None = None


class Interpolation(Data):
    """An interpolation from seed to seed."""

    command: Literal["interpolate"] = "interpolate"
    seeds: Annotated[tuple[Point, ...], Field(min_length=2, max_length=10_000)]
    steps: Annotated[int, Field(ge=1, le=10_000)]
    path: Literal["linear", "spherical", "spline"] | None = None
    rows: bool = False
    labels: Annotated[tuple[ClassNumber, ...], Field(max_length=10_000)] | None = None  # one for each seed, blended
    space: Literal["z", "w"] | None = None
    truncation: Annotated[tuple[Cut, ...], Field(min_length=1, max_length=1000)] | None = None
    canvas: tuple[Side, Side] | None = None


class Sum(Data):
    """A sum of means of latents; it stands for the result alone."""

    command: Literal["arithmetic"] = "arithmetic"
    plus: Annotated[tuple[tuple[Point, ...], ...], Field(max_length=1000)]
    minus: Annotated[tuple[tuple[Point, ...], ...], Field(max_length=1000)] = ()
    only: Literal["result"] | None = None  # shows nothing else
    truncation: Cut | None = None


Request: TypeAlias = Annotated[Samples | Interpolation | Sum, Field(discriminator="command")]


class Provenance(Data):
    """Which model made images, and what was asked of it. label: the number of the class, of all images."""

    format: Literal[1] = 1
    origin: Origin
    request: Request
    label: ClassNumber | None = None

    def text(self) -> str | None:
        """As it is written into a PNG file; None where that would be longer than is read back."""
        written = self.model_dump_json(exclude_none=True)
        return written if len(written) <= MOST else None

    def names(self, stem: str) -> tuple[str, ...]:
        """Of the images, as many as it stands for: the seeds where these are all that was asked, else `stem-0` ..."""
        if self.plain and isinstance(self.request, Samples):
            return tuple(map(str, self.request.seeds))
        count = self.count()
        return (stem,) if count == 1 else tuple(f"{stem}-{number}" for number in range(count))

    def count(self) -> int:
        """How many images it stands for."""
        request = self.request
        if isinstance(request, Interpolation):
            legs = len(request.seeds) - 1
            return legs * (request.steps + 1) if request.rows else legs * request.steps + 1
        return len(request.seeds) if isinstance(request, Samples) else 1

    def part(self, number: int) -> Provenance | None:
        """Of one of several samples, or of a result alone; None of other images."""
        request = self.request
        if isinstance(request, Sum) and request.only is not None:
            return self
        if not isinstance(request, Samples):
            return None
        labels = None if request.labels is None else request.labels[number : number + 1]
        one = request.model_copy(update={"seeds": request.seeds[number : number + 1], "labels": labels})
        return self.model_copy(update={"request": one})

    @property
    def plain(self) -> bool:
        """Is it seeds alone, with nothing else said?"""
        request = self.request
        if not isinstance(request, Samples) or not all(isinstance(point, int) for point in request.seeds):
            return False
        return all(one is None for one in (self.label, request.labels, request.truncation, request.canvas))


def read_provenance(path: Path) -> Provenance:
    """What the PNG file at `path` says of itself. Raises OptionError where it says nothing, or what is not right."""
    text = read_text(path, KEYWORD)
    if text is None:
        raise OptionError(
            f"{path} does not say how it was made: it is no PNG file of gansmith, was written with --no-metadata, or "
            f"another program took it out"
        )
    try:
        json.loads(text, object_pairs_hook=_without_repeats)
        made = Provenance.model_validate_json(text, strict=True)
        if made.count() > _MOST_IMAGES:
            raise ValueError(f"it stands for {made.count():,} images, at most {_MOST_IMAGES:,} are read")
        return made
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise OptionError(
            f"{path} does not say rightly how it was made: {where} = {shown(first['input'])}: {first['msg']}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{path} does not say rightly how it was made: {error}") from None


def point_of(seed: Seed) -> int | Values:
    """A seed, or a latent as data.

    >>> point_of(3), point_of(Latent(torch.ones(1))).values
    (3, 'AACAPw==')
    """
    if isinstance(seed, int):
        return seed
    raw = seed.values.numpy().astype("<f4").tobytes()
    return Values(
        values=base64.b64encode(raw).decode(), shape=tuple(seed.values.shape), space=seed.space, label=seed.label
    )


def seed_of(point: int | Values, name: str = "latent") -> Seed:
    """The reverse. Raises OptionError for values that do not fill the shape, or are not finite.

    >>> seed_of(Values(values="AACAPw==", shape=(1,), space="z"))
    Latent(z of 1 numbers, 'latent')
    """
    if isinstance(point, int):
        return point
    try:
        raw = np.frombuffer(base64.b64decode(point.values, validate=True), "<f4")
        values = torch.from_numpy(raw.astype(np.float32)).reshape(point.shape)
    except (binascii.Error, ValueError, RuntimeError) as error:
        raise OptionError(f"the latent in {name} is damaged: {error}") from None
    return Latent(values, point.space, point.label, name)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field is there twice")
    return dict(pairs)


def points(seeds: Sequence[Seed]) -> tuple[int | Values, ...]:
    """`point_of` each."""
    return tuple(map(point_of, seeds))
