"""The residual pair: the layers of the papers' code at 32 px, independent versions of both, and any size."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from formulas import compare, scattered
from networks import builder, count
from torch import Tensor, nn
from torch.nn import functional

from gansmith.adversarial import Dimensions
from gansmith.errors import GansmithError, OptionError
from gansmith.models.layers.residual import DownBlock, UpBlock
from gansmith.models.layers.spectral import SpectralConv2d, SpectralEmbedding, SpectralLinear
from gansmith.models.saved import Card, load, save
from refusals import refused

CIFAR = Dimensions(3, 32, 32, 128, 10)
TINY = Dimensions(3, 16, 16, 6, 4)


built = builder("resnet", CIFAR, "generator")


def test_the_generators_of_the_papers() -> None:
    def by_hand(width: int) -> int:
        first = 128 * 16 * width + 16 * width
        convolution, shortcut = width * width * 9 + width, width * width + width
        block = 2 * 2 * width + 2 * convolution + shortcut  # two batch normalisations
        return first + 3 * block + 2 * width + width * 3 * 9 + 3

    assert count(built()) == by_hand(128) == 1_204_483  # WGAN-GP
    assert count(built(width=256)) == by_hand(256) == 4_276_739  # SNGAN
    network = built(width=8)
    assert [type(block) for block in network.blocks] == [UpBlock] * 3
    assert network.first_grid == (4, 4)


def test_the_discriminators_of_the_papers() -> None:
    convolution, shortcut = 128 * 128 * 9 + 128, 128 * 128 + 128
    first = 3 * 128 * 9 + 128 + convolution + 3 * 128 + 128
    by_hand = first + (2 * convolution + shortcut) + 2 * 2 * convolution + 128
    assert count(built(role="discriminator")) == by_hand + 1 == 1_053_825  # WGAN-GP's last layer has an offset
    sngan = built(role="discriminator", spectral_norm=True, pooling="sum")
    assert count(sngan) == by_hand
    assert [block.halved for block in sngan.blocks] == [True, True, False, False]
    assert [block.rectified for block in sngan.blocks] == [False, True, True, True]
    assert [block.shortcut is None for block in sngan.blocks] == [False, False, True, True]


def test_conditional_counts() -> None:
    blocks = 3 * 2 * 2 * 128 * (10 - 1)  # ten scales and shifts in place of one; the last normalisation has no classes
    assert count(built(conditional=True)) == count(built()) + blocks
    plain, chosen = (built(role="discriminator", conditional=which) for which in (False, True))
    assert count(chosen) == count(plain) + 10 * 128


def normal(x: Tensor, over: tuple[int, ...]) -> Tensor:
    mean, square = x.mean(over, keepdim=True), x.var(over, unbiased=False, keepdim=True)
    return (x - mean) / (square + 1e-5).sqrt()


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def divided(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every weight that has a `u` over sigma, by one power iteration."""
    found = dict(state)
    for key, value in state.items():
        if key.endswith(".u"):
            weight = state[f"{key[:-2]}.weight"]
            rows = weight.flatten(1)
            v = functional.normalize(rows.detach().T @ value.detach(), dim=0)
            u = functional.normalize(rows.detach() @ v, dim=0)
            found[f"{key[:-2]}.weight"] = weight / (u @ rows @ v)
    return found


