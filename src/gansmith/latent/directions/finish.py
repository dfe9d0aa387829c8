"""The last steps of every method without labels: length, sign, step and name of its directions."""

from __future__ import annotations

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.directions.direction import Direction, Method
from gansmith.latent.directions.inner import deviation, drawn, generate
from gansmith.latent.renderer import Renderer
from gansmith.system.progress import bar

_SEEDS = 16  # whose images say which way is brighter
MOST = 200  # directions at once


def require_count(count: int, samples: int = 2) -> None:
    """Raises OptionError for a count or a number of samples that is not allowed."""
    if not 1 <= count <= MOST or samples < 2:
        raise OptionError(f"count = {count} (1 to {MOST}), samples = {samples} (at least 2): one is not allowed")


def finished(renderer: Renderer, vectors: Tensor, method: Method, latents: Tensor) -> list[Direction]:
    """Vectors [K, n] -> directions of length 1, signed so that the image grows brighter, with the step's length."""
    vectors = (vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-300)).float()
    steps = deviation(renderer, latents, vectors)
    starts, labels = drawn(renderer, _SEEDS, "brighter")
    items = []
    with bar("directions", len(vectors), "directions") as advance:
        for number, (vector, step) in enumerate(zip(vectors, steps, strict=True), 1):
            there, back = (generate(renderer, starts + sign * step * vector, labels).mean() for sign in (1, -1))
            signed = -vector if there < back else vector
            items.append(Direction(signed.contiguous(), f"{method}-{number}", method, float(step)))
            advance()
    return items


def random_directions(renderer: Renderer, count: int, *, seed: int = 0) -> list[Direction]:
    """Directions drawn evenly over all, to compare others with."""
    rng = torch.Generator().manual_seed(seed)
    latents, _ = drawn(renderer, 500, "svd")
    vectors = torch.randn(count, latents.shape[1], generator=rng)
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    steps = deviation(renderer, latents, vectors)
    return [
        Direction(vector.clone(), f"random-{number}", "pca", float(step))
        for number, (vector, step) in enumerate(zip(vectors, steps, strict=True), 1)
    ]
