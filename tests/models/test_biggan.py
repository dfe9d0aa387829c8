"""BigGAN: the layers of the authors' code, one embedding for all blocks, a latent in parts, and any size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from formulas import compare, scattered
from networks import builder, count
from torch import Tensor, nn
from torch.nn import functional

from gansmith.adversarial import Dimensions
from gansmith.errors import GansmithError, OptionError
from gansmith.models.layers.attention import SelfAttention
from gansmith.models.layers.conditional import ClassEmbedding
from gansmith.models.layers.conditional_norm import ConditionalBatchNorm
from gansmith.models.layers.spectral import SpectralConv2d, SpectralEmbedding, SpectralLinear
from gansmith.models.saved import Card, load, save
from refusals import refused

CIFAR = Dimensions(3, 32, 32, 128, 10)
TINY = Dimensions(3, 16, 20, 7, 4)
ROLES = ("generator", "discriminator")


built = builder("biggan", CIFAR, "generator")


def test_the_pair_of_the_authors_code_at_32_pixels() -> None:
    width = 4 * 64
    convolution, shortcut, read = width * width * 9 + width, width * width + width, (128 + 32) * width
    first = 32 * 16 * width + 16 * width
    generator = 10 * 128 + first + 3 * (2 * convolution + shortcut + 4 * read) + 2 * width + width * 27 + 3
    made, judge = (built(role=role, initialisation="normal") for role in ROLES)
    assert count(made) == generator == 4_373_251
    image = 3 * width * 9 + width + convolution + 3 * width + width
    discriminator = image + (2 * convolution + shortcut) + 2 * 2 * convolution + width + 1 + 10 * width
    assert count(judge) == discriminator == 4_207_361
    assert [block.halved for block in judge.blocks] == [True, True, False, False]
    assert [block.rectified for block in judge.blocks] == [False, True, True, True]
    assert made.parts == [32, 32, 32, 32]


@pytest.mark.parametrize(
    ("side", "generator", "discriminator"),
    [
        (28, [4, 4, 4], [4, 4, 4, 4]),
        (32, [4, 4, 4, 4], [4, 4, 4, 4]),
        (64, [16, 16, 8, 4, 2], [1, 2, 4, 8, 16]),
        (128, [16, 16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 16]),
        (256, [16, 16, 8, 8, 4, 2, 1], [1, 2, 4, 8, 8, 16, 16]),
        (512, [16, 16, 8, 8, 4, 2, 1, 1], [1, 1, 2, 4, 8, 8, 16, 16]),
        (1024, [16, 16, 8, 8, 4, 2, 1, 1, 1], [1, 1, 1, 2, 4, 8, 8, 16, 16]),
    ],
)
def test_widths_by_size(side: int, generator: list[int], discriminator: list[int]) -> None:
    dimensions = Dimensions(3, side, side, 20, 3)
    made = built(dimensions, width=1, embedding=2)
    assert [made.blocks[0].first.in_channels, *(b.second.out_channels for b in made.blocks)] == generator
    judge = built(dimensions, "discriminator", width=1)
    assert [block.second.out_channels for block in judge.blocks] == discriminator
    assert [block.first.out_channels for block in judge.blocks] == discriminator  # hidden: the output's, "wide"
    small = side < 64
    assert [block.halved for block in judge.blocks] == [True] * (len(discriminator) - 1 - small) + [False] * (1 + small)


def normal(x: Tensor) -> Tensor:
    mean, square = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
    return (x - mean) / (square + 1e-5).sqrt()


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def divided(network: nn.Module) -> dict[str, Tensor]:
    """The parameters, those with a `u` over sigma by one power iteration."""
    found = dict(network.named_parameters())
    for key, value in network.named_buffers():
        if key.endswith(".u"):
            weight = found[f"{key[:-2]}.weight"]
            rows = weight.flatten(1)
            v = functional.normalize(rows.detach().T @ value, dim=0)
            u = functional.normalize(rows.detach() @ v, dim=0)
            found[f"{key[:-2]}.weight"] = weight / (u @ rows @ v)
    return found


def attended(s: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    def pointwise(layer: str, x: Tensor) -> Tensor:
        return torch.einsum("oc,bchw->bohw", s[f"{name}.{layer}.weight"][:, :, 0, 0], x)

    query, (key, value) = pointwise("query", x), (functional.max_pool2d(pointwise(w, x), 2) for w in ("key", "value"))
    weights = torch.einsum("bchw,bcij->bhwij", query, key).flatten(3).softmax(3).unflatten(3, key.shape[2:])
    return x + s[f"{name}.gamma"] * pointwise("output", torch.einsum("bhwij,bcij->bchw", weights, value))


def plain_generator(network: nn.Module, z: Tensor, label: Tensor | None, attention: int | None) -> Tensor:
    """In the authors' order of work, written out: 16 x 20 is a base of 4 x 5 and 2 blocks."""
    s = divided(network)

    def convolved(name: str, x: Tensor) -> Tensor:
        return functional.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], padding=s[f"{name}.weight"].shape[-1] // 2)

    def normalised(name: str, x: Tensor, vector: Tensor) -> Tensor:
        scale, shift = (vector @ s[f"{name}.{which}.weight"].T for which in ("scale", "shift"))
        return normal(x) * (1 + scale)[:, :, None, None] + shift[:, :, None, None]

    shared = s["shared.weight"][torch.zeros(len(z), dtype=torch.long) if label is None else label]
    x = (z[:, :3] @ s["first.weight"].T + s["first.bias"]).view(len(z), -1, 4, 5)  # 7 = 3 + 2 + 2
    for block, part in enumerate((z[:, 3:5], z[:, 5:7])):
        name, vector = f"blocks.{block}", torch.cat([shared, part], 1)
        h = convolved(f"{name}.first", doubled(normalised(f"{name}.first_norm", x, vector).relu()))
        h = convolved(f"{name}.second", normalised(f"{name}.second_norm", h, vector).relu())
        x = h + convolved(f"{name}.shortcut", doubled(x))
        x = attended(s, f"attention.{block}", x) if block == attention else x
    x = normal(x) * s["last_norm.weight"][:, None, None] + s["last_norm.bias"][:, None, None]
    return convolved("last", x.relu()).tanh()


