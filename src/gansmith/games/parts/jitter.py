"""Random jitter: images enlarged a little and cropped at a random place.

Isola, Zhu, Zhou, Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 6.2: 256 x 256
to 286 x 286 and back. The two images of a pair are jittered as one image with the channels of both. The
mirroring that goes with it is `data.flip`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gansmith.system.sharing import drawn


def jitter(images: Tensor, *, pixels: int, rng: torch.Generator) -> Tensor:
    """Images [B, C, H, W] in [-1, 1] -> the same shape and range, each image with its own crop.

    The shorter side is enlarged by `pixels` and the other in proportion, by bicubic interpolation; each crop is equally
    likely. `rng` must be on the images' device.
    """
    if not pixels:
        return images
    count, _, height, width = images.shape
    size = [side + round(pixels * side / min(height, width)) for side in (height, width)]
    larger = F.interpolate(images, size=size, mode="bicubic").clamp_(-1, 1)  # it overshoots at edges
    rows = _places(count, height, size[0], rng)
    columns = _places(count, width, size[1], rng)
    which = torch.arange(count, device=rng.device)[:, None, None]
    chosen = larger.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
    return chosen.permute(0, 3, 1, 2).contiguous()


def _places(count: int, size: int, larger: int, rng: torch.Generator) -> Tensor:
    """[B, size]: consecutive positions within `larger`, for each image from a start drawn uniformly."""
    starts = drawn(lambda n: torch.randint(larger - size + 1, (n, 1), generator=rng, device=rng.device), count)
    return starts + torch.arange(size, device=rng.device)
