"""R3GAN's networks: against an independent float64 implementation, at their published sizes, and in bfloat16."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from r3gan_networks import by_hand, normal, rng
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Moment, Objective, Sample
from gansmith.errors import GansmithError, OptionError
from gansmith.models import r3gan
from refusals import refused

SMALL = Dimensions(3, 16, 16, 5)


def pair(dimensions: Dimensions = SMALL, **options: Any) -> tuple[r3gan.Generator, r3gan.Discriminator]:
    """Both networks with random weights everywhere: the convolutions that begin as zero, and the biases, too."""
    torch.manual_seed(0)
    options = {"width": 16, **options}
    made = r3gan.generator(dimensions, **options), r3gan.discriminator(dimensions, **options)
    for number, network in enumerate(made):
        for index, parameter in enumerate(network.parameters()):
            if not bool(parameter.any()):
                parameter.data.copy_(0.3 * normal(*parameter.shape, seed=100 * number + index, dtype=torch.float32))
    return made


def blocks_of(stage: nn.Module) -> list[r3gan.Block]:
    return [block for block in stage.children() if isinstance(block, r3gan.Block)]


# ---- the networks against the formulas of the paper's code, in plain float64


def plain_block(state: dict[str, Tensor], name: str, x: Tensor, group: int) -> Tensor:
    hidden = state[f"{name}.widen.weight"].shape[0]
    y = F.conv2d(x, state[f"{name}.widen.weight"]) + state[f"{name}.widen.bias"][:, None, None]
    y = F.leaky_relu(y, 0.2)
    y = F.conv2d(y, state[f"{name}.mix.weight"], padding=1, groups=hidden // group)
    y = F.leaky_relu(y + state[f"{name}.mix.bias"][:, None, None], 0.2)
    return x + F.conv2d(y, state[f"{name}.narrow.weight"])


def plain_generator(state: dict[str, Tensor], z: Tensor, sizes: list[tuple[int, int]], group: int) -> Tensor:
    x = state["basis"] * (z @ state["style.weight"][:, :, 0, 0].T)[:, :, None, None]
    for stage, (height, width) in enumerate(sizes):
        if stage:
            if f"transitions.{stage - 1}.weight" in state:
                x = F.conv2d(x, state[f"transitions.{stage - 1}.weight"])
            x = torch.from_numpy(by_hand(by_hand(x.numpy(), 2, True), 3, True))[:, :, :height, :width]
        for block in range(2):
            x = plain_block(state, f"stages.{stage}.{block}", x, group)
    return F.conv2d(x, state["end.weight"])


def plain_discriminator(state: dict[str, Tensor], x: Tensor, stages: int, group: int) -> Tensor:
    x = F.conv2d(x, state["begin.weight"])
    for stage in reversed(range(stages)):
        for block in range(2):
            x = plain_block(state, f"stages.{stage}.{block}", x, group)
        if stage:
            x = torch.from_numpy(by_hand(by_hand(x.numpy(), 2, False), 3, False))
            if f"transitions.{stage - 1}.weight" in state:
                x = F.conv2d(x, state[f"transitions.{stage - 1}.weight"])
    return (x * state["basis"]).sum((2, 3)) @ state["features.weight"][:, :, 0, 0].T


SIZES = {
    (16, 16): [(4, 4), (8, 8), (16, 16)],
    (20, 28): [(5, 7), (10, 14), (20, 28)],
    (19, 33): [(5, 9), (10, 17), (19, 33)],
    (5, 9): [(5, 9)],
    (4, 4): [(4, 4)],
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_networks_equal_the_formulas(size: tuple[int, int], channels: int) -> None:
    stages = SIZES[size]
    widths = (16, 16, 8)[: len(stages)]
    generator, discriminator = (
        network.double() for network in pair(Dimensions(channels, *size, 5), width=widths, group=8)
    )
    assert generator.plan.sizes == stages
    z = normal(3, 5)
    with torch.no_grad():
        images = generator(z)
        assert images.shape == (3, channels, *size)
        torch.testing.assert_close(images, plain_generator(generator.state_dict(), z, stages, 8))
        scores = discriminator(images)
        expected = plain_discriminator(discriminator.state_dict(), images, len(stages), 8)
        torch.testing.assert_close(scores, expected[:, 0])


def test_conditional_networks_equal_the_formulas() -> None:
    generator, discriminator = (network.double() for network in pair(SMALL._replace(classes=3), conditional=True))
    z, label = normal(4, 5), torch.tensor([0, 2, 1, 2])
    with torch.no_grad():
        joined = torch.cat([z, generator.state_dict()["embedding.weight"][label]], dim=1)
        sizes = [(4, 4), (8, 8), (16, 16)]
        images = generator(z, label)
        torch.testing.assert_close(images, plain_generator(generator.state_dict(), joined, sizes, 16))
        state = discriminator.state_dict()
        found = plain_discriminator(state, images, 3, 16)
        assert found.shape == (4, 16)  # as many as the coarsest stage has channels
        expected = (found * state["embedding.weight"][label]).sum(1)
        torch.testing.assert_close(discriminator(images, label), expected)


# ---- configurations

PUBLISHED: dict[
    str, tuple[int, dict[str, Any], int, int, int]
] = {  # sides, options, and the parameters of generator and discriminator
    "CIFAR-10, conditional": (32, {"conditional": True}, 10, 20_781_952, 21_280_512),
    "CIFAR-10": (32, {}, 0, 20_732_160, 20_683_776),
    "FFHQ-64": (64, {}, 0, 22_429_824, 22_381_440),
    "FFHQ-256": (256, {}, 0, 23_057_952, 23_009_568),
    "ImageNet-32": (32, {"conditional": True, "width": 1536, "group": 32}, 1000, 82_914_304, 86_548_992),
}


def closed_form(widths: list[int], classes: int, group: int) -> tuple[int, int]:
    """The count, from the description of the layers alone."""
    shared = 0
    for width in widths:
        hidden = 2 * width
        shared += 2 * (2 * width * hidden + hidden * group * 9 + 2 * hidden)
    shared += sum(a * b for a, b in pairwise(widths) if a != b)
    shared += 3 * widths[-1] + 16 * widths[0]
    generator = shared + widths[0] * (128 if classes else 64) + 64 * classes
    discriminator = shared + (widths[0] ** 2 + widths[0] * classes if classes else widths[0])
    return generator, discriminator


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_of_the_published_configurations(name: str) -> None:
    side, options, classes, *expected = PUBLISHED[name]
    with torch.device("meta"):
        networks = [
            getattr(r3gan, role)(Dimensions(3, side, side, 64, classes), **options)
            for role in ("generator", "discriminator")
        ]
    found = [sum(p.numel() for p in network.parameters()) for network in networks]
    widest = options.get("width", 768)
    widths = [widest // max(1, 4 * 2**stage // 32) for stage in range(side.bit_length() - 2)]
    assert found == expected
    assert tuple(found) == closed_form(widths, classes, options.get("group", 16))
    groups = [block.mix.geometry.groups for block in networks[0].modules() if isinstance(block, r3gan.Block)]
    cardinality = {768: 96, 384: 48, 192: 24, 96: 12, 1536: 96}  # of the authors' presets, by width
    assert groups == [cardinality[width] for width in widths for _ in range(2)]


def spread(weight: Tensor) -> float:
    return float(weight.detach().std())


def test_scales_of_the_first_weights() -> None:
    """gain / sqrt(fan-in); the gain of both hidden layers falls with the fourth root of the blocks, here 6."""
    torch.manual_seed(0)
    generator = r3gan.generator(SMALL._replace(latent=64, classes=25), width=256, conditional=True)
    discriminator = r3gan.discriminator(SMALL._replace(classes=25), width=256, conditional=True)
    gain = math.sqrt(2 / 1.04) / 6**0.25
    for network in (generator, discriminator):
        for block in network.modules():
            if isinstance(block, r3gan.Block):
                for layer, fan_in in ((block.widen, 256), (block.mix, 16 * 9)):
                    assert spread(layer.weight) == pytest.approx(gain / math.sqrt(fan_in), rel=0.03)
                    assert layer.bias is not None
                    assert not layer.bias.any()
                assert not block.narrow.weight.any()
                assert block.narrow.bias is None
    assert spread(generator.basis) == pytest.approx(1, rel=0.05)
    assert spread(generator.style.weight) == pytest.approx(1 / math.sqrt(128), rel=0.05)
    assert spread(generator.embedding.weight) == pytest.approx(1 / 5, rel=0.06)
    assert spread(generator.end.weight) == pytest.approx(1 / 16, rel=0.1)
    assert spread(discriminator.begin.weight) == pytest.approx(1 / math.sqrt(3), rel=0.1)
    assert spread(discriminator.basis) == pytest.approx(1 / 4, rel=0.05)
    assert spread(discriminator.features.weight) == pytest.approx(1 / 16, rel=0.03)
    assert spread(discriminator.embedding.weight) == pytest.approx(1 / math.sqrt(25 * 256), rel=0.05)
    torch.manual_seed(0)
    thinner = r3gan.generator(SMALL, width=(256, 256, 64), blocks=(1, 1, 1))
    transition = thinner.transitions[1]
    assert isinstance(transition, r3gan.Convolution)
    assert spread(transition.weight) == pytest.approx(1 / 16, rel=0.03)
    assert isinstance(thinner.transitions[0], nn.Identity)


def test_a_block_begins_as_the_identity_and_still_learns() -> None:
    torch.manual_seed(0)
    block = r3gan.Block(8, 16, 2, depth=4)
    x = normal(2, 8, 4, 4, dtype=torch.float32)
    y = block(x)
    torch.testing.assert_close(y, x, rtol=0, atol=0)
    y.square().sum().backward()
    assert all(parameter.grad is not None for parameter in block.parameters())
    assert block.narrow.weight.grad is not None
    assert bool(block.narrow.weight.grad.any())


def test_widths_blocks_and_groups() -> None:
    wide = r3gan.Plan("generator", Dimensions(3, 256, 256, 4), width=768, blocks=2, expansion=2, group=16, short=4)
    assert wide.widths == (768, 768, 768, 768, 384, 192, 96)
    assert wide.blocks == (2,) * 7
    assert wide.short == [False, False, False, True, True, True, True]  # the authors' four finest
    generator, discriminator = pair(width=(24, 20, 8), blocks=(1, 3, 2), expansion=3, group=16)
    for network in (generator, discriminator):
        found = [
            [(block.widen.weight.shape[0], block.mix.geometry.groups) for block in blocks_of(stage)]
            for stage in network.stages
        ]
        assert found == [[(72, 9)], [(60, 15)] * 3, [(24, 3)] * 2]


@pytest.mark.parametrize(("size", "asked"), [((3, 8), "4x8"), ((1, 1), "4x4")])
def test_a_size_without_a_base_grid_is_refused(size: tuple[int, int], asked: str) -> None:
    for role in ("generator", "discriminator"):
        with refused("r3gan", f"{size[0]}x{size[1]}", "at least 4", f"--size {asked}", "--recipe r3gan_ring"):
            catalog.build("models", "r3gan", Dimensions(3, *size, 4), factory=role)


def test_bad_options() -> None:
    def build(role: str = "generator", **options: Any) -> Any:
        return catalog.build("models", "r3gan", SMALL, factory=role, **options)

    for role, option in (("generator", "width"), ("discriminator", "blocks")):
        with refused("r3gan", "3", "16x16", "4x4, 8x8, 16x16", f"{role}.{option}", "2 numbers"):
            build(role, **{option: (8, 8)})
    with refused("models/r3gan", "width = 0", error=OptionError):
        build(width=0)
    with refused("models/r3gan", "short_stages = -1", error=OptionError):
        build(short_stages=-1)
    with pytest.raises(OptionError, match=r"has no option 'cardinality'"):
        build(cardinality=3)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_labels_are_asked_for(role: str) -> None:
    build = getattr(r3gan, role)
    with refused("r3gan", "labels", f"--set {role}.conditional=false"):
        build(SMALL, width=8, conditional=True)
    network = build(SMALL._replace(classes=3), width=8, conditional=True)
    assert network.conditional is True
    given = torch.zeros(2, 5) if role == "generator" else torch.zeros(2, 3, 16, 16)
    with refused(role, "conditional", error=GansmithError):
        network(given)
    assert not build(SMALL._replace(classes=3), width=8).conditional


# ---- two derivatives, bfloat16


def terms(
    networks: tuple[r3gan.Generator, r3gan.Discriminator], device_type: str = "cpu", short: bool = False
) -> tuple[dict[str, Tensor], list[Tensor], list[Tensor]]:
    """The discriminator's loss terms with R1 and R2, and the gradients of both networks."""
    generator, discriminator = networks
    objective = catalog.build("objectives", "r3gan", gamma=0.5)
    assert isinstance(objective, Objective)
    at = Moment(0, 0, 0, rng())
    real = Sample(normal(4, 3, 16, 16, seed=3, dtype=next(discriminator.parameters()).dtype).clamp(-1, 1))
    z = normal(4, 5, seed=4, dtype=real.image.dtype)
    with torch.autocast(device_type, dtype=torch.bfloat16, enabled=short):
        with torch.no_grad():
            fake = Sample(generator(z).to(real.image.dtype))
        found = objective.discriminator_terms(discriminator, real, fake, at)
    of_discriminator = torch.autograd.grad(found.total(), list(discriminator.parameters()))
    with torch.autocast(device_type, dtype=torch.bfloat16, enabled=short):
        second = objective.generator_terms(discriminator, real, Sample(generator(z)), at)
    of_generator = torch.autograd.grad(second.total(), list(generator.parameters()))
    return {**found.loss, "generator": second.total()}, list(of_discriminator), list(of_generator)


