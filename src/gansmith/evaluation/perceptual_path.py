"""Perceptual path length: LPIPS change of the image for a small step between two latents.

Karras, Laine, Aila 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks", section 4.1:

    l = E[ d(G(p(t)), G(p(t + eps))) / eps^2 ],   t ~ U(0, 1),   eps = 1e-4,   d = LPIPS

with p the great arc between two latents, or the straight line between uniform ones; the lowest and the highest
hundredth of the values are left out, as in the authors' code. Ours is over z, from ends that are included ("full").

Eight bits would round a step of 1e-4 away: the images go to the distance as floats in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.types import Extractor, Number
from gansmith.latent.interpolation import lerp, slerp
from gansmith.system.progress import bar
from gansmith.system.seeding import mix

LEAST = 10  # pairs
_LEFT_OUT = 1.0  # per cent, at each end


def path_length(
    render: Callable[[Tensor], Tensor],
    latents_a: Tensor,
    latents_b: Tensor,
    extractor: Extractor,
    *,
    epsilon: float = 1e-4,
    space: Literal["sphere", "linear"] = "sphere",
    seed: int = 0,
) -> Number:
    """Pairs of latents [N, Z], and render: latents [B, Z] -> images [B, C, H, W] in [-1, 1] -> the mean l.

    space: sphere for normal and spherical priors, linear for uniform ones. The unit depends on the extractor's size.
    Raises OptionError for an extractor without a distance, DataError for fewer than ten pairs or images that are not
    finite.

    >>> from gansmith.evaluation.features import vgg
    >>> latents = torch.randn(2, 10, 768, generator=torch.Generator().manual_seed(0))
    >>> path_length(lambda z: z.tanh().unflatten(1, (3, 16, 16)), *latents, vgg.untrained(device="cpu")).value > 0
    True
    """
    if extractor.distance is None:
        raise OptionError(
            f"the extractor {extractor.name} has no perceptual distance, which a path length needs. Take vgg"
        )
    if space not in ("sphere", "linear"):
        raise OptionError(f"space = {space!r} is not allowed: sphere or linear")
    if not 0 < epsilon < 1:
        raise OptionError(f"epsilon = {epsilon} is not allowed: above 0 and below 1, as 1e-4")
    if latents_a.shape != latents_b.shape or latents_a.dim() < 2:
        raise DataError(f"latents come in pairs [N, Z], not {list(latents_a.shape)} and {list(latents_b.shape)}")
    if len(latents_a) < LEAST:
        raise DataError(f"a path length of {len(latents_a)} pairs of latents: at least {LEAST} are needed")
    between = slerp if space == "sphere" else lerp
    shares = np.random.default_rng(mix(seed, "path_length")).random(len(latents_a))
    distances = []
    with torch.inference_mode(), bar("perceptual path length", len(shares), unit="pairs") as advance:
        for start in range(0, len(shares), extractor.batch):
            pairs = range(start, min(start + extractor.batch, len(shares)))
            points = [
                torch.stack([between(latents_a[i].double(), latents_b[i].double(), shares[i] + step) for i in pairs])
                for step in (0.0, epsilon)
            ]
            images = [render(point.to(latents_a.dtype)) for point in points]
            if not all(image.is_floating_point() for image in images):
                raise DataError("a path length needs images as floats in [-1, 1]: eight bits round the step away")
            distances.append(extractor.distance(*images).double().cpu().numpy())
            advance(len(pairs))
    values = np.concatenate(distances) / epsilon**2
    if not np.isfinite(values).all():
        raise DataError("a path length holds a NaN or an infinity: the generator's images are not finite")
    value, half = trimmed_mean(values)
    return Number(value, value - half, value + half, "how fast the image changes, to the eye, along a path of latents")


def trimmed_mean(values: NDArray[Any]) -> tuple[float, float]:
    """[N] -> the mean of what lies from the 1st to the 99th percentile, both taken outwards to a value and included,
    and half its 95 % interval: Tukey, McLaughlin 1963, "Less Vulnerable Confidence and Significance Procedures", from
    the spread of the values with the extremes drawn in to the percentiles."""
    low = np.percentile(values, _LEFT_OUT, method="lower")
    high = np.percentile(values, 100 - _LEFT_OUT, method="higher")
    kept = values[(values >= low) & (values <= high)]
    spread = np.clip(values, low, high).std(ddof=1) * np.sqrt(len(values)) / len(kept)
    return float(kept.mean()), intervals.student(float(spread), len(kept) - 1)
