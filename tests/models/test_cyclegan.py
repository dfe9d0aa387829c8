"""CycleGAN's networks: the layers of the authors' code, their sizes, and gradients that are right in every layout."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from networks import builder, count
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError
from gansmith.models import cyclegan
from gansmith.models.layers.instance import InstanceNorm
from gansmith.models.layers.patch import PatchDiscriminator, patch_side
from gansmith.system.seeding import seeded
from gansmith.training.precision import choose_memory_format
from refusals import refused

PAPER = Dimensions(3, 256, 256)


built = builder("cyclegan", PAPER, "translator")


def convolutions(network: nn.Module) -> list[tuple[str, int, int, int, int, int]]:
    return [
        (type(m).__name__, m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0], int(m.padding[0]))
        for m in network.modules()
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))
    ]


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


# ---- the layers


@pytest.mark.parametrize(
    ("size", "role", "published", "exact"),
    [
        (256, "translator", 11.378, 11_378_179),
        (128, "translator", 7.838, 7_837_699),
        (256, "discriminator", 2.765, 2_764_737),
    ],
)
def test_as_many_parameters_as_the_authors_networks(size: int, role: str, published: float, exact: int) -> None:
    """Millions, as the authors' code prints them for resnet_9blocks, resnet_6blocks and the basic discriminator."""
    found = count(built(Dimensions(3, size, size), role))
    assert found == exact
    assert round(found / 1e6, 3) == published


def test_the_translator_of_the_paper() -> None:
    """Section 7.2: c7s1-64, d128, d256, nine R256, u128, u64, c7s1-3."""
    block = ("Conv2d", 256, 256, 3, 1, 0)  # padded by reflection before
    assert convolutions(built()) == [
        ("Conv2d", 3, 64, 7, 1, 0),
        ("Conv2d", 64, 128, 3, 2, 1),
        ("Conv2d", 128, 256, 3, 2, 1),
        *[block] * 18,
        ("ConvTranspose2d", 256, 128, 3, 2, 1),
        ("ConvTranspose2d", 128, 64, 3, 2, 1),
        ("Conv2d", 64, 3, 7, 1, 0),
    ]
    paddings = [m.padding[0] for m in built().modules() if isinstance(m, nn.ReflectionPad2d)]
    assert paddings == [3, *[1] * 18, 3]


def test_the_discriminator_of_the_paper() -> None:
    """Section 7.2: C64-C128-C256-C512 and a convolution to one score, of which the last two keep the size."""
    network = built(role="discriminator")
    assert convolutions(network) == [
        ("Conv2d", 3, 64, 4, 2, 1),
        ("Conv2d", 64, 128, 4, 2, 1),
        ("Conv2d", 128, 256, 4, 2, 1),
        ("Conv2d", 256, 512, 4, 1, 1),
        ("Conv2d", 512, 1, 4, 1, 1),
    ]
    normalised = ["Conv2d", "InstanceNorm", "LeakyReLU"]
    kinds = [type(module).__name__ for module in network.layers]  # type: ignore[union-attr]
    assert kinds == ["Conv2d", "LeakyReLU", *normalised * 3, "Conv2d"]
    assert {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)} == {0.2}
    assert {m.affine for m in network.modules() if isinstance(m, nn.InstanceNorm2d)} == {False}
    small = built(role="discriminator", width=2)
    assert small(random(2, 3, 256, 256)).shape == (2, 1, 30, 30)


def plain_translator(width: int, blocks: int, upsample: str) -> nn.Module:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = (nn.Conv2d(4 * width, 4 * width, 3) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor:
            pad, norm = nn.ReflectionPad2d(1), nn.InstanceNorm2d(4 * width)
            return x + norm(self.second(pad(torch.relu(norm(self.first(pad(x)))))))

    def up(before: int, after: int) -> list[nn.Module]:
        if upsample == "transposed":
            return [nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)]
        return [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(before, after, 3)]

    return nn.Sequential(
        *(nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU()),
        *(nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU()),
        *(nn.Conv2d(2 * width, 4 * width, 3, 2, 1), nn.InstanceNorm2d(4 * width), nn.ReLU()),
        *(Block() for _ in range(blocks)),
        *(*up(4 * width, 2 * width), nn.InstanceNorm2d(2 * width), nn.ReLU()),
        *(*up(2 * width, width), nn.InstanceNorm2d(width), nn.ReLU()),
        *(nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()),
    )


