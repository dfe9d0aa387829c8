"""The MNIST example's network: its layers, and the grid at other sizes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from networks import builder
from torch import nn

from gansmith.adversarial import Dimensions
from refusals import refused

MNIST = Dimensions(1, 28, 28, 0, 10)


built = builder("mnist_net", MNIST, "classifier")


def test_parameters() -> None:
    counts = [p.numel() for p in built().parameters()]
    assert counts == [20 * 25, 20, 50 * 20 * 25, 50, 500 * 4 * 4 * 50, 500, 10 * 500, 10]
    assert sum(counts) == 431_080


def test_it_computes_what_the_lecture_shows() -> None:
    """conv 20, relu, pool, conv 50, relu, pool, 4 * 4 * 50 -> 500, relu, 10; the log-softmax is in the loss."""
    network = built()
    image = torch.randn(3, 1, 28, 28)
    conv1, conv2, hidden = [m for m in network.layers if isinstance(m, (nn.Conv2d, nn.Linear))]
    x = F.max_pool2d(F.relu(F.conv2d(image, conv1.weight, conv1.bias)), 2, 2)
    x = F.max_pool2d(F.relu(F.conv2d(x, conv2.weight, conv2.bias)), 2, 2)
    x = F.relu(F.linear(x.view(-1, 4 * 4 * 50), hidden.weight, hidden.bias))
    torch.testing.assert_close(network.features(image), x)
    torch.testing.assert_close(network(image), F.linear(x, network.head.weight, network.head.bias))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("size", "grid"), [((28, 28), 16), ((32, 32), 25), ((64, 64), 169), ((33, 47), 5 * 8), ((16, 16), 1), ((17, 28), 4)]
)
def test_any_size_from_16_on(size: tuple[int, int], grid: int, channels: int) -> None:
    network = built(Dimensions(channels, *size, 0, 7))
    image = torch.randn(3, channels, *size)
    logits = network(image)
    assert logits.shape == (3, 7)
    assert network.features(image).shape == (3, 500)
    assert network.layers[8].weight.shape == (500, 50 * grid)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(("size", "advice"), [((15, 28), "16x28"), ((8, 8), "16x16"), ((30, 1), "30x16")])
def test_too_small(size: tuple[int, int], advice: str) -> None:
    with refused("mnist_net", f"{size[0]}x{size[1]}", "at least 16", f"--size {advice}"):
        built(Dimensions(1, *size, 0, 10))


def test_images_are_standardized_first() -> None:
    plain, network = built().eval(), built(mean=[0.1307], deviation=[0.3081]).eval()
    network.load_state_dict(plain.state_dict())
    pixels = torch.rand(2, 1, 28, 28)
    torch.testing.assert_close(network(pixels * 2 - 1), plain((pixels - 0.1307) / 0.3081))
