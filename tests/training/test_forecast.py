"""The forecast against counts made by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import pytest
import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Batch, Dimensions, Game, Moment, Objective, Sample, Terms, Turn
from gansmith.data.prior import Prior
from gansmith.errors import OutOfMemoryError
from gansmith.games import two_player
from gansmith.training import forecast as module
from gansmith.training.forecast import Crowd, forecast, timed
from gansmith.training.precision import Precision
from toys import lazy, several, tiny

CPU = torch.device("cpu")
SIZE = Dimensions(2, 3, 4, 5)


@dataclass(frozen=True)
class Settings:
    batch: int = 16
    accumulate: int = 1
    precision: Precision = "float32"
    images: int = 1000
    engine: str = "all_reduce"


def objective() -> Objective:
    made: Objective = catalog.build("objectives", "nonsaturating")
    return made


def game(model: str = "mlp", size: Dimensions = SIZE, **options: int) -> Game:
    torch.manual_seed(0)
    players: dict[str, nn.Module] = {
        role: catalog.build("models", model, size, factory=role, **options) for role in ("generator", "discriminator")
    }
    return two_player.build(players, objective(), Prior(size=size.latent))


def batch(size: Dimensions = SIZE, count: int = 6) -> Batch:
    return {"real": Sample(torch.zeros(count, *size[:3]), torch.zeros(count, dtype=torch.int64))}


def by_hand(make: list[int], judge: list[int], images: int) -> float:
    """From the multiply-adds (two operations) of each layer for one image. Forward: one product; backward: one for the
    layer's input, where something before it wants it, and one for its weight, where that is trained."""
    forward = sum(make) + 2 * sum(judge)  # the discriminator's turn: fakes made without a graph, two passes
    backward = 2 * (sum(judge) + sum(judge[1:]))
    forward += sum(make) + sum(judge)  # the generator's
    backward += sum(judge) + sum(make) + sum(make[1:])
    return 2.0 * images * (forward + backward)


PIXELS = prod(SIZE[:3])
MAKE, JUDGE = [SIZE.latent * 7, 7 * 7, 7 * PIXELS], [PIXELS * 7, 7 * 7, 7]


@pytest.mark.parametrize("images", [4, 16, 50])
def test_operations_of_the_fully_connected_pair(images: int) -> None:
    made = forecast(game(width=7), batch(), CPU, Settings(batch=images))
    assert made.operations == pytest.approx(by_hand(MAKE, JUDGE, images), rel=1e-12)


def test_operations_of_dcgan_at_64_pixels() -> None:
    """146 GFLOP at batch 64 where both turns share one pass of the generator; a fresh fake costs 13 more."""
    size = Dimensions(3, 64, 64, 100)
    kernel = 4 * 4
    make = [100 * 512, 16 * 512 * 256, 64 * 256 * 128, 256 * 128 * 64, 1024 * 64 * 3]  # from the input's side
    judge = [1024 * 3 * 64, 256 * 64 * 128, 64 * 128 * 256, 16 * 256 * 512, 512]  # from the output's side
    make, judge = [kernel * count for count in make], [kernel * count for count in judge]
    made = forecast(game("dcgan", size), batch(size), CPU, Settings(batch=64))
    assert made.operations == pytest.approx(by_hand(make, judge, 64), rel=1e-12)
    assert (made.operations - 2 * 64 * sum(make)) / 1e9 == pytest.approx(146, rel=0.01)
    assert made.parameters == {"generator": 3_577_667, "discriminator": 2_766_529}


def test_memory_by_hand() -> None:
    """Weights, their gradients and Adam's two moments; the averaged generator; and what the larger turn saves."""
    hidden = 2 * 7
    discriminators = 2 * (PIXELS + hidden + 1)  # two passes: images, hidden layers, and a score for the softplus
    generators = SIZE.latent + hidden + hidden + 1  # latents, its hidden layers, and those of the frozen judge
    for images in (4, 16, 100):
        made = forecast(game(width=7), batch(), CPU, Settings(batch=images))
        generator, discriminator = made.parameters["generator"], made.parameters["discriminator"]
        assert generator == sum(p.numel() for p in game(width=7).players["generator"].parameters())
        floats = 4 * (generator + discriminator) + generator + images * max(discriminators, generators)
        assert made.memory == pytest.approx(4 * floats)


def test_memory_is_of_the_turn_that_is_largest_at_the_real_batch() -> None:
    """A turn that saves much whatever the batch must not hide another that grows with it."""
    made = game(width=7)
    big = nn.Linear(1, 1)

    def constant(given: Batch, at: Moment) -> Terms:
        return Terms({"loss": (torch.ones(5000) * big.weight).square().sum()})

    made = replace(made, players={**made.players, "big": big}, turns=(*made.turns, Turn("big", ("big",), constant)))
    sizes = [forecast(made, batch(), CPU, Settings(batch=n)).memory for n in (4, 8, 1000, 2000)]
    assert sizes[0] == sizes[1]
    assert sizes[3] - sizes[2] == pytest.approx(4 * 1000 * 78)


def test_parts_of_a_batch_cost_as_much_and_need_less_memory() -> None:
    whole = forecast(game(width=7), batch(), CPU, Settings(batch=64))
    parts = forecast(game(width=7), batch(), CPU, Settings(batch=64, accumulate=4))
    assert parts.operations == pytest.approx(whole.operations)
    assert whole.memory - parts.memory == pytest.approx(4 * 48 * 78)


@pytest.mark.parametrize(("images", "steps"), [(1000, 63), (1008, 63), (1009, 64), (0, 0)])
def test_steps(images: int, steps: int) -> None:
    assert forecast(game(width=7), batch(), CPU, Settings(images=images)).steps == steps


