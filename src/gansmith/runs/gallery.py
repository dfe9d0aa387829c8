"""What to expect: a strip of samples that a default recipe made of the set most like these images, measured before.

An entry is two files of the folder `gallery` of the package, NAME.jpg and NAME.json; `python -m benchmarks.gallery`
writes them from a run.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from gansmith.data.subsets import evenly_spaced
from gansmith.experiment.assemble import Assembly
from gansmith.records.images import save_image
from gansmith.runs.defaults_table import defaults
from gansmith.system.console import say
from gansmith.system.text import printable

FOLDER = Path(__file__).parent.parent / "gallery"
FREE = ("Apache-2.0", "MIT", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "OFL-1.1")  # licences of images that may be shown
_SAMPLED = 64  # images that tell the kind
_BINS = 64  # of brightness
_PLAIN = 0.2  # share of an image in its fullest bin; seen: .06 to .08 for photographs, .36 to .52 for digits and emoji

Kind = Literal["photographs", "plain"]


class Entry(BaseModel):
    """What became of a set of images.

    name: of the files;  set: in words, plural;  kind: photographs, or plain: drawings and things on plain ground;
    images: trained on;  size: pixels;  minutes: of training;  machine: in words;  licence: of the images, by SPDX
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(exclude=True)
    set: str
    kind: Kind
    images: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=8)]
    channels: Literal[1, 3, 4]
    labelled: bool
    minutes: Annotated[float, Field(gt=0)]
    recipe: str
    machine: str
    licence: Literal["Apache-2.0", "MIT", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "OFL-1.1"]

    def words(self) -> str:
        """`2,059 hand signs at 32 px after 15 minutes of sngan_small on one core`."""
        return (
            f"{self.images:,} {self.set} at {self.size} px after {self.minutes:g} minutes of {self.recipe} "
            f"on {self.machine}"
        )


class Likeness(BaseModel):
    """What an entry is compared by: the images and the run that is to begin."""

    kind: Kind
    images: int
    size: int
    channels: int
    labelled: bool
    minutes: float
    recipe: str | None

    def distance(self, entry: Entry) -> float:
        """How unlike the entry is: kind before channels, size, minutes, recipe and number of images.

        One is a factor of two in size or four in minutes, or ten times as many images.
        """
        return (
            4 * (self.kind != entry.kind)
            + 2 * ((self.channels == 1) != (entry.channels == 1))
            + abs(math.log2(self.size / entry.size))
            + abs(math.log(self.minutes / entry.minutes, 4))
            + abs(math.log10(self.images / entry.images))
            + 0.5 * (self.recipe != entry.recipe)
            + 0.25 * (self.labelled != entry.labelled)
        )


def entries(folder: Path = FOLDER) -> tuple[Entry, ...]:
    """The entries of a folder, in the order of their names."""
    return tuple(
        Entry.model_validate_json(f'{{"name": "{path.stem}", {path.read_text(encoding="utf-8").lstrip()[1:]}')
        for path in sorted(folder.glob("*.json"))
    )


@cache
def shipped() -> tuple[Entry, ...]:
    """The entries that the package brings."""
    return entries()


def nearest(likeness: Likeness, known: tuple[Entry, ...]) -> Entry | None:
    """The entry most like; None where there are none."""
    return min(known, key=likeness.distance, default=None)


def kind_of(images: NDArray[np.uint8]) -> Kind:
    """uint8 [N, H, W, C] -> whether a good part of each image is of one brightness: things on plain ground.

    >>> kind_of(np.zeros((2, 8, 8, 3), np.uint8)), kind_of(np.arange(192, dtype=np.uint8).reshape(1, 8, 8, 3) * 5)
    ('plain', 'photographs')
    """
    bins = images.mean(-1).astype(np.int64) * _BINS // 256
    fullest = [np.bincount(one.reshape(-1)).max() / one.size for one in bins]
    return "plain" if float(np.median(fullest)) > _PLAIN else "photographs"


def likeness_of(parts: Assembly) -> Likeness:
    """Of the images and the length of a run."""
    experiment, data = parts.experiment, parts.data
    channels, height, width = data.shape
    images = np.asarray(data.train[evenly_spaced(len(data.train), _SAMPLED)].image)
    return Likeness(
        kind=kind_of(images),
        images=len(data.train),
        size=max(height, width),
        channels=channels,
        labelled=data.labelled,
        minutes=defaults().minutes if experiment.time is None else experiment.time / 60,
        recipe=experiment.recipe,
    )


def show_what_to_expect(parts: Assembly, folder: Path, gallery: Path = FOLDER) -> None:
    """Write expect.png into the run's folder and say what is on it, for a run of a default recipe."""
    known = shipped() if gallery == FOLDER else entries(gallery)
    if not known or parts.data.points or parts.experiment.recipe not in defaults().recipes:
        return
    entry = nearest(likeness_of(parts), known)
    assert entry is not None
    with Image.open(gallery / f"{entry.name}.jpg") as strip:
        path = save_image(strip.copy(), folder / "expect.png")
    say(f"what to expect: {printable(path)} shows {entry.words()}. With your images it may come out better or worse")
