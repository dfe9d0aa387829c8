"""Rank statistics of two samples."""

from __future__ import annotations

import torch
from torch import Tensor


def accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """Area under the ROC curve, P(score of a real > score of a fake) over all pairs, ties counted half: in [0, 1].

    Scores of patches are averaged per image first. It means the same for every objective (the Mann-Whitney statistic).
    """
    real, fake = of_images(real), of_images(fake)
    ordered = real.sort().values  # all pairs at once would take memory with the square of the batch
    below, up_to = (torch.searchsorted(ordered, fake, right=right) for right in (False, True))
    return 1 - (below + up_to).float().mean() / (2 * len(real))


def of_images(scores: Tensor) -> Tensor:
    """Scores [B, ...] -> one for each image [B], the mean of its patches."""
    return scores.flatten(1).mean(1) if scores.dim() > 1 else scores
