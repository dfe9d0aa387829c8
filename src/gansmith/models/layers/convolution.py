"""Convolution whose derivatives of every order are single calls of its three kernels.

A convolution is linear in its input and in its weight, so three operations are all there is: forward (x, w), the
gradient of the input (g, w) and the gradient of the weight (x, g). The derivative of each, by either argument, is
another of the three. torch's own second derivative of a grouped convolution loops over the groups. A penalty on
gradients (R1, R2) needs it in every layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


class Geometry(NamedTuple):
    """Padding on every side, and groups; the stride is 1."""

    padding: int = 0
    groups: int = 1


ONE = Geometry()  # a 1 x 1 convolution's


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None, geometry: Geometry = ONE) -> Tensor:
    """[B, C, H, W] with weight [D, C / groups, k, l] -> [B, D, H', W'], in x's number format, under autocast too."""
    learned = weight.requires_grad or (bias is not None and bias.requires_grad)
    if not (x.requires_grad or learned) or not torch.is_grad_enabled() or torch.compiler.is_compiling():
        return _plain(x, weight, bias, geometry)
    # The gradients of weight and bias belong to a node of their own, `tap`, which autograd does not visit where only
    # those of the images are required, as in a penalty. A Function of several inputs computes all of them each time.
    tap = _tap(weight, bias, (x,), geometry) if learned else None
    return _convolved(x, weight, tap, (bias, geometry))


class _Convolved(Function):
    """(x, w) -> y. Derivative by x: the input's gradient; those by weight and bias are computed by `tap`."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, tap: Tensor | None, rest: tuple[Tensor | None, Geometry]
    ) -> Tensor:
        bias, ctx.geometry = rest
        ctx.save_for_backward(x, weight)
        return _plain(x, weight, bias, ctx.geometry)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        of_x = _of_input(gradient, weight, x, ctx.geometry) if ctx.needs_input_grad[0] else None
        return of_x, None, gradient if ctx.needs_input_grad[2] else None, None


class _Tap(Function):
    """(w, bias) -> zeros in the shape of y, a node that computes the gradients of w and bias from that of y."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor | None, lent: tuple[Tensor], geometry: Geometry) -> Tensor:
        (x,) = lent  # in a tuple: autograd does not differentiate by it
        ctx.save_for_backward(weight)
        ctx.x, ctx.geometry = x, geometry
        height, width = (x.shape[d] + 2 * geometry.padding - weight.shape[d] + 1 for d in (2, 3))
        return x.new_zeros(()).expand(len(x), len(weight), height, width)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        of_weight = _of_weight(ctx.x, gradient, weight, ctx.geometry) if ctx.needs_input_grad[0] else None
        return of_weight, gradient.sum((0, 2, 3)) if ctx.needs_input_grad[1] else None, None, None


class _OfInput(Function):
    """(g, w) -> the input's gradient, in the shape and layout of x. Derivative by g: y of (second, w); by w: the
    weight's."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, weight: Tensor, x: Tensor, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(gradient, weight)
        ctx.geometry = geometry
        return _gradient(gradient, x, weight, geometry, of_weight=False)

    @staticmethod
    def backward(ctx: Any, second: Tensor) -> tuple[Tensor | None, ...]:
        gradient, weight = ctx.saved_tensors
        of_gradient = convolve(second, weight, None, ctx.geometry) if ctx.needs_input_grad[0] else None
        of_weight = _of_weight(second, gradient, weight, ctx.geometry) if ctx.needs_input_grad[1] else None
        return of_gradient, of_weight, None, None


class _OfWeight(Function):
    """(x, g) -> the weight's gradient, in the shape and layout of w. Derivative by x: the input's gradient of (g,
    second); by g: y of (x, second)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gradient: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(x, gradient)
        ctx.geometry = geometry
        return _gradient(gradient, x, weight, geometry, of_weight=True)

    @staticmethod
    def backward(ctx: Any, second: Tensor) -> tuple[Tensor | None, ...]:
        x, gradient = ctx.saved_tensors
        of_x = _of_input(gradient, second, x, ctx.geometry) if ctx.needs_input_grad[0] else None
        of_gradient = convolve(x, second, None, ctx.geometry) if ctx.needs_input_grad[1] else None
        return of_x, of_gradient, None, None


_convolved: Callable[..., Tensor] = _Convolved.apply
_tap: Callable[..., Tensor] = _Tap.apply
_of_input: Callable[..., Tensor] = _OfInput.apply
_of_weight: Callable[..., Tensor] = _OfWeight.apply


def _plain(x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    with torch.autocast(x.device.type, enabled=False):
        return F.conv2d(x, weight, bias, padding=geometry.padding, groups=geometry.groups)


def _gradient(gradient: Tensor, x: Tensor, weight: Tensor, geometry: Geometry, *, of_weight: bool) -> Tensor:
    """One of the two gradients of a convolution, by torch's own kernel."""
    padding, groups = geometry
    gradients: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        gradient,
        x,
        weight,
        [0],
        [1, 1],
        [padding] * 2,
        [1, 1],
        False,
        [0, 0],
        groups,
        [not of_weight, of_weight, False],
    )
    return gradients[of_weight]
