"""pca, svd and separators recover directions that were planted; each against an independent computation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent.directions.inner import activations, deviation, drawn, first_weights
from gansmith.latent.directions.principal import principal_directions
from gansmith.latent.directions.separators import separator_directions, separators, softmax_weights
from gansmith.latent.directions.singular import singular_directions
from gansmith.latent.renderer import Renderer
from gansmith.models import biggan, dcgan, resnet, stylegan2
from gansmith.system.seeding import seeded

SIZE = 6


class Planted(nn.Module):
    """Images [B, 1, 4, 4] = tanh(A z / 4): A enlarges the rows of an orthogonal Q by 4, 2, .3, .3, .3, .3."""

    def __init__(self) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.axes = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=rng)).Q  # columns
        out = torch.linalg.qr(torch.randn(16, SIZE, generator=rng)).Q
        self.first = nn.Linear(SIZE, 16, bias=False)
        self.second = nn.Linear(16, 16, bias=False)
        with torch.no_grad():
            self.first.weight.copy_(out @ torch.diag(torch.tensor([4.0, 2.0, 0.3, 0.3, 0.3, 0.3])) @ self.axes.t())
            self.second.weight.copy_(torch.eye(16))

    def forward(self, z: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(z) / 4)).view(-1, 1, 4, 4)


class Mapped(nn.Module):
    """A space W of which three numbers vary, by 3, 1 and .1, round a mean; images are their sums with styles."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w_mean", torch.full((3,), 5.0))
        self.style = nn.Linear(3, 4, bias=False)
        with torch.no_grad():
            self.style.weight.copy_(torch.tensor([[0.0, 0, 2], [0, 1, 0], [0.5, 0, 0], [0, 0, 0]]))

    def map(self, z: Tensor) -> Tensor:
        return self.w_mean + z * torch.tensor([3.0, 1.0, 0.1])

    def truncate(self, w: Tensor, psi: float) -> Tensor:
        return torch.lerp(self.w_mean, w, psi)

    def synthesize(self, w: Tensor) -> Tensor:
        return self.style(w).view(-1, 1, 2, 2)

    def forward(self, z: Tensor) -> Tensor:
        return self.synthesize(self.map(z))


def renderer(kind: Any = "normal") -> Renderer:
    return Renderer(Planted(), Prior(kind, size=SIZE))


@pytest.mark.parametrize("kind", ["normal", "uniform", "sphere"])
@pytest.mark.parametrize("method", [principal_directions, singular_directions])
def test_planted_axes_are_recovered_in_order(method: Any, kind: Any) -> None:
    made = method(renderer(kind), 2)
    axes = Planted().axes
    for number, direction in enumerate(made):
        assert abs(float(direction.vector @ axes[:, number])) > 0.98
        assert direction.name == f"{direction.method}-{number + 1}"
        assert direction.step == pytest.approx(1 / math.sqrt(3) if kind == "uniform" else 1.0)


@pytest.mark.parametrize("method", [principal_directions, singular_directions])
def test_the_image_grows_brighter_along_each(method: Any) -> None:
    own = renderer()
    starts, _ = drawn(own, 200, "other")
    for direction in method(own, 2):
        after, before = (own.render(starts + sign * direction.vector) for sign in (1, -1))
        assert after.mean() > before.mean()


def test_principal_directions_of_w_and_their_steps() -> None:
    own = Renderer(Mapped(), Prior(size=3))
    made = principal_directions(own, 3)
    for number, (direction, expected) in enumerate(zip(made, (3.0, 1.0, 0.1), strict=True)):
        assert abs(float(direction.vector[number])) > 0.99
        assert direction.step == pytest.approx(expected, rel=0.06)
    with pytest.raises(OptionError, match="layer = 2"):
        principal_directions(own, layer=2)


def test_singular_directions_of_w_are_of_its_styles_alone() -> None:
    made = singular_directions(Renderer(Mapped(), Prior(size=3)), 3)
    assert [int(direction.vector.abs().argmax()) for direction in made] == [2, 1, 0]
    assert [direction.step for direction in made] == pytest.approx([0.1, 1.0, 3.0], rel=0.1)


def test_steps_of_w_are_measured_along_a_direction() -> None:
    own = Renderer(Mapped(), Prior(size=3))
    w, _ = drawn(own, 4000, "other")
    vector = torch.tensor([[0.6, 0.8, 0.0]])
    assert float(deviation(own, w, vector)) == pytest.approx(math.hypot(0.6 * 3, 0.8), rel=0.05)


def test_layers_are_those_that_are_asked_for() -> None:
    own, z = renderer(), torch.randn(5, SIZE)
    network = Planted()
    torch.testing.assert_close(activations(own, z, None, 1), torch.tanh(network.first(z) / 4).detach())
    torch.testing.assert_close(activations(own, z, None, 2), network(z).flatten(1).detach())  # the image
    for wrong in (0, 3):
        with pytest.raises(OptionError, match=rf"{wrong} .*1 to 2"):
            activations(own, z, None, wrong)
    assert not own.generator.first._forward_hooks


