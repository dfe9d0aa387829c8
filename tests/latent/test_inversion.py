"""Inversion: a known latent is found again under every prior and in W, and what no latent makes is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError, UnknownNameError
from gansmith.latent.coordinates import random_seeds
from gansmith.latent.inversion_losses import discriminator_features, perceptual, pixels
from gansmith.latent.invert import invert, search, unlikely
from gansmith.latent.renderer import Renderer
from gansmith.models import dcgan, stylegan2
from gansmith.pretrained.lpips import Lpips
from gansmith.system.seeding import seeded
from refusals import refused


class Smooth(nn.Module):
    """Images [B, 1, 4, 4] of latents of 3: a layer and a tanh; each class shifted by itself."""

    def __init__(self, classes: int = 0) -> None:
        super().__init__()
        self.conditional = classes > 0
        with seeded("test"):
            self.layer = nn.Linear(3, 16)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        shift = 0 if label is None else label[:, None].float()
        return torch.tanh(self.layer(z) + shift).view(-1, 1, 4, 4)


@pytest.mark.parametrize("kind", ["normal", "uniform", "sphere"])
@pytest.mark.parametrize("method", ["adam", "lbfgs", "cmaes"])
def test_a_known_latent_is_found_again(kind: Any, method: Any) -> None:
    renderer = Renderer(Smooth(), Prior(kind, size=3))
    target = renderer.images([5]).images
    result = invert(renderer, target, method=method, restarts=2, steps=100, likely=0.0)
    torch.testing.assert_close(result.latent.values, renderer.latents([5])[0], rtol=0, atol=0.02)
    assert result.better
    assert result.loss < 1e-4 < result.random_loss
    assert result.loss == pytest.approx(float((result.image - target[0]).square().mean()))
    assert result.image.equal(renderer.images([result.latent]).images[0])


def test_a_latent_stays_where_the_prior_is() -> None:
    """On the sphere and in the cube, also where the target lies outside of what they make."""
    beyond = Smooth()(torch.full((1, 3), 5.0)).detach()
    sphere = invert(Renderer(Smooth(), Prior("sphere", size=3)), beyond, restarts=1, steps=50).latent.values
    assert float(sphere.norm()) == pytest.approx(math.sqrt(3), rel=1e-5)
    cube = invert(Renderer(Smooth(), Prior("uniform", size=3)), beyond, restarts=1, steps=50).latent.values
    assert float(cube.abs().max()) <= 1
    free, held = (
        invert(Renderer(Smooth(), Prior(size=3)), beyond, restarts=1, likely=likely).latent.values.norm()
        for likely in (0.0, 10.0)
    )
    assert held < free


def test_the_prior_penalises_what_it_hardly_ever_draws() -> None:
    """Length 2 z's beyond 2 deviations of chi square, and the square beyond 3 of each number, by hand."""
    u = torch.zeros(1, 8)
    u[0, 0] = 6
    length = (36 - 8) / math.sqrt(16)
    torch.testing.assert_close(unlikely(u), torch.tensor([(length - 2) ** 2 + 3**2 / 8]))
    drawn = torch.randn(2000, 64, generator=torch.Generator().manual_seed(0))
    assert float((unlikely(drawn) > 0.05).float().mean()) < 0.1


def test_a_styled_generator_is_inverted_in_w() -> None:
    with seeded("test"):
        network = stylegan2.generator(Dimensions(3, 8, 8, 6), width=8, styles=5, depth=2)
    renderer = Renderer(network, Prior(size=6))
    target = renderer.images([7]).images
    result = invert(renderer, target, restarts=2, steps=150)
    assert result.latent.space == "w"
    assert result.latent.values.shape == (5,)
    assert result.loss < result.random_loss / 20
    assert invert(renderer, target, restarts=1, steps=5, space="z").latent.space == "z"
    with refused("stylegan2", error=OptionError):
        invert(Renderer(Smooth(), Prior(size=3)), target, space="w")


def test_the_class_is_the_starts_own_or_the_one_that_is_asked_for() -> None:
    renderer = Renderer(Smooth(3), Prior(size=3, classes=3), classes=("a", "b", "c"))
    target = renderer.images([5], label="c").images
    assert invert(renderer, target, restarts=4, steps=100).latent.label == 2
    result = invert(renderer, target, restarts=1, steps=50, label="a")
    assert result.latent.label == 0
    assert result.image.equal(renderer.images([result.latent]).images[0])


