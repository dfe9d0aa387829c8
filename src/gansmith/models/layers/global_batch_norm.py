"""Batch normalisation by the statistics of the global batch, of which each process holds some rows.

Ioffe, Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
Algorithm 1; the moments of several sets from those of each: Chan, Golub, LeVeque 1979, "Updating Formulae and a
Pairwise Algorithm for Computing Sample Variances", Eq. 2.1. Equal to one process's with any shares and in every
derivative, which a penalty on gradients needs. One collective a layer and pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.errors import ExperimentError
from gansmith.models.layers.exchanged import class_with
from gansmith.system import sharing
from gansmith.system.collectives import total

_Base = nn.modules.batchnorm._BatchNorm


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
            own = type(module)
            module.__class__ = class_with(own, own, _GlobalBatchNorm)  # type: ignore[assignment]  # its own subclass


class _GlobalBatchNorm(_Base):
    """Batch normalisation of the global batch; in the class that `_class_of` makes it stands behind the layer's own, so
    that a conditional layer reaches it by `super().forward`."""

    def forward(self, x: Tensor) -> Tensor:
        of_batch = self.training or self.running_mean is None
        if not (of_batch and sharing.shared()):
            return super().forward(x)
        self._check_input_dim(x)  # type: ignore[no-untyped-call]
        pixels = x.numel() // (len(x) * x.shape[1])
        batch = _Batch(self.eps, tuple(rows * pixels for rows in sharing.of_ranks(len(x))))
        if batch.values <= 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {x.size()}")
        with torch.autocast(x.device.type, enabled=False):
            y, mean, variance = _normalise(x, self.weight, self.bias, batch)
        if self.training and self.track_running_stats:
            self._track(mean, variance, batch.values)
        return y

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, values: int) -> None:
        """Running averages of the mean and of the unbiased variance."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        new = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), new)
        self.running_var.lerp_((variance * (values / (values - 1))).to(self.running_var), new)


class _Batch(NamedTuple):
    """What is fixed of a pass: epsilon, and the number of values a channel on each rank."""

    eps: float
    counts: tuple[int, ...]

    @property
    def values(self) -> int:
        return sum(self.counts)


