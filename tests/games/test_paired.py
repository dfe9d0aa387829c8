"""Pairs: every term against an independent account of it in float64, and what the discriminator of pairs is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Fixed, Game, Moment, Objective, OnWeights, Sample, Terms, Weighted
from gansmith.data.prior import Prior
from gansmith.errors import DataError, OptionError
from gansmith.games import paired
from gansmith.games.parts.jitter import jitter
from gansmith.training.engine import unfreeze_only
from refusals import refused

SHAPE = (2, 3, 3)
PIXELS = 18


class Linear(nn.Module):
    """Images -> images, by one matrix; remembers what it read."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.matrix = nn.Parameter(torch.randn(PIXELS, PIXELS, generator=rng, dtype=torch.float64) / 4)
        self.read: list[tuple[Tensor, bool]] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is None
        self.read.append((image.detach().clone(), torch.is_grad_enabled()))
        return translated(image, self.matrix)


class Judge(nn.Module):
    """Pairs [B, 4, 3, 3] -> scores of two patches [B, 1, 1, 2], by one matrix; remembers what it was shown."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.matrix = nn.Parameter(torch.randn(2 * PIXELS, 2, generator=rng, dtype=torch.float64) / 4)
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is None
        self.shown.append(image.detach().clone())
        return (image.flatten(1) @ self.matrix)[:, None, None]


def translated(image: Tensor, matrix: Tensor) -> Tensor:
    return (image.flatten(1) @ matrix).reshape(image.shape)


def judged(a: Tensor, b: Tensor, matrix: Tensor) -> Tensor:
    return torch.cat([a.flatten(1), b.flatten(1)], 1) @ matrix


def game(objective: Objective | None = None, **options: Any) -> tuple[Game, Linear, Judge]:
    translator, judge = Linear(1), Judge(2)
    made: Game = catalog.build(
        "games",
        "paired",
        {"to_b": translator, "discriminator": judge},
        objective or catalog.build("objectives", "nonsaturating"),
        Prior(size=5),
        **options,
    )
    return made, translator, judge


def batch(seed: int = 0, count: int = 4) -> dict[str, Sample]:
    rng = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(count, *SHAPE, generator=rng, dtype=torch.float64) * 2 - 1 for _ in range(2))
    return {"a": Sample(a, torch.zeros(count, dtype=torch.int64)), "b": Sample(b)}


def moment(images: int = 0, seed: int = 9) -> Moment:
    return Moment(0, images, 0, torch.Generator().manual_seed(seed))


def play(made: Game, number: int, given: Mapping[str, Sample], at: Moment | None = None) -> Terms:
    """A turn as the engine plays it: its players unfrozen, all others frozen."""
    unfreeze_only({name: [*player.parameters()] for name, player in made.players.items()}, made.turns[number].players)
    return made.turns[number].play(given, at or moment()).checked()


def test_the_turns() -> None:
    made, *_ = game()
    assert [(turn.name, turn.players, turn.draws) for turn in made.turns] == [
        ("discriminator", ("discriminator",), True),
        ("translator", ("to_b",), False),
    ]
    assert (paired.DOMAINS, paired.PAIRED) == (("a", "b"), True)
    assert dict(paired.ROLES) == {"to_b": "translator", "discriminator": "discriminator"}
    assert made.averaged == ()
    assert game(averaged=True)[0].averaged == ("to_b",)


def test_the_discriminator_is_built_for_both_images() -> None:
    size = Dimensions(3, 32, 24, 5, 2)
    assert paired.dimensions_of("discriminator", size) == Dimensions(6, 32, 24, 5, 2)
    assert paired.dimensions_of("translator", size) == size


def test_the_discriminators_terms_and_gradient() -> None:
    """Section 3.3: its objective is halved. It sees [a; b], the translation behind what it is a translation of."""
    made, translator, judge = game()
    given = batch()
    terms = play(made, 0, given)
    a, b = given["a"].image, given["b"].image
    fake = translated(a, translator.matrix).detach()
    assert torch.equal(judge.shown[0], torch.cat([a, b], 1))
    torch.testing.assert_close(judge.shown[1], torch.cat([a, fake], 1))
    assert [with_graph for _, with_graph in translator.read] == [False]
    matrix = judge.matrix.detach().clone().requires_grad_()
    expected = 0.5 * (F.softplus(-judged(a, b, matrix)).mean() + F.softplus(judged(a, fake, matrix)).mean())
    assert terms.loss.keys() == {"loss"}
    torch.testing.assert_close(terms.total(), expected)
    terms.total().backward()
    torch.testing.assert_close(judge.matrix.grad, *torch.autograd.grad(expected, matrix))
    assert translator.matrix.grad is None
    assert terms.seen.keys() == {"score_real", "score_fake", "accuracy", "held_real"}


def test_the_translators_terms_and_gradient() -> None:
    """Eq. 4, lambda 100; the adversarial term whole."""
    made, translator, judge = game()
    given = batch()
    terms = play(made, 1, given)
    a, b = given["a"].image, given["b"].image
    matrix = translator.matrix.detach().clone().requires_grad_()
    fake = translated(a, matrix)
    expected = {
        "adversarial": F.softplus(-judged(a, fake, judge.matrix.detach())).mean(),
        "l1": 100 * (fake - b).abs().mean(),
    }
    assert terms.loss.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms.loss[name], value, msg=name)
    assert len(judge.shown) == 1  # the real pair is not judged
    terms.total().backward()
    (wanted,) = torch.autograd.grad(expected["adversarial"] + expected["l1"], matrix)
    torch.testing.assert_close(translator.matrix.grad, wanted)
    assert judge.matrix.grad is None


def test_the_weights_follow_the_clock() -> None:
    made, translator, _ = game(l1={"phases": {0: 7.0, 10: 0.0}}, slow={"phases": {0: 0.25, 10: 1.0}})
    given = batch()
    a, b = given["a"].image, given["b"].image
    terms = play(made, 1, given)
    torch.testing.assert_close(terms.loss["l1"], 7 * (translated(a, translator.matrix) - b).abs().mean())
    assert play(made, 1, given, moment(10)).loss.keys() == {"adversarial"}
    slow, whole = (play(made, 0, given, moment(images)).total() for images in (9, 10))
    torch.testing.assert_close(4 * slow, whole)


def test_every_term_of_an_objective_is_played() -> None:
    """Penalties are not slowed; a relativistic objective gets the real pair."""

    def size(network: nn.Module) -> Tensor:
        return network.matrix.square().sum()  # type: ignore[operator,union-attr]

    objective = replace(
        catalog.build("objectives", "nonsaturating"),
        relativistic=True,
        generator=lambda real, fake: F.softplus(real - fake),
        penalties={"reals": Weighted(lambda network, scores, rng: scores.real.square().flatten(1).mean(1))},
        weight_penalties={
            "small": OnWeights(Weighted(size), "generator"),
            "tame": OnWeights(Weighted(size), "discriminator"),
        },
    )
    made, translator, judge = game(objective)
    given = batch()
    a, b = given["a"].image, given["b"].image
    terms = play(made, 1, given)
    fake = translated(a, translator.matrix)
    expected = F.softplus(judged(a, b, judge.matrix) - judged(a, fake, judge.matrix)).mean()
    torch.testing.assert_close(terms.loss["adversarial"], expected)
    torch.testing.assert_close(terms.loss["small"], size(translator))
    terms = play(made, 0, given)
    assert terms.loss.keys() == {"loss", "reals", "tame"}
    torch.testing.assert_close(terms.loss["reals"], judged(a, b, judge.matrix).square().mean())
    torch.testing.assert_close(terms.loss["tame"], size(judge))


def test_the_clamp_and_the_number_of_the_discriminators_steps() -> None:
    clamped: list[nn.Module] = []
    objective = catalog.build("objectives", "nonsaturating")
    made, _, judge = game(replace(objective, project=clamped.append, discriminator_steps=lambda step: 3 + step))
    assert [turn.repeats(2) for turn in made.turns] == [5, 1]
    assert made.turns[0].settle is not None
    made.turns[0].settle(Terms({}), moment())
    assert clamped == [judge]
    assert made.turns[1].settle is None
    plain, *_ = game()
    assert plain.turns[0].settle is not None
    plain.turns[0].settle(Terms({}), moment())


@pytest.mark.parametrize("number", [0, 1])
def test_both_of_a_pair_are_jittered_alike(number: int) -> None:
    made, translator, judge = game(jitter=2)
    given = batch(count=8)
    play(made, number, given, moment(seed=5))
    both = torch.cat([given["a"].image, given["b"].image], 1)
    expected = jitter(both, pixels=2, rng=torch.Generator().manual_seed(5))
    assert torch.equal(translator.read[0][0], expected[:, :2])
    assert torch.equal(judge.shown[0][:, :2], expected[:, :2])
    if number == 0:
        assert torch.equal(judge.shown[0], expected)


def test_the_sheet() -> None:
    """Columns: a, what is made of it, b."""
    made, *_ = game()
    assert made.show is not None
    given, averaged = batch(count=2), Linear(7)
    shown = made.show({"to_b": averaged}, Fixed(torch.zeros(2, 5), None, given))
    assert made.columns == 3
    a, b = given["a"].image, given["b"].image
    made_of_a = translated(a, averaged.matrix)
    torch.testing.assert_close(shown, torch.stack([a[0], made_of_a[0], b[0], a[1], made_of_a[1], b[1]]))


@pytest.mark.parametrize("number", [0, 1])
def test_domains_that_do_not_fit(number: int) -> None:
    made, *_ = game()
    given = batch()
    with refused("paired", "a has 2", "b has 1"):
        play(made, number, {**given, "b": Sample(given["b"].image[:, :1])})
    with refused("paired", "data.other=FOLDER", error=DataError):
        play(made, number, {"real": given["a"]})


@pytest.mark.parametrize(
    ("options", "message"),
    [({"l1": -1}, "must not be negative"), ({"slow": -1}, "must not be negative"), ({"jitter": -1}, "jitter = -1")],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        game(**options)


def test_what_follows_the_scores_sees_every_turn_of_the_discriminator() -> None:
    objective = catalog.build("objectives", "nonsaturating").penalised({"lecam": catalog.build("penalties", "lecam")})
    made, _, _ = game(objective)
    assert made.state.keys() == {"lecam"}
    before = made.state["lecam"].state_dict()
    turn = made.turns[0]
    assert turn.settle is not None
    turn.settle(turn.play(batch(), moment()), moment())
    after = made.state["lecam"].state_dict()
    assert any(not torch.equal(torch.as_tensor(before[name]), torch.as_tensor(after[name])) for name in before)
