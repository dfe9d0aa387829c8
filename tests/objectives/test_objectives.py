"""Objectives and the nouns round them: closed forms, and equality with torch's binary cross entropy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Moment, Objective, Sample, Scores, Weighted, seen_of
from gansmith.data.prior import Prior
from gansmith.errors import GansmithError
from gansmith.system.ranking import accuracy

SCORES = torch.tensor([-30.0, -3.0, -0.5, 0.0, 0.5, 3.0, 30.0], dtype=torch.float64)


def objective(name: str) -> Objective:
    made: Objective = catalog.build("objectives", name)
    return made


def at(step: int = 0, images: int = 0) -> Moment:
    return Moment(step, images, 0, torch.Generator().manual_seed(1))


def slope(function: Callable[[Tensor], Tensor], scores: Tensor) -> tuple[Tensor, Tensor]:
    scores = scores.clone().requires_grad_()
    value = function(scores)
    (gradient,) = torch.autograd.grad(value.sum(), scores)
    return value.detach(), gradient


@pytest.mark.parametrize("name", ["nonsaturating", "minimax"])
def test_the_discriminator_is_binary_cross_entropy(name: str) -> None:
    chosen = objective(name)
    real, fake = SCORES, SCORES.flip(0)
    expected = F.binary_cross_entropy_with_logits(real, torch.ones_like(real), reduction="none")
    expected = expected + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake), reduction="none")
    torch.testing.assert_close(chosen.discriminator(real, fake), expected, rtol=1e-12, atol=1e-13)
    _, of_real = slope(lambda scores: chosen.discriminator(scores, fake), real)
    _, of_fake = slope(lambda scores: chosen.discriminator(real, scores), fake)
    torch.testing.assert_close(of_real, torch.sigmoid(real) - 1, rtol=1e-9, atol=1e-15)
    torch.testing.assert_close(of_fake, torch.sigmoid(fake), rtol=1e-9, atol=1e-15)


def test_the_generator_on_flipped_labels() -> None:
    value, gradient = slope(lambda scores: objective("nonsaturating").generator(None, scores), SCORES)
    expected = F.binary_cross_entropy_with_logits(SCORES, torch.ones_like(SCORES), reduction="none")
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(gradient, torch.sigmoid(SCORES) - 1, rtol=1e-9, atol=1e-15)


def test_the_generator_of_equation_1() -> None:
    """log(1 - D): the discriminator's own term with its sign turned, bounded above by 0 and vanishing where D wins."""
    value, gradient = slope(lambda scores: objective("minimax").generator(None, scores), SCORES)
    torch.testing.assert_close(value[1:-1], torch.log(1 - torch.sigmoid(SCORES[1:-1])), rtol=1e-9, atol=0)
    torch.testing.assert_close(gradient, -torch.sigmoid(SCORES), rtol=1e-9, atol=1e-15)
    assert gradient[0].abs() < 1e-12


@pytest.mark.parametrize("name", ["nonsaturating", "minimax"])
def test_values_at_zero(name: str) -> None:
    zero = torch.zeros((), dtype=torch.float64)
    chosen = objective(name)
    assert float(chosen.discriminator(zero, zero)) == pytest.approx(2 * math.log(2))
    assert float(chosen.generator(None, zero)) == pytest.approx(math.log(2) * (1 if name == "nonsaturating" else -1))
    assert (chosen.threshold, chosen.relativistic, chosen.penalties, chosen.project) == (0.0, False, {}, None)
    assert [chosen.discriminator_steps(step) for step in (0, 1, 1000)] == [1, 1, 1]


# ---- terms of a turn


class Judge(nn.Module):
    """Scores are a fixed linear form of the pixels; it remembers what it was shown, and on which side."""

    def __init__(self, patches: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, -1.0, 2.0, 0.25], dtype=torch.float64))
        self.patches = patches
        self.shown: list[tuple[Tensor, Tensor | None]] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        self.shown.append((image, label))
        scores = image.flatten(1).double() * self.weight
        return scores.unflatten(1, (1, 2, 2)) if self.patches else scores.sum(1)