def test_both_penalties_have_right_gradients() -> None:
    """The double backward through all layers, against torch's own for the same network of ordinary operators."""
    generator, discriminator = (network.double() for network in pair())
    assert isinstance(generator, r3gan.Generator)
    assert isinstance(discriminator, r3gan.Discriminator)
    found, of_discriminator, _ = terms((generator, discriminator))
    assert set(found) == {"loss", "r1", "r2", "generator"}
    assert all(bool(torch.isfinite(value)) and bool(value > 0) for value in found.values())

    class Plain(nn.Module):
        """The same discriminator, of ordinary differentiable operators."""

        def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
            weights = discriminator.state_dict(keep_vars=True)
            x = F.conv2d(image, weights["begin.weight"])
            line = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 8
            for number in (2, 1, 0):
                for block in blocks_of(discriminator.stages[number]):
                    y = F.leaky_relu(F.conv2d(x, block.widen.weight, block.widen.bias), 0.2)
                    y = F.conv2d(y, block.mix.weight, block.mix.bias, padding=1, groups=block.mix.geometry.groups)
                    x = x + F.conv2d(F.leaky_relu(y, 0.2), block.narrow.weight)
                if number:
                    kernel = (line[:, None] * line).expand(x.shape[1], 1, 4, 4)
                    x = F.conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])
            x = (x * weights["basis"]).sum((2, 3))
            return x @ weights["features.weight"][0, :, 0, 0]

    objective = catalog.build("objectives", "r3gan", gamma=0.5)
    with torch.no_grad():
        fake = Sample(generator(normal(4, 5, seed=4)))
    real = Sample(normal(4, 3, 16, 16, seed=3).clamp(-1, 1))
    expected = objective.discriminator_terms(Plain(), real, fake, Moment(0, 0, 0, rng()))
    for name in ("loss", "r1", "r2"):
        torch.testing.assert_close(found[name], expected.loss[name])
    gradients = torch.autograd.grad(expected.total(), list(discriminator.parameters()))
    torch.testing.assert_close(of_discriminator, list(gradients))


