"""Penalties on slopes: closed forms on linear discriminators, and equality with gradients derived by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Moment, Objective, OnWeights, Sample, Scores, Weighted
from gansmith.errors import OptionError

SLOPES = ["r1", "r2", "gradient_penalty", "dragan"]
SHAPE = (2, 3, 4)  # C, H, W
SIZE = 24


class Smooth(nn.Module):
    """D(x, y) = v_y . tanh(W x + c), whose slope is W' (v_y (1 - tanh^2)); `patches`: the sum spread on a 2 x 2 map."""

    def __init__(self, patches: bool = False) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(7)
        self.inner = nn.Parameter(torch.randn(8, SIZE, generator=rng, dtype=torch.float64) / 3)
        self.offset = nn.Parameter(torch.randn(8, generator=rng, dtype=torch.float64))
        self.outer = nn.Parameter(torch.randn(3, 8, generator=rng, dtype=torch.float64))
        self.patches = patches
        self.shown: list[Sample] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        self.shown.append(Sample(image, label))
        assert label is not None
        scores = torch.tanh(image.flatten(1) @ self.inner.T + self.offset) * self.outer[label]
        return scores.unflatten(1, (2, 2, 2)).sum(1, keepdim=True) if self.patches else scores.sum(1)

    def slope(self, image: Tensor, label: Tensor | None) -> Tensor:
        """The gradient of the summed score by the image, [B, D], written out: no autograd."""
        assert label is not None
        inner = torch.tanh(image.detach().flatten(1) @ self.inner.T + self.offset)
        return (self.outer[label] * (1 - inner.square())) @ self.inner


