"""The Darknet of lesson 12: its layers, its grid, its residual blocks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from networks import builder
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError
from gansmith.models import darknet
from refusals import refused

LESSON = Dimensions(3, 32, 32, 0, 10)


built = builder("darknet", LESSON, "classifier")


def grids(network: nn.Module, size: tuple[int, int], channels: int = 3) -> list[tuple[int, ...]]:
    """The shapes [C, h, w] behind each convolution that is no residual block's."""
    seen: list[tuple[int, ...]] = []
    x = torch.zeros(1, channels, *size)
    network.eval()
    for layer in network.layers:  # type: ignore[union-attr]
        x = layer(x)
        if isinstance(layer, nn.Sequential):
            seen.append(tuple(x.shape[1:]))
    return seen


def test_the_layers_of_the_lesson() -> None:
    network = built()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 1 + 5 + 2 * (1 + 2 + 4 + 6 + 3)
    assert sum(isinstance(m, darknet.Residual) for m in network.modules()) == 16
    assert all(m.bias is None for m in convolutions)
    assert {m.momentum for m in network.modules() if isinstance(m, nn.BatchNorm2d)} == {0.01}
    other = built(groups=(1, 1), width=2, normalisation_momentum=0.1)
    assert {m.momentum for m in other.modules() if isinstance(m, nn.BatchNorm2d)} == {0.1}
    assert {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)} == {0.1}
    first = convolutions[0]
    assert (first.in_channels, first.out_channels, first.kernel_size, first.stride) == (3, 32, (3, 3), (1, 1))
    kinds = [type(layer).__name__ for layer in network.layers]
    grouped = ["Sequential", "Residual", *["Sequential", *["Residual"] * 2], *["Sequential", *["Residual"] * 4]]
    grouped += [*["Sequential", *["Residual"] * 6], *["Sequential", *["Residual"] * 3]]
    assert kinds == ["Identity", "Sequential", *grouped, "AdaptiveAvgPool2d", "Flatten"]
    assert (network.head.in_features, network.head.out_features) == (1024, 10)


def by_hand(groups: tuple[int, ...], width: int, channels: int, classes: int) -> int:
    """Weights of each convolution and two numbers a channel of its normalisation; then the linear layer."""
    count = channels * width * 9 + 2 * width
    for blocks in groups:
        count += width * 2 * width * 9 + 2 * 2 * width
        width *= 2
        half = width // 2
        count += blocks * (width * half + 2 * half + half * width * 9 + 2 * width)
    return count + width * classes + classes


@pytest.mark.parametrize(
    ("groups", "width", "channels", "classes"),
    [((1, 2, 4, 6, 3), 32, 3, 10), ((1, 1, 1, 1), 8, 1, 10), ((2, 0), 5, 4, 3), ((1,), 1, 1, 2)],
)
def test_parameters(groups: tuple[int, ...], width: int, channels: int, classes: int) -> None:
    unstrided = 1 if len(groups) > 1 else 0
    network = built(Dimensions(channels, 16, 16, 0, classes), groups=groups, width=width, unstrided=unstrided)
    assert sum(p.numel() for p in network.parameters()) == by_hand(groups, width, channels, classes)


def test_parameters_of_the_lesson() -> None:
    assert sum(p.numel() for p in built().parameters()) == 31_410_922


def test_group_1_keeps_the_grid_as_in_the_lessons_code() -> None:
    network = built()
    assert grids(network, (32, 32)) == [
        (32, 32, 32),
        (64, 16, 16),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
        (1024, 2, 2),
    ]


@pytest.mark.parametrize(
    ("unstrided", "sides"),
    [(0, [32, 32, 16, 8]), (1, [32, 16, 16, 8]), (2, [32, 16, 8, 8]), (None, [32, 16, 8, 4])],
)
def test_which_group_keeps_the_grid(unstrided: int | None, sides: list[int]) -> None:
    network = built(groups=[0, 1, 0], width=2, unstrided=unstrided)
    assert [shape[1] for shape in grids(network, (32, 32))] == sides


def test_a_grid_is_halved_rounding_up() -> None:
    network = built(groups=(0, 0, 0), width=2)
    assert [shape[1:] for shape in grids(network, (33, 47))] == [(33, 47), (17, 24), (17, 24), (9, 12)]


def only_block(**options: Any) -> Any:
    network = built(groups=(1,), width=6, unstrided=None, **options)
    [block] = [module for module in network.modules() if isinstance(module, darknet.Residual)]
    return block


@pytest.mark.parametrize(("bottleneck", "inside"), [(2, 6), (1, 12), (0.5, 24), (5, 2), (100, 1)])
def test_a_blocks_channels_inside_are_divided_by_the_bottleneck(bottleneck: float, inside: int) -> None:
    """The lesson's questions: `ni // 2`, and what if `ni` or `ni * 2`."""
    block = only_block(bottleneck=bottleneck)
    assert block.squeeze[0].weight.shape == (inside, 12, 1, 1)
    assert block.expand[0].weight.shape == (12, inside, 3, 3)


