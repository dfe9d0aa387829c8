"""Convolution whose derivatives of every order are single calls of the three kernels that make it.

A convolution is linear in its input and in its weight, so three operations are all there is: forward (x, w), the
gradient of the input (g, w) and the gradient of the weight (x, g). The derivative of each, by either argument, is
another of the three. torch's own second derivative is made of general pieces: for a grouped convolution it loops over
the groups. A penalty on gradients (R1, R2) needs it in every layer.
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
    """[B, C, H, W] with weight [D, C / groups, k, l] -> [B, D, H', W'], in x's number format: autocast is not asked."""
    learned = weight.requires_grad or (bias is not None and bias.requires_grad)
    if not (x.requires_grad or learned) or not torch.is_grad_enabled() or torch.compiler.is_compiling():
        return _plain(x, weight, bias, geometry)
    # The gradients of weight and bias hang on a node of their own, `tap`, which autograd does not visit where only
    # those of the images are asked for, as a penalty does. A Function of several inputs computes them all each time.
    tap = _tap(weight, bias, (x,), geometry) if learned else None
    return _convolved(x, weight, tap, (bias, geometry))


class _Convolved(Function):
    """(x, w) -> y. By x: the input's gradient. What belongs to the weight and the bias goes to `tap`."""

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
    """(w, bias) -> nothing, in the shape of y: there to take y's gradient and to make w's and the bias's of it."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor | None, lent: tuple[Tensor], geometry: Geometry) -> Tensor:
        (x,) = lent  # in a tuple, lest autograd take this for a way to x
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
    """(g, w) -> the input's gradient; x lends its shape and layout. By g: y of (second, w). By w: the weight's."""

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
    """(x, g) -> the weight's gradient; w lends its shape and layout. By x: that of the input of (g, second). By g: y of
    (x, second)."""

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
    """torch's own kernel, for one of the two gradients."""
    padding, groups = geometry
    found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
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
    return found[of_weight]