def test_steps_of_a_discriminator_that_plays_three_times() -> None:
    players = {"generator": tiny.generator(SIZE), "discriminator": tiny.discriminator(SIZE)}
    made = several.build(players, objective(), Prior(size=5))
    assert forecast(made, batch(), CPU, Settings(images=960)).steps == 20


def test_a_game_that_never_asks_for_a_batch_gets_one_each_step() -> None:
    made = game(width=7)
    made = replace(made, turns=tuple(replace(turn, draws=False) for turn in made.turns))
    assert forecast(made, batch(), CPU, Settings(images=160)).steps == 10


def test_a_gradient_penalty_is_counted() -> None:
    players = {"generator": tiny.generator(SIZE), "discriminator": tiny.discriminator(SIZE)}
    plain = two_player.build(players, objective(), Prior(size=5))
    penalised = lazy.build(players, objective(), Prior(size=5))
    least = forecast(plain, batch(), CPU, Settings()).operations
    assert forecast(penalised, batch(), CPU, Settings()).operations > 1.2 * least


def test_the_game_is_untouched() -> None:
    players = {"generator": tiny.generator(SIZE), "discriminator": tiny.discriminator(SIZE)}
    made = two_player.build(players, objective(), Prior(size=5))
    players["generator"].layers[0].weight.requires_grad_(False)
    before = {name: {k: v.clone() for k, v in player.state_dict().items()} for name, player in players.items()}
    random = torch.get_rng_state()
    found = timed(forecast(made, batch(), CPU, Settings()), made, batch(), CPU, Settings())
    assert found.step_seconds is not None
    assert found.step_seconds > 0
    for name, player in players.items():
        torch.testing.assert_close(dict(player.state_dict()), before[name], rtol=0, atol=0)
    assert torch.equal(torch.get_rng_state(), random)
    assert not players["generator"].layers[0].weight.requires_grad
    assert all(p.grad is None for player in players.values() for p in player.parameters())


def test_time_is_steps_times_the_middle_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    made = forecast(game(width=7), batch(), CPU, Settings())
    assert made.seconds is None
    ticks = iter([0.0, 9.0, 10.0, 13.0, 20.0, 21.0, 30.0, 32.0])  # a warm-up of 9, then 3, 1, 2
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(ticks))
    found = timed(made, game(width=7), batch(), CPU, Settings())
    assert (found.step_seconds, found.seconds) == (2.0, 126.0)
    assert (found.operations, found.memory, found.parameters) == (made.operations, made.memory, made.parameters)


def test_a_step_that_does_not_fit_is_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    made = replace(forecast(game(width=7), batch(), CPU, Settings()), memory=3.5 * 2**30)
    monkeypatch.setattr(module, "free_memory", lambda device: 2 * 2**30)
    assert made.warnings(CPU) == [
        "a step needs about 3.5 GiB and 2.0 GiB are free: halve the batch (--batch), or play it in parts "
        "(--set accumulate=2)"
    ]
    monkeypatch.setattr(module, "free_memory", lambda device: 4 * 2**30)
    assert made.warnings(CPU) == []


def test_operations_count_how_often_a_turn_repeats() -> None:
    made = game()
    first, second = made.turns
    often = replace(made, turns=(replace(first, repeats=lambda step: 5), second))
    of_often, of_once, of_first = (
        forecast(each, batch(), torch.device("cpu"), Settings()).operations
        for each in (often, made, replace(made, turns=(first,)))
    )
    assert of_often - of_once == pytest.approx(4 * of_first)


def test_of_several_processes_each_has_the_weights_and_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights are in each; what is saved for backward is of the largest share: 6 of 16 images in three processes."""
    alone = forecast(game(), batch(), CPU, Settings(batch=16))
    share = forecast(game(), batch(), CPU, Settings(batch=6))
    several = forecast(game(), batch(), CPU, Settings(batch=16), crowd=Crowd(3, 2))
    assert several.memory == share.memory < alone.memory
    assert (several.operations, several.steps) == (alone.operations, alone.steps)
    in_parts = forecast(game(), batch(), CPU, Settings(batch=32, accumulate=2), crowd=Crowd(3, 2))
    assert in_parts.memory == share.memory
    assert several.together(CPU) == 2 * several.memory
    assert several.together(torch.device("cuda")) == several.memory
    monkeypatch.setattr("gansmith.training.forecast.total_memory", lambda device: int(1.5 * several.memory))
    monkeypatch.setattr("gansmith.training.forecast.free_memory", lambda device: int(1.5 * several.memory))
    with pytest.raises(OutOfMemoryError, match=r"in each of 2 processes.*fewer processes"):
        several.refuse(CPU)
    assert "in each of 2 processes" in several.warnings(CPU)[0]
    one = forecast(game(), batch(), CPU, Settings(batch=16), crowd=Crowd(3, 1))
    one.refuse(CPU)
    assert not one.warnings(CPU)


def test_the_seconds_are_those_of_the_largest_share(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[int] = []
    several = forecast(game(), batch(), CPU, Settings(batch=16, accumulate=2), crowd=Crowd(3, 3))
    monkeypatch.setattr(module, "_play", lambda _, turn, part, *more: played.append(len(part["real"].image)))
    timed(several, game(), batch(count=16), CPU, Settings(batch=16, accumulate=2))
    assert set(played) == {3}


def test_a_worker_of_elastic_averaging_has_three_more_copies_of_the_weights() -> None:
    plain, elastic = (forecast(game(), batch(), CPU, Settings(engine=name)) for name in ("all_reduce", "elastic"))
    assert elastic.memory - plain.memory == 12 * sum(plain.parameters.values())
