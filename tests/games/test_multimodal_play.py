"""Multimodal translation in play: scales, penalties, projection, the engine, the sheet, and errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from linear_coders import (
    ALL,
    PIXELS,
    WEIGHTS,
    Coder,
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
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Fixed, OnWeights, Sample, Terms, Weighted
from gansmith.data.prior import Prior
from gansmith.errors import DataError, GansmithError
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, play_until
from refusals import refused


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
        with refused("multimodal", "no b", "--set data.other=FOLDER", error=DataError):
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
