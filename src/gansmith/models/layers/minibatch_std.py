"""Minibatch standard deviation: how much the images of a group differ, as one more channel of a discriminator.

Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
section 3; in groups, as in the code of StyleGAN2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansmith.adversarial import exact
from gansmith.system.collectives import gathered, own_rows

_DECAY = 0.99  # of the running mean, per pass


class MinibatchDeviation(nn.Module):
    """Features [B, C, H, W] -> [B, C + 1, H, W]: behind them the standard deviation over the image's group, averaged
    over channels and pixels.

    Images i, i + M, i + 2 M ... are a group, M = ceil(B / group): the authors' groups where `group` divides B, of the
    global batch where several processes share one. In evaluation, where an image's score must not depend on others, it
    is the running mean of all batches in training.
    """

    mean: Tensor

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        count = len(x)
        if self.training:
            with torch.autocast(x.device.type, enabled=False):
                everywhere = gathered(exact(x))
                deviation = _deviations(everywhere, -(-len(everywhere) // self.group))
            with torch.no_grad():
                self.mean.lerp_(deviation.mean().to(self.mean.dtype), 1 - _DECAY)
            deviation = own_rows(deviation)
        else:
            deviation = self.mean.expand(count)
        channel = deviation.to(x.dtype)[:, None, None, None].expand(count, 1, *x.shape[2:])
        return torch.cat([x, channel], dim=1)


def _deviations(x: Tensor, groups: int) -> Tensor:
    """[B, C, H, W] -> [B], that of the image's group, image i being in group i modulo `groups`."""
    group = torch.arange(len(x), device=x.device) % groups
    member = (group == torch.arange(groups, device=x.device)[:, None]).to(x.dtype)
    share = member / member.sum(1, keepdim=True)  # [groups, B]
    values = x.flatten(1)
    apart = values - (share @ values)[group]
    of_group = (share @ apart.square() + 1e-8).sqrt().mean(1)
    return of_group[group]
