"""The engine: turns, repeats, draws, the clock of images, settling, and what each random number comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from plain_players import Notes, draws, real_batch, run
from torch import Tensor

from gansmith.adversarial import Batch, Moment, Terms, Turn
from gansmith.errors import GansmithError
from gansmith.system.seeding import mix
from gansmith.training.engine import Events, images_drawn, play_until


def test_repeats_draws_and_clock() -> None:
    """Every drawing repeat takes a fresh batch and advances the clock; a turn that does not draw re-uses the last."""
    notes = Notes()
    engine = notes.engine(
        Turn("a", ("one",), notes.play("a"), repeats=lambda step: 2 + step),
        Turn("b", ("one",), notes.play("b"), repeats=lambda step: 2, draws=False),
    )
    outputs: list[Any] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda e: outputs.append(
            (e.state.iteration, e.state.images, e.state.drawn, [turn for turn, _ in e.state.output])
        ),
    )
    play_until(engine, 20)
    of = [(name, step, images, repeat) for name, step, images, repeat, *_ in notes.happened]
    assert of == [
        ("a", 0, 0, 0),
        ("a", 0, 4, 1),
        ("b", 0, 4, 0),
        ("b", 0, 4, 1),
        ("a", 1, 8, 0),
        ("a", 1, 12, 1),
        ("a", 1, 16, 2),
        ("b", 1, 16, 0),
        ("b", 1, 16, 1),
    ]
    batches = [number for *_, number, _ in notes.happened]
    assert batches[1] == batches[2] == batches[3]
    assert batches[6] == batches[7] == batches[8]
    assert len(set(batches)) == 5
    assert outputs == [(1, 8, 8, ["a", "a", "b", "b"]), (2, 20, 12, ["a", "a", "a", "b", "b"])]
    assert images_drawn(engine) == 20


def test_a_turn_with_no_repeats_reports_nothing_and_the_next_one_draws() -> None:
    notes = Notes()
    engine = notes.engine(
        Turn("a", ("one",), notes.play("a"), repeats=lambda step: step % 2),
        Turn("b", ("one",), notes.play("b"), draws=False),
    )
    played = run(engine, 12)
    assert [[turn for turn, _ in step] for step in played] == [["b"], ["a", "b"], ["b"]]
    assert [(name, images) for name, _, images, *_ in notes.happened] == [("b", 0), ("a", 4), ("b", 4), ("b", 8)]


def test_settle_comes_after_the_update_without_gradient() -> None:
    notes = Notes()
    settled: list[Any] = []

    def settle(terms: Terms, at: Moment) -> None:
        settled.append(
            (at.step, at.repeat, torch.is_grad_enabled(), terms.loss["loss"].item(), notes.net.weight.item())
        )
        assert not terms.loss["loss"].requires_grad

    before = notes.net.weight.item()
    engine = notes.engine(Turn("a", ("one",), notes.play("a"), repeats=lambda step: 2, settle=settle))
    run(engine, 8)
    torch.testing.assert_close(
        torch.tensor([s[3:] for s in settled]), torch.tensor([(before, before - 0.1), (before - 0.1, before - 0.2)])
    )
    assert [s[:3] for s in settled] == [(0, 0, False), (0, 1, False)]


def test_settle_sees_the_mean_over_the_parts() -> None:
    notes = Notes()
    means: list[Tensor] = []

    def play(batch: Batch, at: Moment) -> Terms:
        mean = batch["real"].image.mean()
        return Terms({"loss": notes.net.weight.sum()}, {"mean": mean})

    engine = notes.engine(
        Turn("a", ("one",), play, settle=lambda terms, at: means.append(terms.seen["mean"])), accumulate=4
    )
    played = run(engine, 4)
    torch.testing.assert_close(means[0], real_batch(0, 4).mean())
    torch.testing.assert_close(played[0][0][1]["mean"], real_batch(0, 4).mean())


def test_randomness_comes_from_seed_step_turn_and_repeat() -> None:
    found = draws(seed=3)
    for (global_draw, own_draw), (step, turn, repeat) in zip(
        found, [(s, t, r) for s in range(4) for t in range(2) for r in range(2)], strict=True
    ):
        expected = torch.rand((), generator=torch.Generator().manual_seed(mix(3, step, turn, repeat, 0))).item()
        assert global_draw == own_draw == expected
    assert len(set(found)) == 16
    torch.manual_seed(99)
    assert draws(seed=3) == found
    assert not set(draws(seed=4)) & set(found)


def test_playing_on_is_one_go() -> None:
    """Stopped after two steps and continued, the notes are those of four steps."""
    whole, parts = Notes(), Notes()
    engines = [notes.engine(Turn("a", ("one",), notes.play("a"))) for notes in (whole, parts)]
    play_until(engines[0], 16)
    play_until(engines[1], 8)
    assert len(parts.happened) == 2
    play_until(engines[1], 16, step=2)
    assert whole.happened == parts.happened
    assert [step for _, step, *_ in whole.happened] == [0, 1, 2, 3]


def test_waiting_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    from gansmith.training import engine as module

    now = iter(range(1000))
    monkeypatch.setattr(module.time, "perf_counter", lambda: float(next(now)))
    notes = Notes()
    engine = notes.engine(Turn("a", ("one",), notes.play("a"), repeats=lambda step: 3))
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: notes.happened.append(e.state.waited))
    step: Any = engine._process_function
    engine.state.iteration = 1
    step(engine, None)
    assert engine.state.waited == 3.0  # three batches, one tick of the clock each


def test_an_unknown_event_is_an_error() -> None:
    notes = Notes()
    with pytest.raises(ValueError, match="Event step_done is not a valid event"):
        notes.engine(Turn("a", ("one",), notes.play("a"))).add_event_handler("step_done", print)


def test_an_error_in_a_play_is_raised_and_not_printed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    notes = Notes()

    def fail(batch: Batch, at: Moment) -> Terms:
        raise RuntimeError("inside the play")

    with pytest.raises(RuntimeError, match="inside the play"):
        run(notes.engine(Turn("a", ("one",), fail)), 4)
    assert not caplog.records
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        (lambda w: Terms({}, {"seen": w}), "a turn returned no loss: there is nothing to minimise"),
        (lambda w: Terms({"x": w, "y": w}, {"y": w, "x": w}), "a term stands twice in one turn: x, y"),
    ],
)
def test_terms_that_make_no_sense(terms: Callable[[Tensor], Terms], text: str) -> None:
    notes = Notes()
    with pytest.raises(GansmithError) as raised:
        run(notes.engine(Turn("a", ("one",), lambda batch, at: terms(notes.net.weight.sum()))), 4)
    assert str(raised.value) == text
