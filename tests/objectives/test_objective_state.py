"""An objective with state of its own: BEGAN's k weighs its loss, follows its turns, is recorded, saved and resumed."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Game, Objective, Sample, Terms, Weighted
from gansmith.data.prior import Prior
from gansmith.errors import GansmithError
from gansmith.training import optimizers
from gansmith.training.engine import Events, build_engine, play_until
from gansmith.training.wiring import check_wiring
from toys import tiny

SIZE = Dimensions(1, 4, 4, 5)
BATCH = 8
GAMMA, RATE = 0.5, 0.05


@dataclass
class Balance:
    """k of Berthelot, Schumm, Metz 2017, "BEGAN", section 3.4, where a score is minus the reconstruction loss."""

    k: Tensor = field(default_factory=lambda: torch.tensor(0.1))

    def observe(self, terms: Terms) -> None:
        real, fake = -terms.seen["score_real"], -terms.seen["score_fake"]
        self.k = (self.k.to(real.device) + RATE * (GAMMA * real - fake)).clamp(0, 1)

    def seen(self) -> dict[str, Tensor]:
        return {"k": self.k}

    def state_dict(self) -> dict[str, Any]:
        return {"k": self.k}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.k = state["k"]


def began() -> Objective:
    balance = Balance()
    return Objective(
        lambda real, fake: -real + balance.k * fake, lambda real, fake: -fake, own_state={"balance": balance}
    )


class Batches:
    def __init__(self, drawn: int = 0) -> None:
        self.drawn = drawn

    def __next__(self) -> dict[str, Sample]:
        self.drawn += BATCH
        rng = torch.Generator().manual_seed(self.drawn)
        return {"real": Sample(torch.rand(BATCH, *SIZE[:3], generator=rng) * 2 - 1)}


def game() -> Game:
    torch.manual_seed(0)
    players: dict[str, nn.Module] = {"generator": tiny.generator(SIZE), "discriminator": tiny.discriminator(SIZE)}
    built: Game = catalog.build("games", "two_player", players, began(), Prior(size=5))
    return built


def play(played: Game, chosen: dict[str, Any], images: int, begin: int = 0) -> list[dict[str, Tensor]]:
    """The discriminator's terms of each step."""
    engine = build_engine(played, Batches(begin), chosen, seed=1)
    found: list[dict[str, Tensor]] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda engine: found.extend(terms for name, terms in engine.state.output if name == "discriminator"),
    )
    play_until(engine, images, step=begin // BATCH)
    return found


def updates(played: Game) -> dict[str, Any]:
    return {name: optimizers.build("adam", p.parameters(), {"lr": 0.02}) for name, p in played.players.items()}


def test_k_weighs_the_loss_moves_after_each_turn_and_is_recorded() -> None:
    balanced, k = game(), torch.tensor(0.1)
    for terms in play(balanced, updates(balanced), 5 * BATCH):
        torch.testing.assert_close(terms["k"], k)  # the one that this turn's loss was computed with
        torch.testing.assert_close(terms["loss"], -terms["score_real"] + k * terms["score_fake"])
        k = (k + RATE * (terms["score_fake"] - GAMMA * terms["score_real"])).clamp(0, 1)
    torch.testing.assert_close(balanced.state["balance"].state_dict()["k"], k)
    assert abs(float(k) - 0.1) > 1e-4


def test_a_resumed_game_is_the_uninterrupted_one() -> None:
    whole = game()
    expected = play(whole, updates(whole), 6 * BATCH)
    first = game()
    chosen = updates(first)
    play(first, chosen, 3 * BATCH)
    file = io.BytesIO()
    state = {
        "players": {name: p.state_dict() for name, p in first.players.items()},
        "updates": {name: scheduled.optimizer.state_dict() for name, scheduled in chosen.items()},
        "game": {name: state.state_dict() for name, state in first.state.items()},
    }
    torch.save(state, file)
    for forget in (False, True):
        file.seek(0)
        loaded = torch.load(file, weights_only=True)
        second = game()
        chosen = updates(second)
        for name, player in second.players.items():
            player.load_state_dict(loaded["players"][name])
            chosen[name].optimizer.load_state_dict(loaded["updates"][name])
        if not forget:
            second.state["balance"].load_state_dict(loaded["game"]["balance"])
        played = play(second, chosen, 6 * BATCH, begin=3 * BATCH)
        same = [
            torch.equal(terms[key], value)
            for terms, old in zip(played, expected[3:], strict=True)
            for key, value in old.items()
        ]
        assert all(same) != forget


def test_the_wiring_check_leaves_k_alone() -> None:
    balanced = game()
    before = copy.deepcopy(balanced.state["balance"].state_dict())
    check_wiring(balanced, next(Batches()), device=torch.device("cpu"))
    assert torch.equal(balanced.state["balance"].state_dict()["k"], before["k"])


def test_its_name_is_taken() -> None:
    with pytest.raises(GansmithError, match="balance"):
        began().penalised({"balance": Weighted(lambda discriminator, scores, rng: scores.real)})
    both = began().penalised({"lecam": catalog.build("penalties", "lecam")})
    assert [*both.state] == ["balance", "lecam"]
