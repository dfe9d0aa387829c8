"""The wiring check: what it refuses, what it lets pass, and that it leaves no trace."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Batch, Dimensions, Game, Moment, Sample, Terms, Turn
from gansmith.data.prior import Prior
from gansmith.errors import GansmithError, WiringError
from gansmith.games import two_player
from gansmith.training.wiring import check_wiring, first_images, untouched
from refusals import refused
from toys import cycle, lazy, tiny

CPU = torch.device("cpu")
SIZE = Dimensions(1, 4, 4, 5)


def batch(size: int = 12) -> Batch:
    rng = torch.Generator().manual_seed(3)
    return {"real": Sample(torch.rand(size, 1, 4, 4, generator=rng) * 2 - 1, torch.arange(size))}


def make() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {"generator": tiny.generator(SIZE), "discriminator": tiny.discriminator(SIZE)}


def two(players: dict[str, nn.Module]) -> Game:
    return two_player.build(players, catalog.build("objectives", "nonsaturating"), Prior(size=5))


def cycle_game() -> Game:
    torch.manual_seed(0)
    players: dict[str, nn.Module] = {name: tiny.translator(SIZE) for name in ("to_a", "to_b")}
    players |= {name: tiny.discriminator(SIZE) for name in ("of_a", "of_b")}
    return cycle.build(players, catalog.build("objectives", "nonsaturating"), Prior(size=5))


def check(game: Game) -> None:
    check_wiring(game, batch(), device=CPU)


def test_sound_games_pass() -> None:
    check(two(make()))
    check(cycle_game())
    check(lazy.build(make(), catalog.build("objectives", "nonsaturating"), Prior(size=5)))
    check_wiring(two(make()), batch(), device=CPU, precision="bfloat16")


def test_a_parameter_that_is_not_used() -> None:
    players = make()
    players["generator"].extra = nn.Linear(2, 2)
    names = "generator.extra.weight, generator.extra.bias"
    with refused("'generator'", names, "freeze", "requires_grad_(False)", error=WiringError):
        check(two(players))
    players["generator"].extra.weight.requires_grad_(False)
    with refused("generator.extra.bias", error=WiringError):
        check(two(players))
    players["generator"].extra.requires_grad_(False)
    check(two(players))


def test_a_long_list_is_cut() -> None:
    players = make()
    players["discriminator"].extra = nn.ParameterList([nn.Parameter(torch.ones(1)) for _ in range(8)])
    with refused("discriminator.extra.5", "2 more", error=WiringError):
        check(two(players))


def changed(game: Game, place: int, play: Callable[[Batch, Moment], Terms]) -> Game:
    turns = list(game.turns)
    turns[place] = replace(turns[place], play=play)
    return replace(game, turns=tuple(turns))


def test_a_turn_that_loses_the_graph() -> None:
    game = two(make())
    detached = changed(game, 1, lambda b, at: Terms({"loss": game.turns[1].play(b, at).loss["loss"].detach()}))
    with pytest.raises(
        WiringError, match=r"turn 'generator' trains generator\.layers\.0\.weight, .* does not depend on"
    ):
        check(detached)


def test_half_a_graph_is_not_enough() -> None:
    """The fake is detached before the discriminator sees it: the generator's weights get nothing."""
    players = make()
    game = two(players)

    def play(b: Batch, at: Moment) -> Terms:
        fake = players["generator"](torch.randn(4, 5)).detach()
        return Terms({"loss": players["discriminator"](fake).mean()})

    with pytest.raises(WiringError, match="turn 'generator' trains"):
        check(changed(game, 1, play))


def test_a_play_that_unfreezes_an_idle_player() -> None:
    players = make()
    game = two(players)

    def play(b: Batch, at: Moment) -> Terms:
        players["discriminator"].requires_grad_(True)
        return game.turns[1].play(b, at)

    with pytest.raises(WiringError) as raised:
        check(changed(game, 1, play))
    assert str(raised.value).startswith(
        "turn 'generator' would send gradients to an idle player: discriminator.layers."
    )


def test_a_parameter_that_two_players_share() -> None:
    players = make()
    players["discriminator"].layers[4] = nn.Linear(12, 1)
    players["generator"].layers[3] = nn.Linear(12, 16)
    shared = nn.Parameter(torch.randn(12))
    players["generator"].layers[0].bias = shared
    players["discriminator"].layers[1].bias = shared
    with pytest.raises(WiringError):
        check(two(players))


def test_an_unfrozen_idle_player_that_gets_nothing_is_let_pass() -> None:
    players = make()
    game = two(players)

    def play(b: Batch, at: Moment) -> Terms:
        terms = game.turns[0].play(b, at)
        players["generator"].requires_grad_(True)
        return terms

    check(changed(game, 0, play))