def test_an_image_that_it_cannot_make_is_no_better_than_a_random_one() -> None:
    """A generator of one image, whatever the latent."""

    class Constant(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return (z.sum(1) * 0).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)

    result = invert(Renderer(Constant(), Prior(size=3)), torch.ones(1, 1, 2, 2), restarts=2, steps=5)
    assert not result.better
    assert result.loss == result.random_loss == 1


def test_an_image_farther_than_two_samples_from_each_other_is_not_reached() -> None:
    """It is nearer than any random sample, and still no image of this generator: of levels that it never makes."""
    renderer = Renderer(Smooth(), Prior(size=3))
    foreign = invert(renderer, torch.full((1, 1, 4, 4), 3.0), restarts=1, steps=50)
    samples = renderer.images(random_seeds("compare", 0, 65)).images
    apart = (samples[1:] - samples[:-1]).square().mean()
    torch.testing.assert_close(torch.tensor(foreign.apart), apart)
    assert foreign.better
    assert foreign.loss > foreign.apart
    assert not foreign.reached
    own = invert(renderer, renderer.images([5]).images, restarts=1, steps=50)
    assert own.apart == foreign.apart
    assert own.reached
    doubled = invert(renderer, renderer.images([5]).images, lambda target: lambda x: 2 * pixels(target)(x), restarts=1)
    assert doubled.apart == pytest.approx(2 * own.apart)


def test_it_is_the_same_again_and_the_starts_are_others_for_another_seed() -> None:
    renderer = Renderer(Smooth(), Prior(size=3))
    target = renderer.images([5]).images
    one, same, other = (invert(renderer, target, restarts=1, steps=3, seed=seed) for seed in (0, 0, 1))
    assert one.latent.values.equal(same.latent.values)
    assert not one.latent.values.equal(other.latent.values)
    assert one.random_loss == same.random_loss != other.random_loss


