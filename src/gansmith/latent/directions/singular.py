"""Singular directions: what the first weights enlarge most, without any sample (SeFa).

Shen, Zhou 2021, "Closed-Form Factorization of Latent Semantics in GANs", Eq. 5: the eigenvectors of A'A with the
largest eigenvalues, A the weights of the first layer; in W those of the style layers, stacked.
"""

from __future__ import annotations

import torch

from gansmith.latent.directions.direction import Direction
from gansmith.latent.directions.finish import finished, require_count
from gansmith.latent.directions.inner import drawn, first_weights
from gansmith.latent.renderer import Renderer

_SAMPLES = 500  # for the deviation of W along each


def singular_directions(renderer: Renderer, count: int = 10) -> list[Direction]:
    """At most `count` directions, the largest singular value first. The image grows brighter along each.

    >>> from gansmith.data.prior import Prior
    >>> network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Unflatten(1, (1, 2, 2)))
    >>> singular_directions(Renderer(network, Prior(size=4)), 1)
    [Direction('svd-1' of 4 numbers, svd)]
    """
    require_count(count)
    vectors = torch.linalg.svd(first_weights(renderer).double(), full_matrices=False).Vh[:count]
    return finished(renderer, vectors, "svd", drawn(renderer, _SAMPLES, "svd")[0])
