"""Spectral normalisation against the singular value decomposition, and what a training step asks of it."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gansmith.models.layers import spectral
from gansmith.models.layers.spectral import SpectralConv2d, SpectralEmbedding, SpectralLinear, normalised, weight_of
from gansmith.system.seeding import seeded

Layer = SpectralConv2d | SpectralLinear | SpectralEmbedding
LAYERS: dict[str, tuple[Callable[[], Layer], Callable[[], Tensor]]] = {
    "convolution": (lambda: SpectralConv2d(5, 7, 3, padding=1), lambda: torch.randn(2, 5, 6, 4)),
    "pointwise": (lambda: SpectralConv2d(6, 4, 1), lambda: torch.randn(2, 6, 3, 3)),
    "linear": (lambda: SpectralLinear(9, 4), lambda: torch.randn(3, 9)),
    "one row": (lambda: SpectralLinear(9, 1), lambda: torch.randn(3, 9)),
    "embedding": (lambda: SpectralEmbedding(10, 6), lambda: torch.tensor([0, 3, 9])),
}


@pytest.fixture(params=LAYERS)
def case(request: pytest.FixtureRequest) -> tuple[Layer, Tensor]:
    build, given = LAYERS[request.param]
    with seeded("test"):
        layer, x = build(), given()
    return layer, x


def rows(layer: nn.Module) -> Tensor:
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight.detach().flatten(1)


def unit(vector: Tensor) -> Tensor:
    return vector / vector.square().sum().sqrt()


def test_after_many_passes_the_largest_singular_value_is_one(case: tuple[Layer, Tensor]) -> None:
    layer, _ = case
    with torch.no_grad():
        for _ in range(200):
            weight_of(layer)
        values = torch.linalg.svdvals(weight_of(layer).flatten(1))
    torch.testing.assert_close(values[0], torch.tensor(1.0), rtol=1e-5, atol=0)
    sigma = torch.linalg.svdvals(rows(layer))[0]
    torch.testing.assert_close(weight_of(layer), layer.weight / sigma, rtol=1e-5, atol=1e-7)


def test_one_iteration_in_a_pass(case: tuple[Layer, Tensor]) -> None:
    """Algorithm 1: v = W'u / |W'u|, u = W v / |W v|, sigma = u' W v."""
    layer, x = case
    layer.double()
    x = x.double() if x.is_floating_point() else x
    matrix, u = rows(layer), layer.u.clone()
    torch.testing.assert_close(u.norm(), torch.tensor(1.0, dtype=u.dtype))
    for _ in range(2):
        v = unit(matrix.T @ u)
        u = unit(matrix @ v)
        sigma = u @ matrix @ v
        plain = copy.deepcopy(layer)
        found = layer(x)
        torch.testing.assert_close(layer.u, u)
        with torch.no_grad():  # the plain layer with the weight divided by hand
            weight = plain.weight / sigma
        if isinstance(layer, SpectralConv2d):
            expected = nn.functional.conv2d(x, weight, layer.bias, padding=layer.kernel_size[0] // 2)
        elif isinstance(layer, SpectralLinear):
            expected = x @ weight.T + layer.bias
        else:
            expected = weight[x]
        torch.testing.assert_close(found, expected)


def test_evaluation_keeps_nothing(case: tuple[Layer, Tensor]) -> None:
    layer, x = case
    before = layer.u.clone()
    layer.eval()
    first, second = layer(x), layer(x)
    assert torch.equal(layer.u, before)
    assert torch.equal(first, second)
    assert torch.equal(layer.train()(x), first)  # the same iteration
    assert layer.weight.shape[0] == 1 or not torch.equal(layer.u, before)


def test_sigma_does_not_depend_on_the_length_of_u() -> None:
    """An average of unit vectors is shorter than one."""
    layer = SpectralLinear(9, 4).eval()
    expected = weight_of(layer)
    layer.u.mul_(0.2)
    torch.testing.assert_close(weight_of(layer), expected)


def test_the_gradient_is_that_of_the_paper() -> None:
    """Section 2.3: d <A, W / sigma> / dW = (A - <A, W / sigma> u v') / sigma, with u and v as constants."""
    weight = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    u = unit(torch.randn(4, dtype=torch.float64))
    a = torch.randn(4, 6, dtype=torch.float64)
    matrix = weight.detach()
    v = unit(matrix.T @ u)
    new = unit(matrix @ v)
    sigma = new @ matrix @ v
    (a * normalised(weight, u, keep=True)).sum().backward()
    expected = (a - (a * matrix / sigma).sum() * torch.outer(new, v)) / sigma
    torch.testing.assert_close(weight.grad, expected)


def test_second_derivatives() -> None:
    u = unit(torch.randn(3, dtype=torch.float64))
    matrix = torch.randn(3, 4, dtype=torch.float64)
    v = unit(matrix.T @ u)  # where v and u are singular vectors they are constants indeed
    for _ in range(500):
        u = unit(matrix @ v)
        v = unit(matrix.T @ u)
    weight = matrix.requires_grad_()

    def values(weight: Tensor) -> Tensor:
        return normalised(weight, u, keep=False).square() * torch.arange(12.0, dtype=torch.float64).view(3, 4)

    assert torch.autograd.gradcheck(values, weight)

    def penalty(weight: Tensor) -> Tensor:  # the norm of an input gradient, with sigma on the way
        x = torch.ones(2, 4, dtype=torch.float64, requires_grad=True)
        score = (x @ normalised(weight, u, keep=False).T).tanh().sum()
        (gradient,) = torch.autograd.grad(score, x, create_graph=True)
        return gradient.square().sum()

    # u and v stay constants in the second derivative too, so not gradcheck: against the same with sigma written out
    (found,) = torch.autograd.grad(penalty(weight), weight)
    constant_u, constant_v = unit(weight.detach() @ v), v
    divided = weight / (constant_u @ weight @ constant_v)
    x = torch.ones(2, 4, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad((x @ divided.T).tanh().sum(), x, create_graph=True)
    (expected,) = torch.autograd.grad(gradient.square().sum(), weight)
    torch.testing.assert_close(found, expected)


def test_two_passes_before_the_gradient(case: tuple[Layer, Tensor]) -> None:
    """Real and fake images each move u, and the gradient of the first pass still knows its own."""
    layer, x = case
    alone = copy.deepcopy(layer)
    first = layer(x).square().sum()
    layer(x)
    first.backward()
    alone(x).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, alone.weight.grad, rtol=0, atol=0)


def test_frozen_weights_still_move_u() -> None:
    """The generator's turn is a pass like any other, as in the authors' code."""
    layer = SpectralLinear(9, 4).requires_grad_(False)
    before = layer.u.clone()
    x = torch.randn(3, 9, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
    assert not torch.equal(layer.u, before)


def test_the_state_holds_u_and_copies_have_their_own() -> None:
    layer = SpectralConv2d(5, 7, 3)
    assert list(layer.state_dict()) == ["weight", "bias", "u"]
    assert list(SpectralEmbedding(3, 2).state_dict()) == ["weight", "u"]
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    x = torch.randn(2, 5, 6, 4)
    other, twin = SpectralConv2d(5, 7, 3), copy.deepcopy(layer)
    layer(x)
    assert not torch.equal(twin.u, layer.u)
    other.load_state_dict(layer.state_dict())
    for _ in range(2):  # a pass after loading is the pass that would have come
        torch.testing.assert_close(other(x), layer(x), rtol=0, atol=0)
    assert torch.equal(other.u, layer.u)


def test_the_layout_changes_nothing() -> None:
    layer = SpectralConv2d(8, 6, 3)
    other = copy.deepcopy(layer).to(memory_format=torch.channels_last)
    for _ in range(3):
        torch.testing.assert_close(weight_of(other), weight_of(layer))
        torch.testing.assert_close(other.u, layer.u)
    assert weight_of(other).is_contiguous(memory_format=torch.channels_last)


def test_sigma_is_in_float32_under_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = SpectralLinear(64, 32)
    twin = copy.deepcopy(layer)
    inside, normalize = [], functional.normalize

    def watched(vector: Tensor, dim: int) -> Tensor:
        inside.append(torch.is_autocast_enabled("cpu"))  # it would shorten products on CUDA alone
        return normalize(vector, dim=dim)

    monkeypatch.setattr(functional, "normalize", watched)
    with torch.autocast("cpu", torch.bfloat16):
        weight, score = weight_of(layer), layer(torch.randn(2, 64))
    assert inside == [False] * 4
    assert weight.dtype == torch.float32
    assert score.dtype == torch.bfloat16
    assert layer.u.dtype == torch.float32
    torch.testing.assert_close(weight, weight_of(twin), rtol=0, atol=0)


def test_plain_layers() -> None:
    convolution = spectral.convolution(3, 4, 3, spectral=False)
    assert type(convolution) is nn.Conv2d
    assert weight_of(convolution) is convolution.weight
    assert convolution(torch.zeros(1, 3, 5, 7)).shape == (1, 4, 5, 7)
    assert spectral.convolution(3, 4, 1, spectral=True)(torch.zeros(1, 3, 5, 7)).shape == (1, 4, 5, 7)
    assert type(spectral.linear(3, 4, spectral=False)) is nn.Linear
    assert type(spectral.embedding(3, 4, spectral=False)) is nn.Embedding
    for layer in (
        spectral.convolution(3, 4, 1, spectral=True, bias=False),
        spectral.linear(3, 4, spectral=True, bias=False),
    ):
        assert layer.bias is None
