"""Batch normalisation by the statistics of the global batch, of which each process holds some rows.

Ioffe, Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
Algorithm 1; the moments of several sets from those of each: Chan, Golub, LeVeque 1979, "Updating Formulae and a
Pairwise Algorithm for Computing Sample Variances", Eq. 2.1. Equal to one process's with any shares and in every
derivative, which a penalty on gradients needs. One collective a layer and pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.errors import ExperimentError
from gansmith.system import sharing
from gansmith.system.collectives import summed

_Base = nn.modules.batchnorm._BatchNorm


class Moments(NamedTuple):
    """Mean and biased variance [C] of each channel, and the number of values a channel []."""

    mean: Tensor
    variance: Tensor
    values: Tensor


def shared(network: nn.Module) -> None:
    """From now on every batch normalisation in `network` is over the global batch where one is shared out; parameters,
    buffers and their names stay. Raises ExperimentError for nn.SyncBatchNorm, which runs on CUDA alone and has no
    second derivative.

    >>> layer = nn.BatchNorm2d(3)
    >>> shared(layer)
    >>> layer, sorted(layer.state_dict())[:2]
    (BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True), ['bias', 'num_batches_tracked'])
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.SyncBatchNorm):
            raise ExperimentError(
                f"the layer {name or 'SyncBatchNorm'} is nn.SyncBatchNorm: build the model with nn.BatchNorm2d, whose "
                f"statistics are those of all processes by themselves (batch_statistics: global)"
            )
        if isinstance(module, _Base) and not isinstance(module, _GlobalBatchNorm):
            module.__class__ = _class_of(type(module))  # type: ignore[assignment]  # a subclass of its own class


def moments(x: Tensor) -> Moments:
    """Of features [B, C, ...] of this process: those of the global batch, differentiable any number of times."""
    mean, variance = _moments(x)
    count = mean.new_full((1,), x.numel() / x.shape[1])
    if not sharing.shared():
        return Moments(mean, variance, count[0])
    rank, world = sharing.share()
    own = torch.cat([mean, variance, count])
    slots = own.new_zeros(world, len(own)).index_copy(0, torch.tensor([rank], device=own.device), own[None])
    means, variances, counts = summed(slots).split([len(mean), len(mean), 1], dim=1)  # [W, C], [W, C], [W, 1]
    total = counts.sum()
    shares = counts / total
    mean = (shares * means).sum(0)
    return Moments(mean, (shares * (variances + (means - mean).square())).sum(0), total)  # Chan et al., Eq. 2.1


class _GlobalBatchNorm(_Base):
    """Batch normalisation of the global batch; in the class that `_class_of` makes it stands behind the layer's own, so
    that a conditional layer reaches it by `super().forward`."""

    def forward(self, x: Tensor) -> Tensor:
        of_batch = self.training or self.running_mean is None
        if not (of_batch and sharing.shared()):
            return super().forward(x)
        self._check_input_dim(x)  # type: ignore[no-untyped-call]
        count = sharing.whole(len(x)) * x[0, 0].numel()
        if count <= 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {x.size()}")
        with torch.autocast(x.device.type, enabled=False):
            batch = moments(x)
            self._track(batch)
            return _normalised(x, batch, self.weight, self.bias, self.eps)

    @torch.no_grad()
    def _track(self, batch: Moments) -> None:
        """Running averages of the mean and of the unbiased variance."""
        if not (self.training and self.track_running_stats):
            return
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        new = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        unbiased = batch.variance * (batch.values / (batch.values - 1))
        self.running_mean.mul_(1 - new).add_(batch.mean.to(self.running_mean), alpha=new)
        self.running_var.mul_(1 - new).add_(unbiased.to(self.running_var), alpha=new)


_classes: dict[type[nn.Module], type[nn.Module]] = {}


def _class_of(layer: type[nn.Module]) -> type[nn.Module]:
    """The class of the layer with _GlobalBatchNorm in place of torch's base class."""
    if layer not in _classes:
        names = {"__module__": layer.__module__, "__qualname__": layer.__qualname__}
        _classes[layer] = cast(type[nn.Module], type(layer.__name__, (layer, _GlobalBatchNorm), names))
    return _classes[layer]


def _normalised(x: Tensor, batch: Moments, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """(x - mean) / sqrt(variance + eps) weight + bias by torch's kernel for fixed statistics.

    With m, r the fixed mean and 1 / deviation: ((x - m) r) (weight / deviation / r) + (bias + (m - mean) weight /
    deviation), in which scale and shift carry the gradients of the moments and have the values of weight and bias.
    """
    fixed = batch.mean.detach(), batch.variance.detach()
    ratio = (batch.variance + eps).rsqrt()
    scale = ratio if weight is None else ratio * weight
    shift = (fixed[0] - batch.mean) * scale
    return F.batch_norm(
        x, *fixed, scale / ratio.detach(), shift if bias is None else bias + shift, training=False, eps=eps
    )


class _Moments(torch.autograd.Function):
    """Features [B, C, ...] -> mean and biased variance [C], in float32 or better, by the kernel of batch normalisation,
    which is many times faster than torch.var_mean over these dimensions."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        kind = torch.float64 if x.dtype == torch.float64 else torch.float32
        unused = x.new_zeros(x.shape[1], dtype=kind), x.new_ones(x.shape[1], dtype=kind)  # they choose the type
        mean, variance = torch.batch_norm_update_stats(x.detach(), *unused, 0.0)
        ctx.save_for_backward(x, mean)
        return mean, variance

    @staticmethod
    def backward(ctx: Any, of_mean: Tensor, of_variance: Tensor) -> Tensor:
        x, mean = ctx.saved_tensors
        count = x.numel() / x.shape[1]
        slope = of_variance * (2 / count)
        offset = of_mean / count - slope * mean
        wide = (1, -1, *[1] * (x.dim() - 2))
        return torch.addcmul(offset.view(wide), x, slope.view(wide)).to(x.dtype)


_moments: Callable[[Tensor], tuple[Tensor, Tensor]] = _Moments.apply  # torch states no types