def plain_discriminator(width: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(width, 2 * width, 4, 2, 1), nn.InstanceNorm2d(2 * width), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(2 * width, 4 * width, 4, 2, 1), nn.InstanceNorm2d(4 * width), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(4 * width, 8 * width, 4, 1, 1), nn.InstanceNorm2d(8 * width), nn.LeakyReLU(0.2)),
        nn.Conv2d(8 * width, 1, 4, 1, 1),
    )


@pytest.mark.parametrize("kind", ["transposed", "resize", "discriminator"])
def test_equal_to_the_plain_layers_written_out(kind: str) -> None:
    """Values and all gradients, in float64."""
    if kind == "discriminator":
        ours, plain = built(Dimensions(3, 24, 32), kind, width=3), plain_discriminator(3)
    else:
        ours = built(Dimensions(3, 24, 32), width=3, blocks=2, upsample=kind)
        plain = plain_translator(3, 2, kind)
    ours, plain = ours.double(), plain.double()
    for parameter in ours.parameters():
        nn.init.normal_(parameter, 0, 0.2, generator=torch.Generator().manual_seed(parameter.numel()))
    plain.load_state_dict(dict(zip(plain.state_dict(), ours.state_dict().values(), strict=True)))
    results = []
    for network in (ours, plain):
        image = random(2, 3, 24, 32, dtype=torch.float64).requires_grad_()
        made = network(image)
        weight = random(*made.shape, seed=1, dtype=torch.float64)
        (made.square() * weight).sum().backward()
        assert image.grad is not None
        results.append([made, image.grad, *(parameter.grad for parameter in network.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_dropout_stands_between_the_convolutions_of_each_block_in_training() -> None:
    """The authors' code without `--no_dropout`; equal weights make the same image when it does not train."""
    plain, dropping = (built(Dimensions(3, 16, 16), width=4, blocks=2, dropout=rate) for rate in (0.0, 0.5))
    blocks = [module for module in dropping.modules() if isinstance(module, cyclegan.Residual)]
    assert [[type(layer).__name__ for layer in block.layers][3:5] for block in blocks] == [["ReLU", "Dropout"]] * 2
    dropping.load_state_dict(dict(zip(dropping.state_dict(), plain.state_dict().values(), strict=True)))
    image = random(1, 3, 16, 16)
    torch.testing.assert_close(plain(image), plain(image), rtol=0, atol=0)
    assert not torch.equal(dropping(image), dropping(image))
    torch.testing.assert_close(dropping.eval()(image), plain.eval()(image), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("size", "blocks"), [((256, 256), 9), ((256, 512), 9), ((128, 128), 6), ((252, 512), 6), ((512, 252), 6)]
)
def test_nine_blocks_from_256_pixels_on(size: tuple[int, int], blocks: int) -> None:
    def found(network: nn.Module) -> int:
        return sum(isinstance(module, cyclegan.Residual) for module in network.modules())

    assert found(built(Dimensions(3, *size), width=1)) == blocks
    assert found(built(Dimensions(3, *size), width=1, blocks=4)) == 4
    assert found(built(Dimensions(3, *size), width=1, blocks=0)) == 0


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (12, 20), (28, 28), (64, 40)])
def test_any_multiple_of_four(size: tuple[int, int], channels: int) -> None:
    for upsample in ("transposed", "resize"):
        network = built(Dimensions(channels, *size), width=2, upsample=upsample)
        assert network.multiple == 4
        made = network(random(2, channels, *size))
        assert made.shape == (2, channels, *size)
        assert float(made.detach().abs().max()) <= 1
        assert network(random(1, channels, 16, 24)).shape == (1, channels, 16, 24)  # any other, once it is trained


def test_initialisation() -> None:
    for role in ("translator", "discriminator"):
        network = built(role=role)
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                number = module.weight.numel()
                assert abs(module.weight.mean()) < 5 * 0.02 / number**0.5
                assert abs(module.weight.std() - 0.02) < 5 * 0.02 / (2 * number) ** 0.5
                assert module.bias is not None  # where a normalisation follows too: the published counts have them
                assert not module.bias.any()


def test_a_label_is_not_read() -> None:
    for role in ("translator", "discriminator"):
        network, image = built(Dimensions(3, 24, 24), role, width=2), random(2, 3, 24, 24)
        torch.testing.assert_close(network(image, torch.tensor([0, 1])), network(image), rtol=0, atol=0)


# ---- patches


@pytest.mark.parametrize(("layers", "side"), [(1, 16), (2, 34), (3, 70)])
def test_a_score_sees_a_patch(layers: int, side: int) -> None:
    """Without normalisation, whose statistics are the whole image's: the pixels with a gradient, counted."""
    with seeded(0):
        network = PatchDiscriminator(1, width=2, layers=layers, normalised=lambda _: nn.Identity(), bias=True).double()
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0.1, 1, generator=torch.Generator().manual_seed(parameter.numel()))
    image = random(1, 1, 144, 160, dtype=torch.float64).requires_grad_()
    scores = network(image)
    (gradient,) = torch.autograd.grad(scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2], image)
    rows, columns = (gradient[0, 0].abs().sum(axis).nonzero().flatten() for axis in (1, 0))
    assert (len(rows), len(columns)) == (side, side)
    assert int(rows[-1] - rows[0]) == int(columns[-1] - columns[0]) == side - 1
    assert patch_side(layers) == side


