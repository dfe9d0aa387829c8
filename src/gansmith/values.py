"""Values that turns and games pass on: samples, scores, terms, moments, and the sizes that networks are built for.

Shapes: images float32 [B, C, H, W] in [-1, 1]; labels int64 [B]; latents [B, Z]; scores [B, ...], raw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from gansmith.errors import GansmithError


class Dimensions(NamedTuple):
    """Sizes that the networks of one experiment are built for: of images, latents [B, latent] and labels."""

    channels: int
    height: int
    width: int
    latent: int = 0
    classes: int = 0


class Sample(NamedTuple):
    """Images [B, C, H, W] in [-1, 1], and their labels [B] if there are any."""

    image: Tensor
    label: Tensor | None = None


Batch = Mapping[str, Sample]  # {"real": ...}; {"a": ..., "b": ...} for two domains


class Scores(NamedTuple):
    """Inputs and raw scores [B, ...] of one forward pass of the discriminator, which penalties differentiate."""

    shown_real: Sample
    shown_fake: Sample
    real: Tensor
    fake: Tensor


class Terms(NamedTuple):
    """Scalar terms of one turn: those in `loss` are summed and minimised, those in `seen` only recorded."""

    loss: dict[str, Tensor]
    seen: dict[str, Tensor] = {}  # noqa: RUF012  (a NamedTuple's default; nothing writes into it)

    def plus(self, loss: Mapping[str, Tensor], seen: Mapping[str, Tensor] | None = None) -> Terms:
        """These terms with further ones in `loss` and `seen`."""
        return Terms({**self.loss, **loss}, {**self.seen, **(seen or {})}) if loss or seen else self

    def total(self) -> Tensor:
        first, *others = self.loss.values()
        return sum(others, start=first)

    def checked(self) -> Terms:
        """These terms. Raises GansmithError for a name in both dictionaries, or without any loss."""
        twice = self.loss.keys() & self.seen.keys()
        if twice:
            raise GansmithError(f"a term stands twice in one turn: {', '.join(sorted(twice))}")
        if not self.loss:
            raise GansmithError("a turn returned no loss: there is nothing to minimise")
        return self


class Moment(NamedTuple):
    """Position of a turn in training: step, real images drawn so far, repeat within the step, the turn's generator."""

    step: int
    images: int
    repeat: int
    rng: torch.Generator


class Fixed(NamedTuple):
    """Inputs of a run's sample sheets: latents [N, Z], labels [N] or None, and up to N real images of each domain."""

    latents: Tensor
    label: Tensor | None
    real: Batch


def exact(values: Tensor) -> Tensor:
    """Scores or images in float32 or float64, the formats in which losses and squares are computed."""
    return values if values.dtype == torch.float64 else values.float()