def samples(size: int = 5) -> tuple[Sample, Sample]:
    rng = torch.Generator().manual_seed(2)
    real, fake = (torch.rand(size, 1, 2, 2, generator=rng, dtype=torch.float64) * 2 - 1 for _ in range(2))
    return Sample(real, torch.arange(size)), Sample(fake, torch.arange(size) + 10)


@pytest.mark.parametrize("patches", [False, True])
def test_terms_of_the_discriminators_turn(patches: bool) -> None:
    judge = Judge(patches)
    real, fake = samples()
    terms = objective("nonsaturating").discriminator_terms(judge, real, fake, at())
    scores = [judge(sample.image) for sample in (real, fake)]
    expected = F.softplus(-scores[0]).mean() + F.softplus(scores[1]).mean()
    assert terms.loss.keys() == {"loss"}
    torch.testing.assert_close(terms.loss["loss"], expected)
    torch.testing.assert_close(terms.seen["score_real"], scores[0].mean().detach())
    torch.testing.assert_close(terms.seen["score_fake"], scores[1].mean().detach())
    torch.testing.assert_close(terms.seen["held_real"], (scores[0] > 0).float().mean())
    assert terms.seen.keys() == {"score_real", "score_fake", "accuracy", "held_real"}
    assert not any(term.requires_grad for term in terms.seen.values())
    assert [image is sample.image for (image, _), sample in zip(judge.shown, (real, fake), strict=False)] == [True] * 2
    assert [label.tolist() for _, label in judge.shown[:2] if label is not None] == [[*range(5)], [*range(10, 15)]]


def test_terms_of_the_generators_turn() -> None:
    judge = Judge()
    real, fake = samples()
    image = fake.image.requires_grad_()
    terms = objective("nonsaturating").generator_terms(judge, real, Sample(image, fake.label), at())
    torch.testing.assert_close(terms.loss["loss"], F.softplus(-judge(image)).mean())
    assert terms.seen == {}
    assert torch.equal(judge.shown[0][0], image)  # the reals are not judged
    assert len(judge.shown) == 2
    (gradient,) = torch.autograd.grad(terms.loss["loss"], image)
    pull = torch.einsum("bchw,chw->b", gradient, judge.weight.detach().reshape(1, 2, 2))
    assert bool((pull < 0).all())  # a step down the gradient raises every fake's score


def test_a_relativistic_objective_sees_the_real_scores_without_gradient() -> None:
    judge = Judge()
    real, fake = samples()
    given: list[Any] = []

    def generator(real_scores: Tensor | None, fake_scores: Tensor) -> Tensor:
        given.append(real_scores)
        assert real_scores is not None
        return F.softplus(real_scores - fake_scores)

    relativistic = Objective(lambda r, f: F.softplus(f - r), generator, relativistic=True)
    terms = relativistic.generator_terms(judge, real, fake, at())
    torch.testing.assert_close(terms.loss["loss"], F.softplus(judge(real.image) - judge(fake.image)).mean())
    assert not given[0].requires_grad
    with pytest.raises(GansmithError, match=r"relativistic.*real images"):
        relativistic.generator_terms(judge, None, fake, at())
    objective("minimax").generator_terms(judge, None, fake, at())  # others do without


# ---- penalties


def slopes(discriminator: nn.Module, scores: Scores, rng: torch.Generator) -> Tensor:
    """|gradient by the reals|^2 + 10 |gradient by the fakes|^2, per image: [B]."""
    found = []
    for score, shown in ((scores.real, scores.shown_real.image), (scores.fake, scores.shown_fake.image)):
        assert shown.requires_grad
        assert shown.is_leaf
        (gradient,) = torch.autograd.grad(score.square().sum(), shown, create_graph=True)
        found.append(gradient.square().flatten(1).sum(1))
    return found[0] + 10 * found[1]


def penalised(**options: Any) -> Objective:
    return replace(objective("nonsaturating"), penalties={"slope": Weighted(slopes, **options)})


