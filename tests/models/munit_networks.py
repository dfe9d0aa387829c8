"""Small networks of MUNIT in float64."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models import munit

SIZE = Dimensions(3, 16, 20, 5)


def discriminator(size: Dimensions = SIZE, **options: int) -> munit.Discriminator:
    torch.manual_seed(0)
    return munit.discriminator(size, **{"width": 3, "depth": 2, "scales": 3, **options})


def images(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=dtype) * 2 - 1


# ---- the autoencoder


def convolved(x: Tensor, layers: nn.Module, kernel: int, stride: int = 1) -> Tensor:
    """By the convolution of `layers` after reflection; checks its shape."""
    assert isinstance(layers, nn.Conv2d)
    assert layers.kernel_size == (kernel, kernel)
    around = 3 if kernel == 7 else 2 if kernel == 5 else 1
    return F.conv2d(F.pad(x, (around,) * 4, mode="reflect"), layers.weight, layers.bias, stride)
