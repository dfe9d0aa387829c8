"""Every objective's two losses: values and gradients written out in float64, signs, shifts, thresholds, smoothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Moment, Objective, Sample
from gansmith.errors import GansmithError, OptionError

# r: a real score, f: a fake one -> (value, its derivative by r, its derivative by f), by a person with math alone
Written = Callable[[float, float], tuple[float, float, float]]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def cross_entropy(e: float = 0.0) -> Written:
    """Of the label 1 - e for real images, 0 for fake ones."""

    def written(r: float, f: float) -> tuple[float, float, float]:
        value = -(1 - e) * math.log(sigmoid(r)) - e * math.log(1 - sigmoid(r)) - math.log(1 - sigmoid(f))
        return value, sigmoid(r) - (1 - e), sigmoid(f)

    return written


def squares(a: float, b: float) -> Written:
    return lambda r, f: (((r - b) ** 2 + (f - a) ** 2) / 2, r - b, f - a)


def square(c: float, factor: float) -> Written:
    return lambda r, f: (factor * (f - c) ** 2, 0.0, 2 * factor * (f - c))


def hinges(r: float, f: float) -> tuple[float, float, float]:
    return max(0.0, 1 - r) + max(0.0, 1 + f), -1.0 * (r < 1), 1.0 * (f > -1)


def flipped(r: float, f: float) -> tuple[float, float, float]:
    return -math.log(sigmoid(f)), 0.0, sigmoid(f) - 1


def saturating(r: float, f: float) -> tuple[float, float, float]:
    return math.log(1 - sigmoid(f)), 0.0, -sigmoid(f)


def distance(r: float, f: float) -> tuple[float, float, float]:
    return f - r, -1.0, 1.0


def minus_fake(r: float, f: float) -> tuple[float, float, float]:
    return -f, 0.0, -1.0


def relative(r: float, f: float) -> tuple[float, float, float]:
    return softplus(f - r), -sigmoid(f - r), sigmoid(f - r)


def relative_back(r: float, f: float) -> tuple[float, float, float]:
    return softplus(r - f), sigmoid(r - f), -sigmoid(r - f)


CASES: list[tuple[str, dict[str, Any], Written, Written]] = [
    ("nonsaturating", {}, cross_entropy(), flipped),
    ("nonsaturating", {"smoothing": 0.1}, cross_entropy(0.1), flipped),
    ("minimax", {}, cross_entropy(), saturating),
    ("minimax", {"smoothing": 0.5}, cross_entropy(0.5), saturating),
    ("lsgan", {}, squares(0, 1), square(1, 0.5)),  # Eq. 9
    ("lsgan", {"a": -1, "b": 1, "c": 0}, squares(-1, 1), square(0, 0.5)),  # Eq. 8
    ("lsgan", {"generator_factor": 1}, squares(0, 1), square(1, 1)),  # CycleGAN
    ("lsgan", {"a": 0.5, "b": 3, "c": 2, "generator_factor": 0.25}, squares(0.5, 3), square(2, 0.25)),
    ("hinge", {}, hinges, minus_fake),
    ("wgan", {}, distance, minus_fake),
    ("wgan_gp", {}, distance, minus_fake),
    ("r3gan", {}, relative, relative_back),
]
NAMES = list(dict.fromkeys(name for name, *_ in CASES))
SCORES = [-4.0, -1.5, -0.9, -0.2, 0.0, 0.3, 0.7, 1.1, 2.5, 5.0]


def made(name: str, **options: Any) -> Objective:
    objective: Objective = catalog.build("objectives", name, **options)
    return objective


def name_of(part: object) -> str:
    """The same in every process: the workers of pytest-xdist compare the names of their tests."""
    return getattr(part, "__qualname__", str(part))[:40]


@pytest.mark.parametrize(("name", "options", "discriminator", "generator"), CASES, ids=name_of)
def test_values_and_gradients(name: str, options: dict[str, Any], discriminator: Written, generator: Written) -> None:
    objective = made(name, **options)
    pairs = [(r, f) for r in SCORES for f in SCORES]
    for function, written in ((objective.discriminator, discriminator), (objective.generator, generator)):
        real, fake = (torch.tensor(side, dtype=torch.float64).requires_grad_() for side in zip(*pairs, strict=True))
        value = function(real, fake)
        gradients = torch.autograd.grad(value.sum(), (real, fake), allow_unused=True)
        expected = torch.tensor([written(r, f) for r, f in pairs], dtype=torch.float64).T
        torch.testing.assert_close(value.detach(), expected[0], rtol=1e-10, atol=1e-12)
        for gradient, derivative in zip(gradients, expected[1:], strict=True):
            found = torch.zeros_like(derivative) if gradient is None else gradient
            torch.testing.assert_close(found, derivative, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "threshold"),
    [
        ("nonsaturating", {}, 0.0),
        ("minimax", {"smoothing": 0.2}, 0.0),
        ("lsgan", {}, 0.5),
        ("lsgan", {"a": -1, "b": 1, "c": 0}, 0.0),
        ("lsgan", {"a": 1, "b": 4, "c": 2}, 2.5),
        ("hinge", {}, 0.0),
        ("wgan", {}, None),
        ("wgan_gp", {}, None),
        ("r3gan", {}, None),
    ],
)
def test_where_real_begins(name: str, options: dict[str, Any], threshold: float | None) -> None:
    """Nowhere, for objectives that only compare; else midway between what reals and fakes should score."""
    assert made(name, **options).threshold == threshold


@pytest.mark.parametrize("name", NAMES)
def test_which_read_real_scores_in_the_generators_turn(name: str) -> None:
    assert made(name).relativistic == (name == "r3gan")


def test_r3gan_needs_real_scores() -> None:
    fake = torch.zeros(3)
    with pytest.raises(GansmithError, match=r"r3gan.*real"):
        made("r3gan").generator(None, fake)


def test_what_a_shift_of_all_scores_does() -> None:
    """Nothing to those that compare, in both turns (r3gan) or the discriminator's (wgan); something to the others."""
    rng = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(20, generator=rng, dtype=torch.float64) for _ in range(2))
    unmoved = set()
    for name in NAMES:
        objective = made(name)
        sides = {"discriminator": objective.discriminator, "generator": objective.generator}
        for side, function in sides.items():
            if torch.allclose(function(real + 7, fake + 7), function(real, fake), rtol=1e-12):
                unmoved.add((name, side))
    assert unmoved == {
        ("r3gan", "discriminator"),
        ("r3gan", "generator"),
        ("wgan", "discriminator"),
        ("wgan_gp", "discriminator"),
    }


