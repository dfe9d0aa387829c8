"""Directions in the latent space along which the images change most: for the sliders of the page.

Linear regression of images on latents: images of N samples, averaged to at most 16 x 16 areas, are fitted as z W by
least squares; the left singular vectors of W, the largest singular values first, are the directions [K, Z] of length 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gansmith.export.portable import Portable

_SIDE = 16
_AT_ONCE = 8


def slider_directions(network: Portable, count: int = 6) -> Tensor:
    """At most `count` directions [K, Z], orthogonal, signed so that the image grows brighter along each."""
    size = network.renderer.prior.size
    samples = min(4 * size, 1024) if size > 1 else 16
    inputs = network.inputs(samples)
    if "psi" in inputs:
        inputs["psi"] = torch.ones(samples)
    seen = []
    for begin in range(0, samples, _AT_ONCE):
        images = network.images({name: values[begin : begin + _AT_ONCE] for name, values in inputs.items()})
        sides = (min(images.shape[2], _SIDE), min(images.shape[3], _SIDE))
        seen.append(F.adaptive_avg_pool2d(images, sides).flatten(1))
    latents, flat = inputs["latent"].double(), torch.cat(seen).double()
    weights = torch.linalg.lstsq(latents - latents.mean(0), flat - flat.mean(0)).solution  # [Z, P]
    directions = torch.linalg.svd(weights, full_matrices=False).U.t()[:count]
    brighter = (directions @ weights).sum(1).sign()
    signed: Tensor = directions * torch.where(brighter == 0, 1.0, brighter)[:, None]
    return signed.float()
