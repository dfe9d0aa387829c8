"""FastGAN's networks: against an independent float64 implementation, at the published sizes, and in bfloat16."""

from __future__ import annotations

from typing import Any

import fastgan_networks as plain
import pytest
import torch
from formulas import compare, scattered
from torch import Tensor, nn

from gansmith.adversarial import Dimensions, Moment, Sample
from gansmith.models import fastgan
from gansmith.models.layers.noise import Noise
from gansmith.objectives import hinge
from gansmith.system.seeding import seeded

SIZES = {"square": (48, 48), "odd": (49, 59), "wide": (48, 64), "small": (8, 12)}


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def built(role: str, size: tuple[int, int] = (48, 48), channels: int = 3, **options: Any) -> Any:
    """In float64 and evaluation mode, with no parameter where it begins and uneven running statistics."""
    with seeded("fastgan", role):
        network = getattr(fastgan, role)(Dimensions(channels, *size, 5, 3), **{"width": 2, **options})
    for number, module in enumerate(scattered(network).modules()):
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.copy_(0.1 * numbers(module.num_features, seed=number))
            module.running_var.copy_(1 + 0.3 * numbers(module.num_features, seed=number).tanh())
    return network.eval()


def state_of(network: nn.Module) -> dict[str, Tensor]:
    return {**dict(network.named_buffers()), **dict(network.named_parameters())}


@pytest.mark.parametrize("spectral", [True, False])
@pytest.mark.parametrize(("shape", "reach"), [("square", 3), ("odd", 2), ("small", 4)])
def test_the_generator_by_formula(shape: str, reach: int, spectral: bool) -> None:
    network = built("generator", SIZES[shape], reach=reach, spectral_norm=spectral)
    z = numbers(3, 5).requires_grad_()
    expected = plain.generator(state_of(network), z, SIZES[shape], min(reach, len(network.blocks)))
    assert expected.shape == (3, 3, *SIZES[shape])
    compare(network, z, None, expected)


@pytest.mark.parametrize(
    ("shape", "channels", "spectral"), [("square", 3, True), ("odd", 4, False), ("small", 1, True)]
)
def test_the_scores_by_formula(shape: str, channels: int, spectral: bool) -> None:
    network = built("discriminator", SIZES[shape], channels, reconstruction=0, spectral_norm=spectral)
    image = numbers(3, channels, *SIZES[shape]).requires_grad_()
    compare(network, image, None, plain.discriminator(state_of(network), image))


def test_networks_with_classes_by_formula() -> None:
    z, label = numbers(3, 5).requires_grad_(), torch.tensor([2, 0, 2])
    network = built("generator", conditional=True)
    both = torch.cat([z, network.embedding.weight[label]], 1)
    compare(network, z, label, plain.generator(state_of(network), both, (48, 48), 3))
    network, image = built("discriminator", conditional=True, reconstruction=0), numbers(3, 3, 48, 48).requires_grad_()
    compare(network, image, label, plain.discriminator(state_of(network), image, label))


@pytest.mark.parametrize("shape", ["square", "wide"])
def test_the_reconstruction_by_formula(shape: str) -> None:
    """Its value and every gradient, at the drawn quadrants; the scores beside it are the plain ones."""
    network = built("discriminator", SIZES[shape], reconstruction=0.7)
    assert network.own_terms == ("reconstruction",)
    image = numbers(6, 3, *SIZES[shape]).tanh()
    scores, own = network(image, own=torch.Generator().manual_seed(4))
    quadrants = torch.randint(4, (6,), generator=torch.Generator().manual_seed(4)).tolist()
    assert {*quadrants} == {0, 1, 2, 3}
    expected = 0.7 * plain.reconstruction(state_of(network), image, quadrants)
    torch.testing.assert_close(own["reconstruction"], expected)
    assert own.keys() == {"reconstruction"}
    torch.testing.assert_close(scores, network(image), rtol=0, atol=0)
    names = [name for name, _ in network.named_parameters() if not name.startswith(("features", "score"))]
    weights = [network.get_parameter(name) for name in names]
    ours = torch.autograd.grad(own["reconstruction"], weights)
    theirs = torch.autograd.grad(expected, weights)
    for name, one, other in zip(names, ours, theirs, strict=True):
        assert bool(other.any()), name
        torch.testing.assert_close(one, other, msg=lambda text, name=name: f"{name}: {text}")


def test_without_reconstruction_there_are_no_decoders_and_no_terms() -> None:
    network = built("discriminator", reconstruction=0)
    assert network.own_terms == ()
    assert not any("decoders" in name for name in network.state_dict())


# the published sizes: channels by the side of the map, from the authors' code at ngf = ndf = 64

GENERATOR = {4: 1024, 8: 512, 16: 256, 32: 128, 64: 128, 128: 64, 256: 32, 512: 16, 1024: 8}
DISCRIMINATOR = {8: 512, 16: 256, 32: 128, 64: 64, 128: 32, 256: 16, 512: 8}