def test_a_third_convolution_follows_the_second() -> None:
    block = only_block(third_convolution=True).eval()
    x = torch.randn(2, 12, 5, 7)
    assert block.third[0].weight.shape == (12, 12, 3, 3)
    torch.testing.assert_close(block(x), x + block.third(block.expand(block.squeeze(x))))
    assert only_block().third is None


def test_a_residual_block_is_what_came_in_plus_two_convolutions() -> None:
    block = darknet.Residual(6).eval()
    x = torch.randn(2, 6, 5, 7)
    kept = x.clone()

    def layer(part: nn.Module, value: Tensor) -> Tensor:
        weight, norm = part[0].weight, part[1]  # type: ignore[index]
        value = nn.functional.conv2d(value, weight, padding=weight.shape[-1] // 2)
        value = value / (1 + norm.eps) ** 0.5  # fresh running statistics: mean 0, variance 1
        return torch.where(value > 0, value, 0.1 * value)

    assert block.squeeze[0].weight.shape == (3, 6, 1, 1)
    assert block.expand[0].weight.shape == (6, 3, 3, 3)
    torch.testing.assert_close(block(x), x + layer(block.expand, layer(block.squeeze, x)))
    assert torch.equal(x, kept)
    for mode in (True, False):
        block.train(mode)
        nn.init.zeros_(block.expand[0].weight)
        torch.testing.assert_close(block(x), x, rtol=0, atol=0)  # a last convolution of zeros: the identity


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(28, 28), (32, 32), (64, 64), (33, 47), (9, 15), (1, 1)])
def test_any_size(size: tuple[int, int], channels: int) -> None:
    network = built(Dimensions(channels, *size, 0, 7), groups=(1, 0, 1), width=2)
    image = torch.randn(3, channels, *size)
    logits = network(image)
    assert logits.shape == (3, 7)
    assert network.features(image).shape == (3, 16)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_features_are_averages_over_the_grid() -> None:
    network = built(groups=(1, 1), width=3).eval()
    image = torch.randn(2, 3, 32, 32)
    maps = network.layers[:-2](image)
    assert maps.shape == (2, 12, 16, 16)
    torch.testing.assert_close(network.features(image), maps.mean((2, 3)))


def test_images_are_standardized_first() -> None:
    mean, deviation = (0.4914, 0.48216, 0.44653), (0.24703, 0.24349, 0.26159)
    plain = built(groups=(1, 0), width=3).eval()
    network = built(groups=(1, 0), width=3, mean=mean, deviation=deviation).eval()
    network.load_state_dict(plain.state_dict())  # the statistics are options, no weights
    pixels = torch.rand(2, 3, 8, 8)
    by_channel = (pixels - torch.tensor(mean)[None, :, None, None]) / torch.tensor(deviation)[None, :, None, None]
    torch.testing.assert_close(network(pixels * 2 - 1), plain(by_channel))


@pytest.mark.parametrize(
    ("options", "means", "deviations"),
    [
        ({"mean": [0.5]}, 1, 0),
        ({"deviation": [0.5] * 3}, 0, 3),
        ({"mean": [0.5], "deviation": [0.2]}, 1, 1),
        ({"mean": [0.5] * 3, "deviation": [0.2] * 4}, 3, 4),
    ],
)
def test_statistics_of_another_number_of_channels(options: dict[str, object], means: int, deviations: int) -> None:
    facts = [f"{means} mean(s)", f"{deviations} deviation(s)", "3 channel(s)"]
    with refused("darknet", *facts, "gansmith data stats", "classifier.mean=null", "classifier.deviation=null"):
        built(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": []}, r"^models/darknet: groups = \[\] is not allowed"),
        ({"groups": [1, -1]}, r"^models/darknet: groups = \[1, -1\] is not allowed: it takes a list .*from 0"),
        ({"width": 0}, r"^models/darknet: width = 0 is not allowed"),
        ({"deviation": [0.2, 0.0, 0.2]}, r"^models/darknet: deviation = .* is not allowed: it takes a list"),
        (
            {"normalisation_momentum": 0},
            r"^models/darknet: normalisation_momentum = 0 is not allowed: it takes a number above 0",
        ),
        ({"mean": [-0.2, 0.0, 0.2]}, r"^models/darknet: mean = .* is not allowed: it takes a list"),
        ({"group": 3}, r"^models/darknet has no option 'group'. Did you mean 'groups'\? It has: groups, width, unstr"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        built(**options)


def test_a_group_that_is_not_there() -> None:
    with refused("darknet", "1 group", "group 1", "classifier.unstrided"):
        built(groups=[1])


def test_no_labels() -> None:
    with refused("darknet", "labels", "one folder for each class"):
        built(Dimensions(3, 32, 32))
