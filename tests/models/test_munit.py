"""MUNIT's autoencoder: content and style codes, instance normalisation, sizes, and initial weights."""

from __future__ import annotations

import pytest
import torch
from munit_networks import SIZE, convolved, discriminator, images
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models import munit
from gansmith.models.layers.adaptive_norm import adaptive_instance_norm
from gansmith.models.layers.instance import InstanceNorm
from gansmith.training.precision import choose_memory_format
from refusals import refused


def autoencoder(size: Dimensions = SIZE, **options: int) -> munit.Autoencoder:
    torch.manual_seed(0)
    chosen = {"width": 3, "downsamplings": 2, "blocks": 2, "style_downsamplings": 3, "mlp_width": 7, **options}
    return munit.autoencoder(size, **chosen)


# ---- instance normalisation


def normalised(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Channel by channel, image by image."""
    found = []
    for image, scales, shifts in zip(x, scale, shift, strict=True):
        for channel, by, more in zip(image, scales, shifts, strict=True):
            mean = channel.sum() / channel.numel()
            variance = (channel - mean).square().sum() / channel.numel()
            found.append(by * (channel - mean) / (variance + 1e-5).sqrt() + more)
    return torch.stack(found).view_as(x)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("adaptive", [True, False])
def test_instance_norm_and_its_gradients_in_every_layout(
    batch: int, layout: torch.memory_format, adaptive: bool
) -> None:
    """float32 against an independent float64. Torch's own is wrong at batch 1 in channels_last."""
    x, weight = images(batch, 4, 6, 5), images(batch, 4, 5, 6).transpose(2, 3)
    scale, shift = images(batch, 4) * 3, images(batch, 8)[:, 4:]
    if not adaptive:
        scale, shift = torch.ones_like(scale), torch.zeros_like(shift)
    exact = [given.clone().requires_grad_() for given in (x, scale, shift)]
    wanted = normalised(*exact)
    wanted.backward(weight)

    given = [t.float().clone().requires_grad_() for t in (x.contiguous(memory_format=layout), scale, shift)]
    found = adaptive_instance_norm(*given) if adaptive else InstanceNorm(4)(given[0])
    found.backward(weight.float().contiguous(memory_format=layout))
    torch.testing.assert_close(found, wanted.float(), rtol=1e-5, atol=1e-5)
    for mine, theirs in zip(given if adaptive else given[:1], exact, strict=False):
        assert mine.grad is not None
        assert theirs.grad is not None
        torch.testing.assert_close(mine.grad, theirs.grad.float(), rtol=1e-4, atol=1e-4)


def test_instance_norm_has_no_state_and_makes_networks_contiguous() -> None:
    assert not [*InstanceNorm(4).parameters(), *InstanceNorm(4).buffers()]
    assert choose_memory_format({"a": autoencoder()}) == "contiguous"
    assert choose_memory_format({"a": discriminator()}) == "channels_last"
    x = images(2, 4, 3, 3)
    torch.testing.assert_close(InstanceNorm(4).eval()(x), InstanceNorm(4)(x), rtol=0, atol=0)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradients_of_the_whole_network_at_batch_one(layout: torch.memory_format) -> None:
    exact = autoencoder().double()
    x = images(1, 3, 16, 20)
    exact(x).square().sum().backward()
    network = autoencoder()
    network.to(memory_format=layout)  # type: ignore[call-overload]
    network(x.float().contiguous(memory_format=layout)).square().sum().backward()
    for mine, theirs in zip(network.parameters(), exact.parameters(), strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        torch.testing.assert_close(
            mine.grad, theirs.grad.float(), rtol=2e-3, atol=2e-3 * float(theirs.grad.abs().max())
        )


def by_hand(network: munit.Autoencoder, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Content, style and reconstruction by the paper's description: 2 strided stages, 2 blocks, style in 3."""

    def plain(x: Tensor) -> Tensor:
        return normalised(x, *(torch.full(x.shape[:2], value, dtype=x.dtype) for value in (1.0, 0.0)))

    of = [module for module in network.content.modules() if isinstance(module, nn.Conv2d)]
    content = plain(convolved(x, of[0], 7)).relu()
    content = plain(convolved(content, of[1], 4, 2)).relu()
    content = plain(convolved(content, of[2], 4, 2)).relu()
    for first, second in (of[3:5], of[5:7]):
        content = content + plain(convolved(plain(convolved(content, first, 3)).relu(), second, 3))
    assert len(of) == 7

    of = [module for module in network.style.modules() if isinstance(module, nn.Conv2d)]
    style = convolved(x, of[0], 7).relu()
    for layer in of[1:]:
        style = convolved(style, layer, 4, 2).relu()
    assert len(of) == 4
    style = style.sum((2, 3)) / style.shape[2:].numel() @ network.style_head.weight.T + network.style_head.bias

    made = style
    linear = [module for module in network.scales_and_shifts if isinstance(module, nn.Linear)]
    assert len(linear) == 3
    for number, layer in enumerate(linear):
        made = made @ layer.weight.T + layer.bias
        made = made.relu() if number < 2 else made
    channels = content.shape[1]
    parts = made.split(channels, 1)
    assert len(parts) == 8
    decoded = content
    for number, block in enumerate(network.blocks):
        assert isinstance(block, munit.Residual)
        scale, shift, next_scale, next_shift = parts[4 * number : 4 * number + 4]
        inner = normalised(convolved(decoded, block.first[1], 3), scale, shift).relu()
        decoded = decoded + normalised(convolved(inner, block.second[1], 3), next_scale, next_shift)

    of = [module for module in network.image.modules() if isinstance(module, nn.Conv2d)]
    norms = [module for module in network.image if isinstance(module, nn.GroupNorm)]
    for layer, norm in zip(of[:2], norms, strict=True):
        larger = decoded.repeat_interleave(2, 2).repeat_interleave(2, 3)
        decoded = convolved(larger, layer, 5)
        mean = decoded.mean((1, 2, 3), keepdim=True)
        variance = (decoded - mean).square().mean((1, 2, 3), keepdim=True)
        decoded = (decoded - mean) / (variance + 1e-5).sqrt() * norm.weight.view(-1, 1, 1) + norm.bias.view(-1, 1, 1)
        decoded = decoded.relu()
    return content, style, convolved(decoded, of[2], 7).tanh()


def test_the_autoencoder_is_the_papers() -> None:
    """Values and gradients against an independent computation, in float64, with random offsets and scales."""
    network = autoencoder().double()
    rng = torch.Generator().manual_seed(3)
    for parameter in network.parameters():
        if parameter.dim() == 1:
            parameter.data += torch.rand(parameter.shape, generator=rng, dtype=torch.float64) - 0.5
    x = images(2, 3, 16, 20)
    wanted = by_hand(network, x)
    content, style = network.encode(x)
    assert content.shape == (2, 12, 4, 5)
    assert style.shape == (2, 5)
    found = (content, style, network.decode(content, style))
    weights = [images(*value.shape) for value in found]
    gradients = []
    for values in (found, wanted):
        total = sum((weight * value).sum() for weight, value in zip(weights, values, strict=True))
        assert isinstance(total, Tensor)
        gradients.append(torch.autograd.grad(total, [*network.parameters()]))
    for mine, theirs in zip((*found, *gradients[0]), (*wanted, *gradients[1]), strict=True):
        torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(network(x), found[2], rtol=0, atol=0)


def test_the_layers_at_the_papers_size() -> None:
    network = munit.autoencoder(Dimensions(3, 256, 256, 8))
    block = 2 * 256 * 256 * 9
    counts = {
        "content": 3 * 64 * 49 + 64 * 128 * 16 + 128 * 256 * 16 + 4 * block,
        "style": (3 * 49 + 1) * 64 + (64 * 16 + 1) * 128 + (128 * 16 + 1) * 256 + 2 * (256 * 16 + 1) * 256,
        "style_head": 257 * 8,
        "scales_and_shifts": 9 * 256 + 257 * 256 + 257 * 4 * 4 * 256,
        "blocks": 4 * block,
        "image": (256 * 25 + 3) * 128 + (128 * 25 + 3) * 64 + (64 * 49 + 1) * 3,
    }
    for name, count in counts.items():
        assert sum(p.numel() for p in network.get_submodule(name).parameters()) == count, name
    assert sum(p.numel() for p in network.parameters()) == sum(counts.values()) == 15_021_643
    judge = munit.discriminator(Dimensions(3, 256, 256, 8))
    one = 49 * 64 + 1025 * 128 + 2049 * 256 + 4097 * 512 + 513
    assert sum(p.numel() for p in judge.parameters()) == 3 * one == 8_271_171


def test_the_content_has_no_contrast_and_the_style_has() -> None:
    """Instance normalisation takes brightness and contrast out of the content; the style encoder has none."""
    network = autoencoder().double()
    x = images(2, 3, 16, 20) * 0.5
    content, style = network.encode(x)
    brighter, restyled = network.encode(0.9 * x + 0.4)
    torch.testing.assert_close(brighter, content, rtol=1e-4, atol=1e-4)
    assert float((restyled - style).detach().abs().min()) > 1e-3
    assert not [module for module in network.style.modules() if isinstance(module, nn.InstanceNorm2d)]


def test_what_is_decoded_depends_on_content_and_style() -> None:
    network = autoencoder().double()
    x = images(2, 3, 16, 20)
    content, style = (code.detach().requires_grad_() for code in network.encode(x))
    made = network.decode(content, style)
    for gradient in torch.autograd.grad(made.square().sum(), (content, style)):
        assert float(gradient.abs().max()) > 0
    other = network.decode(content, style + 1)
    assert float((other - made).detach().abs().mean()) > 1e-3
    torch.testing.assert_close(network(x, style=style + 1), other)
    torch.testing.assert_close(network(x, torch.tensor([1, 0])), made)  # labels are not read
    swapped = network.decode(content, style.flip(0))
    torch.testing.assert_close(swapped[0], network.decode(content[:1], style[1:])[0])  # each image its own style


def test_without_stages() -> None:
    network = autoencoder(downsamplings=0, style_downsamplings=0)
    x = images(1, 3, 16, 20, dtype=torch.float32)
    content, style = network.encode(x)
    assert content.shape == (1, 3, 16, 20)
    assert network.decode(content, style).shape == x.shape


def test_initial_weights() -> None:
    """Kaiming's N(0, 2 / inputs) in the autoencoder, N(0, 0.02) in the discriminator; offsets 0."""
    network, judge = (
        munit.autoencoder(Dimensions(3, 32, 32, 8), blocks=1),
        munit.discriminator(Dimensions(3, 64, 64), scales=1),
    )
    for module in (*network.modules(), *judge.modules()):
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            assert module.bias is None or not bool(module.bias.any())
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.weight.numel() > 20_000:
            wanted = (2 / module.weight[0].numel()) ** 0.5
            torch.testing.assert_close(float(module.weight.detach().std()), wanted, rtol=0.02, atol=0)
    for module in judge.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 20_000:
            torch.testing.assert_close(float(module.weight.detach().std()), 0.02, rtol=0.02, atol=0)


def test_bfloat16() -> None:
    network, judge = autoencoder(), discriminator()
    x = images(2, 3, 16, 20, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        content, style = network.encode(x)
        made = network.decode(content, style)
        scores = judge(x)
    assert {content.dtype, style.dtype, made.dtype, scores.dtype} == {torch.bfloat16}
    torch.testing.assert_close(scores.float(), judge(x), rtol=0.05, atol=1e-4)
    assert float((made.float() - network(x)).detach().abs().mean()) < 0.05
    (made.float().sum() + scores.float().sum()).backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in network.parameters())


# ---- sizes


def test_any_sides_that_are_multiples() -> None:
    network = autoencoder(SIZE, style_downsamplings=4)
    assert (network.multiple, network.smallest) == (4, 16)
    for height, width in ((16, 16), (28, 40)):
        assert network(images(1, 3, height, width, dtype=torch.float32)).shape == (1, 3, height, width)
    assert (autoencoder().multiple, autoencoder().smallest) == (4, 8)
    assert (autoencoder(downsamplings=1).multiple, autoencoder(downsamplings=1).smallest) == (2, 8)
    smallest = autoencoder(downsamplings=0, style_downsamplings=1)
    assert (smallest.multiple, smallest.smallest) == (1, 4)
    for network in (autoencoder(), autoencoder(downsamplings=1), smallest, autoencoder(style_downsamplings=1)):
        side = network.smallest
        assert network(images(1, 3, side, side, dtype=torch.float32)).shape == (1, 3, side, side)
        with pytest.raises(RuntimeError):
            network(images(1, 3, side - network.multiple, side, dtype=torch.float32))


@pytest.mark.parametrize(
    ("size", "advice"),
    [
        ((30, 33), ["28x32", "32x36"]),
        ((32, 33), ["32x32", "32x36"]),
        ((8, 64), ["16x64"]),
        ((8, 12), ["16x16"]),
    ],
)
def test_sizes_that_cannot_be_made(size: tuple[int, int], advice: list[str]) -> None:
    sizes = [f"--size {one}" for one in advice]
    with refused("munit", f"{size[0]}x{size[1]}", "multiples of 4", "at least 16", *sizes):
        munit.autoencoder(Dimensions(3, *size, 8))


def test_no_styles_to_choose_from() -> None:
    with refused("munit", "--set prior.size=8"):
        munit.autoencoder(Dimensions(3, 32, 32))
