"""LeCam's averages: what they are, when they move, and that a game remembers them."""

from __future__ import annotations

import copy
import io
from typing import Any

import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Game, Moment, Sample, Scores, Terms, Weighted
from gansmith.data.prior import Prior
from gansmith.penalties.lecam import Averages
from gansmith.training import optimizers
from gansmith.training.engine import Events, build_engine, play_until
from gansmith.training.wiring import check_wiring
from toys import tiny

SIZE = Dimensions(1, 4, 4, 5)
BATCH = 8


def made(**options: Any) -> Weighted:
    weighted = catalog.build("penalties", "lecam", **options)
    assert isinstance(weighted, Weighted)
    return weighted


def scores(real: Tensor, fake: Tensor) -> Scores:
    nothing = Sample(torch.zeros(len(real), 1, 1, 1))
    return Scores(nothing, nothing, real, fake)


def value(weighted: Weighted, real: Tensor, fake: Tensor) -> Tensor:
    return weighted.penalty(nn.Identity(), scores(real, fake), torch.Generator())


def observe(weighted: Weighted, real: float, fake: float) -> None:
    assert weighted.state is not None
    real_mean, fake_mean = (torch.tensor(score, dtype=torch.float64) for score in (real, fake))
    weighted.state.observe(Terms({}, {"score_real": real_mean, "score_fake": fake_mean}))


def test_the_first_turn_compares_with_its_own_means() -> None:
    real, fake = torch.tensor([1.0, 3.0]).double(), torch.tensor([-2.0, 0.0]).double()
    expected = torch.tensor([(1 + 1) ** 2 + (-2 - 2) ** 2, (3 + 1) ** 2 + (0 - 2) ** 2]).double()
    torch.testing.assert_close(value(made(), real, fake), expected)


def test_against_averages_written_out() -> None:
    """Weights of decay^age over the turns, this one among them, that sum to 1: values and gradients."""
    decay, rng = 0.7, torch.Generator().manual_seed(0)
    history = [torch.randn(2, 6, generator=rng, dtype=torch.float64) + torch.tensor([[1.0], [-1.0]]) for _ in range(5)]
    for rectified in (False, True):
        weighted = made(decay=decay, rectified=rectified)
        for turn, pair in enumerate(history):
            real, fake = (scores.clone().requires_grad_() for scores in pair)
            found = value(weighted, real, fake)
            share = torch.tensor([decay**age for age in range(turn, -1, -1)], dtype=torch.float64)
            past = torch.stack([both.mean(1) for both in history[: turn + 1]])
            of_real, of_fake = ((share / share.sum()) @ past).tolist()
            above, below = real.detach() - of_fake, fake.detach() - of_real
            if rectified:
                above, below = above.clamp_min(0), below.clamp_max(0)
            torch.testing.assert_close(found.detach(), above**2 + below**2, rtol=1e-12, atol=1e-14)
            gradients = torch.autograd.grad(found.sum(), (real, fake))
            torch.testing.assert_close(gradients, (2 * above, 2 * below), rtol=1e-12, atol=1e-14)
            observe(weighted, *(float(scores.mean()) for scores in pair))


def test_patches_keep_their_shape() -> None:
    real, fake = torch.randn(3, 1, 2, 2), torch.randn(3, 1, 2, 2)
    assert value(made(), real, fake).shape == (3, 1, 2, 2)


def test_looking_ahead_observes_nothing() -> None:
    weighted = made()
    observe(weighted, 1.0, -1.0)
    assert isinstance(weighted.state, Averages)
    before = copy.deepcopy(weighted.state.state_dict())
    value(weighted, torch.randn(4), torch.randn(4))
    assert weighted.state.state_dict() == before
    assert before["turns"] == 1


def test_each_penalty_has_averages_of_its_own() -> None:
    one, other = made(), made()
    observe(one, 5.0, 5.0)
    assert isinstance(other.state, Averages)
    assert other.state.turns == 0


# ---- in a game


class Batches:
    """Batches of random images, the same whenever so many were drawn."""

    def __init__(self, drawn: int = 0) -> None:
        self.drawn = drawn

    def __next__(self) -> dict[str, Sample]:
        self.drawn += BATCH
        rng = torch.Generator().manual_seed(self.drawn)
        return {"real": Sample(torch.rand(BATCH, *SIZE[:3], generator=rng) * 2 - 1)}