def plain_generator(state: dict[str, Tensor], z: Tensor, label: Tensor | None, grid: tuple[int, int]) -> Tensor:
    """The published code's order of work: batch norm, ReLU, double, convolve, batch norm, ReLU, convolve."""
    s = divided(state)

    def convolved(name: str, x: Tensor) -> Tensor:
        return functional.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], padding=s[f"{name}.weight"].shape[-1] // 2)

    def normalised(name: str, x: Tensor) -> Tensor:
        x = normal(x, (0, 2, 3))
        if label is None or name == "last_norm":
            return x * s[f"{name}.weight"][:, None, None] + s[f"{name}.bias"][:, None, None]
        scale, shift = (s[f"{name}.{which}.weight"][label][:, :, None, None] for which in ("scale", "shift"))
        return (1 + scale) * x + shift

    x = (z @ s["first.weight"].T + s["first.bias"]).view(len(z), -1, *grid)
    for block in range(sum(key.endswith("shortcut.weight") for key in s)):
        name = f"blocks.{block}"
        h = convolved(f"{name}.first", doubled(normalised(f"{name}.first_norm", x).relu()))
        h = convolved(f"{name}.second", normalised(f"{name}.second_norm", h).relu())
        x = h + convolved(f"{name}.shortcut", doubled(x))
    return convolved("last", normalised("last_norm", x).relu()).tanh()


def plain_discriminator(
    state: dict[str, Tensor], image: Tensor, label: Tensor | None, halved: int, *, mean: bool
) -> Tensor:
    s = divided(state)

    def convolved(name: str, x: Tensor) -> Tensor:
        return functional.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], padding=s[f"{name}.weight"].shape[-1] // 2)

    def normalised(name: str, x: Tensor) -> Tensor:
        if f"{name}.weight" not in s:
            return x
        return normal(x, (1, 2, 3)) * s[f"{name}.weight"][:, None, None] + s[f"{name}.bias"][:, None, None]

    x = image
    for block in range(halved + 2):
        name = f"blocks.{block}"
        h = convolved(f"{name}.first", x if block == 0 else normalised(f"{name}.first_norm", x).relu())
        h = convolved(f"{name}.second", normalised(f"{name}.second_norm", h).relu())
        x = h + (convolved(f"{name}.shortcut", x) if f"{name}.shortcut.weight" in s else x)
        x = functional.avg_pool2d(x, 2) if block < halved else x
    features = x.relu().sum((2, 3)) / (x[0, 0].numel() if mean else 1)
    scores = features @ s["head.score.weight"][0]
    if "head.score.bias" in s:
        scores = scores + s["head.score.bias"]
    if label is not None:
        scores = scores + (s["head.table.weight"][label] * features).sum(1)
    return scores


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("spectral_norm", [False, True])
def test_the_generator_against_plain_layers(spectral_norm: bool, conditional: bool) -> None:
    options = {"width": 3, "spectral_norm": spectral_norm, "conditional": conditional}
    network = scattered(built(TINY, **options))
    z = torch.randn(3, 6, dtype=torch.float64).requires_grad_()
    label = torch.tensor([3, 0, 3]) if conditional else None
    state = {**dict(network.named_buffers()), **dict(network.named_parameters())}
    state = {key: value if value.requires_grad else value.clone() for key, value in state.items()}
    compare(network, z, label, plain_generator(state, z, label, (4, 4)))


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"spectral_norm": True, "pooling": "sum"},
        {"normalisation": "layer", "widest": 4},
        {"spectral_norm": True, "normalisation": "layer", "pooling": "sum"},
    ],
)
def test_the_discriminator_against_plain_layers(options: dict[str, object], conditional: bool) -> None:
    network = scattered(built(TINY, "discriminator", width=3, conditional=conditional, **options))
    image = torch.randn(3, 3, 16, 16, dtype=torch.float64).requires_grad_()
    label = torch.tensor([3, 0, 3]) if conditional else None
    state = {**dict(network.named_buffers()), **dict(network.named_parameters())}
    state = {key: value if value.requires_grad else value.clone() for key, value in state.items()}
    expected = plain_discriminator(state, image, label, 1, mean=options.get("pooling") != "sum")
    compare(network, image, label, expected)


