"""What the residual networks share: merged resampling, blocks, normalisation, attention, projection, grids."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gansmith.adversarial import Dimensions
from gansmith.errors import GansmithError
from gansmith.models.layers import grid
from gansmith.models.layers.attention import SelfAttention
from gansmith.models.layers.conditional_norm import BatchNorm, ConditionalBatchNorm
from gansmith.models.layers.projection import Projection, pooled
from gansmith.models.layers.residual import DownBlock, UpBlock
from gansmith.models.layers.strided import convolve_and_halve, double_and_convolve
from refusals import refused


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def same(found: Tensor, expected: Tensor, leaves: list[Tensor]) -> None:
    """Values and gradients, of a random sum."""
    torch.testing.assert_close(found, expected)
    ours = torch.autograd.grad((found * numbers(*found.shape, seed=9)).sum(), leaves, retain_graph=True)
    theirs = torch.autograd.grad((expected * numbers(*found.shape, seed=9)).sum(), leaves)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


# merged resampling


@pytest.mark.parametrize("size", [(4, 6), (5, 9), (8, 2)])
def test_a_convolution_and_its_halving(size: tuple[int, int]) -> None:
    x, weight, bias = (t.requires_grad_() for t in (numbers(2, 3, *size), numbers(4, 3, 3, 3, seed=1), numbers(4)))
    expected = functional.avg_pool2d(functional.conv2d(x, weight, bias, padding=1), 2)
    found = convolve_and_halve(x, weight, bias)
    assert found.shape == (2, 4, size[0] // 2, size[1] // 2)
    same(found, expected, [x, weight, bias])


@pytest.mark.parametrize("size", [(4, 6), (1, 3)])
def test_a_doubling_and_its_convolution(size: tuple[int, int]) -> None:
    x, weight, bias = (t.requires_grad_() for t in (numbers(2, 3, *size), numbers(4, 3, 3, 3, seed=1), numbers(4)))
    doubled = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    same(double_and_convolve(x, weight, bias), functional.conv2d(doubled, weight, bias, padding=1), [x, weight, bias])


def test_merged_layers_without_offset_and_in_channels_last() -> None:
    x, weight = numbers(2, 3, 4, 4), numbers(4, 3, 3, 3)
    found = convolve_and_halve(x, weight, None)
    torch.testing.assert_close(found, functional.avg_pool2d(functional.conv2d(x, weight, padding=1), 2))
    last = [t.to(memory_format=torch.channels_last) for t in (x, weight)]
    torch.testing.assert_close(convolve_and_halve(*last, None), found)
    torch.testing.assert_close(double_and_convolve(*last, None), double_and_convolve(x, weight, None))


# blocks


def convolved(layer: nn.Module, x: Tensor) -> Tensor:
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    return functional.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)


def test_an_up_block() -> None:
    """shortcut: double, 1 x 1; else normalise, ReLU, double, 3 x 3, normalise, ReLU, 3 x 3."""
    block = UpBlock(3, 5, BatchNorm, spectral=False).double()
    x = numbers(2, 3, 4, 6).requires_grad_()

    def normal(x: Tensor) -> Tensor:
        mean, square = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
        return (x - mean) / (square + 1e-5).sqrt()

    def doubled(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    h = convolved(block.first, doubled(normal(x).relu()))
    expected = convolved(block.second, normal(h).relu()) + convolved(block.shortcut, doubled(x))
    leaves = [x, *(p for name, p in block.named_parameters() if "norm" not in name)]
    same(block(x, None), expected, leaves)
    assert [type(m).__name__ for m in block.children()] == ["BatchNorm", "Conv2d", "BatchNorm", "Conv2d", "Conv2d"]


@pytest.mark.parametrize("size", [(6, 4), (5, 7)])
@pytest.mark.parametrize("first", [False, True])
def test_a_halving_block(first: bool, size: tuple[int, int]) -> None:
    """ReLU (but for the first block), 3 x 3, ReLU, 3 x 3, mean of 2 x 2; shortcut: 1 x 1, mean of 2 x 2."""
    block = DownBlock(3, 4, 5, spectral=False, first=first).double()
    x = numbers(2, 3, *size).requires_grad_()
    h = convolved(block.second, convolved(block.first, x if first else x.relu()).relu())
    assert block.shortcut is not None
    expected = functional.avg_pool2d(h + convolved(block.shortcut, x), 2)
    same(block(x), expected, [x, *block.parameters()])


@pytest.mark.parametrize("after", [3, 5])
def test_a_block_that_keeps_the_size(after: int) -> None:
    block = DownBlock(3, 4, after, spectral=False, halved=False).double()
    x = numbers(2, 3, 5, 4).requires_grad_()
    h = convolved(block.second, convolved(block.first, x.relu()).relu())
    assert (block.shortcut is None) == (after == 3)  # the identity where it can be
    same(block(x), h + (x if block.shortcut is None else convolved(block.shortcut, x)), [x, *block.parameters()])


def test_layer_normalisation_stands_before_each_relu() -> None:
    block = DownBlock(3, 4, 5, spectral=False, normalisation=lambda channels: nn.GroupNorm(1, channels)).double()
    with torch.no_grad():
        for name, parameter in block.named_parameters():
            if "norm" in name:
                parameter.copy_(numbers(*parameter.shape, seed=len(name)))
    x = numbers(2, 3, 6, 4).requires_grad_()

    def normal(layer: nn.Module, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.GroupNorm)
        mean, square = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), unbiased=False, keepdim=True)
        return (x - mean) / (square + 1e-5).sqrt() * layer.weight[:, None, None] + layer.bias[:, None, None]

    h = convolved(block.first, normal(block.first_norm, x).relu())
    h = convolved(block.second, normal(block.second_norm, h).relu())
    assert block.shortcut is not None
    same(block(x), functional.avg_pool2d(h + convolved(block.shortcut, x), 2), [x, *block.parameters()])
    first = DownBlock(3, 4, 5, spectral=False, first=True, normalisation=BatchNorm)
    assert not any("norm" in name for name, _ in first.named_parameters())


def test_spectral_blocks_normalise_every_convolution() -> None:
    for block in (UpBlock(3, 5, BatchNorm, spectral=True), DownBlock(3, 5, 5, spectral=True)):
        x = torch.randn(2, 3, 4, 4)
        before = {name: buffer.clone() for name, buffer in block.named_buffers() if name.endswith("u")}
        assert sorted(before) == ["first.u", "second.u", "shortcut.u"]
        raw = block(x, None) if isinstance(block, UpBlock) else block(x)
        after = dict(block.named_buffers())
        assert all(not torch.equal(before[name], after[name]) for name in before)
        with torch.no_grad():
            block.eval()
            for layer in (block.first, block.second, block.shortcut):
                assert isinstance(layer, nn.Conv2d)
                layer.weight.mul_(7)
            again = block.train()(x, None) if isinstance(block, UpBlock) else block(x)
        torch.testing.assert_close(again, raw, rtol=0.3, atol=0.5)  # a scale of the weight is divided away


# conditional batch normalisation


def test_conditional_batch_normalisation_against_a_loop() -> None:
    norm = ConditionalBatchNorm(3, nn.Embedding(4, 3), nn.Embedding(4, 3)).double()
    x, label = numbers(5, 3, 4, 2).requires_grad_(), torch.tensor([3, 0, 0, 2, 1])
    scale, shift = norm.scale.weight, norm.shift.weight
    assert isinstance(scale, Tensor)
    assert isinstance(shift, Tensor)
    rows = []
    for image, which in zip(x, label, strict=True):
        channels = []
        for channel in range(3):
            mean = x[:, channel].mean()
            deviation = (x[:, channel].var(unbiased=False) + 1e-5).sqrt()
            normal = (image[channel] - mean) / deviation
            channels.append((1 + scale[which, channel]) * normal + shift[which, channel])
        rows.append(torch.stack(channels))
    same(norm(x, label), torch.stack(rows), [x, scale, shift])
    torch.testing.assert_close(norm.running_mean, 0.1 * x.detach().mean((0, 2, 3)))
    norm.eval()
    assert norm.running_var is not None
    mean, deviation = norm.running_mean, (norm.running_var + 1e-5).sqrt()
    assert mean is not None
    plain = (x - mean[:, None, None]) / deviation[:, None, None]
    expected = plain * (1 + scale[label])[:, :, None, None] + shift[label][:, :, None, None]
    torch.testing.assert_close(norm(x, label), expected)


def test_conditional_batch_normalisation_keeps_format_and_layout() -> None:
    norm = ConditionalBatchNorm(4, nn.Embedding(2, 4), nn.Embedding(2, 4))
    x = torch.randn(3, 4, 5, 6).to(memory_format=torch.channels_last)
    found = norm(x, torch.tensor([0, 1, 1]))
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert norm(x.bfloat16(), torch.tensor([0, 1, 1])).dtype == torch.bfloat16


# self-attention


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_attention_against_its_formula(size: tuple[int, int]) -> None:
    layer = SelfAttention(16, spectral=False).double()
    with torch.no_grad():
        layer.gamma.fill_(0.7)
    x = numbers(2, 16, *size).requires_grad_()

    def pointwise(module: nn.Module, x: Tensor) -> Tensor:
        weight = module.weight
        assert isinstance(weight, Tensor)
        return torch.einsum("oc,bchw->bohw", weight[:, :, 0, 0], x)

    def largest(x: Tensor) -> Tensor:
        height, width = x.shape[2] // 2, x.shape[3] // 2
        return x[:, :, : 2 * height, : 2 * width].unflatten(2, (height, 2)).unflatten(4, (width, 2)).amax((3, 5))

    query, key, value = (pointwise(m, x) for m in (layer.query, layer.key, layer.value))
    assert [t.shape[1] for t in (query, key, value)] == [2, 2, 8]
    key, value = largest(key), largest(value)
    weights = torch.einsum("bchw,bcij->bhwij", query, key).exp()
    weights = weights / weights.sum((3, 4), keepdim=True)
    seen = torch.einsum("bhwij,bcij->bchw", weights, value)
    same(layer(x), x + layer.gamma * pointwise(layer.output, seen), [x, *layer.parameters()])


def test_attention_begins_as_the_identity() -> None:
    layer = SelfAttention(8)
    x = torch.randn(2, 8, 4, 4)
    found = layer(x)
    assert torch.equal(found, x)
    found.square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in layer.named_parameters()}
    assert all(gradient is not None for gradient in gradients.values())
    assert gradients["gamma"] is not None
    assert float(gradients["gamma"].abs()) > 0  # it can leave zero
    assert layer.gamma.shape == ()
    assert len([name for name, _ in layer.named_buffers()]) == 4
    assert all("bias" not in name for name in gradients)


def test_attention_has_second_derivatives_and_narrow_channels() -> None:
    layer = SelfAttention(3).double().eval()
    with torch.no_grad():
        layer.gamma.fill_(0.5)
    x = numbers(1, 3, 2, 2).requires_grad_()
    assert torch.autograd.gradgradcheck(layer, x)


# projection


@pytest.mark.parametrize("classes", [0, 4])
def test_the_projection_is_equation_3(classes: int) -> None:
    """f(x, y) = y' V phi + psi(phi), y one-hot."""
    head = Projection(5, classes, spectral=False).double()
    features, label = numbers(3, 5).requires_grad_(), torch.tensor([2, 0, 3])
    expected = features @ head.score.weight[0] + head.score.bias
    if classes:
        assert head.table is not None
        chosen = functional.one_hot(label, classes).double()
        expected = expected + torch.einsum("by,yd,bd->b", chosen, head.table.weight, features)
    same(head(features, label), expected, [features, *head.parameters()])


