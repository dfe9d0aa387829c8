"""DCGAN: the layers of the Torch code at 64 px, and their generalisation to any size."""

from __future__ import annotations

import pytest
import torch
from dcgan_networks import built, convolutions, kinds, plain_discriminator, plain_generator
from torch import nn

from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError
from gansmith.models.layers import grid
from refusals import refused


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_generator_of_the_slides() -> None:
    network = built()
    assert count(network) == 3_577_667
    up = "ConvTranspose2d"
    assert convolutions(network) == [
        (up, 100, 512, (4, 4), (1, 1), (0, 0)),
        (up, 512, 256, (4, 4), (2, 2), (1, 1)),
        (up, 256, 128, (4, 4), (2, 2), (1, 1)),
        (up, 128, 64, (4, 4), (2, 2), (1, 1)),
        (up, 64, 3, (4, 4), (2, 2), (1, 1)),
    ]
    assert kinds(network) == [up, "BatchNorm2d", "ReLU"] * 4 + [up, "Tanh"]


def test_the_discriminator_of_the_slides() -> None:
    network = built(role="discriminator")
    assert count(network) == 2_766_529
    down = "Conv2d"
    assert convolutions(network) == [
        (down, 3, 64, (4, 4), (2, 2), (1, 1)),
        (down, 64, 128, (4, 4), (2, 2), (1, 1)),
        (down, 128, 256, (4, 4), (2, 2), (1, 1)),
        (down, 256, 512, (4, 4), (2, 2), (1, 1)),
        (down, 512, 1, (4, 4), (1, 1), (0, 0)),
    ]
    # no batch normalisation on the first and the last layer, no sigmoid at the end
    assert kinds(network) == [down, "LeakyReLU", *[down, "BatchNorm2d", "LeakyReLU"] * 3, down, "Flatten"]
    assert {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)} == {0.2}


def test_the_parameters_by_hand() -> None:
    generator = 100 * 512 * 16 + 512 + 1024  # a layer: weights, offsets, scale and offset of the normalisation
    generator += 512 * 256 * 16 + 256 + 512 + 256 * 128 * 16 + 128 + 256 + 128 * 64 * 16 + 64 + 128
    assert count(built()) == generator + 64 * 3 * 16 + 3


def test_equal_to_the_plain_layers_written_out() -> None:
    """Values, gradients and batch statistics, with the same weights."""
    ours, plain = built(), plain_generator()
    plain.load_state_dict(dict(zip(plain.state_dict(), ours.state_dict().values(), strict=True)))
    judge, plain_judge = built(role="discriminator"), plain_discriminator()
    plain_judge.load_state_dict(dict(zip(plain_judge.state_dict(), judge.state_dict().values(), strict=True)))
    z = torch.randn(3, 100, generator=torch.Generator().manual_seed(0))
    images, expected = ours(z), plain(z[:, :, None, None])
    assert images.shape == (3, 3, 64, 64)
    torch.testing.assert_close(images, expected)
    scores, expected_scores = judge(images), plain_judge(expected).view(-1)
    assert scores.shape == (3,)
    torch.testing.assert_close(scores, expected_scores)
    scores.square().sum().backward()
    expected_scores.square().sum().backward()
    for one, other in ((ours, plain), (judge, plain_judge)):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-6)
        for c, d in zip(one.buffers(), other.buffers(), strict=True):
            torch.testing.assert_close(c, d)


def test_a_label_changes_nothing() -> None:
    network, z = built(Dimensions(1, 8, 8, 5), width=4).eval(), torch.ones(2, 5)
    torch.testing.assert_close(network(z, torch.tensor([0, 1])), network(z), rtol=0, atol=0)


