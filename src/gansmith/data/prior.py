"""Prior: the distribution that a generator's latents, and the labels of its images, are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from gansmith.adversarial import Sample
from gansmith.system.sharing import drawn


@dataclass(frozen=True)
class Prior:
    """Distribution of latents of `size` numbers: N(0, 1), U(-1, 1), or uniform on the sphere of radius sqrt(size).

    labels: `paired` gives each fake the label of a real image of the same batch; `independent` draws it uniformly from
    the `classes`. shares: of the classes among the training images, where labels are paired; none: equal ones.
    """

    kind: Literal["normal", "uniform", "sphere"] = "normal"
    size: int = 100
    labels: Literal["paired", "independent"] = "paired"
    classes: int = 0
    shares: tuple[float, ...] = ()

    def latents(self, n: int, rng: torch.Generator, grid: tuple[int, int] | None = None) -> Tensor:
        """n latents [n, Z] (or [n, Z, h, w] for a `grid` of h x w), on the generator's device, float32."""
        shape = (self.size, *(grid or ()))
        if self.kind == "uniform":
            return drawn(lambda n: torch.rand(n, *shape, generator=rng, device=rng.device), n) * 2 - 1
        z = drawn(lambda n: torch.randn(n, *shape, generator=rng, device=rng.device), n)
        return z if self.kind == "normal" else self.on_sphere(z)

    def on_sphere(self, z: Tensor) -> Tensor:
        """Latents scaled to the length sqrt(Z) along dimension 1."""
        scaled: Tensor = z * (math.sqrt(self.size) / z.norm(dim=1, keepdim=True).clamp_min(1e-12))
        return scaled

    def draw(self, n: int, rng: torch.Generator, like: Sample | None = None) -> tuple[Tensor, Tensor | None]:
        """n latents [n, Z], and n labels [n] where there are classes: those of `like`, or independent ones."""
        z = self.latents(n, rng)
        if self.labels == "independent" and self.classes:
            return z, drawn(lambda n: torch.randint(self.classes, (n,), generator=rng, device=rng.device), n)
        return z, None if like is None else like.label