def test_r3gan_pairs_one_to_one() -> None:
    real, fake = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 4.0, -1.0])
    objective = made("r3gan")
    assert objective.discriminator(real, fake).shape == (3,)
    whole = objective.discriminator(real, fake)
    alone = torch.cat([objective.discriminator(real[i : i + 1], fake[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(whole, alone, rtol=0, atol=0)


def test_smoothing_is_one_sided_and_binary_cross_entropy() -> None:
    real, fake = torch.tensor(SCORES, dtype=torch.float64), torch.tensor(SCORES, dtype=torch.float64).flip(0)
    for name in ("nonsaturating", "minimax"):
        smooth = made(name, smoothing=0.3)
        expected = F.binary_cross_entropy_with_logits(real, torch.full_like(real, 0.7), reduction="none")
        expected = expected + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake), reduction="none")
        torch.testing.assert_close(smooth.discriminator(real, fake), expected, rtol=1e-12, atol=1e-12)
        assert torch.equal(smooth.generator(None, fake), made(name).generator(None, fake))
        least = torch.tensor(math.log(0.7 / 0.3), dtype=torch.float64, requires_grad=True)  # where D = 0.7
        (gradient,) = torch.autograd.grad(smooth.discriminator(least, fake[:1]).sum(), least)
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)
        # and none of it leaves every bit as it was
        assert torch.equal(made(name).discriminator(real, fake), F.softplus(-real) + F.softplus(fake))


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("nonsaturating", {"smoothing": 0.6}, "from 0 to 0.5"),
        ("minimax", {"smoothing": -0.1}, "from 0 to 0.5"),
        ("lsgan", {"generator_factor": 0}, "above 0"),
        ("lsgan", {"a": float("inf")}, "finite"),
        ("wgan", {"clamp": 0}, "above 0"),
        ("wgan", {"clamp_when": "during"}, "after or before"),
        ("wgan", {"steps": 0}, "from 1 to"),
        ("wgan", {"every": -1}, "from 0 to"),
        ("wgan_gp", {"weight": -1}, "must not be negative"),
        ("wgan_gp", {"every": 0}, "from 1 to"),
        ("r3gan", {"gamma": -1}, "must not be negative"),
    ],
)
def test_options_that_are_refused(name: str, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(OptionError, match=f"objectives/{name}.*{problem}"):
        made(name, **options)


@pytest.mark.parametrize(("options", "which"), [({"b": 0}, "b = 0"), ({"c": -0.5}, "c = -0.5"), ({"a": 1}, "b = 1")])
def test_labels_of_lsgan_that_pull_the_wrong_way(options: dict[str, Any], which: str) -> None:
    with pytest.raises(OptionError, match=rf"objectives/lsgan.*{which}.*a = .*0, 1, 1.*-1, 1, 0"):
        made("lsgan", **options)


# ---- penalties of their own


class Linear(nn.Module):
    """D(x) = w . x, |w| = 3."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64))

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        return image.flatten(1) @ self.weight


def turn(objective: Objective, step: int = 0, images: int = 0) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    real, fake = (Sample(torch.randn(5, 3, 1, 1, generator=rng, dtype=torch.float64)) for _ in range(2))
    return objective.discriminator_terms(Linear(), real, fake, Moment(step, images, 0, rng)).loss


@pytest.mark.parametrize(
    ("name", "options", "terms"),
    [
        ("wgan_gp", {}, {"gradient_penalty": 10 * (3 - 1) ** 2}),
        ("wgan_gp", {"weight": 0.5, "one_sided": True}, {"gradient_penalty": 0.5 * 4}),
        ("wgan_gp", {"every": 3}, {"gradient_penalty": 3 * 10 * 4}),
        ("r3gan", {"gamma": 2}, {"r1": 9, "r2": 9}),
        ("r3gan", {"gamma": 0.05, "every": 16}, {"r1": 16 * 0.025 * 9, "r2": 16 * 0.025 * 9}),
    ],
)
def test_penalties_of_the_objectives(name: str, options: dict[str, Any], terms: dict[str, float]) -> None:
    found = turn(made(name, **options))
    assert found.keys() == {"loss", *terms}
    for term, value in terms.items():
        torch.testing.assert_close(found[term].detach(), torch.tensor(value, dtype=torch.float64), rtol=1e-9, atol=0)
    lazy = options.get("every", 1)
    if lazy > 1:
        assert turn(made(name, **options), 1).keys() == {"loss"}
        assert turn(made(name, **options), lazy).keys() == found.keys()


@pytest.mark.parametrize(("rectified", "value"), [(False, 16.0), (True, 0.0)])
def test_lecam_reaches_its_penalty(rectified: bool, value: float) -> None:
    """Reals all at -1 and fakes all at 1: on the near side of each other's averages, and 2 away from them."""

    class Sign(nn.Module):
        def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
            return image.flatten(1).sum(1)

    real, fake = (Sample(torch.full((4, 1, 1, 1), score, dtype=torch.float64)) for score in (-1.0, 1.0))
    at = Moment(0, 0, 0, torch.Generator())
    objective = made("hinge").penalised({"lecam": catalog.build("penalties", "lecam", weight=2, rectified=rectified)})
    found = objective.discriminator_terms(Sign(), real, fake, at).loss["lecam"].detach()
    torch.testing.assert_close(found, torch.tensor(value, dtype=torch.float64), rtol=1e-12, atol=1e-12)
    assert [*objective.state] == ["lecam"]


def test_r3gan_asks_at_the_reals_and_at_the_fakes() -> None:
    """D(x) = |x|^2 has the slope 2 x."""

    class Square(nn.Module):
        def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
            return image.square().flatten(1).sum(1)

    real, fake = (Sample(torch.full((4, 1, 2, 2), value, dtype=torch.float64)) for value in (1.0, 3.0))
    at = Moment(0, 0, 0, torch.Generator())
    loss = made("r3gan", gamma=1).discriminator_terms(Square(), real, fake, at).loss
    assert {term: float(loss[term].detach()) for term in ("r1", "r2")} == {"r1": 16 / 2, "r2": 144 / 2}


def test_options_reach_the_penalty() -> None:
    """one_sided leaves short slopes alone; no spread asks at the real images themselves."""

    class Short(Linear):
        def __init__(self) -> None:
            super().__init__()
            self.shown: list[Tensor] = []

        def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
            self.shown.append(image.detach())
            return super().forward(image) / 6

    def dragan(**options: Any) -> Objective:
        return made("nonsaturating").penalised({"dragan": catalog.build("penalties", "dragan", **options)})

    for term, build in (("gradient_penalty", lambda **options: made("wgan_gp", **options)), ("dragan", dragan)):
        real, fake = (Sample(torch.randn(5, 3, 1, 1, dtype=torch.float64)) for _ in range(2))
        at = Moment(0, 0, 0, torch.Generator())
        for one_sided, value in ((False, 2.5), (True, 0.0)):
            terms = build(one_sided=one_sided).discriminator_terms(Short(), real, fake, at)
            torch.testing.assert_close(terms.loss[term].detach(), torch.tensor(value, dtype=torch.float64))
    judge = Short()
    dragan(spread=0).discriminator_terms(judge, real, fake, at)
    assert torch.equal(judge.shown[2], real.image)


def test_the_schedule_of_gamma_at_its_corners() -> None:
    """A cosine to a tenth, as the paper's; each of R1 and R2 weighs half of it."""
    gamma = {"start": 2.0, "end": 0.2, "decay": 1000, "shape": "cosine"}
    for images, value in ((0, 2.0), (500, 1.1), (1000, 0.2), (10**7, 0.2)):
        found = turn(made("r3gan", gamma=gamma), images=images)
        for term in ("r1", "r2"):
            torch.testing.assert_close(found[term].detach(), torch.tensor(value / 2 * 9, dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "usual"),
    [*((name, 1) for name in ("hinge", "minimax", "nonsaturating", "lsgan", "r3gan")), ("wgan_gp", 5)],
)
def test_how_often_the_discriminator_plays(name: str, usual: int) -> None:
    steps = (0, 1, 24, 500)
    assert [made(name).discriminator_steps(step) for step in steps] == [usual] * 4
    assert [made(name, discriminator_steps=3).discriminator_steps(step) for step in steps] == [3] * 4
    with pytest.raises(OptionError, match=f"objectives/{name}.*discriminator_steps = 0.* 1"):
        made(name, discriminator_steps=0)


def test_names_are_not_taken_twice() -> None:
    with pytest.raises(GansmithError, match="gradient_penalty"):
        made("wgan_gp").penalised({"gradient_penalty": catalog.build("penalties", "gradient_penalty")})