def test_first_weights_are_those_of_the_paper() -> None:
    torch.testing.assert_close(first_weights(renderer()), Planted().first.weight.detach(), rtol=1e-5, atol=1e-5)
    with seeded("test"):
        small = stylegan2.generator(Dimensions(3, 16, 16, latent=5), width=4, styles=6, depth=2)
    weights = [m.style.weight.detach() / math.sqrt(6) for m in small.modules() if hasattr(m, "style")]
    stacked, expected = first_weights(Renderer(small, Prior(size=5))), torch.cat(weights)
    assert stacked.shape == expected.shape
    torch.testing.assert_close(stacked.t() @ stacked, expected.t() @ expected, rtol=1e-4, atol=1e-4)
    with seeded("test"):
        transposed = dcgan.generator(Dimensions(3, 16, 16, latent=5), width=4)
    weight = transposed.layers[0].weight.detach().flatten(1)  # [Z, O h w]
    stacked = first_weights(Renderer(transposed, Prior(size=5)))
    torch.testing.assert_close(stacked.t() @ stacked, weight @ weight.t(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("model", [dcgan, resnet, biggan])
def test_conditional_generators(model: Any) -> None:
    with seeded("test"):
        network = model.generator(Dimensions(3, 16, 16, latent=8, classes=3), width=4, conditional=True)
    own = Renderer(network, Prior(size=8, classes=3))
    for method in (principal_directions, singular_directions):
        made = method(own, 2)
        assert [len(direction.vector) for direction in made] == [8, 8]


def test_counts_that_are_not_allowed() -> None:
    for wrong in (0, 201):
        with pytest.raises(OptionError, match=f"count = {wrong}"):
            singular_directions(renderer(), wrong)
    assert len(principal_directions(renderer(), 200, samples=50)) == SIZE


def planted_classes(count: int = 1500) -> tuple[Tensor, Tensor, Tensor]:
    """Latents of W with deviations 3, 1, 1, .2; probabilities of two classes along the last two, and of one that
    depends on nothing."""
    rng = torch.Generator().manual_seed(1)
    scale = torch.tensor([3.0, 1.0, 1.0, 0.2])
    u = torch.randn(count, 4, generator=rng)
    up, nothing = torch.sigmoid(3 * (u[:, 2] + u[:, 3])), (torch.rand(count, generator=rng) < 0.3).float()
    return 7 + u * scale, torch.stack([up * (1 - nothing), (1 - up) * (1 - nothing), nothing], 1), scale


def test_separators_find_planted_classes() -> None:
    latents, probabilities, scale = planted_classes()
    up, down, nothing = separators(latents, probabilities, ["up", "down", "nothing"])
    assert up.auc is not None
    assert up.auc > 0.8
    assert up.usable
    assert down.usable
    assert nothing.auc is not None
    assert nothing.auc < 0.6
    assert not nothing.usable
    for one, sign in ((up, 1), (down, -1)):
        whitened = one.vector / scale
        assert sign * float(whitened @ torch.tensor([0.0, 0, 1, 1])) / math.sqrt(2) / float(whitened.norm()) > 0.98
        assert float(one.vector.norm()) == pytest.approx(1.0)
    assert [one.count for one in (up, down, nothing)] == probabilities.argmax(1).bincount().tolist()


def test_auc_is_of_latents_that_were_not_fitted() -> None:
    """More numbers than samples separate anything; a cross-validated AUC knows nothing of it."""
    rng = torch.Generator().manual_seed(2)
    latents = torch.randn(60, 50, generator=rng)
    classes = nn.functional.one_hot(torch.arange(60) % 2).double()
    assert all(one.auc is not None and one.auc < 0.7 for one in separators(latents, classes, ["a", "b"]))


def test_a_class_of_few_samples_is_not_found() -> None:
    latents = torch.randn(100, 2, generator=torch.Generator().manual_seed(3))
    rare = (latents[:, 0] > latents[:, 0].sort().values[-10]).double()
    few, many = separators(latents, torch.stack([rare, 1 - rare], 1), ["few", "many"])
    assert (few.count, few.auc, few.usable) == (9, None, False)
    assert many.auc is None
    with pytest.raises(OptionError, match=r"\[100, 2\].*3 classes"):
        separators(latents, torch.ones(100, 2), ["a", "b", "c"])


def test_weights_are_those_of_a_softmax_with_a_ridge() -> None:
    latents, probabilities, _ = planted_classes(300)
    white = ((latents - latents.mean(0)) / latents.std(0)).double()
    copies = white.numpy().repeat(3, axis=0)
    answers, weights = np.tile(np.arange(3), 300), probabilities.double().flatten().numpy()
    other = LogisticRegression(C=1 / 100, tol=1e-8, max_iter=5000).fit(copies, answers, sample_weight=weights)
    expected = other.coef_.T - other.coef_.T.mean(1, keepdims=True)
    fitted = softmax_weights(white, probabilities.double()).numpy()
    np.testing.assert_allclose(fitted, expected, atol=2e-4)


def test_directions_of_separators_are_named_by_their_classes() -> None:
    latents, probabilities, _ = planted_classes()
    own = Renderer(Mapped(), Prior(size=3))
    made = separator_directions(
        own, separators(latents, probabilities, ["Ankle boot", "7", "none"]), latents, taken=["class_7"]
    )
    assert [(d.name, d.method) for d in made] == [("Ankle_boot", "labels"), ("class_7'", "labels")]
    assert made[0].step == pytest.approx(0.98, rel=0.05)
    assert made[0].auc is not None
    assert separator_directions(own, separators(latents, torch.full((1500, 2), 0.5), ["a", "b"]), latents) == []
