"""The game of two: who plays on what."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Fixed, Game, Moment, Objective, Sample, Terms
from gansmith.data.prior import Prior
from gansmith.games import two_player

PRIOR = Prior("uniform", 3)


class Make(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 4)
        self.asked: list[tuple[Tensor, Tensor | None, bool]] = []

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        self.asked.append((z.clone(), label, torch.is_grad_enabled()))
        return self.layer(z).tanh().unflatten(1, (1, 2, 2))


class Judge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.shown: list[tuple[Tensor, Tensor | None]] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        self.shown.append((image.detach().clone(), label))
        return self.layer(image.flatten(1)).squeeze(1)


def game(*, flips: float = 0.0, **changes: object) -> tuple[Game, Make, Judge]:
    torch.manual_seed(0)
    make, judge = Make(), Judge()
    objective: Objective = replace(catalog.build("objectives", "nonsaturating"), **changes)  # type: ignore[arg-type]
    return two_player.build({"generator": make, "discriminator": judge}, objective, PRIOR, flips=flips), make, judge


def moment(seed: int = 9) -> Moment:
    return Moment(0, 0, 0, torch.Generator().manual_seed(seed))


REAL = Sample(torch.linspace(-1, 1, 20).reshape(5, 1, 2, 2), torch.arange(5) * 3)


def test_the_discriminator_plays_first_on_fakes_of_the_reals_labels() -> None:
    made, make, judge = game()
    assert [(turn.name, turn.players, turn.draws) for turn in made.turns] == [
        ("discriminator", ("discriminator",), True),
        ("generator", ("generator",), False),
    ]
    terms = made.turns[0].play({"real": REAL}, moment())
    z = PRIOR.latents(5, torch.Generator().manual_seed(9))
    (asked, label, with_graph) = make.asked[0]
    assert len(make.asked) == 1
    assert torch.equal(asked, z)
    assert label is REAL.label
    assert not with_graph
    fake = make.layer(z).tanh().unflatten(1, (1, 2, 2))
    assert torch.equal(judge.shown[0][0], REAL.image)
    assert torch.equal(judge.shown[1][0], fake)
    assert all(label is REAL.label for _, label in judge.shown)
    expected = F.softplus(-judge(REAL.image)).mean() + F.softplus(judge(fake)).mean()
    torch.testing.assert_close(terms.loss["loss"], expected)


MANY = Sample(torch.linspace(-1, 1, 240).reshape(60, 1, 2, 2))


@pytest.mark.parametrize("flips", [0.05, 0.7, 1.0])
def test_labels_flipped_at_random(flips: float) -> None:
    """A pair with a flipped label has its two scores exchanged in the loss, and nowhere else."""
    made, make, judge = game(flips=flips)
    terms = made.turns[0].play({"real": MANY}, moment())
    rng = torch.Generator().manual_seed(9)
    fake = make(PRIOR.latents(60, rng)).detach()
    coins = torch.rand(60, generator=rng) < flips
    real_scores, fake_scores = judge(MANY.image), judge(fake)
    loss = torch.stack(
        [
            F.softplus(real) + F.softplus(-made_up) if coin else F.softplus(-real) + F.softplus(made_up)
            for real, made_up, coin in zip(real_scores, fake_scores, coins, strict=True)
        ]
    ).mean()
    torch.testing.assert_close(terms.loss["loss"], loss)
    weights = list(judge.parameters())
    for ours, expected in zip(
        torch.autograd.grad(terms.loss["loss"], weights), torch.autograd.grad(loss, weights), strict=True
    ):
        torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(terms.seen["score_real"], real_scores.mean())
    torch.testing.assert_close(terms.seen["score_fake"], fake_scores.mean())


def test_without_flips_no_coin_is_tossed() -> None:
    made, *_ = game()
    at = moment()
    made.turns[0].play({"real": MANY}, at)
    plain = torch.Generator().manual_seed(9)
    PRIOR.latents(60, plain)
    assert torch.equal(at.rng.get_state(), plain.get_state())


def test_the_generators_labels_are_never_flipped() -> None:
    losses = [game(flips=flips)[0].turns[1].play({"real": MANY}, moment()).loss["loss"] for flips in (0.0, 1.0)]
    assert torch.equal(*losses)


def test_patches_of_an_image_are_flipped_together() -> None:
    objective = catalog.build("objectives", "lsgan")
    patches = torch.arange(24, dtype=torch.float32).reshape(2, 1, 2, 6)

    def judge(image: Tensor, label: Tensor | None = None) -> Tensor:
        return patches * image.mean()

    real, fake = (Sample(torch.full((2, 1, 1, 1), value)) for value in (1.0, -2.0))
    flipped = torch.tensor([True, False])
    terms = objective.discriminator_terms(judge, real, fake, moment(), flipped=flipped)
    taken_real, taken_fake = patches.clone(), -2 * patches
    taken_real[0], taken_fake[0] = -2 * patches[0], patches[0]
    torch.testing.assert_close(terms.loss["loss"], (((taken_real - 1) ** 2 + taken_fake**2) / 2).mean())


def test_the_generator_plays_on_latents_of_its_own() -> None:
    made, make, judge = game()
    terms = made.turns[1].play({"real": REAL}, moment(4))
    assert torch.equal(make.asked[0][0], PRIOR.latents(5, torch.Generator().manual_seed(4)))
    assert make.asked[0][1] is REAL.label
    assert len(judge.shown) == 1  # the reals are not judged
    fake = make(PRIOR.latents(5, torch.Generator().manual_seed(4)))
    torch.testing.assert_close(terms.loss["loss"], F.softplus(-judge(fake)).mean())
    terms.total().backward()
    assert all(parameter.grad is not None for parameter in make.parameters())


def test_a_relativistic_objective_gets_the_reals() -> None:
    made, _, judge = game(relativistic=True, generator=lambda real, fake: F.softplus(real - fake))
    made.turns[1].play({"real": REAL}, moment())
    assert torch.equal(judge.shown[0][0], REAL.image)


def test_the_discriminator_plays_as_often_as_the_objective_says_and_is_projected() -> None:
    clamped: list[nn.Module] = []
    made, _, judge = game(discriminator_steps=lambda step: 100 if step < 25 else 5, project=clamped.append)
    assert [made.turns[0].repeats(step) for step in (0, 24, 25)] == [100, 100, 5]
    assert [made.turns[1].repeats(step) for step in (0, 24, 25)] == [1, 1, 1]
    assert made.turns[0].settle is not None
    made.turns[0].settle(Terms({}), moment())
    assert clamped == [judge]
    assert made.turns[1].settle is None  # the clamp belongs to the discriminator's steps
    plain, *_ = game()
    assert plain.turns[0].settle is not None
    plain.turns[0].settle(Terms({}), moment())


def test_what_is_shown_and_averaged() -> None:
    made, make, _ = game()
    assert made.averaged == ("generator",)
    assert made.show is not None
    z = PRIOR.latents(2, torch.Generator().manual_seed(1))
    averaged = Make()
    shown = made.show({"generator": averaged}, Fixed(z, None, {}))
    torch.testing.assert_close(shown, averaged(z))  # by the players it is given, not its own
    assert not torch.equal(shown, make(z))
    assert set(two_player.ROLES.items()) == {("generator", "generator"), ("discriminator", "discriminator")}
