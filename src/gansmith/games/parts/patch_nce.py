"""PatchNCE: patches of a translation are to be told apart by their source patches, among patches of the same image.

Park, Efros, Zhang, Zhu 2020, "Contrastive Learning for Unpaired Image-to-Image Translation", Eq. 3 and 4, after van den
Oord, Li, Vinyals 2018, "Representation Learning with Contrastive Predictive Coding" (InfoNCE).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def patch_nce(queries: Tensor, keys: Tensor, *, temperature: float) -> Tensor:
    """Unit vectors of a translation's patches and of its source's, both [B, S, D] -> the loss of each image [B].

    Cross-entropy of S classes: patch s of the translation belongs to patch s of the source; the other S - 1 patches of
    that image are the negatives. No gradient goes through `keys`.
    """
    with torch.autocast(queries.device.type, enabled=False):  # 1 / temperature times the error of a short format
        logits = queries @ keys.detach().transpose(1, 2) / temperature
        places = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
        return F.cross_entropy(logits.transpose(1, 2), places, reduction="none").mean(1)


def vectors_at(maps: Tensor, places: Tensor) -> Tensor:
    """Feature maps [B, C, H, W] and places int64 [S] of 0 ... H W - 1 -> vectors [B, S, C]."""
    return maps.flatten(2).index_select(2, places).transpose(1, 2)


def drawn_places(maps: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """`count` different places int64 [S] of the maps, or all of them in random order, the same for all images. `rng`
    must be on their device."""
    return torch.randperm(maps.shape[2] * maps.shape[3], generator=rng, device=rng.device)[:count]