def plain_discriminator(network: nn.Module, image: Tensor, label: Tensor | None, attention: int | None) -> Tensor:
    s = divided(network)

    def convolved(name: str, x: Tensor) -> Tensor:
        return functional.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], padding=s[f"{name}.weight"].shape[-1] // 2)

    x = image
    for block in range(3):  # halved once, to 8 x 10
        name = f"blocks.{block}"
        h = convolved(f"{name}.second", convolved(f"{name}.first", x.relu() if block else x).relu())
        x = h + (convolved(f"{name}.shortcut", x) if f"{name}.shortcut.weight" in s else x)
        x = functional.avg_pool2d(x, 2) if block == 0 else x
        x = attended(s, f"attention.{block}", x) if block == attention else x
    features = x.relu().sum((2, 3))
    scores = features @ s["head.score.weight"][0] + s["head.score.bias"]
    return scores if label is None else scores + (s["head.table.weight"][label] * features).sum(1)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize(("attention", "place"), [(None, None), (8, 0), (16, 1)])
def test_the_generator_against_plain_layers(attention: int | None, place: int | None, conditional: bool) -> None:
    network = scattered(built(TINY, width=2, embedding=5, attention=attention, conditional=conditional))
    z = torch.randn(3, 7, dtype=torch.float64).requires_grad_()
    label = torch.tensor([3, 0, 3]) if conditional else None
    compare(network, z, label, plain_generator(network, z, label, place))


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize(("attention", "place"), [(None, None), (8, 0)])
def test_the_discriminator_against_plain_layers(attention: int | None, place: int | None, conditional: bool) -> None:
    network = scattered(built(TINY, "discriminator", width=2, attention=attention, conditional=conditional))
    image = torch.randn(3, 3, 16, 20, dtype=torch.float64).requires_grad_()
    label = torch.tensor([3, 0, 3]) if conditional else None
    compare(network, image, label, plain_discriminator(network, image, label, place))


def test_one_embedding_for_all_blocks() -> None:
    """A single tensor; a gradient arrives from every block, and their sum is the whole of it."""
    network = scattered(built(TINY, width=2, embedding=5)).eval()
    assert [type(m) for m in network.modules() if isinstance(m, nn.Embedding)] == [ClassEmbedding]  # not spectral
    assert tuple(network.shared.weight.shape) == (4, 5)
    z, label = torch.randn(3, 7, dtype=torch.float64), torch.tensor([3, 0, 3])
    network(z, label).sum().backward()
    whole = network.shared.weight.grad.clone()
    assert bool((whole[[0, 3]] != 0).all())
    assert not whole[[1, 2]].any()  # classes that were not asked for
    total = torch.zeros_like(whole)
    for only in range(2):  # each block alone reads an embedding that is not a constant
        twin = built(TINY, width=2, embedding=5).double().eval()
        twin.load_state_dict(network.state_dict())

        def constant(module: nn.Module, given: tuple[Tensor, Tensor], only: int = only) -> tuple[Tensor, Tensor] | None:
            return None if module is twin.blocks[only] else (given[0], given[1].detach())  # noqa: B023

        for block in twin.blocks:
            block.register_forward_pre_hook(constant)
        twin(z, label).sum().backward()
        own = twin.shared.weight.grad
        assert bool(own.any())
        total += own
    torch.testing.assert_close(total, whole)


