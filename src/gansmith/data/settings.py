"""Settings of the data: where the images are, and how they become uint8 [N, H, W, C]."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_serializer,
    field_validator,
    model_validator,
)

from gansmith.data.limits import MOST_PIXELS
from gansmith.system.option_words import Takes


def parse_size(value: Any) -> Any:
    """`64` -> (64, 64); `"48x64"` -> (48, 64), height x width."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, value)
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{1,9})(?:\s*[xX×]\s*(\d{1,9}))?\s*", value, re.ASCII)  # noqa: RUF001  (people type the sign too)
        if not match:
            raise ValueError(f"a size is a number of pixels (64) or height x width (48x64), not {value!r}")
        return (int(match[1]), int(match[2] or match[1]))
    return value


def parse_classes(value: Any) -> Any:
    """`"frog, cat"` -> ["frog", "cat"]; a list of names or numbers -> their names."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    items = [value] if isinstance(value, int) else value
    if isinstance(items, (list, tuple)) and all(isinstance(item, (str, int)) for item in items):
        if any(isinstance(item, bool) for item in items):
            raise ValueError("YAML reads yes, no, on and off as true and false: put such a class in quotes")
        return [str(item) for item in items]
    return value


def _few_pixels(size: tuple[int, int]) -> tuple[int, int]:
    if size[0] * size[1] > MOST_PIXELS:
        raise ValueError(f"{size[0]:,}x{size[1]:,} is more than {MOST_PIXELS / 1e6:.0f} million pixels")
    return size


LARGEST_SIDE = 65_535  # pixels, of what JPEG can hold
Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
Size = Annotated[
    tuple[Side, Side],
    BeforeValidator(parse_size),
    AfterValidator(_few_pixels),
    Takes(f"a number of pixels (64) or height x width (48x64), each side from 1 to {LARGEST_SIDE:,}"),
]

Byte = Annotated[int, Field(ge=0, le=255)]


class DataSettings(BaseModel):
    """Where the images are, and how they become uint8 [N, H, W, C]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field("digits", description="folder, zip, file, or the name of a built-in dataset")
    other: str | None = Field(
        None, description="the images of the second domain, for translation; or none when `path` holds both"
    )
    format: str | None = Field(None, description="name of the format; None recognises it by the path")
    options: dict[str, Any] = Field(default_factory=dict, description="options of the format")
    size: Size | None = Field(None, description="height x width in pixels; None recommends one from the images")
    load_size: Size | None = Field(
        None, description="larger than size: images are loaded at this size, and each draw is a random crop of it"
    )
    channels: Literal[1, 3, 4] | None = Field(None, description="grey, RGB or RGBA; 1 when all are grey, else 3")
    fit: Literal["crop", "pad", "stretch"] = Field("crop", description="how an image of another aspect is fitted")
    background: tuple[Byte, Byte, Byte] = Field((255, 255, 255), description="behind transparent pixels and padding")
    classes: Annotated[
        tuple[str, ...], BeforeValidator(parse_classes), Takes("names of classes: frog, or [frog, cat]")
    ] = Field(
        (), description="only images of these classes of a labelled set, by name: frog, or [frog, cat]; all when empty"
    )
    fraction: float = Field(1.0, gt=0, le=1, description="use this share of the images, drawn by a fixed seed")
    holdout: Annotated[float, Field(ge=0, lt=1)] | Literal["auto"] = Field(
        "auto",
        description="share that is never trained on, kept for judging; auto: 5 %, at least 125 images, at most a "
        "quarter; a run records the share",
    )
    holdout_by: str = Field(
        "similar",
        description="what must fall on one side: 'similar' (near-duplicates), 'class', 'file', or 'name:REGEX'",
    )
    disjoint: bool = Field(
        False,
        description="of two domains of equal names: train one on half of the names, the other on the other half",
    )
    flip: bool = Field(False, description="mirror left to right, at random, while training")
    skip_unreadable: bool = Field(False, description="leave out images that cannot be decoded, instead of stopping")
    cache: bool = Field(
        True, description="decode once into a uint8 file; False decodes while training (worker processes)"
    )

    @field_validator("holdout_by")
    @classmethod
    def _known_rule(cls, value: str) -> str:
        if value.startswith("name:"):
            try:
                re.compile(value[5:])
            except re.error as error:
                raise ValueError(f"{value[5:]!r} is not a regular expression: {error}") from None
        elif value not in ("similar", "class", "file"):
            raise ValueError("must be 'similar', 'class', 'file' or 'name:REGEX'")
        return value

    @model_validator(mode="after")
    def _room_to_crop(self) -> Self:
        if self.load_size is not None and self.size is not None:
            loaded, size = self.load_size, self.size
            if loaded == size or loaded[0] < size[0] or loaded[1] < size[1]:
                raise ValueError(
                    f"load_size is larger than size, which is cropped from it: {loaded[0]}x{loaded[1]} leaves no room "
                    f"around {size[0]}x{size[1]}"
                )
        return self

    @field_serializer("size", "load_size")
    def _plain_size(self, size: tuple[int, int] | None) -> str | None:
        return None if size is None else f"{size[0]}x{size[1]}"
