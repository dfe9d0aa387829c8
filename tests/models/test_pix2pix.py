"""pix2pix's networks: the U-Net of the paper, its skips, its sizes, and what its normalisation comes to."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from networks import builder
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError
from gansmith.games import paired
from gansmith.models import pix2pix
from gansmith.training.precision import choose_memory_format
from refusals import refused

PAPER = Dimensions(3, 256, 256)


built = builder("pix2pix", PAPER, "translator")


@cache
def paper(role: str) -> nn.Module:
    return built(paired.dimensions_of(role, PAPER), role)


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def convolutions(network: nn.Module, kind: type[nn.Module]) -> list[tuple[int, int]]:
    return [(m.in_channels, m.out_channels) for m in network.modules() if type(m) is kind]  # type: ignore[misc]


# ---- the layers


@pytest.mark.parametrize(
    ("role", "published", "exact"), [("translator", 54.414, 54_414_019), ("discriminator", 2.769, 2_768_705)]
)
def test_as_many_parameters_as_the_authors_networks(role: str, published: float, exact: int) -> None:
    """Millions, as the authors' code prints them for unet_256 and the basic discriminator of pairs."""
    network = paper(role)
    found = sum(parameter.numel() for parameter in network.parameters())
    assert found == exact
    assert round(found / 1e6, 3) == published


def test_the_u_net_of_the_paper() -> None:
    """Section 6.1.1: C64-C128-C256-C512-C512-C512-C512-C512, and the way up, whose layers read both halves."""
    network = paper("translator")
    assert convolutions(network, nn.Conv2d) == [(3, 64), (64, 128), (128, 256), (256, 512), *[(512, 512)] * 4]
    assert convolutions(network, nn.ConvTranspose2d) == [
        *((512, 512), (1024, 512), (1024, 512), (1024, 512), (1024, 256), (512, 128), (256, 64), (128, 3)),
    ]
    geometry = {
        (m.kernel_size, m.stride, m.padding)
        for m in network.modules()
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))
    }
    assert geometry == {((4, 4), (2, 2), (1, 1))}
    down = [[type(layer).__name__ for layer in stage] for stage in [*network.down][1:]]  # type: ignore[arg-type,union-attr]
    assert down == [["LeakyReLU", "Conv2d", "InstanceNorm"]] * 6 + [["LeakyReLU", "Conv2d"]]  # errata: none inmost
    up = [[type(layer).__name__ for layer in stage] for stage in network.up]  # type: ignore[union-attr]
    plain = ["ReLU", "ConvTranspose2d", "InstanceNorm"]
    assert up == [[*plain, "Dropout"]] * 3 + [plain] * 4 + [["ReLU", "ConvTranspose2d", "Tanh"]]
    assert {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)} == {0.2}
    assert {m.p for m in network.modules() if isinstance(m, nn.Dropout)} == {0.5}


