"""A network of a run, opened to be judged: on its device, with the size and the settings of the images it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from gansmith.data.settings import DataSettings
from gansmith.latent.renderer import Renderer
from gansmith.models.saved import Card
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run
from gansmith.runs.trained_for import TrainedFor, trained_for
from gansmith.system.device import choose_device


@dataclass(frozen=True)
class Opened:
    """A player of a run, opened to be judged.

    network     float32, in evaluation mode, without gradients, on `device`
    card        what its model file says of it
    checkpoint  the name of the checkpoint that its weights come from; None: the model
    raw         the weights as trained, without averaging
    """

    run: Run
    network: nn.Module
    card: Card
    device: torch.device
    checkpoint: str | None
    raw: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images it makes or reads; (1, 1, 2) for points."""
        channels, height, width = self.card.dimensions[:3]
        return height, width, channels

    @property
    def size(self) -> str:
        """`HxWxC`, as the protocol writes it."""
        return "x".join(map(str, self.shape))

    @property
    def points(self) -> bool:
        """Whether it makes or reads points of the plane instead of images."""
        return self.shape[:2] == (1, 1)

    @property
    def averaging(self) -> str:
        """`averaged` or `raw`, as the protocol writes it."""
        return "averaged" if self.card.averaged and not self.raw else "raw"

    @property
    def trained_for(self) -> TrainedFor:
        """How long its weights were trained."""
        return trained_for(self.run, checkpoint=self.checkpoint, raw=self.raw)

    @property
    def weights(self) -> str:
        """Which of the run's weights it has, in words."""
        return self.checkpoint or f"the model {'at the end' if self.trained_for.at_the_end else 'so far'}"

    @property
    def settings(self) -> DataSettings | None:
        """The settings of the images that the run was trained on; None for models without their run."""
        return self.run.experiment.data if is_run(self.run.path) else None

    def images_at(self, path: str) -> DataSettings:
        """Settings that bring the images at `path` to this network's size and channels, fitted as in its training."""
        return images_at(path, self.shape, like=self.settings)

    def renderer(self, *, chunk: int = 1) -> Renderer:
        """The renderer of a generator: from seeds to images, `chunk` at a time."""
        return Renderer(self.network, self.card.prior, classes=self.card.classes, device=self.device, chunk=chunk)


def open_for_judging(
    run: Run, player: str, *, checkpoint: str | None = None, raw: bool = False, device: str = "auto"
) -> Opened:
    """Open one player of a run for judging: the one way in for audit, grading, probe and comparison.

    Raises RunError where the run has no such player, CheckpointError where it has no such checkpoint.
    """
    if player == "generator" and player not in run.players:
        run.renderer(raw=raw, checkpoint=checkpoint, device=device)  # raises, and says what a translating run can do
    network, card = run.network(player, raw=raw, checkpoint=checkpoint)
    where = choose_device(device)
    network = network.to(device=where, dtype=torch.float32).eval().requires_grad_(False)
    return Opened(run, network, card, where, checkpoint, raw)


def images_at(path: str, shape: tuple[int, int, int], *, like: DataSettings | None = None) -> DataSettings:
    """Settings that bring the images at `path` to `shape` (height, width, channels), none of them held out.

    They are cropped or padded, and laid on a background, as those of `like`; points stay as they are.
    """
    height, width, channels = shape
    size: dict[str, Any] = {} if (height, width) == (1, 1) else {"size": (height, width), "channels": channels}
    fitted: dict[str, Any] = {} if like is None else {"fit": like.fit, "background": like.background}
    return DataSettings(path=path, holdout=0, **size, **fitted)


def trained_on(run: Run) -> str | None:
    """The digest of the images in the run's newest checkpoint; None without a checkpoint."""
    return str(run.checkpoint()["data"]) if run.checkpoints.names() else None
