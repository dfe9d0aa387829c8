"""Multimodal translation: every loss and gradient by hand, who learns from what, and weights over the clock."""

from __future__ import annotations

import torch
from linear_coders import (
    ALL,
    batch,
    by_hand,
    content,
    drawn,
    game,
    image,
    linear,
    moment,
    objective,
    parameters,
    same,
)

from gansmith import catalog
from gansmith.games import multimodal
from gansmith.training.engine import trained_parameters, unfreeze_only
from gansmith.training.wiring import check_wiring


def test_every_loss_of_the_autoencoders() -> None:
    made, players = game()
    terms = made.turns[2].play(batch(), moment())
    assert terms.seen == {}
    same(terms.loss, by_hand(players, batch(), drawn()), parameters(players, "a", "b"))
    torch.testing.assert_close(terms.total(), sum(by_hand(players, batch(), drawn()).values(), start=torch.tensor(0.0)))


def test_every_loss_of_the_discriminators() -> None:
    """Each on the reals of its domain and on fresh fakes, without a graph to what made them."""
    made, players = game()
    for turn, name, other, scales in zip(made.turns[:2], "ab", "ba", (3, 2), strict=True):
        judge = players[f"discriminator_{name}"]
        terms = turn.play(batch(), moment())
        s = torch.randn(5, 3, generator=torch.Generator().manual_seed(9)).double()
        fake = image(players[name], content(players[other], batch()[other].image), s).detach()
        assert torch.equal(judge.shown[0], batch()[name].image)
        torch.testing.assert_close(judge.shown[1], fake)
        assert not judge.shown[1].requires_grad
        real, made_up = (linear(judge.layer, x.reshape(-1, ALL)) for x in (batch()[name].image, fake))
        wanted = scales * ((real - 1).square().mean() + made_up.square().mean()) / 2
        same(terms.loss, {"loss": wanted}, [*judge.parameters()])
        assert terms.seen.keys() == {"score_real", "score_fake", "accuracy", "held_real"}
        torch.testing.assert_close(terms.seen["score_real"], real.detach().mean())
    assert players["a"].called == [("decode", False), ("encode", False)]
    assert players["b"].called == [("encode", False), ("decode", False)]


def test_who_plays_when() -> None:
    assert dict(multimodal.ROLES) == {
        "a": "autoencoder",
        "b": "autoencoder",
        "discriminator_a": "discriminator",
        "discriminator_b": "discriminator",
    }
    assert multimodal.DOMAINS == ("a", "b")
    made, players = game(objective(discriminator_steps=lambda step: 5))
    assert [(turn.name, turn.players, turn.repeats(3), turn.draws) for turn in made.turns] == [
        ("discriminator_a", ("discriminator_a",), 5, False),
        ("discriminator_b", ("discriminator_b",), 5, False),
        ("autoencoders", ("a", "b"), 1, False),
    ]
    assert made.players == players
    assert made.averaged == ()
    assert game(averaged=True)[0].averaged == ("a", "b")
    assert made.state == {}


def test_only_the_player_of_a_turn_gets_a_gradient() -> None:
    made, players = game()
    trained = trained_parameters(made)
    for turn in made.turns:
        for player in players.values():
            player.zero_grad()
        unfreeze_only(trained, turn.players)
        turn.play(batch(), moment()).total().backward()
        for name in players:
            got = [parameter.grad is not None for parameter in trained[name]]
            assert all(got) if name in turn.players else not any(got), (turn.name, name)
    unfreeze_only(trained, tuple(trained))
    check_wiring(made, batch(), device=torch.device("cpu"))


def test_a_weight_of_zero_computes_nothing() -> None:
    made, players = game(cycle=0.0, image=0.0)
    terms = made.turns[2].play(batch(), moment())
    left = {
        name: term for name, term in by_hand(players, batch(), drawn()).items() if name[:-2] not in ("cycle", "image")
    }
    same(terms.loss, left, parameters(players, "a", "b"))
    for name in "ab":
        assert [call for call, _ in players[name].called] == ["encode", "decode", "encode"]
        assert all(graph for _, graph in players[name].called)


def test_the_defaults_are_the_papers() -> None:
    options = catalog.keyword_options(multimodal.build)
    defaults = {name: parameter.default for name, parameter in options.items()}
    weights = {"image": 10.0, "style": 1.0, "content": 1.0, "adversarial": 1.0, "cycle": 0.0}
    assert defaults == {**weights, "styles": 7, "averaged": False}


def test_weights_follow_the_clock() -> None:
    falling = {"start": 4.0, "end": 0.0, "decay": 100}
    made, players = game(style=falling)
    wanted = by_hand(players, batch(), drawn())
    for images, share in ((0, 2.0), (25, 1.5), (50, 1.0)):
        terms = made.turns[2].play(batch(), moment(images=images))
        torch.testing.assert_close(terms.loss["style_a"], share * wanted["style_a"])
        torch.testing.assert_close(terms.loss["image_a"], wanted["image_a"])
    assert "style_a" not in made.turns[2].play(batch(), moment(images=100)).loss
