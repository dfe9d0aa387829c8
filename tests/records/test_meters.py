"""Meters: means, and what is not finite."""

from __future__ import annotations

import math

import pytest
import torch

from gansmith.errors import NotFiniteError
from gansmith.records.meters import RateMeter, TermMeter
from refusals import refused


def played(turn: str, **terms: float) -> tuple[str, dict[str, torch.Tensor]]:
    return turn, {name: torch.tensor(value) for name, value in terms.items()}


def test_means_of_every_term_of_every_turn() -> None:
    meter = TermMeter()
    meter.add([played("d", loss=1.0, accuracy=0.5), played("d", loss=2.0, accuracy=1.0), played("g", loss=10.0)])
    meter.add([played("g", loss=20.0), played("d", loss=6.0, accuracy=0.0)])
    assert meter.value() == {"d/loss": 3.0, "d/accuracy": 0.5, "g/loss": 15.0}
    assert meter.value() == {"d/loss": 3.0, "d/accuracy": 0.5, "g/loss": 15.0}  # reading does not forget
    meter.reset()
    assert meter.value() == {}
    meter.add([played("d", loss=7.0)])
    assert meter.value() == {"d/loss": 7.0}


@pytest.mark.parametrize(("bad", "word"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_a_single_value_that_is_not_finite_is_named(bad: float, word: str) -> None:
    meter = TermMeter()
    for value in (1.0, 2.0, bad, 3.0):
        meter.add([played("first", loss=1.0), played("second", loss=1.0, penalty=value), played("third", loss=1.0)])
    with refused("'penalty'", "'second'", word, "learning rate", "float32", error=NotFiniteError):
        meter.value()


def test_infinities_do_not_cancel() -> None:
    meter = TermMeter()
    meter.add([played("d", loss=math.inf), played("d", loss=-math.inf)])
    with pytest.raises(NotFiniteError, match="'loss' of turn 'd' became inf"):
        meter.value()


def test_terms_are_read_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: adding reads nothing, and value() is one transfer."""
    reads: list[str] = []
    for name in ("item", "tolist", "numpy", "__float__", "__bool__"):
        original = getattr(torch.Tensor, name)

        def counted(self: torch.Tensor, *given: object, name: str = name, original: object = original) -> object:
            reads.append(name)
            return original(self, *given)  # type: ignore[operator]

        monkeypatch.setattr(torch.Tensor, name, counted)
    meter = TermMeter()
    for value in range(50):
        meter.add([played("d", loss=float(value)), played("g", loss=1.0)])
    assert reads == []
    assert meter.value() == {"d/loss": 24.5, "g/loss": 1.0}
    assert reads == ["tolist"]


def test_no_graph_is_kept() -> None:
    meter = TermMeter()
    weight = torch.ones((), requires_grad=True)
    meter.add([("d", {"loss": weight * 2})])
    assert not meter._terms["d/loss"][0].requires_grad


def test_mixed_number_formats() -> None:
    meter = TermMeter()
    meter.add([("d", {"a": torch.tensor(0.5, dtype=torch.bfloat16), "b": torch.tensor(0.25, dtype=torch.float64)})])
    assert meter.value() == {"d/a": 0.5, "d/b": 0.25}


def test_rates() -> None:
    meter = RateMeter()
    assert meter.value() == {}
    meter.add(64, 0.5, 0.1)
    meter.add(64, 1.5, 0.3)
    assert meter.value() == pytest.approx({"images_per_second": 64.0, "waiting": 0.2})
    meter.reset()
    assert meter.value() == {}
    meter.add(10, 1.0, 0.0)
    assert meter.value() == {"images_per_second": 10.0, "waiting": 0.0}
