"""Principal directions: what the latents of W, or the activations of an inner layer, vary in most (PCA).

Harkonen, Hertzmann, Lehtinen, Paris 2020, "GANSpace: Discovering Interpretable GAN Controls", section 2.1 (W) and 2.2,
Eq. 3 (activations y of a layer; with coordinates x = V'(y - mean), U = argmin sum |U x_j - z_j|^2).
"""

from __future__ import annotations

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.directions.direction import Direction
from gansmith.latent.directions.finish import finished, require_count
from gansmith.latent.directions.inner import activations, drawn
from gansmith.latent.renderer import Renderer

SAMPLES = 2000  # Differs: the authors draw a million; of at most some hundreds of numbers 2,000 say enough


def principal_directions(
    renderer: Renderer, count: int = 10, *, layer: int | None = None, samples: int = SAMPLES
) -> list[Direction]:
    """At most `count` directions, the largest variance first: of W where there is one, else of the activations behind
    `layer` (the first when None) brought back to z. The image grows brighter along each.

    Raises OptionError for a layer that is not there, or of a generator with a space W.

    >>> from gansmith.data.prior import Prior
    >>> network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Unflatten(1, (1, 2, 2)))
    >>> principal_directions(Renderer(network, Prior(size=4)), 1)
    [Direction('pca-1' of 4 numbers, pca)]
    """
    require_count(count, samples)
    if layer is not None and renderer.has_w:
        raise OptionError(f"layer = {layer} is of generators without a space W, and this one has one: leave it out")
    latents, labels = drawn(renderer, samples, "pca")
    centred = (latents - latents.mean(0)).double()
    if renderer.has_w:
        vectors = torch.linalg.svd(centred, full_matrices=False).Vh[:count]
    else:
        inside = activations(renderer, latents, labels, layer or 1).double()
        vectors = regressed(inside, centred, count)
    return finished(renderer, vectors, "pca", latents)


def regressed(activations: Tensor, latents: Tensor, count: int) -> Tensor:
    """Activations [N, D] and centred latents [N, n] -> what moves the first K principal coordinates [K, n]."""
    centred = activations - activations.mean(0)
    _, values, axes = torch.linalg.svd(centred, full_matrices=False)
    kept = min(count, latents.shape[1], int((values > 1e-6 * values[0]).sum()))
    coordinates = centred @ axes[:kept].t()
    solution: Tensor = torch.linalg.lstsq(coordinates, latents).solution  # Eq. 3
    return solution
