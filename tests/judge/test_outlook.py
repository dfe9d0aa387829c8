"""How much of an evaluation is done: the share of its time, the time left, and the parts that are told."""

from __future__ import annotations

from pathlib import Path

import pytest

import gansmith
from gansmith.evaluation.types import QUESTIONS, Answer
from gansmith.judge import audit_run as judge
from gansmith.judge import comparison
from gansmith.judge.outlook import EARLY, FEATURES, MAKING, OPENING, Done, Outlook, Part, parts_of, read_line
from small import SMALL


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def simulated(pace: float, *, network: bool) -> tuple[list[Done], list[float]]:
    """An evaluation whose parts take `pace` times as long as planned, with four looks at each; what was told, when."""
    clock, told, times = Clock(), list[Done](), list[float]()

    def tell(done: Done) -> None:
        told.append(done)
        times.append(clock.now)

    outlook = Outlook(tell, clock)
    parts = parts_of([(True, 500, 2000), (False, 3000, 2000)], network=network)
    outlook.plan(parts)
    for part in parts:
        outlook.begin(part.name, first=part.first)
        for quarter in range(4):
            clock.now += pace * part.seconds / 4
            outlook.bar("counting", quarter + 1, 4)
    times.append(clock.now)
    return told, times


@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("pace", [0.3, 1.0, 10.0])
def test_the_share_is_that_of_the_time_whatever_the_machine(pace: float, network: bool) -> None:
    told, (*times, end) = simulated(pace, network=network)
    shares = [done.share for done in told]
    assert shares == sorted(shares)
    for done, now in zip(told[8:], times[8:], strict=True):  # once two parts are known
        assert done.share == pytest.approx(now / end, abs=0.06)
        assert done.left == pytest.approx(end - now, abs=0.06 * end)
    assert told[0].left is None  # nothing was measured yet


def test_a_part_that_takes_longer_than_planned_never_goes_back() -> None:
    clock, told = Clock(), list[Done]()
    outlook = Outlook(told.append, clock)
    outlook.plan([Part(MAKING, False, 1.0), Part("quality", False, 1.0)])
    outlook.begin(MAKING, first=False)
    clock.now = 1.0
    outlook.begin("quality", first=False)
    for clock.now in (2.0, 20.0, 40.0):
        outlook.bar("searching", 1, 1000)
    shares = [done.share for done in told]
    assert shares == sorted(shares)
    assert 0.0 < shares[-1] < 1.0
    assert told[-1].left is not None
    assert told[-1].left > 1000  # by the bar


def test_a_look_at_images_that_are_known_is_not_planned_again() -> None:
    both = parts_of([(True, 500, 2000), (False, 3000, 2000)], network=True)
    alone = parts_of([(False, 3000, 2000)], network=True)
    after, without = (
        next(part.seconds for part in parts if part.name == FEATURES and not part.first) for parts in (both, alone)
    )
    assert after < without
    assert [part.name for part in alone] == [MAKING, FEATURES, *QUESTIONS]
    assert EARLY in [part.name for part in both]


def test_lines_are_read_as_they_are_written() -> None:
    for done in (Done(0.31, 40.0, "x: y (a, 1 of 2)"), Done(0.0, None, OPENING)):
        assert read_line(done.as_line()) == done
    assert Done(1.0, 0.2, "x").as_line().startswith("99 %")  # it is not over
    assert read_line("100 %: x") is None
    assert read_line("first look, at 500 samples") is None


def test_an_evaluation_tells_its_parts_and_its_answers_as_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one order: the first look's answers come one by one, before the whole audit begins."""
    monkeypatch.setattr(comparison, "FIRST", 40)
    monkeypatch.setattr(comparison, "FIRST_REAL", 80)
    run = gansmith.train(**{**SMALL, "holdout": 0.3, "images": 64, "out": str(tmp_path / "run")}).path
    told: list[object] = []
    given = {"samples": 60, "repeats": 1, "features": "pixels", "out": tmp_path / "report"}
    audit = judge.evaluate(
        run, progress=told.append, early=told.append, first_look=lambda look: told.append("look"), **given
    )
    looked = told.index("look")
    assert [one.question for one in told[:looked] if isinstance(one, Answer)] == list(QUESTIONS)
    assert not any(isinstance(one, Answer) for one in told[looked:])
    shares = [one.share for one in told if isinstance(one, Done)]
    assert shares == sorted(shares)
    assert shares[-1] > 0.5
    words = [one.what for one in told[looked:] if isinstance(one, Done)]
    assert words[0] == MAKING
    assert any(word.startswith(QUESTIONS["artifacts"]) for word in words)
    plain = judge.evaluate(run, **{**given, "out": tmp_path / "plain"})
    for question in QUESTIONS:
        assert audit.answers[question].record() == plain.answers[question].record()


def test_a_network_is_waited_for_by_no_answer_on_repeats_and_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both come before the network's features, and that on repeats is the one of the first look, asked once."""
    from gansmith import catalog
    from gansmith.judge import chosen_extractors

    monkeypatch.setattr(comparison, "FIRST", 40)
    monkeypatch.setattr(comparison, "FIRST_REAL", 80)
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    run = gansmith.train(**{**SMALL, "holdout": 0.3, "images": 64, "out": str(tmp_path / "run")}).path
    extractor = catalog.build("features", "mobilenet", factory="untrained", device="cpu")
    monkeypatch.setattr(chosen_extractors, "choose", lambda *_, **__: extractor)
    told: list[object] = []
    quick = judge.evaluate(run, quick=True, progress=told.append, early=told.append)
    features = next(i for i, one in enumerate(told) if isinstance(one, Done) and FEATURES in one.what)
    before = [one for one in told[:features] if isinstance(one, Answer)]
    assert [one.question for one in before] == ["collapse", "memorisation"]
    assert quick.answers["collapse"] is before[0]
    alone = judge.evaluate(run, quick=True, out=tmp_path / "alone")
    assert alone.answers["collapse"].record() == before[0].record()