def test_the_best_place_of_a_search_is_kept_not_the_last() -> None:
    """Steps of 10 overshoot a minimum that they began next to."""
    start = torch.tensor([[0.1], [3.0]])

    def total(u: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        return u.square().sum(1), u.square().sum(1)

    best, least = search(total, start, None, method="adam", steps=3, rate=10.0)
    torch.testing.assert_close(best[0], start[0])
    torch.testing.assert_close(least, best.square().sum(1))


@pytest.mark.parametrize(
    "options", [{"restarts": 0}, {"steps": 0}, {"rate": 0.0}, {"likely": -1.0}, {"restarts": 1001}]
)
def test_numbers_that_are_refused(options: dict[str, Any]) -> None:
    renderer = Renderer(Smooth(), Prior(size=3))
    with refused(next(iter(options)), error=OptionError):
        invert(renderer, torch.zeros(1, 1, 4, 4), **options)
    with refused("adam", error=UnknownNameError):
        invert(renderer, torch.zeros(1, 1, 4, 4), method="newton")  # type: ignore[arg-type]  # on purpose


def by_hand(features: Callable[[Tensor], list[Tensor]], heads: list[Tensor], one: Tensor, other: Tensor) -> Tensor:
    """LPIPS by its formula: unit length along channels, squared differences times heads, averaged over places."""
    total = torch.zeros(len(one))
    for head, a, b in zip(heads, features(one), features(other), strict=True):
        difference = a / a.norm(dim=1, keepdim=True) - b / b.norm(dim=1, keepdim=True)
        total = total + (difference**2 * head.view(1, -1, 1, 1)).sum(1).mean((1, 2))
    return total


def test_losses_on_features_by_their_formula_with_a_gradient() -> None:
    rng = torch.Generator().manual_seed(0)
    target, images = torch.rand(1, 1, 64, 64, generator=rng), torch.rand(3, 1, 64, 64, generator=rng).requires_grad_()
    with seeded("test"):
        network, judge = Lpips(((3,), (4,))), dcgan.discriminator(Dimensions(1, 64, 64), width=4)
    for parameter in network.heads:
        parameter.data.uniform_(0, 1, generator=rng)
    distances = perceptual(target, network)(images)
    expected = network(images.expand(-1, 3, -1, -1), target.expand(3, 3, -1, -1))
    torch.testing.assert_close(distances, expected)
    assert torch.autograd.grad(distances.sum(), images)[0].abs().sum() > 0

    def outputs(x: Tensor) -> list[Tensor]:
        maps = []
        for layer in judge.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(lambda module, read, made: maps.append(made))
        judge.eval()(x)
        for layer in judge.modules():
            layer._forward_hooks.clear()
        return [x for x in maps if x.dim() == 4]

    count = len(outputs(target))
    ones = [torch.full((x.shape[1],), 1 / count) for x in outputs(target)]
    distances = discriminator_features(target, judge)(images)
    torch.testing.assert_close(distances, by_hand(outputs, ones, images, target.expand(3, -1, -1, -1)))
    assert torch.autograd.grad(distances.sum(), images)[0].abs().sum() > 0
    assert not any(layer._forward_hooks for layer in judge.modules())
    with refused("--loss", error=OptionError):
        discriminator_features(target, nn.Sequential(nn.Flatten(), nn.Linear(4096, 1)))


def test_lpips_values_and_gradients_by_hand() -> None:
    """Eq. 1 of Zhang and others by plain convolutions in float64: standardised, three stages of one or two layers with
    pooling in between, unit length along channels, heads; and central differences along a direction."""
    rng, double = torch.Generator().manual_seed(0), torch.float64
    network = Lpips(((16, 20), (24,), (16,)))
    for parameter in network.parameters():  # biases and heads are positive, so that no place is 0 in all channels
        values = torch.randn(parameter.shape, generator=rng)
        parameter.data = values / parameter[0].numel() ** 0.5 if parameter.dim() > 1 else values.abs()
    target = torch.rand(1, 3, 64, 64, generator=rng) * 2 - 1
    images = (torch.rand(2, 3, 64, 64, generator=rng) * 2 - 1).requires_grad_()
    layers = [[layer for layer in stage.modules() if isinstance(layer, nn.Conv2d)] for stage in network.stages]
    assert [len(stage) for stage in layers] == [2, 1, 1]
    shift = torch.tensor([-0.030, -0.088, -0.188], dtype=double).reshape(3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450], dtype=double).reshape(3, 1, 1)

    def features(x: Tensor) -> list[Tensor]:
        x, maps = (x - shift) / scale, []
        for number, stage in enumerate(layers):
            x = F.max_pool2d(x, 2) if number else x
            for layer in stage:
                assert layer.bias is not None
                x = F.conv2d(x, layer.weight.double(), layer.bias.double(), padding=1).clamp(min=0)
            maps.append(x)
        return maps

    heads = [head.double() for head in network.heads]

    def by_paper(x: Tensor) -> Tensor:
        return by_hand(features, heads, x, target.double().expand(2, -1, -1, -1))

    loss = perceptual(target, network)
    exact = images.detach().double().requires_grad_()
    torch.testing.assert_close(loss(images).double(), by_paper(exact), rtol=1e-5, atol=0)
    [ours] = torch.autograd.grad(loss(images).sum(), images)
    [theirs] = torch.autograd.grad(by_paper(exact).sum(), exact)
    torch.testing.assert_close(ours.double(), theirs, rtol=1e-3, atol=1e-3 * float(theirs.abs().mean()))
    along = torch.randn(images.shape, generator=rng, dtype=double)
    with torch.no_grad():
        numeric = (by_paper(exact + 1e-6 * along) - by_paper(exact - 1e-6 * along)).sum() / 2e-6
    torch.testing.assert_close((ours * along).sum(), numeric, rtol=1e-2, atol=0)


def test_small_images_are_enlarged_for_lpips_and_grey_is_colour() -> None:
    rng = torch.Generator().manual_seed(0)
    target, image = (torch.rand(1, 1, 16, 32, generator=rng) for _ in range(2))
    with seeded("test"):
        network = Lpips(((3,), (4,)))
    large = [
        F.interpolate(one.expand(-1, 3, -1, -1), (64, 128), mode="bicubic", align_corners=False)
        for one in (image, target)
    ]
    torch.testing.assert_close(perceptual(target, network)(image), network(*large))
    assert pixels(target)(target + 0.5).tolist() == [pytest.approx(0.25)]
