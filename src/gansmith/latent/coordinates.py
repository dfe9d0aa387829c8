"""Coordinates of latents in which every prior is N(0, I): what an inversion moves and what an encoder estimates.

z = u under the normal prior, sqrt(Z) u / |u| on the sphere, 2 Phi(u) - 1 under the uniform one; in the space W of
styles w = mean + deviation u, with those of 1,000 random w.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.inversion_losses import Loss, Metric
from gansmith.latent.latents import Space
from gansmith.latent.renderer import Renderer
from gansmith.system.progress import bar
from gansmith.system.seeding import mix
from gansmith.system.threads import CallThreads

_W = 1000  # random w, of which mean and deviation are taken
TOGETHER = 32  # images that are made at a time
_INSIDE = 0.999999  # of the cube, where the inverse of its map is finite


class Coordinates:
    """u [B, n] of N(0, I) <-> latents of a space -> images. Raises OptionError for a space that is not there.

    >>> from gansmith.data.prior import Prior
    >>> place = Coordinates(Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior("sphere", 4)), "z")
    >>> place.latents(torch.ones(1, 4) * 3)
    tensor([[1., 1., 1., 1.]])
    """

    def __init__(self, renderer: Renderer, space: Space | None = None) -> None:
        """space: W where there is one when None."""
        space = space or ("w" if renderer.has_w else "z")
        if space == "w" and not renderer.has_w:
            raise OptionError("this generator has no space w (stylegan2 has): --space z")
        self.renderer, self.space = renderer, space
        if space == "w":
            w = renderer.latents(random_seeds("w", 0, _W), space="w")
            self.mean, self.deviation = (x.to(renderer.device) for x in (w.mean(0), w.std(0).clamp_min(1e-6)))

    @property
    def size(self) -> int:
        """n, the numbers of a latent."""
        return len(self.mean) if self.space == "w" else self.renderer.prior.size

    def latents(self, u: Tensor) -> Tensor:
        prior = self.renderer.prior
        if self.space == "w":
            return self.mean + self.deviation * u
        if prior.kind == "sphere":
            return prior.on_sphere(u)
        return u if prior.kind == "normal" else torch.erf(u / math.sqrt(2))

    def inverse(self, latents: Tensor) -> Tensor:
        """u [B, n] of latents [B, n]."""
        if self.space == "w":
            return (latents - self.mean) / self.deviation
        uniform = self.renderer.prior.kind == "uniform"
        return torch.erfinv(latents.clamp(-_INSIDE, _INSIDE)) * math.sqrt(2) if uniform else latents

    def of_seeds(self, seeds: list[int], label: int | str | None = None) -> Tensor:
        """u [B, n] of some seeds' latents; label: of the class, for latents that are mapped to w."""
        latents = self.renderer.latents(seeds, space=self.space, label=label)
        return self.inverse(latents.to(self.renderer.device))

    def images(self, u: Tensor, labels: Tensor | None) -> Tensor:
        network: Any = self.renderer.generator
        latents = self.latents(u)
        if self.space == "w":
            images: Tensor = network.synthesize(latents)
        else:
            images = network(latents) if labels is None else network(latents, labels)
        return images.float()

    def threads(self, loss: Loss, rows: int) -> AbstractContextManager[None]:
        """Inside, one thread where a step of a search of so many rows, its gradient included, is too little work for
        several, and so are the losses of random samples."""
        labels = torch.zeros(1, dtype=torch.int64, device=self.renderer.device) if self.renderer.conditional else None
        u = torch.ones(1, self.size, device=self.renderer.device)
        call = CallThreads(self.renderer.device)
        return call.of("a row", lambda: loss(self.images(u, labels)), max(TOGETHER, 3 * rows))

    def losses(self, loss: Loss, seeds: list[int], label: int | str | None, what: str) -> tuple[Tensor, Tensor | None]:
        """The loss of each seed's image [N], and their classes. what: of the progress bar."""
        losses: list[Tensor] = []
        with bar(what, len(seeds)) as advance, torch.no_grad():
            for images in self._samples(seeds, label):
                losses.append(loss(images).cpu())
                advance(len(images))
        return torch.cat(losses), self.renderer.labels(seeds, label)

    @torch.no_grad()
    def apart(self, metric: Metric, seeds: list[int], label: int | str | None) -> float:
        """The mean distance of two random samples, neighbours of `seeds`."""
        images = torch.cat(list(self._samples(seeds, label)))
        pairs = zip(images[:-1].split(TOGETHER), images[1:].split(TOGETHER), strict=True)
        return float(torch.cat([metric(one)(other) for one, other in pairs]).mean())

    def _samples(self, seeds: list[int], label: int | str | None) -> Iterator[Tensor]:
        """The images of seeds, some at a time."""
        labels, latents = self.renderer.labels(seeds, label), self.renderer.latents(seeds)
        network: Any = self.renderer.generator
        for first in range(0, len(seeds), TOGETHER):
            part, device = slice(first, first + TOGETHER), self.renderer.device
            z = latents[part].to(device)
            images: Tensor = network(z) if labels is None else network(z, labels[part].to(device))
            yield images.float()


def random_seeds(word: str, seed: int, count: int) -> list[int]:
    """Seeds of random samples, those of one word apart from those of another.

    >>> random_seeds("start", 0, 2) == random_seeds("start", 0, 3)[:2]
    True
    """
    return [mix("invert", word, seed, number) for number in range(count)]
