"""The Torch slides' network, and its normalisation against one written with numpy and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from networks import builder
from numpy.typing import NDArray
from scipy.ndimage import correlate
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.contrastive_net import ContrastiveNormalisation, gaussian
from refusals import refused

SLIDES = Dimensions(3, 32, 32, 0, 10)
Array = NDArray[np.float64]


built = builder("contrastive_net", SLIDES, "classifier")


def test_the_layers_of_the_slides() -> None:
    network = built()
    kinds = [type(layer).__name__ for layer in network.layers]
    stage = ["Conv2d", "Tanh", "MaxPool2d", "ContrastiveNormalisation"]
    assert kinds == [*stage, *stage, "Conv2d", "Tanh", "Flatten"]
    convolutions = [layer for layer in network.layers if isinstance(layer, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.kernel_size, c.padding) for c in convolutions] == [
        (3, 16, (5, 5), (0, 0)),
        (16, 64, (5, 5), (0, 0)),
        (64, 256, (5, 5), (0, 0)),
    ]
    assert (network.head.in_features, network.head.out_features) == (256, 10)
    counts = [16 * 3 * 25 + 16, 64 * 16 * 25 + 64, 256 * 64 * 25 + 256, 256 * 10 + 10]
    assert sum(p.numel() for p in network.parameters()) == sum(counts) == 439_306
    for layer in network.layers:
        if isinstance(layer, ContrastiveNormalisation):
            torch.testing.assert_close(layer.kernel[0, 0], gaussian(3) / gaussian(3).sum())
            assert layer.threshold == 1e-4


def test_torchs_gaussian() -> None:
    """exp(-(dx^2 + dy^2) / (2 s^2)) with s a quarter of the size: 0.75 pixels at 3, and 1 in the middle."""
    edge, corner = np.exp(-1 / (2 * 0.75**2)), np.exp(-2 / (2 * 0.75**2))
    expected = torch.tensor([[corner, edge, corner], [edge, 1, edge], [corner, edge, corner]], dtype=torch.float32)
    torch.testing.assert_close(gaussian(3), expected)
    nine = gaussian(9)
    assert nine.shape == (9, 9)
    assert float(nine[4, 4]) == 1
    torch.testing.assert_close(nine[4, 0], torch.tensor(np.exp(-16 / (2 * 2.25**2)), dtype=torch.float32))


def by_numpy(maps: Array, kernel: Array, threshold: float) -> Array:
    """Maps [C, H, W]: subtractive, then divisive, with sums over zero-padded windows and the border's share made up
    for, as Torch's two modules do one after the other."""

    def summed(planes: Array) -> Array:
        weights = kernel / (kernel.sum() * len(planes))
        return sum(correlate(plane, weights, mode="constant") for plane in planes)  # type: ignore[return-value]

    share = summed(np.ones_like(maps))
    centred = maps - (summed(maps) / share)[None]
    deviation = np.sqrt(summed(centred**2)) / share
    return centred / np.where(deviation > threshold, deviation, threshold)[None]


@pytest.mark.parametrize("size", [3, 5, 9])
@pytest.mark.parametrize("shape", [(1, 8, 8), (16, 14, 14), (4, 5, 9), (3, 3, 2)])
def test_normalisation(shape: tuple[int, ...], size: int) -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(1.5, 2.0, (2, *shape))
    kernel = rng.uniform(0.1, 1.0, (size, size))  # no symmetry that could hide a mirrored window
    layer = ContrastiveNormalisation(torch.from_numpy(kernel))
    found = layer(torch.from_numpy(maps))
    expected = np.stack([by_numpy(one, kernel, 1e-4) for one in maps])
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-12)


def test_the_threshold() -> None:
    """A faint texture stays faint; one above the threshold is brought to its scale."""
    kernel = gaussian(3).double()
    texture = torch.from_numpy(np.random.default_rng(1).normal(0, 1, (1, 4, 8, 8)))
    for strength in (1e-6, 1e-4, 1e-2):
        found = ContrastiveNormalisation(kernel)(texture * strength)
        expected = by_numpy(texture[0].numpy() * strength, kernel.numpy(), 1e-4)
        np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-9, atol=1e-12)
    high = ContrastiveNormalisation(kernel, threshold=10.0)(texture)
    np.testing.assert_allclose(high[0].numpy(), by_numpy(texture[0].numpy(), kernel.numpy(), 10.0), rtol=1e-9)


def test_contrast_and_brightness_do_not_matter() -> None:
    """Of all maps together: that is what the layer is for."""
    layer = ContrastiveNormalisation(gaussian(3).double())
    maps = torch.from_numpy(np.random.default_rng(2).normal(0, 1, (2, 4, 9, 7)))
    torch.testing.assert_close(layer(5 * maps + 3), layer(maps), rtol=1e-9, atol=1e-9)
    assert not torch.allclose(layer(maps + torch.arange(4.0)[None, :, None, None]), layer(maps), atol=1e-3)


def test_flat_maps_stay_flat_with_a_finite_gradient() -> None:
    flat = torch.full((1, 3, 6, 6), 0.7, requires_grad=True)
    found = ContrastiveNormalisation(gaussian(3))(flat)
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=0.01)
    found.sum().backward()
    assert flat.grad is not None
    assert bool(torch.isfinite(flat.grad).all())


def test_gradient() -> None:
    layer = ContrastiveNormalisation(gaussian(3).double(), threshold=0.5)
    maps = torch.from_numpy(np.random.default_rng(3).normal(0, 1, (1, 2, 4, 5))).requires_grad_()
    assert torch.autograd.gradcheck(layer, (maps,))


def test_autocast_leaves_the_squares_exact() -> None:
    layer = ContrastiveNormalisation(gaussian(3))
    maps = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)) + 20
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = layer(maps)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, layer(maps), rtol=0, atol=0)
    assert layer(maps.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("size", "grid"),
    [((28, 28), (4, 4)), ((32, 32), (5, 5)), ((64, 64), (13, 13)), ((33, 47), (5, 8)), ((16, 17), (1, 1))],
)
def test_any_size_from_16_on(size: tuple[int, int], grid: tuple[int, int], channels: int) -> None:
    """The last convolution reads the whole grid."""
    network = built(Dimensions(channels, *size, 0, 7))
    image = torch.randn(3, channels, *size)
    logits = network(image)
    features: Tensor = network.features(image)
    assert logits.shape == (3, 7)
    assert features.shape == (3, 256)
    assert float(features.detach().abs().max()) < 1
    assert network.layers[8].weight.shape == (256, 64, *grid)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_too_small() -> None:
    with refused("contrastive_net", "12x40", "at least 16", "--size 16x40"):
        built(Dimensions(3, 12, 40, 0, 10))