def test_spectral_normalisation_of_every_weight() -> None:
    spectral = (SpectralConv2d, SpectralLinear, SpectralEmbedding)
    network = built(TINY, "discriminator", width=3, spectral_norm=True, conditional=True)
    layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))]
    assert all(isinstance(layer, spectral) for layer in layers)
    generator = built(TINY, width=3, spectral_norm=True)
    assert all(isinstance(m, spectral) for m in generator.modules() if isinstance(m, (nn.Conv2d, nn.Linear)))
    for role in ("generator", "discriminator"):
        assert not any(isinstance(m, spectral) for m in built(TINY, role, width=3).modules())


def test_a_pass_is_one_power_iteration() -> None:
    """Each pass in training mode moves u: of reals, of fakes, in the generator's turn, as in the authors' code."""
    network = built(TINY, "discriminator", width=3, spectral_norm=True)
    names = [name for name, _ in network.named_buffers() if name.endswith(".u")]
    assert len(names) == 3 + 2 + 2 + 1  # three blocks, of which two have the identity for a shortcut, and the head
    image = torch.randn(2, 3, 16, 16)
    states = []
    for _ in range(2):
        network(image)
        states.append({name: value.clone() for name, value in network.named_buffers()})
    wide = [name for name in names if len(states[0][name]) > 1]
    assert all(not torch.equal(states[0][name], states[1][name]) for name in wide)
    network.eval()(image)
    assert all(torch.equal(value, states[1][name]) for name, value in network.named_buffers())


def test_initialisation() -> None:
    """Glorot's bounds, times sqrt(2) for the 3 x 3 convolutions of the blocks; offsets 0; every class plain."""
    generator, judge = built(conditional=True), built(role="discriminator", conditional=True)
    for network in (generator, judge):
        inner = {
            id(layer)
            for block in network.modules()
            if isinstance(block, (UpBlock, DownBlock))
            for layer in (block.first, block.second)
        }
        classes = {id(m) for block in generator.blocks for m in block.modules() if isinstance(m, nn.Embedding)}
        for name, module in network.named_modules():
            if not isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
                continue
            if id(module) in classes:
                assert not module.weight.any(), name
                continue
            fan = sum(module.weight.shape[:2]) * module.weight[0, 0].numel()
            bound = math.sqrt(6 / fan) * (math.sqrt(2) if id(module) in inner else 1)
            largest = float(module.weight.detach().abs().max())
            assert 0.97 * bound < largest <= bound, name
            assert abs(float(module.weight.detach().mean())) < 0.1 * bound
            if not isinstance(module, nn.Embedding):
                assert not module.bias.any()


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (9, 15), (20, 28), (28, 28), (33, 47)])
def test_any_size(size: tuple[int, int], channels: int, conditional: bool) -> None:
    dimensions = Dimensions(channels, *size, 7, 3)
    generator = built(dimensions, width=2, conditional=conditional)
    discriminator = built(dimensions, "discriminator", width=2, spectral_norm=True, conditional=conditional)
    label = torch.tensor([2, 1]) if conditional else None
    images = generator(torch.randn(2, 7), label)
    assert images.shape == (2, channels, *size)
    assert images.abs().max() <= 1
    scores = discriminator(images, label)
    assert scores.shape == (2,)
    scores.sum().backward()
    assert all(parameter.grad is not None for parameter in (*generator.parameters(), *discriminator.parameters()))


def test_an_image_is_cropped_in_the_middle() -> None:
    network = built(Dimensions(1, 33, 47, 7), width=2).eval()
    whole = []
    network.tanh.register_forward_hook(lambda module, given, found: whole.append(found))
    found = network(torch.randn(2, 7))
    assert whole[0].shape == (2, 1, 40, 48)
    assert torch.equal(found, whole[0][:, :, 3:36, 0:47])


