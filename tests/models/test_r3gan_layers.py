"""R3GAN's layers: resampling, convolution and activation with derivatives of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from r3gan_networks import by_hand, normal
from torch import Tensor

from gansmith.models.layers.convolution import Geometry, convolve
from gansmith.models.layers.leaky_relu import leaky_relu_
from gansmith.models.layers.resample import _along, doubled, halved

SHAPES = [(2, 3, 4, 6), (1, 2, 5, 3), (2, 1, 1, 2)]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", SHAPES)
def test_resampling_is_its_formula(shape: tuple[int, ...], layout: torch.memory_format) -> None:
    x = normal(*shape).contiguous(memory_format=layout)
    for function, up in ((doubled, True), (halved, False)):
        kept = x.clone()
        expected = by_hand(by_hand(x.numpy(), 2, up), 3, up)
        torch.testing.assert_close(function(x), torch.from_numpy(expected))
        torch.testing.assert_close(x, kept, rtol=0, atol=0)


def test_resampling_is_convolution_with_the_authors_kernel() -> None:
    """[1, 2, 1] convolved with [1, 1], squared, of sum 1, times 4 to double; padded with zeros by one."""
    x = normal(2, 3, 6, 8)
    line = torch.from_numpy(np.convolve([1.0, 2.0, 1.0], [1.0, 1.0]))
    kernel = (line[:, None] * line / line.sum() ** 2).expand(3, 1, 4, 4)
    torch.testing.assert_close(halved(x), F.conv2d(x, kernel, stride=2, padding=1, groups=3))
    torch.testing.assert_close(doubled(x), F.conv_transpose2d(x, 4 * kernel, stride=2, padding=1, groups=3))
    torch.testing.assert_close(_along(_along(x, 2, 1.0), 3, 1.0), halved(x))  # what it is off the CPU


@pytest.mark.parametrize("shape", SHAPES)
def test_resampling_has_right_derivatives_of_both_orders(shape: tuple[int, ...]) -> None:
    """By finite differences, of a curve of what is resampled."""
    x = normal(*shape).requires_grad_()
    for function in (doubled, halved):

        def curve(x: Tensor, function: Callable[[Tensor], Tensor] = function) -> Tensor:
            return function(x**3).square()

        assert torch.autograd.gradcheck(curve, x, fast_mode=True)
        assert torch.autograd.gradgradcheck(curve, x, fast_mode=True)


def test_what_resampling_keeps() -> None:
    """Inside, a constant stays itself; a slope stays a slope; halving keeps no more than half a checkerboard's mean."""
    inner = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    constant = torch.full((1, 1, 8, 8), 3.0)
    slope = torch.arange(8.0).expand(1, 1, 8, 8)
    for function in (doubled, halved):
        torch.testing.assert_close(function(constant)[..., 1:-1, 1:-1].unique(), torch.tensor([3.0]))
    steps = doubled(slope)[inner].diff(dim=3)
    torch.testing.assert_close(steps, torch.full_like(steps, 0.5))
    board = (torch.arange(8)[:, None] + torch.arange(8)).remainder(2).float().mul(2).sub(1)[None, None]
    assert float(halved(board)[..., 1:-1, 1:-1].abs().max()) == 0


def test_doubling_is_cut_to_the_size_that_is_wanted() -> None:
    x = normal(1, 2, 3, 5)
    torch.testing.assert_close(doubled(x, (5, 10)), doubled(x)[:, :, :5], rtol=0, atol=0)
    assert doubled(x, (6, 9)).shape == (1, 2, 6, 9)


# ---- convolution and activation with derivatives of their own