@pytest.mark.parametrize(
    ("size", "layers"), [((256, 256), 3), ((24, 24), 3), ((23, 64), 2), ((12, 12), 2), ((11, 90), 1), ((6, 7), 1)]
)
def test_smaller_images_have_smaller_patches(size: tuple[int, int], layers: int) -> None:
    network = built(Dimensions(3, *size), "discriminator", width=1)
    assert sum(stride == 2 for *_, stride, _ in convolutions(network)) == layers
    assert network(random(2, 3, *size)).shape == (2, 1, (size[0] >> layers) - 2, (size[1] >> layers) - 2)


def test_the_widest_layer_has_eight_times_the_width() -> None:
    network = built(role="discriminator", width=2, layers=5)
    assert [after for _, _, after, *_ in convolutions(network)] == [2, 4, 8, 16, 16, 16, 1]


# ---- gradients in every layout


LAYOUTS = [torch.contiguous_format, torch.channels_last]


def gradients(network: nn.Module, layouts: tuple[torch.memory_format, ...], dtype: torch.dtype) -> list[Tensor]:
    """Of the image and of all weights, at batch 1; layouts of the weights, the image and the incoming gradient."""
    of_weights, of_image, of_gradient = layouts
    network = network.to(dtype=dtype, memory_format=of_weights)  # type: ignore[call-overload]
    network.zero_grad()
    image = random(1, 3, 24, 32).to(dtype).contiguous(memory_format=of_image).requires_grad_()
    made = network(image)
    made.backward(random(*made.shape, seed=1).to(dtype).contiguous(memory_format=of_gradient))
    assert image.grad is not None
    return [image.grad.double(), *(p.grad.double() for p in network.parameters() if p.grad is not None)]


@pytest.mark.parametrize("role", ["translator", "discriminator"])
def test_gradients_of_a_single_image_are_right_in_every_layout(role: str) -> None:
    options = {"width": 4} if role == "discriminator" else {"width": 4, "blocks": 1}
    dimensions = Dimensions(3, 24, 32)
    exact = gradients(built(dimensions, role, **options), (LAYOUTS[0],) * 3, torch.float64)
    for layouts in product(LAYOUTS, repeat=3):
        found = gradients(built(dimensions, role, **options), layouts, torch.float32)
        for one, other in zip(found, exact, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * float(exact[0].abs().max()))