def test_every_block_reads_its_own_part_of_the_latent() -> None:
    network = scattered(built(TINY, width=2, embedding=5)).eval()
    seen: list[Tensor] = []
    for block in network.blocks:
        block.register_forward_pre_hook(lambda module, given: seen.append(given[1]))
    network.first.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    z, label = torch.randn(2, 7, dtype=torch.float64), torch.tensor([1, 2])
    network(z, label)
    own, first, second = seen
    torch.testing.assert_close(own, z[:, :3])
    for vector, part in ((first, z[:, 3:5]), (second, z[:, 5:])):
        torch.testing.assert_close(vector, torch.cat([network.shared.weight[label], part], 1))


def test_the_latent_left_whole() -> None:
    network = scattered(built(TINY, width=2, embedding=5, skip_z=False))
    assert network.first.in_features == 7
    assert all(m.in_features == 5 for m in network.blocks.modules() if isinstance(m, nn.Linear))
    z, label = torch.randn(2, 7, dtype=torch.float64, requires_grad=True), torch.tensor([1, 2])
    network(z, label).square().sum().backward()
    assert bool((z.grad != 0).all())


@pytest.mark.parametrize(("latent", "parts"), [(4, [1, 1, 1, 1]), (7, [2, 2, 2, 1]), (128, [32] * 4), (100, [25] * 4)])
def test_parts_of_the_latent(latent: int, parts: list[int]) -> None:
    assert built(CIFAR._replace(latent=latent), width=1).parts == parts


def test_a_latent_that_is_too_short() -> None:
    with refused("biggan", "4 parts", "latent of 3", "--set prior.size=128", "--set generator.skip_z=false"):
        built(CIFAR._replace(latent=3))
    assert built(CIFAR._replace(latent=3), width=1, skip_z=False)(torch.zeros(2, 3), torch.tensor([0, 1])).shape[0] == 2


def test_without_classes() -> None:
    """All images are of one class: the generator keeps one learned vector, the discriminator has no projection."""
    unlabelled = TINY._replace(classes=0)
    generator = built(unlabelled, width=2, conditional=False)
    judge = built(unlabelled, "discriminator", width=2, conditional=False)
    assert (generator.conditional, judge.conditional) == (False, False)
    assert generator.shared.num_embeddings == 1
    z = torch.randn(3, 7)
    images = generator.eval()(z)
    torch.testing.assert_close(generator(z, torch.tensor([3, 1, 0])), images, rtol=0, atol=0)
    assert judge(images).shape == (3,)
    judge(images).sum().backward()
    assert all(p.grad is not None for p in (*generator.parameters(), *judge.parameters()))
    assert not any(isinstance(m, nn.Embedding) for m in judge.modules())


def test_spectral_normalisation_of_all_but_the_shared_embedding() -> None:
    spectral = (SpectralConv2d, SpectralLinear, SpectralEmbedding)
    for role in ROLES:
        network = built(TINY, role, width=2, attention=8)
        layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))]
        others = [layer for layer in layers if not isinstance(layer, spectral)]
        assert others == ([network.shared] if role == "generator" else [])
        for m in network.modules():
            if isinstance(m, ConditionalBatchNorm):
                assert m.scale.bias is None
                assert m.shift.bias is None


def test_orthogonal_weights() -> None:
    """W W' = I, or W' W = I where the rows are more; and so sigma is 1 from the first pass on."""
    for role in ROLES:
        network = built(CIFAR, role, width=4, attention=16)
        for name, m in network.named_modules():
            if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding)):
                rows = m.weight.detach().flatten(1)
                rows = rows if len(rows) <= rows.shape[1] else rows.T
                torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), rtol=0, atol=1e-5, msg=name)
                assert getattr(m, "bias", None) is None or not m.bias.any()


