"""WGAN's clamp, after or before the step, and how often its discriminator plays."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Game, Moment, Objective, Sample
from gansmith.data.prior import Prior
from gansmith.objectives.wgan import clamp_weights, discriminator_steps
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, play_until
from gansmith.training.wiring import check_wiring
from toys import tiny

SIZE = Dimensions(1, 4, 4, 5)
BATCH = 8


def made(name: str = "wgan", **options: Any) -> Objective:
    objective: Objective = catalog.build("objectives", name, **options)
    return objective


@pytest.mark.parametrize(
    ("step", "times"),
    [(0, 100), (1, 100), (24, 100), (25, 5), (26, 5), (499, 5), (500, 100), (501, 5), (999, 5), (1000, 100)],
)
def test_the_authors_schedule(step: int, times: int) -> None:
    assert made().discriminator_steps(step) == times
    assert discriminator_steps(step) == times


def test_other_schedules() -> None:
    chosen = made(steps=2, warmup_steps=7, warmup=3, every=10).discriminator_steps
    assert [chosen(step) for step in (0, 2, 3, 9, 10, 11, 20)] == [7, 7, 2, 2, 7, 2, 7]
    plain = made(warmup=0, every=0).discriminator_steps
    assert [plain(step) for step in (0, 1, 500)] == [5, 5, 5]
    assert made(warmup=0).discriminator_steps(0) == 100  # step 0 is a 500th one, as in the authors' code
    gp = made("wgan_gp").discriminator_steps
    assert [gp(step) for step in (0, 24, 25, 500)] == [5, 5, 5, 5]
    assert made("wgan_gp", discriminator_steps=2).discriminator_steps(0) == 2


def test_every_parameter_is_clamped_and_no_buffer() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    with torch.no_grad():
        network[0].weight.copy_(torch.linspace(-0.05, 0.05, 16).reshape(4, 4))
        network[0].bias.fill_(-3.0)
    before = network[0].weight.detach().clone()
    clamp_weights(network, bound=0.02)
    torch.testing.assert_close(network[0].weight.detach(), before.clamp(-0.02, 0.02), rtol=0, atol=0)
    assert network[0].bias.tolist() == pytest.approx([-0.02] * 4)
    assert network[1].weight.tolist() == pytest.approx([0.02] * 4)
    assert network[1].running_var is not None
    assert network[1].running_var.tolist() == [1.0] * 4
    assert all(p.requires_grad for p in network.parameters())


def test_where_the_clamp_is_put() -> None:
    after = made()
    assert after.project is not None
    assert after.project_before is None
    before = made(clamp_when="before")
    assert before.project is None
    assert before.project_before is not None


class Batches:
    drawn = 0

    def __next__(self) -> dict[str, Sample]:
        self.drawn += BATCH
        rng = torch.Generator().manual_seed(self.drawn)
        return {"real": Sample(torch.rand(BATCH, *SIZE[:3], generator=rng) * 2 - 1)}


def game(**options: Any) -> Game:
    torch.manual_seed(0)
    players: dict[str, nn.Module] = {"generator": tiny.generator(SIZE), "discriminator": tiny.discriminator(SIZE)}
    objective = made(steps=2, warmup=0, every=0, **options)
    built: Game = catalog.build("games", "two_player", players, objective, Prior(size=5))
    return built


def largest(played: Game) -> float:
    return max(float(p.detach().abs().max()) for p in played.players["discriminator"].parameters())


def run(played: Game) -> int:
    """One step with large updates; how many batches it drew."""
    chosen = {name: optimizers.build("rmsprop", p.parameters(), {"lr": 0.05}) for name, p in played.players.items()}
    source = Batches()
    play_until(build_engine(played, source, chosen), 1)
    return source.drawn // BATCH


def test_after_the_step_weights_lie_within_and_before_it_they_have_left() -> None:
    after = game(clamp=0.03)
    assert run(after) == 2
    assert largest(after) == pytest.approx(0.03)
    before = game(clamp=0.03, clamp_when="before")
    assert run(before) == 2
    assert largest(before) > 0.1  # an update of RMSprop is about the rate, 0.05 / sqrt(1 - 0.99) at first
    one, other = (played.players["generator"].state_dict() for played in (after, before))
    assert any(not torch.equal(value, other[key]) for key, value in one.items())


def test_before_the_step_the_pass_is_made_with_clamped_weights() -> None:
    """Scores are those of the clamped discriminator, whatever its weights were before."""
    seen = []
    for clamp in (0.01, 1e-12):
        played = game(clamp=clamp, clamp_when="before")
        with torch.no_grad():
            for p in played.players["discriminator"].parameters():
                p.fill_(5.0)
        turn = played.turns[0]
        terms = turn.play(next(Batches()), at())
        assert largest(played) == pytest.approx(clamp)
        seen.append(float(terms.seen["score_real"].abs()))
    assert seen[1] < 1e-6 < seen[0]


def at() -> Moment:
    return Moment(0, 0, 0, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("when", ["after", "before"])
def test_the_wiring_check_leaves_no_clamp(when: str) -> None:
    played = game(clamp_when=when)
    before = {key: value.clone() for key, value in played.players["discriminator"].state_dict().items()}
    check_wiring(played, next(Batches()), device=torch.device("cpu"))
    after = played.players["discriminator"].state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert largest(played) > 0.01
