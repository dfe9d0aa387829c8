"""Gradients of each image's score by its pixels, and their squared distance from a target length."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import exact


def slopes(scores: Tensor, image: Tensor) -> Tensor:
    """Scores [B, ...] of images [B, C, H, W] -> the gradient of each image's score by its pixels [B, C * H * W].

    In float32 or float64, and differentiable. The scores of an image's patches are summed. It requires that no image's
    score depends on another image, as it does through batch normalisation.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), image, create_graph=True)
    return exact(gradient).flatten(1)


def from_target(gradients: Tensor, target: float, one_sided: bool) -> Tensor:
    """Gradients [B, D] -> (|gradient| - target)^2 [B]; 0 for those below the target when `one_sided`."""
    excess = torch.linalg.vector_norm(gradients, dim=1) - target
    return (F.relu(excess) if one_sided else excess).square()
