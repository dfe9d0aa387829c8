"""Cycle consistency: every term and gradient against an independent account in float64, the sheet, and errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from linear_translators import SHAPE, Judge, Linear, batch, game, lsgan, moment, play, translated
from torch import Tensor, nn

from gansmith.adversarial import Fixed, OnWeights, Sample, Terms, Weighted
from gansmith.errors import DataError, OptionError
from gansmith.games import cycle
from refusals import refused


def judged(image: Tensor, judge: Judge) -> Tensor:
    return image.flatten(1) @ judge.matrix


# ---- the terms


def test_the_turns() -> None:
    made, _ = game()
    assert [(turn.name, turn.players, turn.draws) for turn in made.turns] == [
        ("translators", ("to_b", "to_a"), True),
        ("discriminator_a", ("discriminator_a",), False),
        ("discriminator_b", ("discriminator_b",), False),
    ]
    assert cycle.DOMAINS == ("a", "b")
    assert dict(cycle.ROLES) == {
        "to_b": "translator",
        "to_a": "translator",
        "discriminator_a": "discriminator",
        "discriminator_b": "discriminator",
    }
    assert made.averaged == ()
    assert set(made.state) == {"pool_a", "pool_b"}
    averaged, _ = game(averaged=True)
    assert averaged.averaged == ("to_b", "to_a")


def test_the_translators_terms_and_gradients() -> None:
    """Eq. 3 with least squares (section 4), lambda 10, identity 0.5 x 10: no 1/2 in the adversarial terms."""
    made, them = game()
    given = batch()
    terms = play(made, 0, given)
    a, b = given["a"].image, given["b"].image
    g, f = (them[name].matrix.detach().clone().requires_grad_() for name in ("to_b", "to_a"))
    fake_b, fake_a = translated(a, g), translated(b, f)
    expected = {
        "adversarial_a": (judged(fake_a, them["discriminator_a"]) - 1).pow(2).mean(),
        "adversarial_b": (judged(fake_b, them["discriminator_b"]) - 1).pow(2).mean(),
        "cycle_a": 10 * (translated(fake_b, f) - a).abs().mean(),
        "cycle_b": 10 * (translated(fake_a, g) - b).abs().mean(),
        "identity_a": 5 * (translated(a, f) - a).abs().mean(),
        "identity_b": 5 * (translated(b, g) - b).abs().mean(),
    }
    assert terms.loss.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms.loss[name], value, msg=name)
    wanted = torch.autograd.grad(sum(expected.values()), (g, f))  # type: ignore[arg-type]
    terms.total().backward()
    torch.testing.assert_close(them["to_b"].matrix.grad, wanted[0])
    torch.testing.assert_close(them["to_a"].matrix.grad, wanted[1])
    assert them["discriminator_a"].matrix.grad is None  # frozen
    assert them["discriminator_b"].matrix.grad is None


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_discriminators_terms_and_gradient(name: str) -> None:
    """1/2 [(D(real) - 1)^2 + D(fake)^2]: LSGAN's own half is CycleGAN's, and it is taken once."""
    made, them = game()
    given = batch()
    play(made, 0, given)
    terms = play(made, 1 + "ab".index(name), given)
    real, source = given[name].image, given["b" if name == "a" else "a"].image
    fake = translated(source, them[f"to_{name}"].matrix).detach()
    matrix = them[f"discriminator_{name}"].matrix.detach().clone().requires_grad_()
    expected = 0.5 * ((real.flatten(1) @ matrix - 1).pow(2).mean() + (fake.flatten(1) @ matrix).pow(2).mean())
    torch.testing.assert_close(terms.total(), expected)
    terms.total().backward()
    torch.testing.assert_close(them[f"discriminator_{name}"].matrix.grad, *torch.autograd.grad(expected, matrix))
    assert all(them[other].matrix.grad is None for other in them if other != f"discriminator_{name}")
    assert terms.seen.keys() == {"score_real", "score_fake", "accuracy", "held_real"}
    torch.testing.assert_close(terms.seen["score_real"], (real.flatten(1) @ matrix).mean().detach())


def test_the_weights_follow_the_clock_and_cost_nothing_at_zero() -> None:
    made, them = game(cycle={"phases": {0: 2.0, 100: 0.0}}, identity={"phases": {0: 0.0, 50: 0.25}})
    given = batch()
    terms = play(made, 0, given, moment(images=0))
    assert terms.loss.keys() == {"adversarial_a", "adversarial_b", "cycle_a", "cycle_b"}
    assert [len(them[name].read) for name in ("to_b", "to_a")] == [2, 2]  # there and back
    terms = play(made, 0, given, moment(images=50))
    a = given["a"].image
    torch.testing.assert_close(
        terms.loss["identity_a"], 0.5 * (translated(a, them["to_a"].matrix) - a).abs().mean()
    )  # 2 x 0.25
    assert [len(them[name].read) for name in ("to_b", "to_a")] == [5, 5]
    terms = play(made, 0, given, moment(images=100))
    assert terms.loss.keys() == {"adversarial_a", "adversarial_b"}  # identity is a multiple of the cycle's weight
    assert [len(them[name].read) for name in ("to_b", "to_a")] == [6, 6]


def test_every_term_of_an_objective_is_played() -> None:
    """Penalties on scores in the discriminators' turns, on weights in the turn of their side; a relativistic objective
    gets the real images."""

    def size(network: nn.Module) -> Tensor:
        return network.matrix.square().sum()  # type: ignore[operator,union-attr]

    objective = replace(
        lsgan(relativistic=True, generator=lambda real, fake: (fake - real).square()),
        penalties={"reals": Weighted(lambda network, scores, rng: scores.real.square().flatten(1).mean(1))},
        weight_penalties={
            "small": OnWeights(Weighted(size), "generator"),
            "tame": OnWeights(Weighted(size), "discriminator"),
        },
    )
    made, them = game(objective, identity=0)
    given = batch()
    terms = play(made, 0, given)
    real, fake = given["a"].image, translated(given["b"].image, them["to_a"].matrix)
    judge = them["discriminator_a"]
    expected = (judged(fake, judge) - judged(real, judge)).square().mean()
    torch.testing.assert_close(terms.loss["adversarial_a"], expected)
    torch.testing.assert_close(terms.loss["small_a"], size(them["to_a"]))
    torch.testing.assert_close(terms.loss["small_b"], size(them["to_b"]))
    terms = play(made, 1, given)
    assert terms.loss.keys() == {"loss", "reals", "tame"}
    torch.testing.assert_close(terms.loss["reals"], judged(real, judge).square().mean())
    torch.testing.assert_close(terms.loss["tame"], size(judge))


def test_the_clamp_and_the_number_of_the_discriminators_steps() -> None:
    clamped: list[nn.Module] = []
    made, them = game(lsgan(project=clamped.append, discriminator_steps=lambda step: 3 + step))
    assert [turn.repeats(2) for turn in made.turns] == [1, 5, 5]
    for turn in made.turns[1:]:
        assert turn.settle is not None
        turn.settle(Terms({}), moment())
    assert clamped == [them["discriminator_a"], them["discriminator_b"]]
    assert made.turns[0].settle is None
    plain, _ = game()
    assert plain.turns[1].settle is not None
    plain.turns[1].settle(Terms({}), moment())


# ---- the sheet, and errors


def test_the_sheet() -> None:
    """Columns: a, a as b, and back; b, b as a, and back."""
    made, _ = game()
    assert made.show is not None
    given = batch(count=2)
    averaged = {"to_b": Linear(11), "to_a": Linear(12)}
    shown = made.show(averaged, Fixed(torch.zeros(2, 5), None, given))
    assert made.columns == 6
    g, f = averaged["to_b"].matrix, averaged["to_a"].matrix
    a, b = given["a"].image, given["b"].image
    columns = [a, translated(a, g), translated(translated(a, g), f), b, translated(b, f)]
    columns.append(translated(translated(b, f), g))
    assert shown.shape == (12, *SHAPE)
    for row in range(2):
        torch.testing.assert_close(shown[6 * row : 6 * row + 6], torch.stack([column[row] for column in columns]))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_domains_that_do_not_fit(number: int) -> None:
    made, _ = game()
    given = batch()
    with refused("cycle", "a has 2", "b has 1", "--set data.channels=3"):
        play(made, number, {**given, "b": Sample(given["b"].image[:, :1])})
    with refused("cycle", "no b", "--set data.other=FOLDER", error=DataError):
        play(made, number, {"a": given["a"], "real": given["b"]})
    with refused("cycle", "4 images of a", "3 of b"):
        play(made, number, {**given, "b": Sample(given["b"].image[:3])})


@pytest.mark.parametrize(
    ("options", "message"),
    [({"cycle": -1}, "must not be negative"), ({"pool": -1}, "pool = -1"), ({"jitter": 1.5}, "jitter = 1.5")],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        game(**options)
