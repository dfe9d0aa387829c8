"""What every game of the catalog promises: all players learn, the sheet has images, and what it remembers resumes."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Fixed, Game, Sample
from gansmith.catalog import ROLES
from gansmith.data.prior import Prior
from gansmith.experiment import completion
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, play_until
from gansmith.training.wiring import check_wiring
from toys import tiny

SIZE = Dimensions(1, 6, 6, 5, 3)  # room for a padding of 4
BATCH = 8


@pytest.fixture(params=catalog.names("games"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Labelled:
    """Batches of random images with labels, one for each domain."""

    def __init__(self, name: str, drawn: int = 0) -> None:
        self.domains, self.drawn = completion.domains_of(name), drawn

    def __next__(self) -> dict[str, Sample]:
        self.drawn += BATCH
        rng = torch.Generator().manual_seed(self.drawn)
        batch = {}
        for domain in self.domains:
            image = torch.rand(BATCH, *SIZE[:3], generator=rng) * 2 - 1
            batch[domain] = Sample(image, torch.randint(3, (BATCH,), generator=rng))
        return batch


def built(name: str) -> Game:
    """The game with its own options, played by tiny networks."""
    torch.manual_seed(0)
    roles = completion.roles_of(name)
    sized = catalog.stated("games", name, "dimensions_of", lambda role, size: size)
    players: dict[str, nn.Module] = {player: getattr(tiny, role)(sized(role, SIZE)) for player, role in roles.items()}
    game = catalog.build("games", name, players, catalog.build("objectives", "nonsaturating"), Prior(size=5))
    assert isinstance(game, Game)
    assert dict(game.players) == players
    return game


def play(game: Game, name: str, steps: range) -> int:
    """Play these steps, without momentum; the images drawn in each."""
    chosen = {player: optimizers.build("sgd", one.parameters(), {"lr": 0.1}) for player, one in game.players.items()}
    source = Labelled(name, steps.start * BATCH)
    play_until(build_engine(game, source, chosen, seed=1), steps.stop * BATCH, step=steps.start)
    return (source.drawn - steps.start * BATCH) // len(steps)


def state_of(game: Game) -> dict[str, Any]:
    return copy.deepcopy(
        {
            "players": {player: one.state_dict() for player, one in game.players.items()},
            "game": {name: state.state_dict() for name, state in game.state.items()},
        }
    )


def test_its_description_is_complete(name: str) -> None:
    roles = completion.roles_of(name)
    assert set(roles.values()) <= set(ROLES)
    assert completion.domains_of(name) in (("real",), ("a", "b"))
    game = built(name)
    assert set(game.averaged) <= game.players.keys()
    assert {player for turn in game.turns for player in turn.players} == game.players.keys()
    assert len({turn.name for turn in game.turns}) == len(game.turns)


def test_it_is_wired_and_every_player_learns(name: str) -> None:
    game = built(name)
    check_wiring(game, next(Labelled(name)), device=torch.device("cpu"))
    before = {player: [p.detach().clone() for p in one.parameters()] for player, one in game.players.items()}
    play(game, name, range(2))
    for player, network in game.players.items():
        moved = [not torch.equal(p, q) for p, q in zip(network.parameters(), before[player], strict=True)]
        assert any(moved), player
        assert all(bool(torch.isfinite(p).all()) for p in network.parameters())


def test_its_sheet_is_images_in_rows(name: str) -> None:
    game = built(name)
    if game.show is None:
        return
    with torch.no_grad():
        sheet = game.show(dict(game.players), Fixed(torch.zeros(6, 5), torch.arange(6) % 3, next(Labelled(name))))
    assert sheet.dim() == 4
    assert len(sheet) % (game.columns or 1) == 0
    assert sheet.shape[1:] == SIZE[:3]


def test_saved_and_loaded_into_another_it_goes_on_as_if_uninterrupted(name: str) -> None:
    """Networks and `Game.state` are all that there is to a game: to the bit."""
    if play(built(name), name, range(1)) != BATCH:
        pytest.skip("its steps draw several batches, and these tests count one")
    whole = built(name)
    play(whole, name, range(5))
    first = built(name)
    play(first, name, range(3))
    file = io.BytesIO()
    torch.save(state_of(first), file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    second = built(name)
    for player, network in second.players.items():
        network.load_state_dict(loaded["players"][player])
    for key, state in second.state.items():
        state.load_state_dict(loaded["game"][key])
    play(second, name, range(3, 5))
    same(state_of(second), state_of(whole), "state")


def same(left: Any, right: Any, where: str) -> None:
    if isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for key in left:
            same(left[key], right[key], f"{where}.{key}")
    else:
        assert torch.equal(left, right) if isinstance(left, Tensor) else left == right, where