def test_normal_weights() -> None:
    for role in ROLES:
        for m in built(CIFAR, role, width=8, initialisation="normal").modules():
            if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding)):
                number = m.weight.numel()
                assert abs(float(m.weight.detach().std()) - 0.02) < 5 * 0.02 / (2 * number) ** 0.5
                assert abs(float(m.weight.detach().mean())) < 5 * 0.02 / number**0.5


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (20, 28), (33, 47), (64, 66)])
def test_any_size(size: tuple[int, int], channels: int) -> None:
    dimensions = Dimensions(channels, *size, 7, 3)
    side = min(-(-size[0] // 2), -(-size[1] // 2)) if size == (8, 8) else None
    generator = built(dimensions, width=1, embedding=3)
    discriminator = built(dimensions, "discriminator", width=1, attention=side)
    label = torch.tensor([2, 1])
    images = generator(torch.randn(2, 7), label)
    assert images.shape == (2, channels, *size)
    assert images.abs().max() <= 1
    scores = discriminator(images, label)
    assert scores.shape == (2,)
    scores.sum().backward()
    assert all(parameter.grad is not None for parameter in (*generator.parameters(), *discriminator.parameters()))


def test_an_image_is_cropped_in_the_middle() -> None:
    network = built(Dimensions(1, 33, 47, 7, 3), width=1).eval()
    whole = []
    network.tanh.register_forward_hook(lambda module, given, found: whole.append(found))
    found = network(torch.randn(2, 7), torch.tensor([0, 1]))
    assert whole[0].shape == (2, 1, 40, 48)
    assert torch.equal(found, whole[0][:, :, 3:36, 0:47])


@pytest.mark.parametrize(
    ("role", "known"), [("generator", "8, 16, 32"), ("discriminator", "16, 8"), ("generator", "10, 20, 40")]
)
def test_attention_at_a_size_that_is_not_there(role: str, known: str) -> None:
    size = CIFAR if "10" not in known else CIFAR._replace(height=40, width=50)
    with refused(f"{role}.attention = 64", "biggan", known):
        built(size, role, width=1, attention=64)


def test_attention_stands_behind_the_first_map_of_its_size() -> None:
    for role, side, place, channels in (("generator", 16, "1", 8), ("discriminator", 8, "1", 8)):
        network = built(CIFAR, role, width=2, attention=side)
        assert list(network.attention) == [place]
        seen = []
        network.attention[place].register_forward_hook(lambda module, given, found, to=seen: to.append(given[0]))
        label = torch.tensor([1])
        network.eval()(torch.zeros(1, 128) if role == "generator" else torch.zeros(1, 3, 32, 32), label)
        assert seen[0].shape == (1, channels, side, side)
        assert sum(isinstance(m, SelfAttention) for m in network.modules()) == 1


@pytest.mark.parametrize("role", ROLES)
def test_too_small(role: str) -> None:
    with refused("biggan", "7x64", "at least 8", "--size 8x64"):
        built(Dimensions(3, 7, 64, 5, 2), role)


@pytest.mark.parametrize("role", ROLES)
def test_labels_that_are_missing(role: str) -> None:
    with refused("biggan", role, "labels", "one folder for each class", f"--set {role}.conditional=false"):
        built(TINY._replace(classes=0), role)
    network = built(TINY, role, width=2)
    assert network.conditional is True
    with refused(role, "labels", error=GansmithError):
        network(torch.zeros(2, 7) if role == "generator" else torch.zeros(2, 3, 16, 20))


@pytest.mark.parametrize(
    ("role", "options", "message"),
    [
        ("generator", {"width": 0}, r"^models/biggan: width = 0 is not allowed"),
        ("generator", {"embedding": 0}, r"^models/biggan: embedding = 0 is not allowed"),
        ("discriminator", {"attention": 0}, r"^models/biggan: attention = 0 is not allowed"),
        ("generator", {"initialisation": "xavier"}, r"^models/biggan: initialisation = 'xavier' is not allowed"),
        ("discriminator", {"skip_z": True}, r"^models/biggan has no option 'skip_z'. .*It has: width, attention"),
    ],
)
def test_bad_options(role: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        built(role=role, **options)


def test_saved_and_loaded(tmp_path: Path) -> None:
    options = {"width": 2, "attention": 8}
    players = {role: built(TINY, role, **options).to(memory_format=torch.channels_last) for role in ROLES}
    label = torch.tensor([3, 1])
    given = {"generator": torch.randn(2, 7), "discriminator": torch.randn(2, 3, 16, 20)}
    for role, network in players.items():
        network(given[role], label)
    cards = {role: Card(role, role, "biggan", options, TINY) for role in ROLES}
    save(tmp_path, {role: (cards[role], players[role].state_dict()) for role in ROLES})
    for role in ROLES:
        network, _ = load(tmp_path, role)
        for key, value in network.state_dict().items():
            assert torch.equal(value, players[role].state_dict()[key]), key
        torch.testing.assert_close(network(given[role], label), players[role].eval()(given[role], label))


def test_bfloat16_is_close() -> None:
    rng = torch.Generator().manual_seed(0)
    label = torch.tensor([0, 1, 2, 3])
    inputs = {"generator": torch.randn(4, 7, generator=rng), "discriminator": torch.randn(4, 3, 16, 20, generator=rng)}
    for role in ROLES:
        network = built(TINY, role, width=4, attention=8).eval()
        with torch.no_grad():
            network.get_parameter(f"attention.{0}.gamma").fill_(0.5)
            expected = network(inputs[role], label)
            with torch.autocast("cpu", torch.bfloat16):
                found = network(inputs[role], label)
        assert role == "generator" or found.dtype == torch.float32
        torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.02 * float(expected.abs().max()))
