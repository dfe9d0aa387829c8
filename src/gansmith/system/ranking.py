"""Statistics of two samples of scores, by rank and by a threshold: of the global batch where processes share one.

Neither has a mean over processes: the first is no mean over images, and the second is compared with a target, where
rounding would decide.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gansmith.system import sharing
from gansmith.system.collectives import gathered


def shares_of(real: Tensor, fake: Tensor, threshold: float | None = None) -> dict[str, Tensor]:
    """Of scores [B, ...]: `accuracy`, and with a threshold `held_real`, the share of real scores above it; those of the
    global batch to the bit.

    >>> shares_of(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 3.0]), 1.5)
    {'accuracy': tensor(0.5000), 'held_real': tensor(0.5000)}
    """
    above = None if threshold is None else real > threshold
    if not sharing.shared():
        held = {} if above is None else {"held_real": above.float().mean()}
        return {"accuracy": accuracy(real, fake), **held}
    columns = [_of_images(real), _of_images(fake)]
    if above is None:
        return {"accuracy": accuracy(*_everywhere(columns))}
    columns.append(above.view(len(above), -1).sum(1).to(real.dtype))
    ranked, other, counts = _everywhere(columns)
    share = counts.sum().float() / (len(counts) * real[0].numel())
    return {"accuracy": accuracy(ranked, other), "held_real": share}


def accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """Area under the ROC curve, P(score of a real > score of a fake) over all pairs, ties counted half: in [0, 1].

    Scores of patches are averaged per image first. It means the same for every objective (the Mann-Whitney statistic).
    """
    real, fake = _of_images(real), _of_images(fake).contiguous()
    ordered = real.sort().values  # all pairs at once would take memory with the square of the batch
    below, up_to = (torch.searchsorted(ordered, fake, right=right) for right in (False, True))
    return 1 - (below + up_to).float().mean() / (2 * len(real))


def _everywhere(columns: list[Tensor]) -> tuple[Tensor, ...]:
    """Values of this process's images [n] each -> those of all images [N], in one collective."""
    return gathered(torch.stack(columns, 1)).t().contiguous().unbind()


def _of_images(scores: Tensor) -> Tensor:
    """Scores [B, ...] -> one for each image [B], the mean of its patches."""
    return scores.flatten(1).mean(1) if scores.dim() > 1 else scores