def test_under_autocast_the_fine_stages_are_short_and_the_coarsest_is_not() -> None:
    generator, discriminator = pair(short_stages=2)
    seen: dict[str, list[torch.dtype]] = {"generator": [], "discriminator": []}
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        for stage in network.stages:
            stage.register_forward_hook(lambda module, given, made, name=name: seen[name].append(made.dtype))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        images = generator(normal(2, 5, dtype=torch.float32))
        scores = discriminator(images)
    assert seen == {
        "generator": [torch.float32, torch.bfloat16, torch.bfloat16],
        "discriminator": [torch.bfloat16, torch.bfloat16, torch.float32],
    }
    assert images.dtype == torch.bfloat16
    assert scores.dtype == torch.float32
    for count, expected in ((0, [torch.float32] * 3), (1, [torch.float32] * 2 + [torch.bfloat16])):
        seen["generator"].clear()
        other = pair(short_stages=count)[0]
        for stage in other.stages:
            stage.register_forward_hook(lambda module, given, made: seen["generator"].append(made.dtype))
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            other(normal(2, 5, dtype=torch.float32))
        assert seen["generator"] == expected


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_bfloat16_is_near_float32_and_its_second_derivatives_are_finite(layout: torch.memory_format) -> None:
    networks = pair()
    for network in networks:
        network.to(memory_format=layout)  # type: ignore[call-overload]
    exact, short = terms(networks), terms(networks, short=True)
    for name, value in exact[0].items():
        assert short[0][name].dtype == torch.float32
        torch.testing.assert_close(short[0][name], value, rtol=0.05, atol=0.01)
    for found, expected in zip(short[1] + short[2], exact[1] + exact[2], strict=True):
        assert found.dtype == torch.float32
        assert bool(torch.isfinite(found).all())
        if float(expected.abs().max()) > 1e-6:
            assert float(F.cosine_similarity(found.flatten(), expected.flatten(), dim=0)) > 0.98


def test_under_autocast_without_short_stages_everything_is_float32() -> None:
    """Second derivatives too, which are made while autocast is on: equal to the bit."""
    networks = pair(short_stages=0)
    for found, expected in zip(terms(networks, short=True)[1:], terms(networks)[1:], strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_weights_stay_float32_and_go_through_a_state() -> None:
    networks = pair(SMALL._replace(classes=3), conditional=True)
    for network in networks:
        given = torch.zeros(2, 5) if isinstance(network, r3gan.Generator) else torch.zeros(2, 3, 16, 16)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            network(given, torch.tensor([0, 1])).sum().backward()
        state = network.state_dict()
        assert {value.dtype for value in state.values()} == {torch.float32}
        assert set(state) == {name for name, _ in network.named_parameters()}  # no buffers
        assert {p.grad.dtype for p in network.parameters() if p.grad is not None} == {torch.float32}
        again = r3gan.generator if isinstance(network, r3gan.Generator) else r3gan.discriminator
        other = again(SMALL._replace(classes=3), width=16, conditional=True)
        other.load_state_dict(state)
        with torch.no_grad():
            torch.testing.assert_close(
                other(given, torch.tensor([0, 1])), network(given, torch.tensor([0, 1])), rtol=0, atol=0
            )
