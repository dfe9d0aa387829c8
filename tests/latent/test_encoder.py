"""Encoders: a linear generator is inverted, the loss is its formula, and a file belongs to one generator."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import NotFiniteError, OptionError
from gansmith.latent import encoder_training
from gansmith.latent.coordinates import Coordinates
from gansmith.latent.encoder import Encoder, encoder_file, load_encoder, save_encoder
from gansmith.latent.encoder_training import _Length, _Lesson, disturbed, fall, train_encoder
from gansmith.latent.renderer import Renderer
from gansmith.models import stylegan2
from gansmith.system.seeding import generator as randomness
from gansmith.system.seeding import seeded
from refusals import refused

COMMAND = "gansmith invert runs/x --train-encoder"


class Linear(nn.Module):
    """Images [B, 1, 4, 4] of latents of 3: one matrix; each class shifted by itself."""

    def __init__(self, classes: int = 0) -> None:
        super().__init__()
        self.conditional = classes > 0
        with seeded("linear"):
            self.layer = nn.Linear(3, 16)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        shift = 0 if label is None else label[:, None].float()
        images: Tensor = (self.layer(z) + shift) * 0.5
        return images.view(-1, 1, 4, 4)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(Linear(), Prior(size=3))


@pytest.fixture(scope="module")
def encoder(renderer: Renderer) -> Encoder:
    return train_encoder(renderer, examples=12_800, filters=16)


def test_the_latent_of_a_linear_generator(renderer: Renderer, encoder: Encoder) -> None:
    """A hundredth of the variance of 1 is left, and the file's numbers are those of fresh samples."""
    z = torch.randn(256, 3, generator=torch.Generator().manual_seed(0))
    images = renderer.generator(z)
    u, labels = encoder(images)
    assert labels is None
    assert float((u - z).square().mean()) < 0.05
    error = float((renderer.generator(u) - images).square().mean())
    apart = float((images - images.flip(0)).square().mean())
    assert 0.3 < encoder.header.error / error < 3
    assert 0.5 < encoder.header.apart / apart < 2
    assert encoder.header.examples == 12_800
    assert encoder.header.losses == ("latent", "pixels")


def test_it_is_the_same_again_and_leaves_random_numbers_alone(renderer: Renderer) -> None:
    def weights(**options: Any) -> Tensor:
        network = train_encoder(renderer, examples=128, filters=2, **options).network
        return torch.cat([value.flatten().double() for value in network.state_dict().values()])

    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one = weights()
    assert torch.random.get_rng_state().equal(before)
    torch.manual_seed(6)
    assert one.equal(weights())
    assert not one.equal(weights(seed=1))


def test_an_encoder_of_styles_and_one_of_classes() -> None:
    with seeded("test"):
        network = stylegan2.generator(Dimensions(3, 8, 8, 6), width=8, styles=5, depth=2)
    styled = Renderer(network, Prior(size=6))
    encoder = train_encoder(styled, examples=4000, filters=8)
    assert (encoder.header.space, encoder.header.size) == ("w", 5)
    place = Coordinates(styled, "w")
    w = styled.latents(range(64), space="w")
    estimate = place.latents(encoder(styled.images(range(64)).images)[0])
    assert float((estimate - w).square().mean()) < 0.5 * float((w - w.mean(0)).square().mean())
    assert train_encoder(styled, examples=32, space="z", filters=2).header.size == 6

    classes = Renderer(Linear(3), Prior(size=3, classes=3), classes=("a", "b", "c"))
    encoder = train_encoder(classes, examples=6400, filters=8)
    labels = encoder(torch.cat([classes.images(range(20), label=name).images for name in ("a", "b", "c")]))[1]
    assert labels is not None
    assert float((labels == torch.arange(3).repeat_interleave(20)).float().mean()) > 0.6


def test_the_loss_of_a_step_by_its_formula_with_gradients() -> None:
    """Latent of the pure half; pixels of both in units of two random samples' distance, twice; unusual latents."""
    renderer = Renderer(Linear(), Prior(size=3))
    seen: list[Tensor] = []

    def features(target: Tensor) -> Callable[[Tensor], Tensor]:
        seen.append(target)
        return lambda images: (images - target).abs().flatten(1).mean(1)

    lesson = _Lesson(renderer, None, features=features, filters=2)
    loss, terms = lesson.loss(7)
    rng = randomness("encoder", 0, 7)
    z = torch.randn(16, 3, generator=rng)
    images = lesson.place.images(z, None)
    targets = torch.cat([images, disturbed(images, rng)])
    torch.testing.assert_close(seen[0], targets)
    u = lesson.network(targets)[0]
    again = lesson.place.images(u, None)
    length = ((u**2).sum(1) - 3) / 6**0.5
    unusual = (length.abs() - 2).clamp_min(0) ** 2 + ((u.abs() - 3).clamp_min(0) ** 2).mean(1)
    pixels = ((again - targets) ** 2).mean() / lesson.apart
    apart = (again - targets).abs().mean()
    expected = ((u[:16] - z) ** 2).mean() + 2 * pixels + 2 * apart + 0.1 * unusual.mean()
    torch.testing.assert_close(loss, expected)
    assert set(terms) == {"latent", "pixels", "features"}
    weights = list(lesson.network.parameters())
    for one, other in zip(torch.autograd.grad(loss, weights), torch.autograd.grad(expected, weights), strict=True):
        torch.testing.assert_close(one, other)


