"""StyleGAN2's networks: against an independent float64 implementation, at their published sizes, and in training."""

from __future__ import annotations

from typing import Any

import pytest
import stylegan2_networks as plain
import torch
from stylegan2_networks import SMALL, normal, pair, values_of
from torch import Tensor, nn

from gansmith.adversarial import Dimensions, Sample, Scores
from gansmith.errors import GansmithError
from gansmith.models import stylegan2
from gansmith.models.layers.minibatch_std import MinibatchDeviation
from gansmith.models.layers.modulated import StyledConv2d
from gansmith.penalties.r1 import penalty as r1

SIZES = [(16, 16), (20, 28), (19, 33), (5, 9), (4, 4)]


def alike(found: Tensor, expected: Tensor, network: nn.Module, *inputs: Tensor) -> None:
    """Equal values, and equal gradients of a weighted sum by every parameter and input."""
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    by = [*network.parameters(), *inputs]
    weight = normal(*found.shape, seed=5)
    one, other = (torch.autograd.grad((y * weight).sum(), by, retain_graph=True) for y in (found, expected))
    for first, second in zip(one, other, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-9)
        assert bool(first.any())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_networks_equal_the_equations(size: tuple[int, int], channels: int) -> None:
    generator, discriminator = pair(Dimensions(channels, *size, 5))
    z = normal(3, 5, seed=1).requires_grad_()
    state = values_of(generator)
    w = plain.mapping(state, "mapping", z, None)
    layers = generator.synthesis.layers
    alike(generator.map(z), w, generator.mapping, z)
    images = generator(z)
    assert images.shape == (3, channels, *size)
    alike(images, plain.synthesis(state, w[:, None].expand(-1, layers, -1)), generator, z)
    shown = images.detach().requires_grad_()
    alike(discriminator(shown), plain.discriminator(values_of(discriminator), shown), discriminator, shown)


def test_conditional_networks_equal_the_equations() -> None:
    generator, discriminator = pair(SMALL._replace(classes=3), conditional=True)
    z, label = normal(4, 5, seed=1).requires_grad_(), torch.tensor([0, 2, 1, 2])
    state = values_of(generator)
    w = plain.mapping(state, "mapping", z, label)
    alike(generator(z, label), plain.synthesis(state, w[:, None].expand(-1, 6, -1)), generator, z)
    images = normal(4, 3, 16, 16).requires_grad_()
    expected = plain.discriminator(values_of(discriminator), images, label)
    alike(discriminator(images, label), expected, discriminator, images)


def test_each_layer_reads_its_own_w() -> None:
    generator, _ = pair()
    w = normal(2, 6, 7, seed=1).requires_grad_()
    expected = plain.synthesis(values_of(generator), w)
    torch.testing.assert_close(generator.synthesize(w), expected, rtol=1e-10, atol=1e-10)
    (slopes,) = torch.autograd.grad(expected.square().sum(), w)
    assert bool((slopes.abs().sum((0, 2)) > 0).all())
    one = normal(2, 7, seed=1)
    assert torch.equal(generator.synthesize(one), generator.synthesize(one[:, None].expand(-1, 6, -1)))
    for wrong in (normal(2, 5, 7), normal(2, 8), normal(7)):
        with pytest.raises(GansmithError, match=r"\[B, 7\].*\[B, 6, 7\]"):
            generator.synthesize(wrong)