class _Normalise(torch.autograd.Function):
    """Features [B, C, ...], weight and bias [C] or None -> the normalised features; and without a gradient the mean and
    the biased variance [C] of the global batch.

    A derivative that will be differentiated itself is that of `_composed`, which is made of differentiable parts.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, batch: _Batch
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = _moments_of(x, batch.counts)
        scale = (variance + batch.eps).rsqrt_()
        if weight is not None:
            scale *= weight
        shift = mean * -scale
        if bias is not None:
            shift += bias
        ctx.save_for_backward(x, weight, bias, mean, variance)
        ctx.batch = batch
        ctx.mark_non_differentiable(mean, variance)
        return _affine(x, scale, shift), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        x, weight, bias, mean, variance = ctx.saved_tensors
        eps = ctx.batch.eps
        if torch.is_grad_enabled():
            inputs = [one for one, needed in zip((x, weight, bias), ctx.needs_input_grad, strict=False) if needed]
            composed = _composed(x, weight, bias, ctx.batch)
            gradients = iter(torch.autograd.grad(composed, inputs, gradient, create_graph=True))
            return *(next(gradients) if needed else None for needed in ctx.needs_input_grad[:3]), None
        # the two sums by torch's kernel for fixed statistics; then Ioffe and Szegedy's section 3 in two passes
        _, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, mean, variance, None, None, False, eps, (False, True, True)
        )
        of_affine = (None if weight is None else of_weight, None if bias is None else of_bias)
        if not ctx.needs_input_grad[0]:
            return None, *of_affine, None
        whole_weight, whole_bias = total(torch.stack([of_weight, of_bias])) / -ctx.batch.values
        ratio = (variance + eps).rsqrt_()
        slope = whole_weight * ratio
        shift = whole_bias - slope * mean
        if weight is not None:
            ratio *= weight
        own = _affine(x, slope * ratio, shift * ratio)
        return own.addcmul_(gradient, _wide(ratio, x)), *of_affine, None


_normalise: Callable[[Tensor, Tensor | None, Tensor | None, _Batch], tuple[Tensor, Tensor, Tensor]]
_normalise = _Normalise.apply  # torch states no types


def _composed(x: Tensor, weight: Tensor | None, bias: Tensor | None, batch: _Batch) -> Tensor:
    """(x - mean) / sqrt(variance + eps) weight + bias, differentiable any number of times.

    With m, r the mean and 1 / deviation as constants: ((x - m) r) (weight / deviation / r) + (bias + (m - mean) weight
    / deviation), in which scale and shift carry the gradients of the moments and have the values of weight and bias.
    """
    mean, variance = _moments(x, batch.counts)
    fixed = mean.detach(), variance.detach()
    ratio = (variance + batch.eps).rsqrt()
    scale = ratio if weight is None else ratio * weight
    shift = (fixed[0] - mean) * scale
    shift = shift if bias is None else bias + shift
    return F.batch_norm(x, *fixed, scale / ratio.detach(), shift, training=False, eps=batch.eps)


class _Moments(torch.autograd.Function):
    """`_moments_of`, differentiable any number of times."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, counts: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        mean, variance = _moments_of(x, counts)
        ctx.save_for_backward(x, mean)
        ctx.values = sum(counts)
        return mean, variance

    @staticmethod
    def backward(ctx: Any, of_mean: Tensor, of_variance: Tensor) -> tuple[Tensor, None]:
        x, mean = ctx.saved_tensors
        of_mean, of_variance = total(torch.stack([of_mean, of_variance])) / ctx.values
        offset = of_mean - 2 * of_variance * mean
        return torch.addcmul(_wide(offset, x), x, _wide(2 * of_variance, x)).to(x.dtype), None


_moments: Callable[[Tensor, tuple[int, ...]], tuple[Tensor, Tensor]] = _Moments.apply  # torch states no types


def _moments_of(x: Tensor, counts: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Of features [B, C, ...]: mean and biased variance [C] of the global batch, in float32 or better, by the kernel of
    batch normalisation, which is many times faster than torch.var_mean."""
    kind = torch.float64 if x.dtype == torch.float64 else torch.float32
    channels = x.shape[1]
    slots = x.new_zeros(len(counts), 2, channels, dtype=kind)
    unused = x.new_zeros(channels, dtype=kind)  # it chooses the type
    torch.stack(torch.batch_norm_update_stats(x, unused, unused, 0.0), out=slots[sharing.share().rank])
    means, variances = total(slots).unbind(1)  # [W, C] each
    shares = _shares(counts, kind, x.device)
    mean = (shares * means).sum(0)
    return mean, (means - mean).square_().add_(variances).mul_(shares).sum(0)  # Chan et al., Eq. 2.1


@lru_cache(64)
def _shares(counts: tuple[int, ...], kind: torch.dtype, device: torch.device) -> Tensor:
    """Each rank's share of the values [W, 1]; kept, because a GPU waits for what is copied to it."""
    return torch.tensor([[count / sum(counts)] for count in counts], dtype=kind, device=device)


def _affine(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """x scale + shift of features [B, C, ...] by [C], in x's type and memory format, by what is faster on a processor:
    torch.addcmul takes .4 of the time of batch normalisation's kernel for channels last, and 3 times it otherwise."""
    if x.dtype == scale.dtype and x.stride(1) == 1:
        return torch.addcmul(_wide(shift, x), x, _wide(scale, x))
    return F.batch_norm(x, torch.zeros_like(scale), torch.ones_like(scale), scale, shift, training=False, eps=0.0)


def _wide(values: Tensor, x: Tensor) -> Tensor:
    """[C] -> [1, C, 1 ...], for features like x."""
    return values.view(1, -1, *[1] * (x.dim() - 2))