def normalised(x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    centred = x - x.mean((2, 3), keepdim=True)
    deviation = (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()
    return centred / deviation * scale[:, None, None] + offset[:, None, None]


def plain_u_net(image: Tensor, weights: list[Tensor], downs: int) -> Tensor:
    """Recursive, and with each skip before its activation; `weights` as the network lists them."""
    down, up = weights[: 2 + 3 * (downs - 2) + 1], weights[2 + 3 * (downs - 2) + 1 :]

    def below(x: Tensor, depth: int) -> Tensor:
        """x [B, C, H, W], as the way down made it `depth` halvings deep -> what the way up has at that size."""
        if depth == downs:
            return x
        first = 2 + 3 * (depth - 1)
        inner = F.conv2d(F.leaky_relu(x, 0.2), down[first], stride=2, padding=1)
        if depth + 1 < downs:
            inner = normalised(inner, down[first + 1], down[first + 2])
        risen = below(inner, depth + 1)
        scale = 3 * (downs - depth - 1)
        made = F.conv_transpose2d(torch.relu(risen), up[scale], stride=2, padding=1)
        return torch.cat([normalised(made, up[scale + 1], up[scale + 2]), x], 1)

    top = below(F.conv2d(image, down[0], down[1], stride=2, padding=1), 1)
    return torch.tanh(F.conv_transpose2d(torch.relu(top), up[-2], up[-1], stride=2, padding=1))


@pytest.mark.parametrize(("size", "downs"), [((8, 12), 2), ((16, 8), 3), ((32, 64), 5)])
def test_equal_to_the_plain_layers_written_out(size: tuple[int, int], downs: int) -> None:
    """Values and all gradients in float64: without a skip, or with two exchanged, they would differ."""
    network = built(Dimensions(3, *size), width=2).double()
    assert network.multiple == 2**downs
    weights = [*network.parameters()]
    for parameter in weights:
        nn.init.normal_(parameter, 0.1, 0.5, generator=torch.Generator().manual_seed(parameter.numel()))
    results = []
    for ours in (True, False):
        image = random(2, 3, *size, dtype=torch.float64).requires_grad_()
        made = network(image) if ours else plain_u_net(image, [*weights], downs)
        loss = (made.square() * random(*made.shape, seed=1, dtype=torch.float64)).sum()
        results.append([made, *torch.autograd.grad(loss, [image, *weights])])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_every_skip_is_wired() -> None:
    """Each stage of the way up reads the way down at its size: silencing that alone changes the image."""
    network = built(Dimensions(3, 32, 32), width=2).eval()
    image = random(1, 3, 32, 32)
    whole = network(image)
    for number, stage in enumerate([*network.up][1:], start=1):  # type: ignore[arg-type]
        convolution = stage[1]
        kept = convolution.weight.detach().clone()
        with torch.no_grad():
            convolution.weight[kept.shape[0] // 2 :] = 0  # what comes from the side
        assert not torch.allclose(network(image), whole), number
        with torch.no_grad():
            convolution.weight.copy_(kept)
    torch.testing.assert_close(network(image), whole)


def test_the_discriminator_of_pairs() -> None:
    network = paper("discriminator")
    assert convolutions(network, nn.Conv2d) == [(6, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    biases = [m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert biases == [True, False, False, False, True]
    assert {m.affine for m in network.modules() if isinstance(m, nn.InstanceNorm2d)} == {True}
    small = built(Dimensions(6, 256, 256), "discriminator", width=1, layers=2)
    assert small(random(2, 6, 256, 256)).shape == (2, 1, 62, 62)


def test_initialisation() -> None:
    for role in ("translator", "discriminator"):
        for module in paper(role).modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                number = module.weight.numel()
                assert abs(module.weight.mean()) < 5 * 0.02 / number**0.5
                assert abs(module.weight.std() - 0.02) < 5 * 0.02 / (2 * number) ** 0.5
                assert module.bias is None or not module.bias.any()
            if isinstance(module, nn.InstanceNorm2d):
                assert abs(module.weight.mean() - 1) < 5 * 0.02 / module.weight.numel() ** 0.5
                assert 0.01 < module.weight.std() < 0.03
                assert not module.bias.any()


def test_a_label_is_not_read() -> None:
    network, image = built(Dimensions(3, 8, 8), width=2), random(2, 3, 8, 8)
    torch.testing.assert_close(network(image, torch.tensor([0, 1])), network(image), rtol=0, atol=0)


# ---- normalisation and dropout


@pytest.mark.parametrize("role", ["translator", "discriminator"])
def test_instance_is_what_batch_normalisation_comes_to_at_batch_1(role: str) -> None:
    """Section 3.3: batch normalisation with the statistics of the batch, and a batch of one image."""
    options = {"dropout": 0} if role == "translator" else {}
    instance, batch = (
        built(Dimensions(3, 32, 32), role, width=4, normalisation=kind, **options).double()
        for kind in ("instance", "batch")
    )
    batch.load_state_dict(instance.state_dict(), strict=False)
    image = random(2, 3, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(batch(image[:1]), instance(image[:1]))
    assert not torch.allclose(batch(image), instance(image))
    batch.eval()
    assert not torch.allclose(batch(image[:1]), instance(image[:1]))  # by the averages, not by the image's own


@pytest.mark.parametrize(("size", "layers"), [(256, 3), (512, 3), (128, 2), (64, 1), (32, 0), (4, 0)])
def test_dropout_is_in_the_inmost_layers(size: int, layers: int) -> None:
    network = built(Dimensions(3, size, size), width=1)
    found = [any(isinstance(layer, nn.Dropout) for layer in stage) for stage in network.up]  # type: ignore[union-attr]
    assert found == [True] * layers + [False] * (len(found) - layers)


def test_dropout_acts_in_training_alone() -> None:
    network = built(Dimensions(3, 64, 64), width=2)
    image = random(1, 3, 64, 64)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))
    still = built(Dimensions(3, 64, 64), width=2, dropout=0)
    assert torch.equal(still(image), still(image))


# ---- sizes


@pytest.mark.parametrize(
    ("size", "downs"),
    [
        *(((256, 256), 8), ((512, 512), 8), ((1024, 512), 8), ((128, 128), 7), ((64, 64), 6), ((32, 32), 5)),
        *(((96, 96), 5), ((28, 28), 2), ((12, 20), 2), ((4, 4), 2), ((64, 48), 4), ((256, 100), 2)),
    ],
)
def test_halved_as_often_as_both_sides_can_be(size: tuple[int, int], downs: int) -> None:
    assert pix2pix.halvings(Dimensions(3, *size), None) == downs


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(4, 4), (8, 20), (28, 28), (48, 64), (64, 16)])
def test_any_size_that_can_be_halved_twice(size: tuple[int, int], channels: int) -> None:
    network = built(Dimensions(channels, *size), width=2)
    made = network(random(2, channels, *size))
    assert made.shape == (2, channels, *size)
    assert float(made.detach().abs().max()) <= 1
    multiple = int(network.multiple)  # type: ignore[arg-type]
    assert network(random(1, channels, multiple, 3 * multiple)).shape[2:] == (multiple, 3 * multiple)


def test_fewer_halvings_when_asked() -> None:
    network = built(Dimensions(3, 48, 64), width=2, downs=3)
    assert network.multiple == 8
    assert len(convolutions(network, nn.Conv2d)) == 3
    assert network(random(1, 3, 48, 64)).shape == (1, 3, 48, 64)


@pytest.mark.parametrize(
    ("size", "options", "facts"),
    [
        ((5, 9), {}, ["at least twice", "multiples of 4", "--size 4x8", "--size 8x12"]),
        ((1, 1), {}, ["at least twice", "multiples of 4", "--size 4x4"]),
        ((30, 64), {}, ["at least twice", "multiples of 4", "--size 28x64", "--size 32x64"]),
        (
            (48, 100),
            {"downs": 5},
            ["5 times", "multiples of 32", "--size 32x96", "--size 64x128", "translator.downs=null"],
        ),
        ((64, 64), {"downs": 7}, ["7 times", "multiples of 128", "--size 128x128"]),
    ],
)
def test_sizes_that_cannot_be_halved(size: tuple[int, int], options: dict[str, int], facts: list[str]) -> None:
    with refused("pix2pix", f"{size[0]}x{size[1]}", *facts):
        built(Dimensions(3, *size), **options)


def test_a_size_that_cannot_be_judged() -> None:
    with refused("pix2pix", "4x4", "1 time", "at least 6", "--size 6x6"):
        built(Dimensions(6, 4, 4), "discriminator")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"downs": 1}, "downs = 1 is not allowed: it takes a whole number from 2"),
        ({"dropout": 1}, "dropout = 1 is not allowed: it takes a number of at least 0, below 1"),
        ({"normalisation": "layer"}, "normalisation = 'layer' is not allowed: it takes instance or batch"),
        ({"depth": 4}, "has no option 'depth'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        built(**options)


# ---- gradients in every layout


LAYOUTS = [torch.contiguous_format, torch.channels_last]


def gradients(layouts: tuple[torch.memory_format, ...], dtype: torch.dtype) -> list[Tensor]:
    of_weights, of_image, of_gradient = layouts
    network = built(Dimensions(3, 16, 32), width=4)
    network = network.to(dtype=dtype, memory_format=of_weights)  # type: ignore[call-overload]
    image = random(1, 3, 16, 32).to(dtype).contiguous(memory_format=of_image).requires_grad_()
    made = network(image)
    made.backward(random(*made.shape, seed=1).to(dtype).contiguous(memory_format=of_gradient))
    assert image.grad is not None
    return [image.grad.double(), *(p.grad.double() for p in network.parameters() if p.grad is not None)]


def test_gradients_of_a_single_image_are_right_in_every_layout() -> None:
    exact = gradients((LAYOUTS[0],) * 3, torch.float64)
    for layouts in product(LAYOUTS, repeat=3):
        for one, other in zip(gradients(layouts, torch.float32), exact, strict=True):
            torch.testing.assert_close(one, other, rtol=2e-3, atol=1e-4 * float(other.abs().max()))


def test_the_core_lays_its_images_out_by_channel() -> None:
    assert choose_memory_format({"x": built(Dimensions(3, 8, 8), width=1)}) == "contiguous"
    mixing = built(Dimensions(3, 8, 8), width=1, normalisation="batch")
    assert choose_memory_format({"x": mixing}) == "channels_last"


def test_bfloat16() -> None:
    network, image = built(Dimensions(3, 32, 32), width=4), random(2, 3, 32, 32)
    exact = network(image)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(image)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, rtol=0, atol=0.1)
    rough.float().square().sum().backward()
    assert all(bool(torch.isfinite(p.grad).all()) for p in network.parameters() if p.grad is not None)