class Linear(nn.Module):
    """D(x) = w . x + 3."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        return image.flatten(1) @ self.weight + 3


def samples(n: int = 5, dtype: torch.dtype = torch.float64) -> tuple[Sample, Sample]:
    rng = torch.Generator().manual_seed(3)
    real, fake = (torch.rand(n, *SHAPE, generator=rng, dtype=torch.float64).to(dtype) * 2 - 1 for _ in range(2))
    return Sample(real, torch.arange(n) % 3), Sample(fake, (torch.arange(n) + 1) % 3)


def scored(judge: nn.Module, n: int = 5, dtype: torch.dtype = torch.float64) -> Scores:
    real, fake = (Sample(s.image.requires_grad_(), s.label) for s in samples(n, dtype))
    return Scores(real, fake, judge(*real), judge(*fake))


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def weighted(name: str, **options: Any) -> Weighted:
    made = catalog.build("penalties", name, **options)
    assert isinstance(made, Weighted)
    return made


def penalty(name: str, judge: nn.Module, scores: Scores, **options: Any) -> Tensor:
    return weighted(name, **options).penalty(judge, scores, seeded())


# ---- closed forms


@pytest.mark.parametrize("length", [0.25, 1.0, 3.0])
def test_a_linear_discriminator(length: float) -> None:
    """R1 = R2 = |w|^2 and GP = (|w| - 1)^2, one number for each image, wherever it lies."""
    weight = torch.randn(SIZE, generator=seeded(), dtype=torch.float64)
    judge = Linear(length * weight / weight.norm())
    scores = scored(judge)
    for name, value in {
        "r1": length**2,
        "r2": length**2,
        "gradient_penalty": (length - 1) ** 2,
        "dragan": (length - 1) ** 2,
    }.items():
        found = penalty(name, judge, scores)
        torch.testing.assert_close(found, torch.full((5,), value, dtype=torch.float64), rtol=1e-12, atol=1e-14)
    for name in ("gradient_penalty", "dragan"):
        found = penalty(name, judge, scores, one_sided=True)
        expected = max(length - 1, 0) ** 2
        torch.testing.assert_close(found, torch.full((5,), expected, dtype=torch.float64), rtol=1e-12, atol=1e-14)
        found = penalty(name, judge, scores, target=2.0)
        torch.testing.assert_close(found, torch.full((5,), (length - 2) ** 2, dtype=torch.float64))


def test_a_flat_discriminator_has_finite_gradients() -> None:
    """The length of a slope has no derivative at zero: the penalty leaves it alone instead of returning NaN."""
    judge = Linear(torch.zeros(SIZE, dtype=torch.float64))
    for name in ("gradient_penalty", "dragan"):
        value = penalty(name, judge, scored(judge))
        assert value.tolist() == [1.0] * 5
        (gradient,) = torch.autograd.grad(value.sum(), judge.weight)
        assert gradient.abs().max() == 0.0


# ---- by hand


def by_hand(name: str, judge: Smooth, scores: Scores, target: float = 1.0, one_sided: bool = False) -> Tensor:
    """The penalty with slopes derived on paper, at points drawn in the same order from the same seed."""
    real, fake = scores.shown_real, scores.shown_fake
    if name in ("r1", "r2"):
        return judge.slope(*(real if name == "r1" else fake)).square().sum(1)
    if name == "gradient_penalty":
        share = torch.rand(len(real.image), 1, 1, 1, generator=seeded()).double()
        point = (1 - share) * real.image + share * fake.image
    else:
        noise = torch.randn(real.image.shape, generator=seeded()).double()
        centred = real.image - real.image.mean()
        point = real.image + 0.5 * centred.square().mean().sqrt() * noise
    excess = judge.slope(point, real.label).square().sum(1).sqrt() - target
    return (excess.clamp_min(0) if one_sided else excess).square()


@pytest.mark.parametrize("patches", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {}) for name in SLOPES),
        *(
            (name, options)
            for name in ("gradient_penalty", "dragan")
            for options in ({"target": 0.5}, {"one_sided": True}, {"target": 2.0, "one_sided": True})
        ),
    ],
)
def test_values_and_gradients(name: str, options: dict[str, Any], patches: bool) -> None:
    judge, parameters = Smooth(patches), ("inner", "offset", "outer")
    scores = scored(judge)
    found, expected = penalty(name, judge, scores, **options), by_hand(name, judge, scores, **options)
    assert found.shape == (5,)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    weights = [getattr(judge, key) for key in parameters]
    mine = torch.autograd.grad(found.square().sum(), weights)
    theirs = torch.autograd.grad(expected.square().sum(), weights)
    for key, one, other in zip(parameters, mine, theirs, strict=True):
        assert one.abs().max() > 1e-4, key
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "more"), [("r1", 0), ("r2", 0), ("gradient_penalty", 1), ("dragan", 1)])
def test_how_often_the_discriminator_is_called(name: str, more: int) -> None:
    judge = Smooth()
    scores = scored(judge)
    penalty(name, judge, scores)
    assert len(judge.shown) == 2 + more
    for image, label in judge.shown[2:]:
        assert label is scores.shown_real.label
        assert image.is_leaf  # nothing flows back to where the images came from
        assert not torch.equal(image, scores.shown_real.image)


def test_points_between_lie_between() -> None:
    """One share for each image, the same for all of its pixels, from 0 (real) to 1 (fake)."""
    judge = Smooth()
    scores = scored(judge, 200)
    penalty("gradient_penalty", judge, scores)
    real, fake, point = scores.shown_real.image, scores.shown_fake.image, judge.shown[2].image
    share = ((point - real) / (fake - real)).detach().flatten(1)
    torch.testing.assert_close(share, share[:, :1].expand_as(share), rtol=1e-6, atol=1e-6)
    assert 0 <= float(share.min()) < 0.05
    assert 0.95 < float(share.max()) <= 1
    assert float(share.mean()) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("spread", [0.0, 0.5, 2.0])
def test_points_round_the_real_images(spread: float) -> None:
    judge = Smooth()
    scores = scored(judge, 500)
    penalty("dragan", judge, scores, spread=spread)
    noise = (judge.shown[2].image - scores.shown_real.image).detach()
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.03 * spread + 1e-12)
    assert float(noise.std()) == pytest.approx(spread * 2 / 12**0.5, rel=0.03)


@pytest.mark.parametrize("name", ["gradient_penalty", "dragan"])
def test_randomness_is_the_turns_alone(name: str) -> None:
    judge = Smooth()
    scores = scored(judge)
    state = torch.get_rng_state()
    one, again = penalty(name, judge, scores), penalty(name, judge, scores)
    other = weighted(name).penalty(judge, scores, seeded(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", SLOPES)
def test_points_of_a_toy_set_have_slopes_too(name: str) -> None:
    """Images of one pixel, [B, 2, 1, 1]."""
    judge = Linear(torch.tensor([3.0, 4.0]))
    real, fake = (torch.randn(6, 2, 1, 1).requires_grad_() for _ in range(2))
    scores = Scores(Sample(real), Sample(fake), judge(real), judge(fake))
    torch.testing.assert_close(penalty(name, judge, scores), torch.full((6,), 25.0 if name in ("r1", "r2") else 16.0))


# ---- weights, laziness, precision


@pytest.mark.parametrize(
    ("name", "weight"), [("r1", 5.0), ("r2", 5.0), ("gradient_penalty", 10.0), ("dragan", 10.0), ("lecam", 0.3)]
)
def test_the_papers_weights(name: str, weight: float) -> None:
    made = weighted(name)
    assert (made.weight(0), made.weight(10**9), made.every) == (weight, weight, 1)
    assert made.per_sample == (name in SLOPES)


def turn(penalties: dict[str, Weighted | OnWeights], step: int, images: int = 0) -> dict[str, Tensor]:
    """One turn of a discriminator with these penalties."""
    plain = Objective(lambda real, fake: fake - real, lambda real, fake: -fake)
    at = Moment(step, images, 0, seeded())
    return plain.penalised(penalties).discriminator_terms(Smooth(), *samples(), at).loss


def orthogonal(**options: Any) -> OnWeights:
    made = catalog.build("penalties", "orthogonal", side="discriminator", **options)
    assert isinstance(made, OnWeights)
    return made


Make = Callable[..., Weighted | OnWeights]
EVERY = [*SLOPES, "lecam", "orthogonal"]


def maker(name: str) -> Make:
    return orthogonal if name == "orthogonal" else lambda **options: weighted(name, **options)


@pytest.mark.parametrize("name", EVERY)
def test_lazy_against_eager(name: str) -> None:
    make = maker(name)
    eager, at_one, lazy = make(weight=0.3), make(weight=0.3, every=1), make(weight=0.3, every=16)
    for step in (0, 1, 16, 31):
        value = turn({name: eager}, step)[name]
        assert value.detach() > 0
        assert torch.equal(turn({name: at_one}, step)[name], value)
        found = turn({name: lazy}, step)
        assert (name in found) == (step % 16 == 0)
        if name in found:
            torch.testing.assert_close(found[name], 16 * value, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", EVERY)
def test_a_weight_may_follow_the_images_clock(name: str) -> None:
    make = maker(name)
    falling = make(weight={"start": 8.0, "end": 2.0, "hold": 100, "decay": 200})
    base = turn({name: make(weight=1.0)}, 0)[name]
    for images, weight in ((0, 8.0), (100, 8.0), (200, 5.0), (300, 2.0), (10**6, 2.0)):
        torch.testing.assert_close(turn({name: falling}, 0, images)[name], weight * base)


def test_several_penalties_at_once() -> None:
    names = [*SLOPES, "lecam"]
    alone = {name: turn({name: weighted(name)}, 0)[name] for name in names}
    together = turn({name: weighted(name) for name in names}, 0)
    assert together.keys() == {"loss", *names}
    for name in ("r1", "r2", "lecam"):  # the others draw from one stream of random numbers, one after the other
        torch.testing.assert_close(together[name], alone[name], rtol=0, atol=0)


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(nn.Conv2d(2, 8, 3), nn.Softplus(), nn.Flatten(), nn.Linear(16, 1))

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        scores: Tensor = self.layers(image)
        return scores


@pytest.mark.parametrize("name", [*SLOPES, "lecam"])
def test_bfloat16_passes_and_float32_squares(name: str) -> None:
    """Under autocast the passes are short, the penalty is float32, and back-propagates near to the float32 value."""
    found = {}
    for short in (False, True):
        judge = Convolutions()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=short):
            scores = scored(judge, 8, torch.float32)
            assert (scores.real.dtype == torch.bfloat16) == short
            kept = scores._replace(real=scores.real.float(), fake=scores.fake.float())
            value = weighted(name).penalty(judge, kept, seeded())
            assert value.dtype == torch.float32
        value.mean().backward()
        gradients = [p.grad.flatten() for p in judge.parameters() if p.grad is not None]
        assert all(gradient.dtype == torch.float32 for gradient in gradients)
        found[short] = (value.detach(), torch.cat(gradients))
    torch.testing.assert_close(found[True], found[False], rtol=0.1, atol=0.1 * float(found[False][1].abs().max()))


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("r1", {"weight": -1}, "must not be negative"),
        ("r2", {"every": 0}, "from 1 to"),
        ("gradient_penalty", {"target": -0.5}, "(at least|from) 0"),
        ("gradient_penalty", {"weight": {"start": 1, "end": -1, "decay": 10}}, "must not be negative"),
        ("dragan", {"spread": float("nan")}, "finite"),
        ("lecam", {"decay": 1.0}, "below 1"),
        ("orthogonal", {"side": "both"}, "generator or discriminator"),
        ("orthogonal", {"weight": -1}, "must not be negative"),
    ],
)
def test_options_that_are_refused(name: str, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(OptionError, match=f"penalties/{name}.*({problem})"):
        catalog.build("penalties", name, **options)
