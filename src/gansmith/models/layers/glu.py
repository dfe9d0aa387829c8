"""Gated linear unit: the first half of the channels times the sigmoid of the second.

Dauphin, Fan, Auli, Grangier 2017, "Language Modeling with Gated Convolutional Networks", section 2.
Equal to torch's, whose gradient is not channels_last: behind a batch normalisation that made the backward pass of both
four times as long on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


class _Glu(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        first, second = x.chunk(2, 1)
        gate = second.sigmoid()
        ctx.save_for_backward(x, gate)
        return first * gate

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x, gate = ctx.saved_tensors
        first, second = x.chunk(2, 1)
        if torch.is_grad_enabled():  # it is differentiated again: the gate by x too
            gate = second.sigmoid()
            return torch.cat([gradient * gate, gradient * first * gate * (1 - gate)], 1)
        result = torch.empty_like(x)
        of_first, of_second = result.chunk(2, 1)
        torch.mul(gradient, gate, out=of_first)
        torch.mul(of_first, first, out=of_second).mul_(1 - gate)
        return result


glu: Callable[[Tensor], Tensor] = _Glu.apply
"""Features [B, 2 C, H, W] -> [B, C, H, W]."""
