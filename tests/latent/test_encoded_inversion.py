"""Inversion from an encoder's estimate: alone it is the result; hybrid is never farther than it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent import invert as module
from gansmith.latent.encoder import Encoder
from gansmith.latent.encoder_training import train_encoder
from gansmith.latent.inversion_view import View
from gansmith.latent.invert import invert
from gansmith.latent.renderer import Renderer
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


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(Smooth(), Prior(size=3))


@pytest.fixture(scope="module")
def encoder(renderer: Renderer) -> Encoder:
    return train_encoder(renderer, examples=1280, filters=8)


def test_the_estimate_alone_is_the_result(
    renderer: Renderer, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = renderer.images([5]).images
    monkeypatch.setattr(module, "search", None)  # nothing is searched
    result = invert(renderer, target, method="encoder", encoder=encoder)
    torch.testing.assert_close(result.latent.values, encoder(target)[0][0])
    assert result.loss == pytest.approx(float((result.image - target[0]).square().mean()))


def test_hybrid_is_never_farther_than_the_encoder(renderer: Renderer, encoder: Encoder) -> None:
    """Own samples are found again; with a heavy prior, and for images of no latent, it is at least as near."""
    own = renderer.images(range(3)).images
    foreign = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 4 - 2
    for target, likely in [*((one, 0.1) for one in own.split(1)), *((one, 1e6) for one in foreign.split(1))]:
        first = invert(renderer, target, method="encoder", encoder=encoder, likely=likely)
        result = invert(renderer, target, method="hybrid", encoder=encoder, likely=likely, steps=60)
        assert result.loss <= first.loss
        if likely < 1:
            assert result.loss < 1e-4


def test_a_search_that_ends_farther_is_left_out(
    renderer: Renderer, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = renderer.images([5]).images
    monkeypatch.setattr(module, "search", lambda total, u, own, **options: (u + 5, torch.full((1,), -1.0)))
    result = invert(renderer, target, method="hybrid", encoder=encoder)
    assert result.latent.values.equal(encoder(target)[0][0])


def test_the_class_is_the_encoders_or_the_one_that_is_asked_for() -> None:
    renderer = Renderer(Smooth(3), Prior(size=3, classes=3), classes=("a", "b", "c"))
    encoder = train_encoder(renderer, examples=64, filters=2)
    target = renderer.images([5]).images
    labels = encoder(target)[1]
    assert labels is not None
    assert invert(renderer, target, method="encoder", encoder=encoder).latent.label == int(labels)
    assert {invert(renderer, target, method="encoder", encoder=encoder, label=x).latent.label for x in "abc"} == {
        0,
        1,
        2,
    }


@pytest.mark.parametrize("method", ["encoder", "hybrid"])
def test_an_encoder_that_does_not_fit_is_refused(renderer: Renderer, encoder: Encoder, method: Any) -> None:
    target = renderer.images([5]).images
    with refused("train_encoder", error=OptionError):
        invert(renderer, target, method=method)
    other = dataclasses.replace(encoder, header=encoder.header.model_copy(update={"model": "1" * 64}))
    with refused("1" * 16, renderer.digest[:16], error=OptionError):
        invert(renderer, target, method=method, encoder=other)


def test_the_view_is_the_target_beside_the_nearest_so_far() -> None:
    view = View(torch.full((1, 1, 2, 2), -1.0))
    assert view.pixels() is None
    images = torch.stack([torch.full((1, 2, 2), level) for level in (1.0, 0.2)])
    view.see(images, torch.tensor([2.0, 0.5]))
    view.see(images.flip(0), torch.tensor([3.0, 0.6]))  # farther: not shown
    pixels = view.pixels()
    assert pixels is not None
    assert pixels[:, :, 0].tolist() == [[0, 0, 255, 255, 153, 153]] * 2
    clear = torch.cat([torch.full((1, 3, 1, 1), -1.0), torch.zeros(1, 1, 1, 1)], 1)  # black, half transparent: grey
    view = View(clear)
    view.see(clear, torch.tensor([0.0]))
    assert view.pixels()[0, 0].tolist() == [127] * 3  # type: ignore[index]  # it has seen one
