"""Layers of a network that make feature maps."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError, UnknownNameError
from gansmith.latent.inside.layers import feature_maps, layer_named, layers_of, stages_of, up_to


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(inplace=True), nn.Upsample(scale_factor=2), nn.Conv2d(5, 6, 1),
        nn.Conv2d(6, 3, 1), nn.Flatten(), nn.Linear(3 * 16 * 16, 1),
    )  # fmt: skip


def test_the_layers_in_order_and_one_for_each_resolution() -> None:
    net, images = network(), torch.rand(1, 3, 8, 8)
    layers = layers_of(net, partial(net, images))
    assert [layer.name for layer in layers] == ["0", "1", "2", "3", "4"]
    assert [layer.resized for layer in layers] == [False, False, True, False, False]
    assert [stage.name for stage in stages_of(layers)] == ["1", "3"]
    assert layer_named(layers, "3").channels == 6
    with pytest.raises(UnknownNameError, match="0"):
        layer_named(layers, "O")


def test_the_feature_maps_are_those_of_the_moment() -> None:
    """What a layer behind changes in place is not seen, and no hook is left."""
    net, images = network(), torch.randn(2, 3, 8, 8)
    made = feature_maps(net, ["0", "1"], partial(net, images))
    torch.testing.assert_close(made["0"], net[0](images))
    assert (made["0"] < 0).any()
    torch.testing.assert_close(made["1"], made["0"].relu())
    assert not any(module._forward_hooks for module in net.modules())
    with pytest.raises(UnknownNameError, match="7"):
        feature_maps(net, ["7"], partial(net, images))
    with pytest.raises(OptionError, match="5"):
        feature_maps(net, ["5"], partial(net, images))


def test_nothing_behind_the_layer_runs() -> None:
    net, images = network(), torch.randn(1, 3, 8, 8, requires_grad=True)

    def fail(module: nn.Module, read: object) -> None:
        raise AssertionError

    net[4].register_forward_pre_hook(fail)
    maps = up_to(net, "3", partial(net, images))
    torch.testing.assert_close(maps, net[3](net[2](net[0](images).relu())))
    maps.sum().backward()
    assert images.grad is not None
    assert not any(module._forward_hooks for module in net.modules())
    with pytest.raises(OptionError, match="5"):
        up_to(nn.Sequential(*[*net][:4], nn.Flatten(), nn.Identity()), "5", lambda: None)


@pytest.mark.parametrize("model", [name for name in catalog.names("models", "generator") if name != "mlp"])
def test_every_generator_and_discriminator_has_stages(model: str) -> None:
    """At least two resolutions of features, of more channels than an image, in each network of the catalog."""
    dimensions = Dimensions(3, 32, 32, 16)
    options: dict[str, object] = {} if model in ("fastgan", "r3gan") else {"width": 8}
    latents, images = torch.randn(2, 16), torch.randn(2, 3, 32, 32)
    if model == "biggan":
        options["conditional"] = False
    given: dict[str, Tensor] = {"generator": latents, "discriminator": images}
    for role, tensor in given.items():
        if model not in catalog.names("models", role):
            continue
        try:
            net = catalog.build("models", model, dimensions, factory=role, **options).eval()
        except Exception as error:  # weights that are not here, or options of another name
            pytest.skip(str(error))
        stages = stages_of(layers_of(net, partial(net, tensor)))
        assert len(stages) >= 2, role
        assert all(stage.channels > 4 for stage in stages)
