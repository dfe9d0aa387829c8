"""Several translations of one image: every loss and gradient by hand, whose style and content is asked of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Fixed, Game, Moment, Objective, OnWeights, Prior, Sample, Terms, Weighted
from gansmith.errors import DataError, GansmithError
from gansmith.games import multimodal
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, hold, play_until, trained_parameters
from gansmith.training.wiring import check_wiring

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
        hold(trained, turn.players)
        turn.play(batch(), moment()).total().backward()
        for name in players:
            got = [parameter.grad is not None for parameter in trained[name]]
            assert all(got) if name in turn.players else not any(got), (turn.name, name)
    hold(trained, tuple(trained))
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


def test_a_discriminator_of_one_scale() -> None:
    made, players = game(scales=None)
    wanted = by_hand(players, batch(), drawn())
    found = made.turns[2].play(batch(), moment()).loss
    torch.testing.assert_close(found["adversarial_a"], wanted["adversarial_a"] / 3)
    torch.testing.assert_close(found["adversarial_b"], wanted["adversarial_b"])


def test_styles_are_drawn_anew_and_from_the_prior() -> None:
    made, players = game()
    first, again, other = (made.turns[2].play(batch(), moment(seed)).loss["style_b"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    uniform = catalog.build("games", "multimodal", players, objective(), Prior("uniform", 3))
    rng = torch.Generator().manual_seed(9)
    s = {name: (torch.rand(5, 3, generator=rng) * 2 - 1).double() for name in "ab"}
    found = uniform.turns[2].play(batch(), moment()).loss
    torch.testing.assert_close(found["style_b"], by_hand(players, batch(), s)["style_b"] / 2)


def test_penalties_keep_their_weights_and_names() -> None:
    """The scales multiply the objective's own loss only; a penalty on a generator's weights is on both autoencoders."""

    def squares(network: nn.Module) -> Tensor:
        return sum((p.square().sum() for p in network.parameters()), start=torch.tensor(0.0))

    def penalty(discriminator: nn.Module, scores: Any, rng: torch.Generator) -> Tensor:
        return scores.real.square().mean(1)

    chosen = objective().penalised(
        {
            "real": Weighted(penalty, lambda images: 0.25),
            "judge": OnWeights(Weighted(squares, lambda images: 2.0), side="discriminator"),
            "decay": OnWeights(Weighted(squares, lambda images: 0.5)),
        }
    )
    made, players = game(chosen)
    plain, _ = game()
    for number, name in enumerate("ab"):
        judge = players[f"discriminator_{name}"]
        found = made.turns[number].play(batch(), moment()).loss
        assert found.keys() == {"loss", "real", "judge"}
        torch.testing.assert_close(found["loss"], plain.turns[number].play(batch(), moment()).loss["loss"])
        scores = linear(judge.layer, batch()[name].image.reshape(-1, ALL))
        torch.testing.assert_close(found["real"], 0.25 * scores.square().mean())
        torch.testing.assert_close(found["judge"], 2 * squares(judge))
    found = made.turns[2].play(batch(), moment()).loss
    wanted = by_hand(players, batch(), drawn())
    wanted |= {f"decay_{name}": 0.5 * squares(players[name]) for name in "ab"}
    same(found, wanted, parameters(players, "a", "b"))


def test_a_relativistic_objective_gets_the_reals_of_the_domain() -> None:
    made, players = game(objective(relativistic=True, generator=lambda real, fake: F.softplus(real - fake)))
    found = made.turns[2].play(batch(), moment()).loss
    x_ab = image(players["b"], content(players["a"], batch()["a"].image), drawn()["b"])
    real, fake = (linear(players["discriminator_b"].layer, x.reshape(-1, ALL)) for x in (batch()["b"].image, x_ab))
    torch.testing.assert_close(found["adversarial_b"], 0.7 * 2 * F.softplus(real - fake).mean())
    assert any(torch.equal(shown, batch()["a"].image) for shown in players["discriminator_a"].shown)


def test_projection_after_each_turn_of_a_discriminator() -> None:
    clamped: list[nn.Module] = []
    made, players = game(objective(project=clamped.append))
    for turn in made.turns[:2]:
        assert turn.settle is not None
        turn.settle(Terms({}), moment())
    assert clamped == [players["discriminator_a"], players["discriminator_b"]]
    assert made.turns[2].settle is None
    for turn in game()[0].turns[:2]:
        assert turn.settle is not None
        turn.settle(Terms({}), moment())


def test_it_trains_in_the_engine() -> None:
    made, players = game()
    before = {name: [p.detach().clone() for p in player.parameters()] for name, player in players.items()}

    class Pairs:
        drawn = 0

        def __next__(self) -> dict[str, Sample]:
            self.drawn += 5
            return batch()

    chosen = {name: optimizers.build("adam", player.parameters(), {"lr": 0.01}) for name, player in players.items()}
    engine = build_engine(made, Pairs(), chosen)
    losses: list[float] = []
    for step in range(3):
        play_until(engine, 100 * (step + 1), step=20 * step)
        played: Any = engine.state.output
        losses.append(float(dict(played)["autoencoders"]["image_a"]))
    assert engine.state.iteration == 60
    assert losses[0] > losses[1] > losses[2]
    for name, player in players.items():
        assert all(not torch.equal(p, q) for p, q in zip(player.parameters(), before[name], strict=True))


def test_the_sheet() -> None:
    """Rows of an image and its translations in the styles of the first latents; by the players that it is given."""
    made, players = game(styles=3)
    assert made.show is not None
    assert made.columns == 4
    assert game()[0].columns == 8
    torch.manual_seed(7)
    averaged: dict[str, Any] = {name: Coder().double() for name in "ab"}
    latents = torch.randn(16, 3, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        sheet = made.show({**players, **averaged}, Fixed(latents, None, batch(4)))
    assert sheet.shape == (16, *PIXELS)  # 16 // (2 * 4) = 2 rows a domain
    sheet = sheet.unflatten(0, (4, 4))
    for row, (name, other, number) in enumerate((("a", "b", 0), ("a", "b", 1), ("b", "a", 0), ("b", "a", 1))):
        x = batch(4)[name].image[number : number + 1]
        assert torch.equal(sheet[row, 0], x[0])
        for column in range(3):
            s = latents[column : column + 1].double()
            torch.testing.assert_close(sheet[row, 1 + column], image(averaged[other], content(averaged[name], x), s)[0])


@pytest.mark.parametrize(("latents", "reals", "rows"), [(100, 4, 4), (1, 4, 2), (40, 1, 1), (40, 9, 5)])
def test_sheets_of_every_size_have_whole_rows(latents: int, reals: int, rows: int) -> None:
    made, players = game(styles=3)
    assert made.show is not None
    sheet = made.show(players, Fixed(torch.randn(latents, 3), None, batch(reals)))
    assert len(sheet) == 2 * rows * 4
    if latents == 1:  # too few styles: the same again
        torch.testing.assert_close(sheet[1], sheet[2])


def test_errors() -> None:
    made, _ = game()
    for turn in made.turns:
        with pytest.raises(DataError, match=r"^the game multimodal is played on two sets of images, a and b, and this"):
            turn.play({"a": batch()["a"]}, moment())
    with pytest.raises(GansmithError, match="must not be negative"):
        game(style=-1.0)
    nothing, _ = game(**dict.fromkeys(WEIGHTS, 0.0))
    with pytest.raises(GansmithError, match="a turn returned no loss"):
        nothing.turns[2].play(batch(), moment()).checked()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_losses_are_in_float32_under_autocast(dtype: torch.dtype) -> None:
    made, players = game()
    for player in players.values():
        player.float()
    floats = {name: Sample(sample.image.float()) for name, sample in batch().items()}
    exact = [turn.play(floats, moment()).loss for turn in made.turns]
    with torch.autocast("cpu", dtype, enabled=dtype == torch.bfloat16):
        found = [turn.play(floats, moment()).loss for turn in made.turns]
    for mine, theirs in zip(found, exact, strict=True):
        for name, term in mine.items():
            assert term.dtype == torch.float32
            torch.testing.assert_close(term, theirs[name], rtol=0.05, atol=0.01)
