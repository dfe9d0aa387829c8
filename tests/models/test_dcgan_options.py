"""DCGAN's options: normalisation, kernels, pooling, dropout, activations, outputs, and labels."""

from __future__ import annotations

import pytest
import torch
from dcgan_networks import SLIDES, built, convolutions, kinds, plain_discriminator, plain_generator
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.errors import GansmithError, OptionError
from gansmith.models.layers.resample import bilinear
from gansmith.system.seeding import seeded
from refusals import refused

# ---- the bag of tricks

SMALL = Dimensions(3, 32, 32, 7)


def test_the_defaults_draw_the_same_numbers_as_ever() -> None:
    """Saved runs and the golden curves hang on the order: every layer as it is made, then all of them anew."""
    for role, plain in (("generator", plain_generator), ("discriminator", plain_discriminator)):
        network = built(role=role)
        with seeded("test"):
            expected = plain()
            for module in expected.modules():
                if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                    module.weight.data.normal_(0, 0.02)
                elif isinstance(module, nn.BatchNorm2d):
                    module.weight.data.normal_(1, 0.02)
            following = torch.rand(1)
        with seeded("test"):
            catalog.build("models", "dcgan", SLIDES, factory=role)
            assert torch.equal(torch.rand(1), following)
        for name, value in network.state_dict().items():
            assert name.startswith("layers.")
            if name.endswith("weight"):
                assert torch.equal(value, expected.state_dict()[name.removeprefix("layers.")])


