"""What requests ask for: a latent is `{"seed": N}`, or `{"latent": "ID"}` for one that is kept in the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from gansmith.errors import OptionError
from gansmith.web.latent_store import latent_path

if TYPE_CHECKING:
    from gansmith.latent.latents import Seed

MOST = 64  # latents of one request


class Asked(BaseModel):
    """The body of a request: each field by its type and bounds, none that is unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class SeedGiven(Asked):
    """The latent that a seed draws."""

    seed: Annotated[int, Field(ge=0, le=10**300)]


class LatentGiven(Asked):
    """A latent file of the run, by its name."""

    latent: Annotated[str, Field(min_length=1, max_length=80)]


L: TypeAlias = SeedGiven | LatentGiven
Label: TypeAlias = Annotated[str, Field(max_length=1000)] | int
Truncation: TypeAlias = Annotated[float, Field(ge=0, le=1e6, strict=False)]
Few: TypeAlias = Annotated[list[L], Field(min_length=1, max_length=MOST)]


class Point(NamedTuple):
    """A seed for the renderer, and the word that stands for it on a command line."""

    seed: Seed
    word: str


def point(run: Path, asked: L) -> Point:
    """The seed or latent that is asked for. Raises NotFoundError for a latent that is not kept in the run."""
    if isinstance(asked, SeedGiven):
        return Point(asked.seed, str(asked.seed))
    from gansmith.latent.latent_file import load_latents

    path = latent_path(run, asked.latent)
    latents = load_latents(path).latents
    if len(latents) != 1:
        raise OptionError(f"the latent file {asked.latent} holds {len(latents)} latents, and one image takes one")
    return Point(latents[0], str(path))


def how_words(label: Label | None, truncation: float | None) -> list[str]:
    """`--label NAME --truncation 0.7`, without what is not given.

    >>> how_words("cat", None), how_words(None, 0.7)
    (['--label', 'cat'], ['--truncation', '0.7'])
    """
    words = [] if label is None else ["--label", str(label)]
    return words + ([] if truncation is None else ["--truncation", repr(truncation)])
