"""The cycle: every term against an independent account in float64, who learns from what, and the pool of fakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Fixed, Game, Moment, Objective, OnWeights, Prior, Sample, Terms, Weighted
from gansmith.errors import DataError, ExperimentError, OptionError
from gansmith.games import cycle
from gansmith.games.parts.jitter import jitter
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, hold, play_until
from gansmith.training.wiring import check_wiring

SHAPE = (2, 3, 3)
PIXELS = 18


class Linear(nn.Module):
    """Images -> images, by one matrix; counts its calls."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.matrix = nn.Parameter(torch.randn(PIXELS, PIXELS, generator=rng, dtype=torch.float64) / 4)
        self.read: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is None
        self.read.append(image.detach().clone())
        return (image.flatten(1) @ self.matrix).unflatten(1, SHAPE)


class Judge(nn.Module):
    """Images -> scores of two patches [B, 1, 1, 2], by one matrix; remembers what it was shown."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.matrix = nn.Parameter(torch.randn(PIXELS, 2, generator=rng, dtype=torch.float64) / 4)
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is None
        self.shown.append(image.detach().clone())
        return (image.flatten(1) @ self.matrix)[:, None, None]


Players = dict[str, Any]


def players() -> Players:
    return {"to_b": Linear(1), "to_a": Linear(2), "discriminator_a": Judge(3), "discriminator_b": Judge(4)}


def lsgan(**changes: Any) -> Objective:
    """As CycleGAN's code has it: no 1/2 for the generator."""
    objective: Objective = catalog.build("objectives", "lsgan", generator_factor=1.0)
    return replace(objective, **changes)


def game(objective: Objective | None = None, **options: Any) -> tuple[Game, Players]:
    made = players()
    return catalog.build("games", "cycle", made, objective or lsgan(), Prior(size=5), **options), made


def batch(seed: int = 0, count: int = 4) -> dict[str, Sample]:
    rng = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(count, *SHAPE, generator=rng, dtype=torch.float64) * 2 - 1 for _ in range(2))
    return {"a": Sample(a, torch.zeros(count, dtype=torch.int64)), "b": Sample(b)}


def moment(step: int = 0, images: int = 0, seed: int = 9) -> Moment:
    return Moment(step, images, 0, torch.Generator().manual_seed(seed))


def play(made: Game, number: int, given: Mapping[str, Sample], at: Moment | None = None) -> Terms:
    """A turn as the engine plays it: its players unfrozen, all others frozen."""
    hold({name: [*player.parameters()] for name, player in made.players.items()}, made.turns[number].players)
    return made.turns[number].play(given, at or moment()).checked()


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


def translated(image: Tensor, matrix: Tensor) -> Tensor:
    return (image.flatten(1) @ matrix).reshape(image.shape)


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


# ---- what the discriminators are shown


def test_they_see_the_reals_of_the_step_and_the_fakes_made_in_it() -> None:
    """No translator is asked again, though its weights are others by now."""
    made, them = game(pool=0)
    given = batch()
    play(made, 0, given)
    first = {name: them[f"to_{name}"].read[0] for name in "ab"}
    fakes = {name: translated(first[name], them[f"to_{name}"].matrix).detach() for name in "ab"}
    asked = [len(them[name].read) for name in ("to_a", "to_b")]
    with torch.no_grad():
        them["to_a"].matrix.zero_()
        them["to_b"].matrix.zero_()
    for number, name in enumerate("ab", start=1):
        judge = them[f"discriminator_{name}"]
        judge.shown.clear()
        play(made, number, given)
        assert torch.equal(judge.shown[0], given[name].image)
        torch.testing.assert_close(judge.shown[1], fakes[name])
    assert [len(them[name].read) for name in ("to_a", "to_b")] == asked


def test_they_see_fakes_of_the_past_too() -> None:
    made, them = game(pool=8, identity=0)
    judge, past = them["discriminator_b"], set()
    old = 0
    for step in range(30):
        given = batch(step)
        play(made, 0, given, moment(step, seed=step))
        judge.shown.clear()
        play(made, 2, given, moment(step, seed=1000 + step))
        fresh = translated(given["a"].image, them["to_b"].matrix)
        shown = {float(image.sum()) for image in judge.shown[1]}
        now = {float(image.sum()) for image in fresh.detach()}
        old += len(shown - now)
        assert shown <= past | now
        if step < 2:  # the pool fills: all are fresh
            assert shown == now
        past |= now
    assert 0.3 * 112 < old < 0.7 * 112  # of 28 steps of 4, half
    pool: Any = made.state["pool_b"]
    assert len(pool.images) == 8
    assert not len(made.state["pool_a"].images)  # type: ignore[attr-defined]  # its discriminator did not play


def test_repeats_of_a_turn_are_shown_the_same_and_fill_no_pool_twice() -> None:
    made, them = game(pool=50)
    given, judge = batch(), them["discriminator_a"]
    play(made, 0, given)
    judge.shown.clear()
    for repeat in range(3):
        play(made, 1, given, moment(seed=repeat))
    assert torch.equal(judge.shown[1], judge.shown[3])
    assert torch.equal(judge.shown[1], judge.shown[5])
    assert len(made.state["pool_a"].images) == 4  # type: ignore[attr-defined]