@pytest.mark.parametrize(
    ("normalisation", "kind"), [("batch", "BatchNorm2d"), ("instance", "InstanceNorm2d"), ("layer", "GroupNorm")]
)
def test_normalisations(normalisation: str, kind: str) -> None:
    network = built(SMALL, "discriminator", width=4, normalisation=normalisation, extra_layers=1)
    assert kinds(network) == ["Conv2d", "LeakyReLU", *["Conv2d", kind, "LeakyReLU"] * 3, "Conv2d", "Flatten"]
    layer = network.layers[3]
    assert [parameter.shape for parameter in layer.parameters()] == [(4,), (4,)]
    if normalisation != "batch":
        assert layer.weight.tolist() == [1] * 4
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 2, 3, 4]))
        layer.bias.copy_(torch.tensor([0.0, 1, 0, -1]))
    x = torch.randn(5, 4, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3 + 1
    over = {"batch": (0, 2, 3), "instance": (2, 3), "layer": (1, 2, 3)}[normalisation]
    centred = x - x.mean(over, keepdim=True)
    scaled = centred / (centred.square().mean(over, keepdim=True) + 1e-5).sqrt()
    expected = scaled * torch.tensor([1.0, 2, 3, 4])[:, None, None] + torch.tensor([0.0, 1, 0, -1])[:, None, None]
    torch.testing.assert_close(layer.double()(x), expected)


def test_no_normalisation() -> None:
    network = built(SMALL, "discriminator", width=4, normalisation="none", extra_layers=1)
    assert kinds(network) == [*["Conv2d", "LeakyReLU"] * 4, "Conv2d", "Flatten"]


@pytest.mark.parametrize("downsample", ["strided", "average", "max"])
@pytest.mark.parametrize("normalisation", ["instance", "layer", "none"])
def test_an_image_has_a_gradient_of_its_own(normalisation: str, downsample: str) -> None:
    """What a gradient penalty needs: images do not see each other, and the gradient can be differentiated again."""
    network = built(SMALL, "discriminator", width=2, normalisation=normalisation, downsample=downsample).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(10 if parameter.dim() > 1 else 1)  # away from scores that are all but zero
    images = torch.randn(3, 3, 32, 32, dtype=torch.float64).requires_grad_()
    (first,) = torch.autograd.grad(network(images)[0], images, create_graph=True)
    assert first[0].any()
    assert not first[1:].any()
    first.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
    assert network.layers[0].weight.grad.any()


@pytest.mark.parametrize("kernel", [3, 4, 5, 6])
@pytest.mark.parametrize("size", [(32, 32), (9, 15), (33, 46), (63, 20)])
def test_every_kernel_doubles_and_halves(kernel: int, size: tuple[int, int]) -> None:
    dimensions = Dimensions(1, *size, 7)
    generator = built(dimensions, width=2, kernel=kernel)
    first, *rest = convolutions(generator)
    assert {layer[3] for layer in rest} == {(kernel, kernel)}
    assert first[3] == (-(-size[0] // 2 ** len(rest)), -(-size[1] // 2 ** len(rest)))
    assert generator(torch.randn(2, 7)).shape == (2, 1, *size)
    for layer in generator.layers:
        if isinstance(layer, nn.ConvTranspose2d) and layer.stride == (2, 2):
            assert layer(torch.zeros(1, layer.in_channels, 5, 6)).shape[2:] == (10, 12)
    for downsample, stride in (("strided", (2, 2)), ("average", (1, 1)), ("max", (1, 1))):
        network = built(dimensions, "discriminator", width=2, kernel=kernel, downsample=downsample)
        *layers, last = convolutions(network)
        assert {layer[3:5] for layer in layers} == {((kernel, kernel), stride)}
        assert network(torch.randn(3, 1, *size)).shape == (3,)
        inner = network.layers[:-2](torch.randn(1, 1, *size))
        assert inner.shape[2:] == last[3]
        exact = tuple(side / 2 ** len(layers) for side in size)
        assert all(abs(found - side) < 1 for found, side in zip(inner.shape[2:], exact, strict=True))


@pytest.mark.parametrize(("kernel", "first", "last"), [(3, 3, 5), (4, 3, 6), (5, 2, 6), (6, 2, 7)])
def test_what_one_point_covers_when_doubled(kernel: int, first: int, last: int) -> None:
    """An even kernel lies evenly round the point's own two pixels, here 4 and 5; an odd one round the first of them."""
    layer = built(SMALL, width=2, kernel=kernel).layers[3]
    x = torch.zeros(1, 8, 5, 5)
    with torch.no_grad():
        layer.weight.fill_(1)
        x[0, 0, 2, 2] = 1
        covered = layer(x)[0, 0] != 0
    expected = torch.zeros(10, 10, dtype=torch.bool)
    expected[first : last + 1, first : last + 1] = True
    assert torch.equal(covered, expected)


@pytest.mark.parametrize("kernel", [3, 4, 5, 6])
@pytest.mark.parametrize("downsample", ["average", "max"])
def test_pooling_is_a_convolution_at_full_size_and_its_mean_or_maximum(downsample: str, kernel: int) -> None:
    network = built(SMALL, "discriminator", width=2, kernel=kernel, downsample=downsample).double()
    names = {"average": "AvgPool2d", "max": "MaxPool2d"}
    hidden = ["Conv2d", names[downsample], "BatchNorm2d", "LeakyReLU"]
    assert kinds(network) == ["Conv2d", names[downsample], "LeakyReLU", *hidden * 2, "Conv2d", "Flatten"]
    convolution = network.layers[0]
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    far = (kernel - 1) // 2
    padded = nn.functional.pad(x, (kernel // 2, far, kernel // 2, far))
    windows = padded.unfold(2, kernel, 1).unfold(3, kernel, 1)
    full = torch.einsum("bchwij,ocij->bohw", windows, convolution.weight) + convolution.bias[:, None, None]
    assert full.shape[2:] == (32, 32)
    squares = full.unflatten(3, (16, 2)).unflatten(2, (16, 2)).movedim(3, 4).flatten(4)
    expected = squares.mean(4) if downsample == "average" else squares.amax(4)
    torch.testing.assert_close(network.layers[:2](x), expected)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_dropout_behind_every_hidden_layer_in_training_alone(role: str) -> None:
    network = built(SMALL, role, width=16, dropout=0.25, extra_layers=1)
    found = kinds(network)
    activation = "ReLU" if role == "generator" else "LeakyReLU"
    places = [at for at, kind in enumerate(found) if kind == "Dropout"]
    assert places == [at + 1 for at, kind in enumerate(found) if kind == activation]
    assert len(places) == 4
    assert {module.p for module in network.modules() if isinstance(module, nn.Dropout)} == {0.25}
    given = torch.randn(4, 7) if role == "generator" else torch.randn(4, 3, 32, 32)
    assert not torch.equal(network(given), network(given))
    network.eval()
    torch.testing.assert_close(network(given), network(given), rtol=0, atol=0)
    assert "Dropout" not in kinds(built(SMALL, role, width=4))
    plain = built(SMALL, role, width=16, extra_layers=1)
    for one, other in zip(plain.parameters(), network.parameters(), strict=True):
        assert torch.equal(one, other)  # dropout has no weights and draws none


def test_leaky_relu_in_the_generator_and_relu_in_the_discriminator() -> None:
    leaky = built(SMALL, width=4, activation="leaky_relu")
    assert kinds(leaky) == ["ConvTranspose2d", "BatchNorm2d", "LeakyReLU"] * 3 + ["ConvTranspose2d", "Tanh"]
    assert {module.negative_slope for module in leaky.modules() if isinstance(module, nn.LeakyReLU)} == {0.2}
    plain = built(SMALL, "discriminator", width=4, slope=0)
    x = torch.linspace(-3, 3, 7)
    torch.testing.assert_close(plain.layers[1](x.clone()), x.clamp_min(0))


def test_outputs_of_the_generator() -> None:
    z = torch.randn(2, 7, dtype=torch.float64) * 100
    linear = built(SMALL, width=4, output="linear").double()
    assert kinds(linear)[-1] == "ConvTranspose2d"
    raw = linear(z) * 100
    with torch.no_grad():
        linear.layers[-1].weight.mul_(100)
    torch.testing.assert_close(linear(z), raw)
    assert raw.abs().max() > 1
    for name, expected in (("tanh", raw.tanh()), ("sigmoid", 2 / (1 + (-raw).exp()) - 1)):
        network = built(SMALL, width=4, output=name).double()
        network.load_state_dict(linear.state_dict())
        torch.testing.assert_close(network(z), expected)


@pytest.mark.parametrize("upsample", ["resize", "bilinear"])
def test_a_kernel_of_its_own_beside_resizing_is_refused(upsample: str) -> None:
    with refused("generator.kernel = 5", f"upsample={upsample}", "generator.upsample=transposed"):
        built(SMALL, width=4, upsample=upsample, kernel=5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 4), (3, 8)])
def test_bilinear_doubling_equals_torchs_values_and_gradients(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    wanted = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(bilinear(x), wanted)
    weights = torch.randn_like(wanted)
    slopes = [torch.autograd.grad((y * weights).sum(), x)[0] for y in (bilinear(x), wanted)]
    torch.testing.assert_close(*slopes)
    assert torch.autograd.gradgradcheck(lambda x: bilinear(x) ** 2, x, fast_mode=True)


def test_bilinear_upsampling_stands_before_each_convolution() -> None:
    network = built(SMALL, width=4, upsample="bilinear")
    assert kinds(network)[3:7] == ["Bilinear", "Conv2d", "BatchNorm2d", "ReLU"]
    assert kinds(network)[-3:] == ["Bilinear", "Conv2d", "Tanh"]


def test_the_lessons_order_is_convolution_activation_normalisation() -> None:
    """The lesson's blocks (fast.ai 2018, lesson 12)."""
    generator = built(SMALL, width=4, order="activation_first", extra_layers=1, dropout=0.1)
    block = ["ReLU", "BatchNorm2d", "Dropout"]
    assert kinds(generator) == [*["ConvTranspose2d", *block] * 3, "Conv2d", *block, "ConvTranspose2d", "Tanh"]
    discriminator = built(SMALL, "discriminator", width=4, order="activation_first", extra_layers=1)
    hidden = ["Conv2d", "LeakyReLU", "BatchNorm2d"] * 3
    assert kinds(discriminator) == ["Conv2d", "LeakyReLU", *hidden, "Conv2d", "Flatten"]


@pytest.mark.parametrize(
    ("role", "option", "value"),
    [
        ("generator", "kernel", 2),
        ("generator", "kernel", 7),
        ("generator", "activation", "elu"),
        ("generator", "output", "relu"),
        ("generator", "dropout", 1.0),
        ("generator", "dropout", -0.1),
        ("discriminator", "normalisation", "group"),
        ("discriminator", "downsample", "median"),
        ("discriminator", "slope", -0.1),
    ],
)
def test_bad_tricks(role: str, option: str, value: object) -> None:
    with pytest.raises(OptionError, match=f"^models/dcgan: {option} = {value!r} is not allowed"):
        built(SMALL, role, **{option: value})


# ---- conditional

LABELLED = Dimensions(3, 32, 32, 7, 5)


def test_a_conditional_generator_reads_a_one_hot_label_beside_the_latent() -> None:
    """Equal to an unconditional generator whose latents are made longer by hand; on a canvas, everywhere."""
    network = built(LABELLED, width=4, conditional=True)
    assert network.conditional is True
    plain = built(LABELLED._replace(latent=12), width=4)
    plain.load_state_dict(network.state_dict())
    z, label = torch.randn(3, 7), torch.tensor([4, 0, 2])
    code = torch.tensor([[0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [0, 0, 1, 0, 0]])
    torch.testing.assert_close(network(z, label), plain(torch.cat([z, code], 1)), rtol=0, atol=0)
    assert not torch.equal(network(z, label), network(z, torch.tensor([3, 0, 2])))
    canvas = torch.randn(3, 7, 2, 4)
    both = torch.cat([canvas, code[:, :, None, None].expand(3, 5, 2, 4)], 1)
    torch.testing.assert_close(network(canvas, label), plain(both), rtol=0, atol=0)
    assert network.double()(z.double(), label).dtype == torch.float64


def test_a_conditional_discriminator_adds_a_projection() -> None:
    """Miyato and Koyama 2018, eq. 3: f(x, y) = y' V phi(x) + psi(phi(x)); values and gradients."""
    network = built(LABELLED, "discriminator", width=4, conditional=True, normalisation="none").double()
    assert network.conditional is True
    table = network.projection.weight
    assert table.shape == (5, 4 * 4 * 4 * 4)
    assert abs(table.std() - 0.02) < 0.002
    plain = built(LABELLED, "discriminator", width=4, normalisation="none").double()
    plain.load_state_dict({k: v for k, v in network.state_dict().items() if k != "projection.weight"})
    images, label = torch.randn(3, 3, 32, 32, dtype=torch.float64).requires_grad_(), torch.tensor([4, 0, 4])
    features = plain.layers[:-2](images).reshape(3, -1)
    copied = table.detach().clone().requires_grad_()
    expected = plain(images) + torch.stack([copied[y] @ phi for y, phi in zip(label, features, strict=True)])
    scores = network(images, label)
    assert scores.shape == (3,)
    torch.testing.assert_close(scores, expected)
    weight = torch.tensor([1.0, -2, 3], dtype=torch.float64)
    for found, wanted in zip(
        torch.autograd.grad(scores @ weight, (images, table)),
        torch.autograd.grad(expected @ weight, (images, copied)),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("downsample", ["strided", "max"])
@pytest.mark.parametrize("kernel", [4, 5])
def test_conditional_at_odd_sizes(kernel: int, downsample: str) -> None:
    size = Dimensions(1, 33, 46, 7, 3)
    judge = built(size, "discriminator", width=2, kernel=kernel, downsample=downsample, conditional=True)
    assert judge(torch.randn(2, 1, 33, 46), torch.tensor([0, 2])).shape == (2,)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_labels_are_missing(role: str) -> None:
    with refused("dcgan", role, "labels", f"--set {role}.conditional=false"):
        built(SMALL, role, conditional=True)
    network = built(LABELLED, role, width=2, conditional=True)
    given = torch.randn(2, 7) if role == "generator" else torch.randn(2, 3, 32, 32)
    with refused(role, "labels", error=GansmithError):
        network(given)
    assert built(LABELLED, role, width=2).conditional is False
