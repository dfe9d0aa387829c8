"""Origin of latents: which model they belong to, as data that a file holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gansmith import __version__, catalog

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Word = Annotated[str, Field(pattern="^[0-9A-Za-z_.+-]{1,60}$")]
Count = Annotated[int, Field(ge=0, le=10**15)]

_DIGITS = 16  # of a digest, in a message


class Data(BaseModel):
    """Fields read from a stranger's file: each by its type and bounds, none that is unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Origin(Data):
    """Which model latents belong to: the sha256 of its weights, how many real images it had seen, its recipe's name.

    >>> print(Origin(version="1.0", model="0" * 64, images=500))
    the model 0000000000000000 (after 500 images)
    """

    version: Word  # of gansmith, that wrote them
    model: Digest
    images: Count = 0
    recipe: Word | None = None

    def __str__(self) -> str:
        words = [word for word in (self.recipe, self.images and f"after {self.images:,} images") if word]
        known = f" ({', '.join(words)})" if words else ""
        return f"the model {self.model[:_DIGITS]}{known}"


def origin(digest: str, images: int, recipe: object) -> Origin:
    """The origin of this version's latents; its recipe where it is one of this package, so that no path is among it.

    >>> origin("0" * 64, 500, "../mine.yaml").recipe, origin("0" * 64, 500, "dcgan").recipe
    (None, 'dcgan')
    """
    known = isinstance(recipe, str) and recipe in catalog.names("recipes")
    return Origin(version=__version__, model=digest, images=images, recipe=str(recipe) if known else None)
