"""The sheets of `gansmith look-inside`: maps.png, switched_off.png, units.png."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gansmith.data.subsets import evenly_spaced
from gansmith.errors import GansmithError
from gansmith.evaluation.types import Images
from gansmith.judge.inside_rows import maps_rows, off_rows, unit_headings, unit_rows
from gansmith.judge.insides import DISCRIMINATOR, GENERATOR, Insides, insides
from gansmith.judge.training_images import training_images
from gansmith.latent.latents import Seed
from gansmith.records.images import save_image
from gansmith.records.rows import draw_rows
from gansmith.runs.run import Run
from gansmith.system.outputs import inside as files_inside
from gansmith.system.outputs import require_output
from gansmith.system.threads import threads_for

FILES = ("maps.png", "switched_off.png", "units.png")
IMAGES = 2000  # training images that a discriminator is shown, at most
_MAPS, _OFF, _UNITS = 10, 12, 3  # shown of each layer
_NAMED_MAPS, _NAMED_UNITS = 60, 12  # of a layer that was named


@dataclass(frozen=True)
class InsideSheets:
    """Sheets by the name of their file, and what is on each, in words; notes: what is left out, and why."""

    images: dict[str, Image.Image]
    words: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def save(self, folder: str | Path, *, force: bool = False) -> list[Path]:
        """Write them into a folder. Raises OutputError for files that exist, without `force`."""
        require_output(Path(folder), files_inside(*self.images), force=force)
        return self.write(folder, force=force)

    def write(self, folder: str | Path, *, force: bool = False) -> list[Path]:
        """`save` into a folder that was checked before the sheets were made."""
        return [save_image(image, Path(folder) / name, replace=force) for name, image in self.images.items()]


def look_inside(
    run: Run,
    seeds: Iterable[Seed] = range(8),
    *,
    layers: Sequence[str] = (),
    channels: int | None = None,
    against: str | None = None,
    images: int = IMAGES,
    steps: int = 128,
    label: int | str | None = None,
    raw: bool = False,
    checkpoint: str | None = None,
    device: str = "auto",
    scale: int | None = None,
) -> InsideSheets:
    """Feature maps of the first of `seeds`, what channels of the generator do to all of them, what excites units of
    the discriminator.

    layers    named with their network, as generator.layers.5; one for each resolution where none is named
    channels  shown of each layer;  steps  of each ascent
    against   where the training images are, if they moved;  images  at most so many of them are looked at

    Raises RunError where there are no feature maps, OptionError and UnknownNameError for a layer that is not there.
    """
    inside = insides(run, list(seeds), label=label, raw=raw, checkpoint=checkpoint, device=device)
    options: dict[str, Any] = {"channels": channels, "against": against, "images": images}
    return sheets_of(run, inside, layers, steps=steps, scale=scale, **options)


def sheets_of(
    run: Run,
    inside: Insides,
    layers: Sequence[str],
    *,
    channels: int | None,
    against: str | None,
    images: int,
    steps: int,
    scale: int | None,
) -> InsideSheets:
    """`look_inside` of opened networks; small ones by one thread."""
    with threads_for(inside.operations()):
        return _sheets(run, inside, layers, channels=channels, against=against, images=images, steps=steps, scale=scale)


def _sheets(
    run: Run, inside: Insides, layers: Sequence[str], *, channels: int | None, against: str | None, images: int,
    steps: int, scale: int | None,
) -> InsideSheets:  # fmt: skip
    chosen = inside.chosen(layers)
    maps = maps_rows(inside, chosen, channels=channels or (_NAMED_MAPS if layers else _MAPS))
    made = {FILES[0]: draw_rows(maps, scale=scale)}
    words, notes = ["feature maps of the first sample"], []
    if chosen[GENERATOR]:
        # where none is named the second resolution: of parts, where the first is of the whole
        one = chosen[GENERATOR][0 if layers else min(1, len(chosen[GENERATOR]) - 1)]
        made[FILES[1]] = draw_rows(off_rows(inside, one, channels=channels or _OFF), scale=scale)
        words.append(f"samples without single channels of {GENERATOR}.{one.name}")
    if inside.discriminator is None:
        notes.append(f"{run.path} holds no discriminator: what excites its units is left out")
    if chosen[DISCRIMINATOR]:
        real, why = _training_images(run, inside, against, images)
        notes += why
        units = channels or (_NAMED_UNITS if layers else _UNITS)
        rows = unit_rows(inside, chosen[DISCRIMINATOR], real, units=units, steps=steps)
        made[FILES[2]] = draw_rows(rows, headings=unit_headings(real), scale=scale)
        words.append("what excites units of the discriminator most")
    return InsideSheets(made, tuple(words), tuple(notes))


def _training_images(run: Run, inside: Insides, against: str | None, most: int) -> tuple[Images | None, list[str]]:
    """At most so many, evenly spaced; where they are gone and no other place was named none, and why."""
    channels, height, width = inside.shape
    try:
        known = training_images(run, (height, width, channels), against=against).images
    except GansmithError as error:
        if against is not None:
            raise
        return None, [f"units are shown by ascent alone: {error}"]
    return np.ascontiguousarray(known[evenly_spaced(len(known), most)]), []