@pytest.mark.parametrize("upsample", ["transposed", "resize", "bilinear"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    "size", [(8, 8), (9, 15), (28, 28), (32, 32), (33, 47), (48, 64), (64, 20), (65, 64), (100, 100)]
)
def test_any_size(size: tuple[int, int], channels: int, upsample: str) -> None:
    dimensions = Dimensions(channels, *size, 7)
    generator, discriminator = (
        built(dimensions, width=2, upsample=upsample),
        built(dimensions, "discriminator", width=2),
    )
    images = generator(torch.randn(2, 7))
    assert images.shape == (2, channels, *size)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (2,)
    discriminator(images).sum().backward()
    assert all(parameter.grad is not None for parameter in (*generator.parameters(), *discriminator.parameters()))


@pytest.mark.parametrize(
    ("size", "stages", "base"),
    [
        ((64, 64), 4, (4, 4)),
        ((32, 32), 3, (4, 4)),
        ((28, 28), 2, (7, 7)),
        ((48, 64), 3, (6, 8)),
        ((8, 8), 1, (4, 4)),
        ((63, 63), 3, (8, 8)),
        ((33, 47), 3, (5, 6)),
        ((128, 128), 5, (4, 4)),
    ],
)
def test_stages_and_base_grid(size: tuple[int, int], stages: int, base: tuple[int, int]) -> None:
    assert grid.doublings("dcgan", Dimensions(3, *size)) == stages
    network = built(Dimensions(3, *size, 7), width=2)
    first, *rest = convolutions(network)
    assert first[3] == base
    assert len(rest) == stages
    assert [layer[1] for layer in rest] == [2 * min(2**k, 8) for k in reversed(range(stages))]  # at most 8 x width


def test_sizes_that_are_no_multiple_are_cropped_in_the_middle() -> None:
    network = built(Dimensions(1, 33, 47, 7), width=2).eval()
    z = torch.randn(2, 7)
    whole = network(z[:, :, None, None])
    assert whole.shape == (2, 1, 40, 48)
    torch.testing.assert_close(network(z), whole[:, :, 3:36, 0:47], rtol=0, atol=0)


@pytest.mark.parametrize("upsample", ["transposed", "resize"])
def test_a_canvas_agrees_with_its_cells(upsample: str) -> None:
    """Far from other latents a canvas shows what its latent alone shows: here one cell among zeros, without offsets."""
    network = built(Dimensions(3, 32, 32, 7), width=4, upsample=upsample).eval()
    z = torch.randn(1, 7)
    canvas = torch.zeros(1, 7, 3, 9)
    canvas[:, :, 1, 4] = z
    alone = network.layers[:1](z[:, :, None, None])  # type: ignore[index]
    wide = network.layers[:1](canvas)  # type: ignore[index]
    assert wide.shape == (1, 16, 3 + 3, 9 + 3)  # latents of distance 1 overlap in the base grid of 4 x 4
    torch.testing.assert_close(wide[:, :, 1:5, 4:8], alone)
    assert network(canvas).shape == (1, 3, 6 * 8, 12 * 8)
    # the same latents everywhere: the picture is the same wherever the border is far away
    same = network(z[:, :, None, None].expand(1, 7, 9, 9))
    torch.testing.assert_close(same[:, :, 32:40, 32:40], same[:, :, 40:48, 48:56], rtol=1e-4, atol=1e-5)


def test_resize_has_no_transposed_convolution_but_the_first() -> None:
    network = built(Dimensions(3, 32, 32, 7), width=4, upsample="resize")
    first, *rest = convolutions(network)
    assert first[0] == "ConvTranspose2d"
    assert [layer[0] for layer in rest] == ["Conv2d"] * 3
    assert [layer[3:] for layer in rest] == [((3, 3), (1, 1), (1, 1))] * 3
    assert kinds(network)[3:7] == ["Upsample", "Conv2d", "BatchNorm2d", "ReLU"]
    assert kinds(network)[-3:] == ["Upsample", "Conv2d", "Tanh"]
    assert {(m.scale_factor, m.mode) for m in network.modules() if isinstance(m, nn.Upsample)} == {(2.0, "nearest")}


def test_extra_layers_as_in_the_wgan_code() -> None:
    dimensions = Dimensions(3, 32, 32, 7)
    generator = built(dimensions, width=4, extra_layers=2)
    extra = ("Conv2d", 4, 4, (3, 3), (1, 1), (1, 1))
    assert convolutions(generator)[3:5] == [extra, extra]  # before the last upsampling, normalised
    assert kinds(generator)[-8:] == [*["Conv2d", "BatchNorm2d", "ReLU"] * 2, "ConvTranspose2d", "Tanh"]
    discriminator = built(dimensions, "discriminator", width=4, extra_layers=2)
    assert convolutions(discriminator)[1:3] == [extra, extra]  # behind the first convolution
    assert kinds(discriminator)[2:8] == ["Conv2d", "BatchNorm2d", "LeakyReLU"] * 2
    assert generator(torch.randn(2, 7)).shape == (2, 3, 32, 32)


def test_initialisation() -> None:
    for role in ("generator", "discriminator"):
        for module in built(role=role).modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                spread = 0.02 / (2 * module.weight.numel()) ** 0.5  # of an estimated deviation
                assert abs(module.weight.mean()) < 5 * 0.02 / module.weight.numel() ** 0.5
                assert abs(module.weight.std() - 0.02) < 5 * spread
                assert not module.bias.any()  # type: ignore[union-attr]
            if isinstance(module, nn.BatchNorm2d):
                assert abs(module.weight.mean() - 1) < 5 * 0.02 / module.weight.numel() ** 0.5
                assert 0.01 < module.weight.std() < 0.03
                assert not module.bias.any()


def test_it_says_that_it_takes_a_canvas() -> None:
    assert built(Dimensions(1, 8, 8, 5)).spatial_latents is True


@pytest.mark.parametrize("role", ["generator", "discriminator"])
@pytest.mark.parametrize(("size", "advice"), [((7, 64), "8x64"), ((1, 1), "8x8"), ((30, 4), "30x8")])
def test_too_small(role: str, size: tuple[int, int], advice: str) -> None:
    with refused("dcgan", f"{size[0]}x{size[1]}", "at least 8", f"--size {advice}", "--recipe mlp_ring"):
        built(Dimensions(3, *size, 5), role)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, r"^models/dcgan: width = 0 is not allowed"),
        (
            {"upsample": "cubic"},
            r"^models/dcgan: upsample = 'cubic' is not allowed: it takes transposed",
        ),
        ({"extra_layers": -1}, r"^models/dcgan: extra_layers = -1 is not allowed"),
        ({"widht": 8}, r"^models/dcgan has no option 'widht'. Did you mean 'width'\? It has: width, upsample, extra"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        built(**options)