def test_a_penalty_re_uses_the_scores_and_its_images_require_a_gradient() -> None:
    judge = Judge()
    real, fake = samples()
    terms = penalised(weight=lambda images: 0.5).discriminator_terms(judge, real, fake, at())
    assert len(judge.shown) == 2
    norm = judge.weight.square().sum()
    expected = (4 * judge(real.image).square() * norm + 40 * judge(fake.image).square() * norm).mean() / 2
    torch.testing.assert_close(terms.loss["slope"], expected)
    assert not real.image.requires_grad
    assert torch.autograd.grad(terms.total(), judge.weight)[0].abs().sum() > 0
    plain = objective("nonsaturating").discriminator_terms(judge, real, fake, at())
    torch.testing.assert_close(terms.loss["loss"], plain.loss["loss"], rtol=0, atol=0)
    torch.testing.assert_close(terms.total(), plain.total() + terms.loss["slope"])


def test_a_penalty_cuts_the_graph_to_the_generator() -> None:
    judge = Judge()
    real, fake = samples()
    made = fake.image.requires_grad_()
    terms = penalised().discriminator_terms(judge, real, Sample(made * 1.0), at())
    assert torch.autograd.grad(terms.total(), made, allow_unused=True) == (None,)


def test_a_lazy_penalty_at_one_is_the_eager_one_to_the_bit() -> None:
    judge = Judge()
    real, fake = samples()
    eager, lazy = penalised(weight=lambda images: 0.3), penalised(weight=lambda images: 0.3, every=1)
    for step in range(3):
        one, other = (o.discriminator_terms(judge, real, fake, at(step)).loss["slope"] for o in (eager, lazy))
        assert torch.equal(one, other)
        assert torch.equal(one, 0.3 * slopes(judge, scored(judge, real, fake), at().rng).mean())


def scored(judge: Judge, real: Sample, fake: Sample) -> Scores:
    real, fake = (Sample(sample.image.detach().requires_grad_()) for sample in (real, fake))
    return Scores(real, fake, judge(*real), judge(*fake))


def test_a_lazy_penalty_weighs_as_many_times_more_as_it_comes_less_often() -> None:
    judge = Judge()
    real, fake = samples()
    lazy, eager = penalised(every=4), penalised()
    found = [lazy.discriminator_terms(judge, real, fake, at(step)).loss.get("slope") for step in range(9)]
    assert [term is not None for term in found] == [step % 4 == 0 for step in range(9)]
    once = eager.discriminator_terms(judge, real, fake, at()).loss["slope"]
    assert found[4] is not None
    torch.testing.assert_close(found[4], 4 * once)


def test_a_penaltys_weight_follows_the_images_clock() -> None:
    judge = Judge()
    real, fake = samples()
    scheduled = penalised(weight=lambda images: images / 100)
    base = penalised().discriminator_terms(judge, real, fake, at()).loss["slope"]
    found = scheduled.discriminator_terms(judge, real, fake, at(7, 250)).loss["slope"]
    torch.testing.assert_close(found, 2.5 * base)


def test_a_penalty_gets_the_turns_randomness() -> None:
    given: list[torch.Generator] = []

    def random(discriminator: nn.Module, scores: Scores, rng: torch.Generator) -> Tensor:
        given.append(rng)
        return scores.real

    moment = at()
    replace(objective("minimax"), penalties={"random": Weighted(random)}).discriminator_terms(
        Judge(), *samples(), moment
    )
    assert given == [moment.rng]


def test_a_penalty_may_not_take_the_losses_name() -> None:
    clashing = replace(objective("minimax"), penalties={"loss": Weighted(slopes)})
    with pytest.raises(GansmithError, match=r"penalty.*'loss'"):
        clashing.discriminator_terms(Judge(), *samples(), at())


@pytest.mark.parametrize(("given", "kept"), [(torch.bfloat16, torch.float32), (torch.float64, torch.float64)])
def test_losses_are_float32_or_better(given: torch.dtype, kept: torch.dtype) -> None:
    class Short(Judge):
        def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
            return super().forward(image, label).to(given)

    real, fake = samples()
    relativistic = Objective(lambda r, f: f - r, lambda r, f: f - r if r is not None else f, relativistic=True)
    penalty = replace(relativistic, penalties={"p": Weighted(lambda d, scores, rng: scores.real.to(given))})
    kinds = {term.dtype for term in penalty.discriminator_terms(Short(), real, fake, at()).loss.values()}
    kinds.add(relativistic.generator_terms(Short(), real, fake, at()).loss["loss"].dtype)
    assert kinds == {kept}