@pytest.mark.parametrize(
    ("size", "widest", "widths", "judged"),
    [
        ((32, 32), 1, [2, 2, 2, 2], [2, 2, 2, 2]),
        ((48, 48), 8, [16, 8, 4, 2], [2, 4, 8, 16, 16]),
        ((64, 64), 16, [32, 16, 8, 4, 2], [2, 4, 8, 16, 32]),  # SNGAN's nets for 64 x 64
        ((64, 64), 2, [4, 4, 4, 4, 2], [2, 4, 4, 4, 4]),
    ],
)
def test_widths(size: tuple[int, int], widest: int, widths: list[int], judged: list[int]) -> None:
    dimensions = Dimensions(3, *size, 7)
    generator = built(dimensions, width=2, widest=widest)
    assert [block.first.in_channels for block in generator.blocks] == widths[:-1]
    assert [block.second.out_channels for block in generator.blocks] == widths[1:]
    discriminator = built(dimensions, "discriminator", width=2, widest=widest)
    assert [block.second.out_channels for block in discriminator.blocks] == judged
    assert [block.first.out_channels for block in discriminator.blocks] == [
        judged[0],
        *judged[:-1],
    ]  # hidden: the input's


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_too_small(role: str) -> None:
    with refused("resnet", "7x64", "at least 8", "--size 8x64"):
        built(Dimensions(3, 7, 64, 5), role)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_labels_that_are_missing(role: str) -> None:
    with refused("resnet", role, "labels", "one folder for each class", f"--set {role}.conditional=false"):
        built(TINY._replace(classes=0), role, conditional=True)
    network = built(TINY, role, conditional=True, width=2)
    assert network.conditional is True
    assert built(TINY, role, width=2).conditional is False
    with refused(role, "labels", error=GansmithError):
        network(torch.zeros(2, 6) if role == "generator" else torch.zeros(2, 3, 16, 16))


@pytest.mark.parametrize(
    ("role", "options", "message"),
    [
        ("generator", {"width": 0}, r"^models/resnet: width = 0 is not allowed"),
        ("generator", {"widest": 0}, r"^models/resnet: widest = 0 is not allowed"),
        ("discriminator", {"pooling": "max"}, r"^models/resnet: pooling = 'max' is not allowed: .*mean or sum"),
        ("discriminator", {"normalisation": "batch"}, r"^models/resnet: normalisation = 'batch' is not allowed"),
        ("generator", {"spectral_nrom": True}, r"^models/resnet has no option 'spectral_nrom'. Did you mean 'spectral"),
    ],
)
def test_bad_options(role: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        built(role=role, **options)


def test_saved_and_loaded(tmp_path: Path) -> None:
    options = {"width": 2, "spectral_norm": True, "conditional": True}
    players = {role: built(TINY, role, **options).to(memory_format=torch.channels_last) for role in ROLES}
    label = torch.tensor([3, 1])
    given = {"generator": torch.randn(2, 6), "discriminator": torch.randn(2, 3, 16, 16)}
    for role, network in players.items():
        network(given[role], label)
    cards = {role: Card(role, role, "resnet", options, TINY) for role in ROLES}
    save(tmp_path, {role: (cards[role], players[role].state_dict()) for role in ROLES})
    for role in ROLES:
        network, _ = load(tmp_path, role)
        for key, value in network.state_dict().items():
            assert torch.equal(value, players[role].state_dict()[key]), key
        torch.testing.assert_close(network(given[role], label), players[role].eval()(given[role], label))


ROLES = ("generator", "discriminator")


def test_bfloat16_is_close() -> None:
    network = built(TINY, "discriminator", width=4, spectral_norm=True, pooling="sum", conditional=True).eval()
    image, label = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3])
    expected = network(image, label)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(image, label)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02 * float(expected.detach().abs().max()))


def test_a_gradient_penalty_reaches_every_weight() -> None:
    """Second derivatives pass through the merged convolutions, the normalisation and sigma."""
    network = built(TINY, "discriminator", width=2, spectral_norm=True, normalisation="layer").double()
    image = torch.randn(2, 3, 16, 16, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network(image).sum(), image, create_graph=True)
    slope.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None or name.endswith("bias"), name