def by_hand(image: Tensor) -> Tensor:
    centred = image - image.mean((2, 3), keepdim=True)
    return centred / (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize("batch", [1, 2])
def test_instance_normalisation_is_right_where_torchs_is_not(batch: int) -> None:
    """torch's own returns wrong gradients on the CPU for one image with a channels_last gradient."""
    image, incoming = random(batch, 5, 6, 7), random(batch, 5, 6, 7, seed=1)
    reference = image.double().requires_grad_()
    (exact,) = torch.autograd.grad(by_hand(reference), reference, incoming.double())
    for of_image, of_gradient in product(LAYOUTS, repeat=2):
        given = image.contiguous(memory_format=of_image).requires_grad_()
        made = InstanceNorm(5)(given)
        torch.testing.assert_close(made.double(), by_hand(reference), rtol=1e-5, atol=1e-5)
        (found,) = torch.autograd.grad(made, given, incoming.contiguous(memory_format=of_gradient))
        torch.testing.assert_close(found.double(), exact, rtol=1e-4, atol=1e-5)


def test_instance_normalisation_keeps_no_statistics_and_can_be_scaled() -> None:
    image = random(2, 3, 4, 5)
    layer = InstanceNorm(3, affine=True)
    torch.testing.assert_close(layer(image), layer.eval()(image), rtol=0, atol=0)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
        layer.bias.copy_(torch.tensor([-1.0, 0.0, 1.0]))
    scale, offset = (value.detach()[:, None, None] for value in (layer.weight, layer.bias))
    torch.testing.assert_close(layer(image), by_hand(image) * scale + offset)


def test_second_derivatives_of_the_discriminator() -> None:
    """What a gradient penalty is trained by, against torch's instance normalisation."""
    ours, plain = built(Dimensions(3, 24, 24), "discriminator", width=3).double(), plain_discriminator(3).double()
    plain.load_state_dict(dict(zip(plain.state_dict(), ours.state_dict().values(), strict=True)))
    results = []
    for network in (ours, plain):
        image = random(2, 3, 24, 24, dtype=torch.float64).requires_grad_()
        (gradient,) = torch.autograd.grad(network(image).sum(), image, create_graph=True)
        weights = [parameter for name, parameter in network.named_parameters() if name.endswith("weight")]
        results.append(torch.autograd.grad(gradient.square().sum(), weights))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_the_core_lays_its_images_out_by_channel() -> None:
    """Instance normalisation is faster so in bfloat16."""
    for role in ("translator", "discriminator"):
        assert choose_memory_format({"x": built(Dimensions(3, 24, 24), role, width=1)}) == "contiguous"


def test_bfloat16() -> None:
    image = random(1, 3, 24, 32)
    for role in ("translator", "discriminator"):
        network = built(Dimensions(3, 24, 32), role, width=4)
        exact = network(image)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = network(image)
        assert rough.dtype == torch.bfloat16
        torch.testing.assert_close(rough.float(), exact, rtol=0, atol=0.1)
        rough.float().square().sum().backward()
        assert all(bool(torch.isfinite(p.grad).all()) for p in network.parameters() if p.grad is not None)


# ---- errors


@pytest.mark.parametrize(
    ("size", "advice"),
    [
        ((5, 9), ["8x8", "8x12"]),
        ((30, 32), ["28x32", "32x32"]),
        ((4, 64), ["8x64"]),
        ((1, 1), ["8x8"]),
        ((256, 258), ["256x256", "256x260"]),
    ],
)
def test_sizes_that_cannot_be_translated(size: tuple[int, int], advice: list[str]) -> None:
    sizes = [f"--size {one}" for one in advice]
    with refused("cyclegan", f"{size[0]}x{size[1]}", "multiples of 4", "at least 8", *sizes):
        built(Dimensions(3, *size))


@pytest.mark.parametrize(
    ("size", "options", "facts"),
    [
        ((5, 9), {}, ["1 time", "at least 6", "--size 6x9"]),
        ((23, 64), {"layers": 3}, ["3 times", "at least 24", "--size 24x64", "--set discriminator.layers=1"]),
    ],
)
def test_sizes_that_cannot_be_judged(size: tuple[int, int], options: dict[str, int], facts: list[str]) -> None:
    with refused("cyclegan", f"{size[0]}x{size[1]}", *facts):
        built(Dimensions(3, *size), "discriminator", **options)


@pytest.mark.parametrize(
    ("role", "options", "message"),
    [
        ("translator", {"width": 0}, "width = 0 is not allowed"),
        ("translator", {"blocks": -1}, "blocks = -1 is not allowed"),
        ("translator", {"upsample": "nearest"}, "upsample = 'nearest' is not allowed: it takes transposed"),
        ("discriminator", {"layers": 0}, "layers = 0 is not allowed"),
        ("discriminator", {"n_layers": 3}, "has no option 'n_layers'. Did you mean 'layers'"),
    ],
)
def test_bad_options(role: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        built(PAPER, role, **options)


def test_with_a_skip_the_network_makes_what_is_added_to_its_input() -> None:
    dimensions = Dimensions(3, 16, 12)
    network = catalog.build("models", "cyclegan", dimensions, factory="translator", width=4, blocks=1, skip=True)
    image = torch.rand(2, 3, 16, 12) * 2 - 1
    torch.testing.assert_close(network(image), image, rtol=0, atol=0)  # at first nothing
    last = [module for module in network.modules() if isinstance(module, nn.Conv2d)][-1]
    assert not [module for module in network.modules() if isinstance(module, nn.Tanh)]
    with torch.no_grad():
        last.weight.normal_()
        assert last.bias is not None
        last.bias.fill_(0.5)
    added = network.layers(image)
    torch.testing.assert_close(network(image), image + added)
    assert float((image + added).detach().max()) > 1
    torch.testing.assert_close(network.eval()(image), (image + added).clamp(-1, 1))