# ---- accuracy


def brute_force(real: Tensor, fake: Tensor) -> float:
    """P(score of a real > score of a fake), counted pair by pair."""
    real, fake = (scores.flatten(1).mean(1) if scores.dim() > 1 else scores for scores in (real, fake))
    won = 0.0
    for one in real.tolist():
        for other in fake.tolist():
            won += 1.0 if one > other else 0.5 if one == other else 0.0
    return won / (len(real) * len(fake))


def test_accuracy_is_the_share_of_pairs_won() -> None:
    rng = torch.Generator().manual_seed(0)
    for shape, other in (((7,), (9,)), ((1,), (1,)), ((5, 1, 3, 3), (4, 1, 3, 3)), ((6, 2), (6, 2))):
        for _ in range(5):
            real = torch.randint(-3, 4, shape, generator=rng).float()  # ties are common
            fake = torch.randint(-3, 3, other, generator=rng).float()
            assert float(accuracy(real, fake)) == pytest.approx(brute_force(real, fake))


def test_accuracy_at_its_corners() -> None:
    low, high = torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0])
    assert [float(accuracy(*pair)) for pair in ((high, low), (low, high), (low, low))] == [1.0, 0.0, 0.5]
    seen = seen_of(high, low)
    assert {name: float(value) for name, value in seen.items()} == {
        "score_real": 2.5,
        "score_fake": 0.5,
        "accuracy": 1.0,
    }


# ---- priors


def latents(kind: Any, size: int = 50, n: int = 4000, **options: Any) -> Tensor:
    return Prior(kind, size).latents(n, torch.Generator().manual_seed(5), **options)


@pytest.mark.parametrize(("kind", "deviation"), [("normal", 1.0), ("uniform", 3**-0.5), ("sphere", 1.0)])
def test_moments_of_the_priors(kind: str, deviation: float) -> None:
    z = latents(kind)
    assert z.shape == (4000, 50)
    assert z.dtype == torch.float32
    assert float(z.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(z.std()) == pytest.approx(deviation, rel=0.01)
    torch.testing.assert_close(z.mean(0), torch.zeros(50), rtol=0, atol=0.08)
    if kind == "normal":
        assert float((z**4).mean()) == pytest.approx(3.0, rel=0.05)
        assert float(z.abs().max()) > 3.5


def test_ranges_and_radii() -> None:
    uniform = latents("uniform")
    assert -1 <= float(uniform.min()) < -0.999
    assert 0.999 < float(uniform.max()) < 1
    torch.testing.assert_close(latents("sphere").norm(dim=1), torch.full((4000,), 50**0.5))
    along = latents("sphere", grid=(2, 3), n=10)
    assert along.shape == (10, 50, 2, 3)
    torch.testing.assert_close(along.norm(dim=1), torch.full((10, 2, 3), 50**0.5))
    scaled = Prior("sphere", 4).on_sphere(torch.tensor([[3.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))
    torch.testing.assert_close(scaled, torch.tensor([[1.2, 0.0, 1.6, 0.0], [0.0, 0.0, 0.0, 0.0]]))


def test_latents_depend_on_the_randomness_alone() -> None:
    assert torch.equal(latents("normal"), latents("normal"))
    assert not torch.equal(latents("normal"), Prior("normal", 50).latents(4000, torch.Generator().manual_seed(6)))
    state = torch.get_rng_state()
    latents("uniform")
    assert torch.equal(torch.get_rng_state(), state)


def test_drawing_takes_the_labels_of_the_reals() -> None:
    prior = Prior(size=3)
    real, _ = samples()
    z, label = prior.draw(5, torch.Generator().manual_seed(5), like=real)
    assert label is real.label
    assert torch.equal(z, prior.latents(5, torch.Generator().manual_seed(5)))
    assert prior.draw(5, torch.Generator(), like=None)[1] is None
    assert prior.draw(5, torch.Generator(), like=Sample(real.image))[1] is None