CASES = [(1, 1, 4, 6, 0), (3, 2, 4, 6, 1), (3, 4, 4, 8, 1), (3, 1, 2, 2, 0)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("biased", [True, False])
def test_convolution_equals_torch_s_with_all_derivatives(case: tuple[int, ...], biased: bool) -> None:
    kernel, groups, before, after, padding = case
    given = [normal(2, before, 4, 5), normal(after, before // groups, kernel, kernel, seed=1)]
    given += [normal(after, seed=2)] if biased else []
    given = [value.requires_grad_() for value in given]

    def ours(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return convolve(x, weight, bias, Geometry(padding, groups))

    def theirs(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return F.conv2d(x, weight, bias, padding=padding, groups=groups)

    torch.testing.assert_close(ours(*given), theirs(*given), rtol=0, atol=0)
    torch.testing.assert_close(third_order(ours, given), third_order(theirs, given))


def third_order(function: Callable[..., Tensor], given: list[Tensor]) -> list[Tensor]:
    """Derivatives of the first, second and third order of a curved function of `function`."""
    scalar = function(*given).pow(3).sum()
    found: list[Tensor] = []
    for _ in range(3):
        gradients = torch.autograd.grad(scalar, given, create_graph=True)
        found += [gradient.detach() for gradient in gradients]
        scalar = sum((gradient.square().sum() for gradient in gradients), start=torch.zeros((), dtype=torch.float64))
    return found


@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1)])
def test_convolution_gives_the_gradients_that_are_wanted(wanted: tuple[int, ...]) -> None:
    """Where only some of input, weight and bias want one; and where all do and only some are asked for."""
    given = [normal(2, 4, 5, 6), normal(6, 2, 3, 3, seed=1), normal(6, seed=2)]
    for value in given:
        value.requires_grad_()
    geometry = Geometry(1, 2)
    expected = torch.autograd.grad(
        F.conv2d(given[0], given[1], given[2], padding=1, groups=2).pow(2).sum(), [given[i] for i in wanted]
    )
    found = torch.autograd.grad(
        convolve(given[0], given[1], given[2], geometry).pow(2).sum(), [given[i] for i in wanted]
    )
    torch.testing.assert_close(found, expected)
    for index, value in enumerate(given):
        value.requires_grad_(index in wanted)
    found = torch.autograd.grad(
        convolve(given[0], given[1], given[2], geometry).pow(2).sum(), [given[i] for i in wanted]
    )
    torch.testing.assert_close(found, expected)


def test_a_penalty_computes_no_gradient_of_a_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes it fast: asked for the images' gradient alone, autograd does not come by the weights'."""
    from gansmith.models.layers import convolution

    made: list[bool] = []
    right = convolution._gradient

    def counted(*given: Any, of_weight: bool) -> Tensor:
        made.append(of_weight)
        return right(*given, of_weight=of_weight)

    monkeypatch.setattr(convolution, "_gradient", counted)
    x, weight = normal(2, 4, 5, 6).requires_grad_(), normal(6, 4, 3, 3, seed=1).requires_grad_()
    y = convolve(convolve(x, weight), normal(2, 6, 1, 1).requires_grad_())
    (of_x,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    assert made == [False, False]
    of_x.square().sum().backward(inputs=[weight])
    assert True in made


def test_convolution_without_gradient_is_torch_s_and_leaves_no_graph() -> None:
    x, weight = normal(1, 2, 4, 4), normal(2, 2, 1, 1, seed=1).requires_grad_()
    with torch.no_grad():
        assert not convolve(x, weight).requires_grad
    assert not convolve(x, weight.detach()).requires_grad
    assert convolve(x, weight).grad_fn is not None


def test_leaky_relu_and_its_derivatives() -> None:
    x = normal(3, 5).requires_grad_()

    def scaled(x: Tensor) -> Tensor:
        return leaky_relu_(x * 1.0, 0.2)  # what it changes must not be a leaf

    torch.testing.assert_close(scaled(x), torch.where(x > 0, x, 0.2 * x))
    assert torch.autograd.gradcheck(scaled, x)
    assert torch.autograd.gradgradcheck(lambda x: scaled(x**3), x)
    given = x.detach().clone()
    assert leaky_relu_(given, 0.2) is given
    torch.testing.assert_close(given, scaled(x.detach()), rtol=0, atol=0)
