"""Instance noise: normal noise of falling deviation on every image that a discriminator reads.

Sonderby, Caballero, Theis, Shi, Huszar 2017, "Amortised MAP Inference for Image Super-resolution", appendix; Arjovsky,
Bottou 2017, "Towards Principled Methods for Training Generative Adversarial Networks", section 3. Real and generated
images lie on sets that do not meet, so that a discriminator can be perfect and its gradients useless; noise on both
makes them overlap.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gansmith.adversarial import Moment
from gansmith.augment.parts.augment import Augment
from gansmith.schedules import Decay, Schedule, Weight, schedule
from gansmith.system.sharing import drawn

# Differs: the papers leave size and pace to the task; this is a twentieth of the range, gone after the 1M images that a
# run takes by default.
_DEVIATION = Decay(start=0.1, end=0.0, decay=1_000_000)


def build(*, deviation: Weight = _DEVIATION) -> InstanceNoise:
    """Images [B, C, H, W] in [-1, 1] -> the same plus N(0, deviation^2), drawn for each number in them.

    deviation: a number, or a schedule over the images drawn. Noise is added to every channel, transparency too.

    >>> images = torch.zeros(2, 3, 8, 8)
    >>> bool((build(deviation=0.1)(images) != images).all())
    True
    """
    return InstanceNoise(schedule(deviation))


class InstanceNoise(Augment):
    """See `build`."""

    def __init__(self, deviation: Schedule) -> None:
        self._schedule = deviation
        self._deviation = deviation(0)

    def begin(self, at: Moment) -> None:
        self._deviation = self._schedule(at.images)

    def __call__(self, images: Tensor) -> Tensor:
        if self._deviation == 0:
            return images
        # not randn_like: its order is the memory's
        noise = drawn(lambda n: torch.randn(n, *images.shape[1:], device=images.device), len(images))
        return (images + self._deviation * noise).to(images.dtype)
