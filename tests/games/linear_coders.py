"""Linear content and style coders, and the losses of multimodal translation written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Game, Moment, Objective, Sample
from gansmith.data.prior import Prior

PRIOR = Prior("normal", 3)


PIXELS = (2, 3, 4)


ALL = 24


WEIGHTS = {"image": 10.0, "style": 2.0, "content": 3.0, "adversarial": 0.7, "cycle": 5.0}


class Coder(nn.Module):
    """Content [B, 1, 2, 2] and style [B, 3], linear in the image; the image, tanh of something linear in both."""

    def __init__(self) -> None:
        super().__init__()
        self.to_content, self.to_style = nn.Linear(ALL, 4), nn.Linear(ALL, 3)
        self.of_content, self.of_style = nn.Linear(4, ALL), nn.Linear(3, ALL)
        self.called: list[tuple[str, bool]] = []

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        self.called.append(("encode", torch.is_grad_enabled()))
        return self.to_content(image.flatten(1)).unflatten(1, (1, 2, 2)), self.to_style(image.flatten(1))

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        self.called.append(("decode", torch.is_grad_enabled()))
        return (self.of_content(content.flatten(1)) + self.of_style(style)).tanh().unflatten(1, PIXELS)


class Judge(nn.Module):
    """Two scores of an image; it refuses to be shown labels."""

    def __init__(self, scales: int | None) -> None:
        super().__init__()
        self.layer = nn.Linear(ALL, 2)
        self.shown: list[Tensor] = []
        if scales is not None:
            self.scales = scales

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is None
        self.shown.append(image)
        return self.layer(image.flatten(1))


def objective(**changes: object) -> Objective:
    made: Objective = catalog.build("objectives", "lsgan", generator_factor=1.0)
    return replace(made, **changes)  # type: ignore[arg-type]


def game(chosen: Objective | None = None, *, scales: int | None = 3, **options: Any) -> tuple[Game, dict[str, Any]]:
    torch.manual_seed(0)
    players: dict[str, Any] = {
        "a": Coder(),
        "b": Coder(),
        "discriminator_a": Judge(scales),
        "discriminator_b": Judge(2),
    }
    for player in players.values():
        player.double()
    weights = {**WEIGHTS, **options}
    return catalog.build("games", "multimodal", players, chosen or objective(), PRIOR, **weights), players


def moment(seed: int = 9, images: int = 0) -> Moment:
    return Moment(0, images, 0, torch.Generator().manual_seed(seed))


def batch(size: int = 5) -> dict[str, Sample]:
    rng = torch.Generator().manual_seed(4)
    label = torch.arange(size)
    return {name: Sample(torch.rand(size, *PIXELS, generator=rng, dtype=torch.float64) * 2 - 1, label) for name in "ab"}


def drawn(seed: int = 9, size: int = 5) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return {name: torch.randn(size, 3, generator=rng).double() for name in "ab"}  # a's first


def linear(layer: Any, x: Tensor) -> Tensor:
    return x @ layer.weight.T + layer.bias


def content(coder: Any, image: Tensor) -> Tensor:
    return linear(coder.to_content, image.reshape(len(image), ALL))


def style(coder: Any, image: Tensor) -> Tensor:
    return linear(coder.to_style, image.reshape(len(image), ALL))


def image(coder: Any, content: Tensor, style: Tensor) -> Tensor:
    return torch.tanh(linear(coder.of_content, content) + linear(coder.of_style, style)).reshape(-1, *PIXELS)


def apart(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).abs().sum() / one.numel()


def by_hand(players: Mapping[str, Any], real: Mapping[str, Sample], s: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Eq. 1 to 5 and the cycle, written out for both domains. Least squares: each score should be 1."""
    a, b, x_a, x_b = players["a"], players["b"], real["a"].image, real["b"].image
    c_a, c_b = content(a, x_a), content(b, x_b)
    x_ab, x_ba = image(b, c_a, s["b"]), image(a, c_b, s["a"])
    judged_a = linear(players["discriminator_a"].layer, x_ba.reshape(-1, ALL))
    judged_b = linear(players["discriminator_b"].layer, x_ab.reshape(-1, ALL))
    return {
        "image_a": 10 * apart(image(a, c_a, style(a, x_a)), x_a),
        "image_b": 10 * apart(image(b, c_b, style(b, x_b)), x_b),
        "style_a": 2 * apart(style(a, x_ba), s["a"]),
        "style_b": 2 * apart(style(b, x_ab), s["b"]),
        "content_a": 3 * apart(content(b, x_ab), c_a),
        "content_b": 3 * apart(content(a, x_ba), c_b),
        "adversarial_a": 0.7 * 3 * (judged_a - 1).square().mean(),
        "adversarial_b": 0.7 * 2 * (judged_b - 1).square().mean(),
        "cycle_a": 5 * apart(image(a, content(b, x_ab), style(a, x_a)), x_a),
        "cycle_b": 5 * apart(image(b, content(a, x_ba), style(b, x_b)), x_b),
    }


def parameters(players: Mapping[str, nn.Module], *names: str) -> list[nn.Parameter]:
    return [parameter for name in names for parameter in players[name].parameters()]


def same(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], by: list[nn.Parameter]) -> None:
    """Every term and its gradient by every parameter."""
    assert found.keys() == wanted.keys()
    for name, term in wanted.items():
        torch.testing.assert_close(found[name], term)
        gradients = [
            torch.autograd.grad(value, by, retain_graph=True, allow_unused=True) for value in (found[name], term)
        ]
        assert any(gradient is not None for gradient in gradients[0])
        for mine, theirs in zip(*gradients, strict=True):
            assert (mine is None) == (theirs is None), name
            if mine is not None:
                torch.testing.assert_close(mine, theirs)
