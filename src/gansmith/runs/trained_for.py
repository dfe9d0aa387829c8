"""How long the weights were trained that a command uses: those of the last checkpoint need not be those of the end."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from gansmith.errors import ExperimentError
from gansmith.models import saved
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run


class TrainedFor(NamedTuple):
    """Real images drawn when the weights were saved, and how many the run is to draw; None where no run says so."""

    images: int
    whole: int | None

    @property
    def at_the_end(self) -> bool:
        return self.whole is None or self.images >= self.whole

    def __str__(self) -> str:
        """`3,328 of 60,000 images`, at the end `60,000 images`."""
        return f"{self.images:,}{'' if self.whole is None or self.at_the_end else f' of {self.whole:,}'} images"


def trained_for(run: Run, *, checkpoint: str | None = None, raw: bool = False) -> TrainedFor:
    """Of the run's model, or of the checkpoint that its weights come from. Raises CheckpointError."""
    if run.model != run.path and (checkpoint is not None or raw):
        images = int(run.checkpoint(checkpoint)["images"])
    else:
        file = run.model if run.model.is_file() else run.model / f"{run.players[0]}.safetensors"
        images = saved.read_card(file).images
    whole = None
    if is_run(run.path):
        with suppress(ExperimentError):  # a damaged file says nothing; whoever needs it is told
            whole = run.experiment.images
    return TrainedFor(images, whole)