def test_the_projection_is_exact_under_autocast() -> None:
    head = Projection(5, 4, spectral=True)
    features, label = torch.randn(3, 5), torch.tensor([2, 0, 3])
    head.eval()
    with torch.autocast("cpu", torch.bfloat16):
        found = head(features, label)
    torch.testing.assert_close(found, head(features, label), rtol=0, atol=0)
    assert len([name for name, _ in head.named_buffers()]) == 2  # V is normalised too
    with refused("discriminator", "labels", error=GansmithError):
        head(features, None)


def test_pooling() -> None:
    x = numbers(2, 3, 4, 5)
    torch.testing.assert_close(pooled(x), torch.einsum("bchw->bc", x))
    torch.testing.assert_close(pooled(x, mean=True), torch.einsum("bchw->bc", x) / 20)
    half = torch.full((1, 1, 30, 30), 1.0, dtype=torch.bfloat16)
    assert pooled(half).dtype == torch.float32
    assert float(pooled(half)) == 900.0  # bfloat16 has no 900


# grids


@pytest.mark.parametrize(
    ("size", "doublings", "first", "halvings"),
    [
        ((32, 32), 3, (4, 4), 2),
        ((28, 28), 2, (7, 7), 2),
        ((8, 8), 1, (4, 4), 1),
        ((12, 20), 1, (6, 10), 1),
        ((20, 28), 2, (5, 7), 1),
        ((33, 47), 3, (5, 6), 2),
        ((48, 48), 3, (6, 6), 3),
        ((64, 64), 4, (4, 4), 3),
    ],
)
def test_grids(size: tuple[int, int], doublings: int, first: tuple[int, int], halvings: int) -> None:
    assert grid.doublings("net", Dimensions(3, *size)) == doublings
    assert grid.first_grid(*size, doublings) == first
    assert grid.halvings(*size) == halvings
    assert min(size) >> halvings >= (6 if halvings > 1 else 4)


def test_the_middle() -> None:
    images = torch.arange(5 * 8.0).view(1, 1, 5, 8)
    assert torch.equal(grid.centre(images, 3, 5), images[:, :, 1:4, 1:6])
    assert torch.equal(grid.centre(images, 5, 8), images)


@pytest.mark.parametrize(("size", "advice"), [((7, 64), "8x64"), ((1, 1), "8x8"), ((30, 4), "30x8")])
def test_too_small(size: tuple[int, int], advice: str) -> None:
    with refused("net", f"{size[0]}x{size[1]}", "at least 8", f"--size {advice}", "--recipe mlp_ring"):
        grid.doublings("net", Dimensions(3, *size))
