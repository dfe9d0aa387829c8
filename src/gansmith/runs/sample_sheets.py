"""Sample sheets of a run, the same latents and the same real images every time, and the film of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch

from gansmith.errors import GansmithError, RunError
from gansmith.experiment.assemble import Assembly
from gansmith.records.films import save_film
from gansmith.records.images import draw_sheet, save_image
from gansmith.runs.monitor import evaluation_mode
from gansmith.runs.sample_inputs import sample_inputs, sheet_columns
from gansmith.runs.sheet_provenance import sheet_text
from gansmith.runs.training_state import players_in_use
from gansmith.system.console import say
from gansmith.system.text import whole_number

_FILM_EVERY, _FILM_SHARE = 60.0, 50  # seconds, and times: each film is encoded from all sheets


# Images at which the first sheets are drawn, at growing intervals: something is seen within half a minute at five
# images a second, and at five thousand. Numbers of images, so that a run draws the same sheets wherever it is trained.
EARLY = tuple(figure * 10**power for power in (2, 3, 4, 5) for figure in (1, 2, 5))
_OFTEN = 500  # images: the marks before are for slow trainings, which draw sheets seldom


class SampleSheets:
    """samples/IMAGES.png and progress.webp of the run in `folder`."""

    def __init__(self, folder: Path, parts: Assembly, *, said: Callable[[Path], None] = lambda sheet: None) -> None:
        """said: called with the path of each sheet that was written."""
        self.folder, self.parts, self._said = folder, parts, said
        self._film_saved, self._film_seconds = time.monotonic(), 0.0

    @torch.no_grad()
    def save_sheet(self, images: int) -> None:
        """The sheet after `images` images; none for a game that shows nothing."""
        show = self.parts.game.show
        if show is None:
            return
        players = players_in_use(self.parts)
        with evaluation_mode(players):
            fixed = sample_inputs(self.parts, self.parts.experiment.sheet)
            samples = show(players, fixed).float().cpu()
        sheet = draw_sheet(samples, columns=sheet_columns(self.parts), scale=None)
        if not self.folder.is_dir():  # else it would be begun anew
            raise RunError(f"{self.folder} is no longer there")
        self._said(save_image(sheet, self._path(images), text=sheet_text(self.parts, players, fixed, images)))

    def due(self, before: int, images: int) -> bool:
        """Is a sheet due, when the number of images drawn goes from `before` to `images`? At each multiple of
        `samples_every`, and at what of `EARLY` is less than that, of the first two at most a tenth."""
        every = self.parts.experiment.samples_every
        marks = (mark for mark in EARLY if (mark < every if mark >= _OFTEN else mark <= every / 10))
        early = any(before < mark <= images for mark in marks)
        return early or before // every < images // every

    def save_film(self) -> None:
        """The film of all sheets, where there are two; a warning where one of them cannot be read."""
        begun = time.monotonic()
        sheets = {whole_number(path.stem): path for path in (self.folder / "samples").glob("*.png")}
        ordered = [sheets[number] for number in sorted(number for number in sheets if number is not None)]
        if len(ordered) > 1:
            try:
                save_film(ordered, self._film)
            except (OSError, GansmithError) as error:  # a sheet that somebody damaged must not stop the training
                say(f"warning: no film of the sheets was written: {error}")
        self._film_saved = time.monotonic()
        self._film_seconds = self._film_saved - begun

    def save_film_when_due(self) -> None:
        """The film, unless one was saved in the last minute, or in fifty times as long as that took."""
        if time.monotonic() - self._film_saved > max(_FILM_EVERY, _FILM_SHARE * self._film_seconds):
            self.save_film()

    def save_missing(self, images: int) -> None:
        """What a run that ended after `images` images lacks because it was killed."""
        if not self._path(images).is_file():
            self.save_sheet(images)
        if not self._film.is_file():
            self.save_film()

    def _path(self, images: int) -> Path:
        return self.folder / "samples" / f"{images:09}.png"

    @property
    def _film(self) -> Path:
        return self.folder / "progress.webp"