def test_parts_of_a_batch_are_told_apart() -> None:
    """`accumulate`: the translators play on all parts before the discriminators do."""
    made, them = game(pool=0)
    whole = batch(count=6)
    parts = [{name: Sample(sample.image.chunk(3)[part]) for name, sample in whole.items()} for part in range(3)]
    again = [{name: Sample(sample.image.chunk(3)[part]) for name, sample in whole.items()} for part in range(3)]
    for part in parts:
        play(made, 0, part)
    judge = them["discriminator_b"]
    judge.shown.clear()
    for part in again:  # other tensors of the same memory, as the engine cuts them
        play(made, 2, part)
    torch.testing.assert_close(torch.cat(judge.shown[0::2]), whole["b"].image)
    torch.testing.assert_close(torch.cat(judge.shown[1::2]), translated(whole["a"].image, them["to_b"].matrix).detach())


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_engine_plays_it(accumulate: int) -> None:
    """All players learn; discriminators see as many fakes as there are; nothing else is translated."""
    made, them = game(pool=0, identity=0)

    class Source:
        drawn = 0

        def __next__(self) -> dict[str, Sample]:
            self.drawn += 4
            return batch(self.drawn)

    source = Source()
    check_wiring(made, next(source), device=torch.device("cpu"))
    chosen = {name: optimizers.build("sgd", player.parameters(), {"lr": 0.01}) for name, player in them.items()}
    before = {name: player.matrix.detach().clone() for name, player in them.items()}
    for player in them.values():
        getattr(player, "read" if isinstance(player, Linear) else "shown").clear()
    play_until(build_engine(made, source, chosen, accumulate=accumulate), source.drawn + 8)
    assert all(not torch.equal(player.matrix, before[name]) for name, player in them.items())
    assert [sum(map(len, them[name].read)) for name in ("to_a", "to_b")] == [16, 16]  # 2 steps, there and back
    assert sum(map(len, them["discriminator_a"].shown)) == 2 * (4 + 8)  # by its translator; and real and fake


def test_a_discriminator_plays_though_the_translators_have_not() -> None:
    made, them = game(pool=0)
    given = batch()
    terms = play(made, 2, given)
    terms.total().backward()
    judge = them["discriminator_b"]
    torch.testing.assert_close(judge.shown[1], translated(given["a"].image, them["to_b"].matrix).detach())
    assert them["to_b"].matrix.grad is None
    assert not them["to_a"].read


def test_fakes_of_another_step_or_batch_are_not_shown() -> None:
    made, them = game(pool=0)
    given, other = batch(0), batch(1)
    play(made, 0, given, moment(step=4))
    judge = them["discriminator_b"]
    with torch.no_grad():
        them["to_b"].matrix.mul_(2)
    for step, shown in ((4, other), (5, given)):
        judge.shown.clear()
        play(made, 2, shown, moment(step=step))
        torch.testing.assert_close(judge.shown[1], translated(shown["a"].image, them["to_b"].matrix).detach())


def test_a_batch_played_twice_is_remembered_as_it_was_last() -> None:
    """As it is after the wiring check, which plays step 0 on a batch of its own."""
    made, them = game(pool=0)
    given = batch()
    play(made, 0, given)
    with torch.no_grad():
        them["to_b"].matrix.mul_(3)
    play(made, 0, given)
    judge = them["discriminator_b"]
    judge.shown.clear()
    play(made, 2, given)
    torch.testing.assert_close(judge.shown[1], translated(given["a"].image, them["to_b"].matrix).detach())


def test_each_domain_is_jittered_by_itself_and_the_discriminators_see_the_same_crops() -> None:
    made, them = game(pool=0, jitter=2)
    given = batch(count=8)
    play(made, 0, given, moment(seed=5))
    rng = torch.Generator().manual_seed(5)
    a, b = (jitter(given[name].image, pixels=2, rng=rng) for name in "ab")
    assert torch.equal(them["to_b"].read[0], a)
    assert torch.equal(them["to_a"].read[0], b)
    for number, (name, real) in enumerate((("a", a), ("b", b)), start=1):
        judge = them[f"discriminator_{name}"]
        judge.shown.clear()
        play(made, number, given, moment(seed=100))
        assert torch.equal(judge.shown[0], real)


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
    message = (
        r"^the domains have different channels: a has 2, b has 1. The game cycle needs the same number in both: "
        r"--set data.channels=3$"
    )
    with pytest.raises(ExperimentError, match=message):
        play(made, number, {**given, "b": Sample(given["b"].image[:, :1])})
    message = (
        r"^the game cycle is played on two sets of images, a and b, and this data has no b. "
        r"Name the second set: --set data.other=FOLDER$"
    )
    with pytest.raises(DataError, match=message):
        play(made, number, {"a": given["a"], "real": given["b"]})
    message = (
        r"^the domains have batches of different size: 4 images of a, 3 of b. The game cycle needs as many of both$"
    )
    with pytest.raises(ExperimentError, match=message):
        play(made, number, {**given, "b": Sample(given["b"].image[:3])})


@pytest.mark.parametrize(
    ("options", "message"),
    [({"cycle": -1}, "must not be negative"), ({"pool": -1}, "pool = -1"), ({"jitter": 1.5}, "jitter = 1.5")],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        game(**options)
