"""Wide residual networks: the paper's table 1, its counts of parameters, its blocks."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from networks import builder
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError
from gansmith.models import wrn
from refusals import refused

CIFAR = Dimensions(3, 32, 32, 0, 10)


built = builder("wrn", CIFAR, "classifier")


def blocks(network: nn.Module) -> list[wrn.Block]:
    return [module for module in network.modules() if isinstance(module, wrn.Block)]


def test_the_network_of_the_lessons_record() -> None:
    """Depth 22, 6 times as wide: three groups of three blocks with 96, 192 and 384 channels."""
    network = built()
    shapes = [
        (b.convolution1.in_channels, b.convolution2.out_channels, b.convolution1.stride[0]) for b in blocks(network)
    ]
    assert shapes == [
        *[(16, 96, 1), (96, 96, 1), (96, 96, 1)],
        *[(96, 192, 2), (192, 192, 1), (192, 192, 1)],
        *[(192, 384, 2), (384, 384, 1), (384, 384, 1)],
    ]
    assert [b.project is not None for b in blocks(network)] == [True, False, False] * 3
    along = sum(isinstance(m, nn.Conv2d) for m in network.modules()) - 3  # but for the projections
    assert along + 3 == 22  # the paper counts them; the linear layer it does not
    assert (network.head.in_features, network.head.out_features) == (384, 10)
    assert {b.dropout.p for b in blocks(network)} == {0.0}


def by_hand(depth: int, widen: int, channels: int, classes: int) -> int:
    """Three by three weights, 1 x 1 projections, two numbers a channel for each normalisation, the linear layer."""
    count, before = channels * 16 * 9, 16
    for after in (16 * widen, 32 * widen, 64 * widen):
        for _ in range((depth - 4) // 6):
            count += 2 * before + before * after * 9 + 2 * after + after * after * 9
            count += before * after if before != after else 0
            before = after
    return count + 2 * before + before * classes + classes


@pytest.mark.parametrize(
    ("depth", "widen", "millions"),
    [(22, 6, None), (40, 1, 0.6), (40, 2, 2.2), (40, 4, 8.9), (16, 8, 11.0), (22, 8, 17.2), (28, 10, 36.5)],
)
def test_parameters(depth: int, widen: int, millions: float | None) -> None:
    """By hand, and as tables 4 and 5 of the paper round them. At widen 1 the first group needs no projection."""
    with torch.device("meta"):
        network = built(depth=depth, widen=widen)
    count = sum(p.numel() for p in network.parameters())
    assert count == by_hand(depth, widen, 3, 10)
    assert millions is None or round(count / 1e6, 1) == millions


def test_grids() -> None:
    network = built(Dimensions(1, 28, 28, 0, 3), depth=10, widen=1).eval()
    x, seen = torch.zeros(1, 1, 28, 28), []
    for layer in network.layers:
        x = layer(x)
        if isinstance(layer, wrn.Block):
            seen.append(tuple(x.shape[1:]))
    assert seen == [(16, 28, 28), (32, 14, 14), (64, 7, 7)]


def normalised(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    return (x / (1 + norm.eps) ** 0.5).clamp_min(0)  # fresh running statistics, then ReLU


@pytest.mark.parametrize(("after", "stride"), [(4, 1), (6, 1), (6, 2), (4, 2)])
def test_a_block(after: int, stride: int) -> None:
    """Batch normalisation and ReLU come before each convolution; what goes round is the input itself, or, where shapes
    change, a projection of the activated input."""
    block = wrn.Block(4, after, stride=stride, dropout=0.0).eval()
    x = torch.randn(2, 4, 6, 8)
    kept = x.clone()
    active = normalised(block.normalise1, x)
    inside = normalised(block.normalise2, F.conv2d(active, block.convolution1.weight, stride=stride, padding=1))
    change = F.conv2d(inside, block.convolution2.weight, padding=1)
    if block.project is None:
        assert (after, stride) == (4, 1)
        around = x
    else:
        around = F.conv2d(active, block.project.weight, stride=stride)
    torch.testing.assert_close(block(x), around + change)
    assert torch.equal(x, kept)
    nn.init.zeros_(block.convolution2.weight)
    if block.project is not None:  # to the bit, so of the block's own activation
        around = F.conv2d(F.relu(block.normalise1(x)), block.project.weight, stride=stride)
    torch.testing.assert_close(block(x), around, rtol=0, atol=0)  # a last convolution of zeros: what goes round


def test_dropout_lies_between_the_convolutions_and_acts_in_training_only() -> None:
    torch.manual_seed(0)
    block = wrn.Block(4, 4, stride=1, dropout=0.5)
    x = torch.randn(2, 4, 6, 8)
    seen: list[Tensor] = []
    block.convolution2.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    first, second = block(x), block(x)
    assert not torch.equal(first, second)
    assert 0.6 < float((seen[0] == 0).float().mean()) < 0.9  # half by ReLU, half of the rest by dropout
    block.eval()
    assert torch.equal(block(x), block(x))
    assert 0.3 < float((seen[-1] == 0).float().mean()) < 0.7


def test_the_end() -> None:
    """Normalised and activated once more, averaged, and one linear layer."""
    network = built(depth=10, widen=1).eval()
    image = torch.randn(2, 3, 32, 32)
    maps = network.layers[:-2](image)
    assert maps.shape == (2, 64, 8, 8)
    assert float(maps.detach().min()) == 0
    torch.testing.assert_close(network.features(image), maps.mean((2, 3)))
    assert [type(layer).__name__ for layer in network.layers][-4:] == [
        *("BatchNorm2d", "ReLU", "AdaptiveAvgPool2d", "Flatten")
    ]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(28, 28), (32, 32), (64, 64), (33, 47), (9, 15), (1, 1)])
def test_any_size(size: tuple[int, int], channels: int) -> None:
    network = built(Dimensions(channels, *size, 0, 7), depth=10, widen=1)
    image = torch.randn(3, channels, *size)
    logits = network(image)
    assert logits.shape == (3, 7)
    assert network.features(image).shape == (3, 64)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_initialisation() -> None:
    network = built(depth=10, widen=4)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            deviation = (2 / (module.out_channels * module.kernel_size[0] * module.kernel_size[1])) ** 0.5
            weight, count = module.weight.detach(), module.weight.numel()
            assert abs(float(weight.std()) - deviation) < 5 * deviation / (2 * count) ** 0.5
            assert abs(float(weight.mean())) < 5 * deviation / count**0.5
    assert not network.head.bias.any()


def test_images_are_standardized_first() -> None:
    plain = built(Dimensions(1, 8, 8, 0, 3), depth=10, widen=1).eval()
    network = built(Dimensions(1, 8, 8, 0, 3), depth=10, widen=1, mean=[0.25], deviation=[0.5]).eval()
    network.load_state_dict(plain.state_dict())
    pixels = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(network(pixels * 2 - 1), plain((pixels - 0.25) / 0.5))


@pytest.mark.parametrize("depth", [1, 4, 11, 20, 23])
def test_a_depth_that_makes_no_whole_blocks(depth: int) -> None:
    with refused("models/wrn", f"depth = {depth}", "10, 16, 22, 28", error=OptionError):
        built(depth=depth)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widen": 0}, r"^models/wrn: widen = 0 is not allowed"),
        ({"dropout": 1.0}, r"^models/wrn: dropout = 1.0 is not allowed: it takes a number of at least 0, below 1$"),
        (
            {"width": 3},
            r"^models/wrn has no option 'width'. Did you mean 'widen'\? It has: depth, widen, dropout, mean",
        ),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        built(**options)
