"""The benchmark of WGAN-GP: both sides compute the same, and it notices when they do not."""

from __future__ import annotations

import pytest
import torch

from benchmarks import wgan_gp

SMALL = {"width": 4, "batch": 3, "size": 16}


def test_both_sides_play_the_same_game() -> None:
    """Six losses of two steps, the second after both have learned."""
    ours, theirs = wgan_gp.Mine(wgan_gp.parts_of(**SMALL)), wgan_gp.Theirs(wgan_gp.parts_of(**SMALL))
    for _ in range(2):
        found, expected = ours.step(), theirs.step()
        assert len(found) == 6
        torch.testing.assert_close(found, expected, rtol=2e-3, atol=1e-4)


def test_the_plain_side_is_channels_first() -> None:
    theirs = wgan_gp.Theirs(wgan_gp.parts_of(**SMALL))
    weights = [p for p in theirs.discriminator.parameters() if p.dim() == 4]
    assert weights
    assert all(weight.is_contiguous() for weight in weights)


def test_different_losses_are_no_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wgan_gp, "WEIGHT", 9.0)
    theirs = wgan_gp.Theirs(wgan_gp.parts_of(**SMALL))
    monkeypatch.undo()
    mine = wgan_gp.Mine(wgan_gp.parts_of(**SMALL))
    monkeypatch.setattr(wgan_gp, "WEIGHT", 9.0)
    with pytest.raises(SystemExit, match=r"^the losses differ by more than 0\.2%, so the times do not compare"):
        wgan_gp.compare({"authors' order": theirs, "gansmith": mine}, tolerance=2e-3, seconds=0)


def test_figures_and_floors() -> None:
    figures = wgan_gp.shown("bfloat16", {"authors' order": [3.0, 4.0], "gansmith": [1.0, 2.0]}, 2.2)
    assert [figure.values for figure in figures] == [[1000.0, 2000.0], [3000.0, 4000.0], [3.0, 2.0]]
    assert figures[-1].target == "at least 2.2"
    assert figures[-1].met
    assert wgan_gp.AT_LEAST == {"float32": 1.25, "bfloat16": 2.2}