def shapes(network: nn.Module, ends: str = "weight") -> dict[str, list[int]]:
    return {name: [*p.shape] for name, p in network.named_parameters() if name.endswith(ends) and p.dim() > 1}


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_the_published_generator(side: int) -> None:
    with torch.device("meta"):
        found = shapes(fastgan.generator(Dimensions(3, side, side, 256)))
    expected = {"first.weight": [2048, 256, 4, 4], "last.weight": [3, GENERATOR[side], 3, 3]}
    for number in range(1, (side // 4).bit_length()):
        before, after = GENERATOR[2 << number], GENERATOR[4 << number]
        expected[f"blocks.{number - 1}.convolutions.0.weight"] = [2 * after, before, 3, 3]
        if 4 << number in (8, 32, 128, 512):
            expected[f"blocks.{number - 1}.convolutions.1.weight"] = [2 * after, after, 3, 3]
    for low, high in {4: 64, 8: 128, 16: 256, 32: 512, 64: 1024}.items():  # the last one is ours alone
        if high <= side:
            number, gates = (high // 4).bit_length() - 1, GENERATOR[high]
            expected[f"excitations.{number}.squeeze.weight"] = [gates, GENERATOR[low], 4, 4]
            expected[f"excitations.{number}.gate.weight"] = [gates, gates, 1, 1]
    assert found == expected


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_the_published_discriminator(side: int) -> None:
    with torch.device("meta"):
        network = fastgan.discriminator(Dimensions(3, side, side))
    wide = DISCRIMINATOR
    expected = {"stem.0.weight": [wide[min(side, 512 if side > 512 else 256)], 3, 3, 3]}
    if side > 256:
        expected = {"stem.0.weight": [wide[side // 2], 3, 4, 4]}
    if side > 512:
        expected["stem.2.weight"] = [wide[256], wide[512], 4, 4]
    for number, map_side in enumerate((128, 64, 32, 16, 8)):
        before, after, block = wide[2 * map_side], wide[map_side], f"blocks.{number}"
        expected[f"{block}.main.0.weight"] = [after, before, 4, 4]
        expected[f"{block}.main.3.weight"] = [after, after, 3, 3]
        expected[f"{block}.direct.1.weight"] = [after, before, 1, 1]
    for number, (source, target) in enumerate(((256, 32), (128, 16), (64, 8)), 3):
        expected[f"excitations.{number}.squeeze.weight"] = [wide[target], wide[source], 4, 4]
        expected[f"excitations.{number}.gate.weight"] = [wide[target], wide[target], 1, 1]
    expected |= {"features.0.weight": [1024, 512, 1, 1], "score.weight": [1, 1024, 4, 4]}
    for name, channels in (("part", 256), ("whole", 512)):
        for layer, (before, after) in enumerate(((channels, 128), (128, 64), (64, 64), (64, 32))):
            expected[f"decoders.{name}.convolutions.{layer}.weight"] = [2 * after, before, 3, 3]
        expected[f"decoders.{name}.last.weight"] = [3, 32, 3, 3]
    assert shapes(network) == expected
    small = fastgan.discriminator(Dimensions(1, side, side), width=1, reconstruction=0)
    assert small(torch.zeros(1, 1, side, side)).shape == (1, 5, 5)


def test_first_weights() -> None:
    with seeded("first"):
        networks = [fastgan.generator(Dimensions(3, 64, 64, 64)), fastgan.discriminator(Dimensions(3, 64, 64))]
    for network in networks:
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1 and parameter.numel() > 10_000:
                assert abs(float(parameter.detach().std()) - 0.02) < 0.001, name
        scales = torch.cat([m.weight.detach() for m in network.modules() if isinstance(m, nn.BatchNorm2d)])
        assert abs(float(scales.mean()) - 1) < 0.002
        assert abs(float(scales.std()) - 0.02) < 0.002


# noise


def test_noise_is_drawn_in_training_and_fixed_in_evaluation() -> None:
    network = built("generator", (32, 32))
    z = numbers(1, 5).expand(2, 5)
    with torch.no_grad():
        assert torch.equal(*network(z))
        network.train()
        torch.manual_seed(0)
        one, other = network(z)
        assert not torch.equal(one, other)
        for module in network.modules():
            if isinstance(module, Noise):
                module.weight.zero_()
        one, other = network(z)
    torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_one_plane_of_noise_for_all_channels_with_the_turns_seed() -> None:
    layer = Noise(3, 5).double()
    assert float(layer.weight.detach()) == 0
    layer.weight.data.fill_(0.5)
    x = numbers(2, 4, 3, 5)
    torch.manual_seed(7)
    found = layer(x)
    torch.manual_seed(7)
    torch.testing.assert_close(found, x + 0.5 * torch.randn(2, 1, 3, 5, dtype=torch.float64))
    torch.testing.assert_close(layer.eval()(x), x + 0.5 * layer.plane)


# number formats


def test_a_turn_in_bfloat16_is_close_to_float32() -> None:
    with seeded("bfloat16"):
        networks = [
            fastgan.generator(Dimensions(3, 64, 64, 8), width=4),
            fastgan.discriminator(Dimensions(3, 64, 64), width=4),
        ]
    generator, discriminator = (network.to(memory_format=torch.channels_last) for network in networks)
    real, z = Sample(numbers(8, 3, 64, 64).float().tanh()), numbers(8, 8).float()
    found = []
    for short in (False, True):
        at = Moment(0, 0, 0, torch.Generator().manual_seed(0))
        discriminator.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            fake = Sample(generator(z).detach().float())
            terms = hinge.build().discriminator_terms(discriminator, real, fake, at)
        assert all(term.dtype == torch.float32 for term in terms.loss.values())
        terms.total().backward()
        gradient = torch.cat([p.grad.flatten() for p in discriminator.parameters() if p.grad is not None])
        assert len(gradient) == sum(p.numel() for p in discriminator.parameters())
        found.append((*terms.loss.values(), gradient))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one.norm(), other.norm(), rtol=0.05, atol=0)
    assert float(torch.nn.functional.cosine_similarity(found[0][2], found[1][2], dim=0)) > 0.95