def test_disturbed_samples_by_hand() -> None:
    images = torch.linspace(-1, 1, 32).view(2, 1, 4, 4)
    rng = torch.Generator().manual_seed(3)
    result = disturbed(images, torch.Generator().manual_seed(3))
    share = 0.5 + 0.5 * torch.rand(2, 1, 1, 1, generator=rng)
    noise = torch.randn(images.shape, generator=rng)
    contrast, bright, strength = (torch.rand(2, 1, 1, 1, generator=rng) for _ in range(3))
    mixed = share * images + (1 - share) * images[[1, 0]]
    expected = (0.7 + 0.6 * contrast) * mixed + (0.4 * bright - 0.2) + 0.15 * strength * noise
    torch.testing.assert_close(result, expected.clamp(-1, 1))


def test_the_length_is_known_or_what_a_time_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 steps in the first quarter of 40 seconds: 400; until then the rate is the full one."""
    now = 0.0
    monkeypatch.setattr(encoder_training.time, "monotonic", lambda: now)
    assert _Length(25, None).steps(3) == 25
    length = _Length(25, 40.0)
    assert fall(0 / length.steps(0)) == 1
    now = 5.0
    assert length.steps(50) > 50
    assert fall(50 / length.steps(50)) == 1
    now = 10.0
    assert length.steps(100) == 400
    now = 39.0
    assert length.steps(399) == 400


@pytest.mark.parametrize("options", [{"examples": 31}, {"seconds": 0.0}, {"seconds": float("nan")}])
def test_budgets_that_are_refused(renderer: Renderer, options: dict[str, Any]) -> None:
    with refused(next(iter(options.values())), error=OptionError):
        train_encoder(renderer, **options)


def test_a_file_comes_back_and_belongs_to_one_generator(renderer: Renderer, encoder: Encoder, tmp_path: Path) -> None:
    path = save_encoder(encoder_file(tmp_path, "z"), encoder)
    assert encoder_file(tmp_path / "generator.safetensors", "z") == path
    images = renderer.images(range(5)).images
    assert load_encoder(path, renderer, "z", command=COMMAND)(images)[0].equal(encoder(images)[0])
    again = save_encoder(tmp_path / "again.safetensors", encoder)
    assert again.read_bytes() == path.read_bytes()
    other = Linear()
    with torch.no_grad():
        other.layer.bias[0] += 1e-6
    changed = Renderer(other, Prior(size=3), images=500)
    with refused(renderer.digest[:16], changed.digest[:16], "stale", COMMAND, error=OptionError):
        load_encoder(path, changed, "z", command=COMMAND)
    with refused("stale", "space", COMMAND, error=OptionError):
        load_encoder(path, renderer, "w", command=COMMAND)
    with refused("none.safetensors", COMMAND, error=OptionError):
        load_encoder(tmp_path / "none.safetensors", renderer, "z", command=COMMAND)


def test_a_damaged_file_is_refused(renderer: Renderer, encoder: Encoder, tmp_path: Path) -> None:
    path = save_encoder(tmp_path / "z.safetensors", encoder)
    data = path.read_bytes()

    def metadata(**changes: object) -> bytes:
        plain = {**json.loads(encoder.header.model_dump_json()), **changes}
        tensors = {name: value.contiguous() for name, value in encoder.network.state_dict().items()}
        return safetensors.torch.save(tensors, metadata={"gansmith_encoder": json.dumps(plain)})

    flipped = bytearray(data)
    flipped[-40] ^= 1
    cases = [
        (data[:-100], "damaged"),
        (bytes(flipped), "sha256"),
        (b"", "damaged"),
        (b"\xff" * 99, "damaged"),
        (safetensors.torch.save({"x": torch.zeros(1)}), "damaged"),
        (metadata(filters=10**9), "filters"),
        (metadata(extra=1), "extra"),
        (metadata(sha256="1" * 64), "sha256"),
    ]
    for content, fact in cases:
        path.write_bytes(content)
        with refused(fact, COMMAND, error=OptionError):
            load_encoder(path, renderer, "z", command=COMMAND)


def test_weights_that_are_not_finite_are_no_encoder(monkeypatch: pytest.MonkeyPatch, renderer: Renderer) -> None:
    monkeypatch.setattr(encoder_training, "fall", lambda part: float("nan"))
    with pytest.raises(NotFiniteError):
        train_encoder(renderer, examples=64, filters=2)