def test_second_derivatives_equal_those_of_the_equations() -> None:
    """R1 through the discriminator, with the statistics of groups of the batch; gradients of it by the weights."""
    _, discriminator = pair()
    discriminator.train()
    images = normal(8, 3, 16, 16).requires_grad_()
    found = discriminator(images)
    expected = plain.discriminator(values_of(discriminator), images, group=4)
    alike(found, expected, discriminator, images)
    found, expected = discriminator(images), plain.discriminator(values_of(discriminator), images, group=4)
    nothing = torch.Generator()
    by_ours = r1(discriminator, Scores(Sample(images), Sample(images), found, found), nothing)
    (slopes,) = torch.autograd.grad(expected.sum(), images, create_graph=True)
    by_hand = slopes.pow(2).sum((1, 2, 3))
    torch.testing.assert_close(by_ours, by_hand, rtol=1e-9, atol=1e-9)
    weights = [p for name, p in discriminator.named_parameters() if name != "scores.bias"]
    one, other = (torch.autograd.grad(y.sum(), weights, allow_unused=True) for y in (by_ours, by_hand))
    for first, second in zip(one, other, strict=True):
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            torch.testing.assert_close(first, second, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("channels", [31, 32])
def test_layer_of_few_and_of_many_channels_is_the_equation(channels: int) -> None:
    """Noise and offset are added in two ways, by the number of channels."""
    torch.manual_seed(0)
    layer = StyledConv2d(2, channels, (4, 6), 3, doubled=False).double().eval()
    layer.strength.data.fill_(0.7)
    layer.bias.data.copy_(normal(channels, seed=1))
    x, w = normal(2, 2, 4, 6, seed=2).requires_grad_(), normal(2, 3, seed=3).requires_grad_()
    style = plain.dense(values_of(layer), "style", w)
    expected = plain.modulated(x, layer.weight, style, up=False, demodulated=True)
    expected = expected + layer.strength * layer.noise + layer.bias[:, None, None]
    alike(layer(x, w), plain.lrelu(expected), layer, x, w)


# ---- minibatch standard deviation


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 11])
def test_groups_of_any_batch(count: int) -> None:
    """Image i is in group i modulo the number of groups, by a loop."""
    layer, x = MinibatchDeviation(4).double(), normal(count, 3, 2, 5)
    groups = -(-count // 4)
    for image in range(count):
        own = x[image % groups :: groups]
        spread = ((own - own.mean(0)).pow(2).mean(0) + 1e-8).sqrt().mean()
        channel = layer(x)[image, 3]
        torch.testing.assert_close(channel, spread.expand(2, 5), rtol=1e-12, atol=1e-12)
    assert torch.equal(layer(x)[:, :3], x)


def test_in_evaluation_it_is_the_mean_of_the_batches() -> None:
    layer = MinibatchDeviation(4)
    seen = [layer(normal(8, 3, 2, 2, seed=seed).float())[:, 3].mean() for seed in range(3)]
    mean = 0.01 * (0.99**2 * seen[0] + 0.99 * seen[1] + seen[2])
    channel = layer.eval()(torch.zeros(1, 3, 2, 2))[:, 3]
    torch.testing.assert_close(channel, mean.expand(1, 2, 2))
    assert torch.equal(layer.mean, channel[0, 0, 0])  # and evaluation moves it no further


# ---- training: noise, mixing, the mean of w


def test_noise_is_drawn_in_training_and_fixed_in_evaluation() -> None:
    torch.manual_seed(0)
    layer = StyledConv2d(2, 3, (8, 8), 4, doubled=False).double()
    x, w = torch.zeros(500, 2, 8, 8, dtype=torch.float64), normal(500, 4)
    assert not layer(x, w).any()  # the strength begins at 0
    layer.strength.data.fill_(0.5)
    torch.manual_seed(1)
    drawn = layer(x, w).detach()
    torch.manual_seed(1)
    assert torch.equal(layer(x, w), drawn)
    assert torch.equal(drawn[:, :1].expand_as(drawn), drawn)  # one for all channels
    noise = torch.where(drawn > 0, drawn, 5 * drawn)[:, 0] / (0.5 * 2**0.5)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float((noise[0] * noise[1]).mean()) == pytest.approx(0, abs=0.5)
    layer.eval()
    expected = plain.lrelu(0.5 * layer.noise).expand(500, 3, 8, 8)
    torch.testing.assert_close(layer(x, w), expected)


def test_without_mixing_and_noise_training_is_evaluation() -> None:
    generator, _ = pair()
    generator.mixing = 0.0
    for layer in generator.modules():
        if isinstance(layer, StyledConv2d):
            layer.strength.data.zero_()
    z = normal(4, 5)
    torch.testing.assert_close(generator.train()(z), generator.eval()(z), rtol=0, atol=0)


@pytest.mark.parametrize("classes", [0, 3])
def test_styles_are_mixed_with_the_previous_latent(classes: int) -> None:
    """From a random layer on, each as likely, in as many images as asked for."""
    torch.manual_seed(0)
    size = Dimensions(1, 16, 16, 5, classes)
    generator = stylegan2.generator(size, width=2, styles=3, depth=1, mixing=0.75, conditional=classes > 0)
    z = torch.randn(4000, 5)
    label = torch.randint(classes, (4000,)) if classes else None
    w, other = generator.map(z, label), generator.map(z.roll(1, 0), label)  # the label stays the image's
    mixed = generator.styles(z, label)
    own = (mixed == w[:, None]).all(2)
    assert bool((own | (mixed == other[:, None]).all(2)).all())
    assert bool(own[:, 0].all())  # the first layer's is never another's
    kept = own.sum(1)
    assert bool((own == (torch.arange(6) < kept[:, None])).all())  # one place of change
    counts = torch.bincount(kept, minlength=7)[1:].tolist()
    assert counts[5] / 4000 == pytest.approx(0.25, abs=0.03)
    assert all(count / 4000 == pytest.approx(0.15, abs=0.03) for count in counts[:5])
    assert torch.equal(generator.eval().styles(z, label), generator.map(z, label)[:, None].expand(-1, 6, -1))


def test_tanh_bounds_the_image_and_changes_nothing_else() -> None:
    """Its gradient too: that of tanh."""
    options: dict[str, Any] = {"width": 8, "styles": 4, "depth": 1}
    dimensions = Dimensions(3, 8, 8, latent=4)
    linear, bounded = (
        stylegan2.generator(dimensions, **options, output=output).eval() for output in ("linear", "tanh")
    )
    bounded.load_state_dict(linear.state_dict())
    w = torch.randn(2, 4, requires_grad=True)
    with torch.no_grad():
        for network in (linear, bounded):
            for block in network.synthesis.blocks:
                block.image.weight.mul_(3)
    image = linear.synthesize(w)
    assert image.abs().max() > 1
    torch.testing.assert_close(bounded.synthesize(w), image.tanh())
    ours, theirs = (torch.autograd.grad(x.square().sum(), w)[0] for x in (bounded.synthesize(w), image.tanh()))
    torch.testing.assert_close(ours, theirs)


def test_the_mean_of_w_and_truncation() -> None:
    generator = pair()[0].train()
    start, z = generator.w_mean.clone(), normal(6, 5)
    expected = start
    for _ in range(2):
        generator(z)
        expected = 0.998 * expected + 0.002 * generator.map(z).mean(0)
    torch.testing.assert_close(generator.w_mean, expected)
    before = generator.w_mean.clone()
    generator.styles(z)  # what path length reads, in training mode too
    generator.eval()(z)
    assert torch.equal(generator.w_mean, before)
    w, mean = generator.map(z), generator.w_mean
    torch.testing.assert_close(generator.truncate(w, 0.3), mean + 0.3 * (w - mean))
    assert torch.equal(generator.truncate(w, 1.0), w)
    assert torch.equal(generator.truncate(w, 0.0), mean.expand_as(w))


# ---- configurations


# of both networks, by the side of the images and channel_base: configuration F (FFHQ), and half of it
PUBLISHED = {
    (256, 32768): [30_034_338, 28_864_129],
    (256, 16384): [24_767_458, 24_001_089],
    (1024, 32768): [30_370_060, 29_012_513],
}


@pytest.mark.parametrize(("side", "base"), PUBLISHED)
def test_parameters_of_the_published_configurations(side: int, base: int) -> None:
    size = Dimensions(3, side, side, 512)
    with torch.device("meta"):
        networks = (stylegan2.generator(size, channel_base=base), stylegan2.discriminator(size, channel_base=base))
    assert [sum(p.numel() for p in network.parameters()) for network in networks] == PUBLISHED[side, base]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_bfloat16_is_near_float32(layout: torch.memory_format) -> None:
    generator, discriminator = (network.float().to(memory_format=layout) for network in pair())  # type: ignore[call-overload]
    z = normal(4, 5).float()
    exact = generator(z)
    scores = discriminator(exact.detach())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        images = generator(z)
        short = discriminator(exact.detach())
    assert images.dtype == short.dtype == torch.float32
    torch.testing.assert_close(images, exact, rtol=0.05, atol=0.05 * float(exact.detach().abs().max()))
    torch.testing.assert_close(short, scores, rtol=0.05, atol=0.05 * float(scores.detach().abs().max()))
