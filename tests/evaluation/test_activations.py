"""Which layers are taken, and that what is taken is what comes after the nonlinearity."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import GansmithError, NotFiniteError
from gansmith.evaluation.activations import activations, layers, pooled_pixels, settle, to_input
from gansmith.models import dcgan, mlp
from gansmith.system.seeding import seeded


def pictures(count: int = 5, side: int = 16, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def discriminator(side: int = 16) -> nn.Module:
    with seeded("activations"):
        network = dcgan.discriminator(Dimensions(3, side, side), width=4)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    return network.eval()


def by_hand(network: nn.Module, images: Tensor) -> list[Tensor]:
    """The outputs of every leaky ReLU of a DCGAN."""
    found, x = [], images
    for module in network.layers:
        x = module(x)
        if isinstance(module, nn.LeakyReLU):
            found.append(x.clone())
    return found


def test_a_dcgans_layers_after_their_nonlinearity() -> None:
    """Modules that work in place; a first layer without normalisation; the last convolution left out."""
    network, images = discriminator(32), to_input(pictures(side=32))
    found, expected = layers(network, images), by_hand(network, images)
    assert [tuple(maps.shape) for maps in found] == [(5, 4, 16, 16), (5, 8, 8, 8), (5, 16, 4, 4)]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
        assert (one < 0).any()


def test_features_are_pooled_to_four_by_four_and_joined() -> None:
    network, images = discriminator(), pictures()
    rows = activations(network, images)
    first, second = by_hand(network, to_input(images))
    expected = torch.cat([F.max_pool2d(first, 2).flatten(1), second.flatten(1)], dim=1)
    assert rows.shape == (5, (4 + 8) * 16)
    assert rows.dtype == np.float32
    torch.testing.assert_close(torch.from_numpy(rows), expected.detach())


def test_the_batch_does_not_matter_and_nothing_is_left_behind() -> None:
    network = discriminator().train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    whole, parts = activations(network, pictures(7)), activations(network, pictures(7), batch=3)
    np.testing.assert_allclose(whole, parts, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)
    assert network.training


class Functional(nn.Module):
    """Nonlinearities called as functions, one in place, a bias of its own, dropout, a residual sum in place."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (nn.Conv2d(3 if i == 0 else 4, 4, 3, padding=1, bias=False) for i in range(3))
        self.bias = nn.Parameter(torch.ones(1, 4, 1, 1))
        self.norm = nn.GroupNorm(2, 4)
        self.head = nn.Linear(4, 1)
        self.kept: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        first = torch.tanh(self.one(image) + self.bias)
        self.kept.append(first.clone())
        second = F.dropout(F.relu_(self.norm(self.two(first))), training=self.training)
        self.kept.append(second.clone())
        third = self.three(second)
        self.kept.append(third.clone())
        second += third
        return self.head(second.mean((2, 3))).squeeze(1)


def test_functions_biases_and_residual_sums() -> None:
    """A linear head after convolutions: all of these are hidden. The last one meets no nonlinearity."""
    network, images = Functional().eval(), to_input(pictures())
    found = layers(network, images)
    assert len(found) == 3
    for one, other in zip(found, network.kept, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_network_without_convolutions_gives_its_linear_layers() -> None:
    network = mlp.discriminator(Dimensions(1, 4, 4), width=6, depth=2)
    found = layers(network, to_input(pictures(side=4, channels=1)))
    assert [tuple(x.shape) for x in found] == [(5, 6), (5, 6)]
    assert all((x >= 0).all() and (x > 0).any() for x in found)
    assert activations(network, pictures(side=4, channels=1)).shape == (5, 12)


def test_the_grid_is_halved_until_the_numbers_fit() -> None:
    network = discriminator()
    assert activations(network, pictures(), most=192).shape == (5, 192)
    assert activations(network, pictures(), most=191).shape == (5, 48)
    assert activations(network, pictures(), most=5).shape == (5, 12)
    assert activations(network, pictures(), grid=2).shape == (5, 48)


def test_settling_gives_normalisations_the_images_statistics() -> None:
    network = discriminator()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # what was seen before is forgotten
            module.running_mean, module.num_batches_tracked = torch.full_like(module.bias.data, 9.0), torch.tensor(3)
    settled = settle(network, pictures(64), batch=64)
    assert settled is not network
    first = next(module for module in settled.modules() if isinstance(module, nn.BatchNorm2d))
    convolutions = [module for module in settled.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        entering = convolutions[1](F.leaky_relu(convolutions[0](to_input(pictures(64))), 0.2))
    assert first.running_mean is not None
    torch.testing.assert_close(first.running_mean, entering.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    assert not settled.training
    assert not any(module.training for module in settled.modules())
    halves = settle(network, pictures(64), batch=32)
    for key, value in halves.state_dict().items():
        if key.endswith("running_mean"):
            torch.testing.assert_close(value, settled.state_dict()[key], rtol=0.1, atol=0.05)
    assert settle(network, pictures(3), batch=64) is not None


def test_pixels_pooled_as_features_are() -> None:
    images = pictures(side=8)
    expected = (images.reshape(5, 4, 2, 4, 2, 3).max((2, 4)).transpose(0, 3, 1, 2) / 127.5 - 1).reshape(5, -1)
    np.testing.assert_allclose(pooled_pixels(images), expected, atol=1e-6)
    assert to_input(images).shape == (5, 3, 8, 8)
    assert to_input(np.array([[[[0], [255]]]], dtype=np.uint8)).tolist() == [[[[-1.0, 1.0]]]]


def test_a_network_without_hidden_layers() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(16 * 16 * 3, 1))
    with pytest.raises(GansmithError, match=r"1 layer.*hidden"):
        activations(network, pictures())
    with pytest.raises(GansmithError, match=r"^this network has 0 layers"):
        activations(nn.Flatten(), pictures())


def test_a_diverged_network() -> None:
    network = discriminator()
    next(network.parameters()).data.fill_(math.nan)
    with pytest.raises(NotFiniteError, match=r"fakes.*NaN"):
        activations(network, pictures(), what="fakes")
