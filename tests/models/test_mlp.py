"""The fully connected pair."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError
from gansmith.models import mlp
from refusals import refused

POINTS = Dimensions(2, 1, 1, 16)


def test_layers_and_parameters() -> None:
    generator, discriminator = mlp.generator(POINTS), mlp.discriminator(POINTS)
    layers = [(layer.in_features, layer.out_features) for layer in generator.layers if isinstance(layer, nn.Linear)]
    assert layers == [(16, 128), (128, 128), (128, 2)]
    assert sum(p.numel() for p in generator.parameters()) == 16 * 128 + 128 + 128 * 128 + 128 + 128 * 2 + 2
    assert sum(p.numel() for p in discriminator.parameters()) == 2 * 128 + 128 + 128 * 128 + 128 + 128 + 1
    deep = [layer for layer in mlp.generator(POINTS, depth=4, width=8).layers if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in deep] == [8, 8, 8, 8, 2]


@pytest.mark.parametrize("dimensions", [POINTS, Dimensions(1, 8, 8, 5), Dimensions(3, 4, 6, 5)])
def test_shapes_and_values(dimensions: Dimensions) -> None:
    generator, discriminator = mlp.generator(dimensions, width=9), mlp.discriminator(dimensions, width=9)
    z = torch.randn(4, dimensions.latent)
    images = generator(z)
    assert images.shape == (4, *dimensions[:3])
    hidden = z
    for layer in [m for m in generator.layers if isinstance(m, nn.Linear)][:-1]:
        hidden = (hidden @ layer.weight.T + layer.bias).clamp_min(0)
    last = generator.layers[-1]
    assert isinstance(last, nn.Linear)
    torch.testing.assert_close(images.reshape(4, -1), hidden @ last.weight.T + last.bias)
    scores = discriminator(images)
    assert scores.shape == (4,)
    torch.testing.assert_close(scores, discriminator.layers(images.reshape(4, -1))[:, 0])


def test_output() -> None:
    z = 1000 * torch.randn(4, 16)
    linear = mlp.generator(POINTS)
    bounded = mlp.generator(POINTS, output="tanh")
    bounded.load_state_dict(linear.state_dict())
    assert linear(z).abs().max() > 1
    torch.testing.assert_close(bounded(z), torch.tanh(linear(z)))


def test_bad_options() -> None:
    with refused("models/mlp", "depth = 0", error=OptionError):
        catalog.build("models", "mlp", POINTS, factory="generator", depth=0)
    with refused("models/mlp", "output = 'sigmoid'", error=OptionError):
        catalog.build("models", "mlp", POINTS, factory="generator", output="sigmoid")