def test_a_gradient_of_zero_is_a_gradient() -> None:
    """R3GAN's last convolutions start at zero: what lies before them gets zeros, and is wired."""
    players = make()
    nn.init.zeros_(players["generator"].layers[3].weight)
    nn.init.zeros_(players["discriminator"].layers[4].weight)
    check(two(players))


def test_terms_that_make_no_sense_are_found_before_the_first_step() -> None:
    game = two(make())
    with pytest.raises(GansmithError, match="a turn returned no loss"):
        check(changed(game, 0, lambda b, at: Terms({})))


def test_a_few_images_are_enough() -> None:
    sizes: list[int] = []
    labels: list[Any] = []
    game = two(make())

    def play(b: Batch, at: Moment) -> Terms:
        sizes.append(len(b["real"].image))
        labels.append(b["real"].label)
        return game.turns[0].play(b, at)

    check_wiring(changed(game, 0, play), batch(64), device=CPU)
    assert sizes == [8]
    assert labels[0].tolist() == list(range(8))
    assert first_images({"a": Sample(torch.zeros(3, 1, 1, 1))}, 2)["a"].label is None


# ---- no trace


def everything(game: Game) -> dict[str, Any]:
    players = game.players.items()
    return {
        "weights and buffers": {n: copy.deepcopy(dict(p.state_dict())) for n, p in players},
        "wants": {f"{n}.{k}": q.requires_grad for n, p in players for k, q in p.named_parameters()},
        "gradients": {f"{n}.{k}": q.grad is None for n, p in players for k, q in p.named_parameters()},
        "same tensors": {f"{n}.{k}": id(q) for n, p in players for k, q in p.named_parameters()},
        "training": {n: p.training for n, p in players},
        "state": {n: copy.deepcopy(s.state_dict()) for n, s in game.state.items()},
        "random": torch.get_rng_state(),
    }


def assert_untouched(before: dict[str, Any], after: dict[str, Any]) -> None:
    torch.testing.assert_close(after.pop("weights and buffers"), before.pop("weights and buffers"), rtol=0, atol=0)
    torch.testing.assert_close(after.pop("random"), before.pop("random"), rtol=0, atol=0)
    torch.testing.assert_close(after.pop("state"), before.pop("state"), rtol=0, atol=0)
    assert before == after


def test_no_trace() -> None:
    """Batch statistics, spectral-norm vectors, an image pool, frozen parameters, torch's random state."""
    for game in (two(make()), cycle_game()):
        next(iter(game.players.values())).layers[3].bias.requires_grad_(False)
        before = everything(game)
        vectors = [name for part in before["weights and buffers"].values() for name in part if name.endswith("_u")]
        assert vectors
        check(game)
        assert_untouched(before, everything(game))


def test_playing_does_leave_traces() -> None:
    """The test above would see them: the same plays without the check's care change everything it looks at."""
    game = cycle_game()
    before = everything(game)
    for turn in game.turns:
        turn.play(batch(), Moment(0, 0, 0, torch.Generator().manual_seed(0))).total().backward()
    after = everything(game)
    for part in ("weights and buffers", "state"):
        with pytest.raises(AssertionError):
            torch.testing.assert_close(after[part], before[part], rtol=0, atol=0)
    assert not torch.equal(after["random"], before["random"])
    assert after["gradients"] != before["gradients"]


def test_no_trace_when_it_raises() -> None:
    game = cycle_game()
    game.players["to_a"].extra = nn.Linear(2, 2)
    for place in (0, 1):

        def fail(b: Batch, at: Moment, place: int = place) -> Terms:
            game.turns[place].play(b, at)
            torch.rand(3)
            raise ValueError("in a play")

        before = everything(game)
        with pytest.raises((ValueError, WiringError)):
            check(changed(game, place, fail))
        assert_untouched(before, everything(game))


def test_untouched_holds_whatever_is_played_inside() -> None:
    game = two(make())
    before = everything(game)
    with untouched(game):
        for player in game.players.values():
            for parameter in player.parameters():
                parameter.data.add_(1.0)
                parameter.requires_grad_(False)
        torch.rand(5)
    assert_untouched(before, everything(game))


def test_turns_are_seen_in_their_own_right() -> None:
    """Each turn is checked with only its own players unfrozen."""
    wants: list[tuple[bool, bool]] = []
    players = make()
    game = two(players)

    def watched(turn: Turn) -> Turn:
        def play(b: Batch, at: Moment) -> Terms:
            flags: list[Tensor] = [next(iter(players[n].parameters())) for n in ("generator", "discriminator")]
            wants.append((flags[0].requires_grad, flags[1].requires_grad))
            return turn.play(b, at)

        return replace(turn, play=play)

    check(replace(game, turns=tuple(watched(turn) for turn in game.turns)))
    assert wants == [(False, True), (True, False)]
