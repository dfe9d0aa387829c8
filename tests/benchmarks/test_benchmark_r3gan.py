"""The benchmark of R3GAN: both sides compute the same, and it notices when they do not."""

from __future__ import annotations

import pytest
import torch

from benchmarks import r3gan
from gansmith.speed.interleave import Ours

SMALL = {"width": 16, "batch": 3, "size": 16}


def test_both_sides_play_the_same_game() -> None:
    ours, theirs = Ours(r3gan.parts_of(**SMALL)), r3gan.Theirs(r3gan.parts_of(**SMALL))
    for _ in range(2):
        found, expected = ours.step(), theirs.step()
        torch.testing.assert_close(torch.stack(found), torch.stack(expected), rtol=2e-3, atol=0)


def test_the_penalties_are_in_what_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The losses that are compared leave them out: a second step with another gamma differs nonetheless."""
    usual, other = (r3gan.Theirs(r3gan.parts_of(**SMALL)) for _ in range(2))
    usual.step()
    expected = usual.step()
    monkeypatch.setattr(r3gan, "GAMMA", 5.0)
    other.step()
    assert not torch.allclose(torch.stack(other.step()), torch.stack(expected), rtol=2e-3)


def test_different_losses_are_no_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    step = r3gan.Theirs.step
    monkeypatch.setattr(r3gan.Theirs, "step", lambda self: tuple(1.01 * loss for loss in step(self)))
    with pytest.raises(SystemExit, match=r"^the losses differ by more than 0\.2%, so the times do not compare"):
        r3gan.compare(r3gan.parts_of(**SMALL), seconds=0)


def test_figures_and_floors() -> None:
    figures = r3gan.shown("float32", {"authors' order": [3.0, 4.0], "gansmith": [1.0, 2.0]}, 1.0)
    assert [figure.values for figure in figures] == [[1000.0, 2000.0], [3000.0, 4000.0], [3.0, 2.0]]
    assert figures[-1].target == "at least 1"
    assert r3gan.AT_LEAST == {"float32": 1.0, "bfloat16": 1.05}
