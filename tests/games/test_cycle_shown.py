"""Cycle consistency: which images each discriminator reads, and the pool of earlier fakes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from linear_translators import Linear, batch, game, moment, play, translated

from gansmith.adversarial import Sample
from gansmith.games.parts.jitter import jitter
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, play_until
from gansmith.training.wiring import check_wiring

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