def game() -> Game:
    torch.manual_seed(0)
    players: dict[str, nn.Module] = {"generator": tiny.generator(SIZE), "discriminator": tiny.discriminator(SIZE)}
    objective = catalog.build("objectives", "hinge").penalised({"lecam": made(weight=3.0, decay=0.5)})
    built: Game = catalog.build("games", "two_player", players, objective, Prior(size=5))
    return built


def state_of(lecam: Game) -> dict[str, Any]:
    return copy.deepcopy({name: state.state_dict() for name, state in lecam.state.items()})


Optimizers = dict[str, optimizers.Scheduled]


def play(
    lecam: Game, chosen: Optimizers, images: int, begin: int = 0, accumulate: int = 1
) -> list[tuple[str, dict[str, Tensor]]]:
    engine = build_engine(lecam, Batches(begin), chosen, seed=1, accumulate=accumulate)
    output: list[tuple[str, dict[str, Tensor]]] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: output.extend(engine.state.output))
    play_until(engine, images, step=begin // BATCH)
    return output


def chosen_for(lecam: Game) -> Optimizers:
    return {name: optimizers.build("adam", p.parameters(), {"lr": 0.02}) for name, p in lecam.players.items()}


def test_the_averages_move_once_a_turn_of_the_discriminator() -> None:
    lecam = game()
    played = [terms for name, terms in play(lecam, chosen_for(lecam), 3 * BATCH) if name == "discriminator"]
    state = state_of(lecam)["lecam"]
    assert state["turns"] == 3
    for key in ("real", "fake"):
        a, b, c = (terms[f"score_{key}"] for terms in played)
        torch.testing.assert_close(state[key], a / 8 + b / 4 + c / 2)
        assert not state[key].requires_grad


def test_parts_of_a_batch_are_one_turn() -> None:
    lecam = game()
    play(lecam, chosen_for(lecam), 2 * BATCH, accumulate=4)
    assert state_of(lecam)["lecam"]["turns"] == 2


def test_a_resumed_game_is_the_uninterrupted_one() -> None:
    whole = game()
    chosen = chosen_for(whole)
    expected = play(whole, chosen, 6 * BATCH)

    first = game()
    chosen = chosen_for(first)
    play(first, chosen, 3 * BATCH)
    saved = io.BytesIO()
    held = {name: p.state_dict() for name, p in first.players.items()}
    updates = {name: scheduled.optimizer.state_dict() for name, scheduled in chosen.items()}
    torch.save({"players": held, "updates": updates, "state": state_of(first)}, saved)
    saved.seek(0)
    loaded = torch.load(saved, weights_only=True)

    for forget in (False, True):
        second = game()
        chosen = chosen_for(second)
        for name, player in second.players.items():
            player.load_state_dict(loaded["players"][name])
            chosen[name].optimizer.load_state_dict(copy.deepcopy(loaded["updates"][name]))
        if not forget:
            second.state["lecam"].load_state_dict(loaded["state"]["lecam"])
        found = play(second, chosen, 6 * BATCH, begin=3 * BATCH)
        same = [
            all(torch.equal(terms[key], value) for key, value in old.items())
            for (_, terms), (_, old) in zip(found, expected[6:], strict=True)
        ]
        assert all(same) != forget


def test_the_wiring_check_leaves_no_trace() -> None:
    lecam = game()
    play(lecam, chosen_for(lecam), 2 * BATCH)
    before = state_of(lecam)
    check_wiring(lecam, next(Batches()), device=torch.device("cpu"))
    assert state_of(lecam) == before


def test_a_lazy_penalty_observes_every_turn() -> None:
    objective = catalog.build("objectives", "hinge").penalised({"lecam": made(every=4)})
    assert objective.penalties["lecam"].every == 4
    at = Moment(1, 0, 0, torch.Generator())
    terms = objective.discriminator_terms(
        tiny.discriminator(SIZE), next(Batches())["real"], next(Batches(8))["real"], at
    )
    assert terms.loss.keys() == {"loss"}
    objective.state["lecam"].observe(terms)
    assert objective.state["lecam"].turns == 1


def test_other_objectives_remember_nothing() -> None:
    assert catalog.build("objectives", "wgan_gp").state == {}
    with_lecam = catalog.build("objectives", "nonsaturating").penalised({"lecam": made()})
    assert [*with_lecam.state] == ["lecam"]
