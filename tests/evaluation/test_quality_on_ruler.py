"""The answer on quality by the ruler: which line is near, and held-out images that are off the ruler themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gansmith.evaluation.audit.quality import answer
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Extractor, Number, Outputs, Ruler, Side

TOY = Extractor("toy", "0", "as they are", lambda images: Outputs(images.flatten(1).float()))
ZERO = Number(0.0, -0.02, 0.02)


def side(name: str, seed: int, count: int, at: float = 0.0) -> Side:
    rows = np.random.default_rng(seed).standard_normal((count, 6)) + at
    return Side(name, features=rows.astype(np.float32))


def evidence(place: Number, held_out: Number = ZERO) -> Evidence:
    """Samples of which precision does not say that they are bad."""
    ruler = Ruler(place, held_out, dict.fromkeys(LAYOUT, Number(1.0)), dict.fromkeys(TEXTURE, Number(0.5)), unit=1.0)
    protocol = Protocol("", "t", "r", 0, 0, "2x2x1", "raw")
    sides = side("train", 0, 300), side("held", 1, 200), (side("made", 2, 200),)
    return Evidence(*sides, TOY, TOY, protocol, ruler=ruler)


@pytest.mark.parametrize(
    ("place", "facts", "absent"),
    [
        (Number(0.15, 0.12, 0.18), ("0.15, between", "0.1", "0.2"), "too near"),
        (Number(0.25, 0.15, 0.35), ("0.25 (0.15 to 0.35)", "too near", "bad (0.2)"), "between"),
        (Number(0.05, -0.05, 0.15), ("0.05 (-0.05 to 0.15)", "too near", "good (0.1)"), "between"),
    ],
)
def test_an_interval_across_a_line_is_not_said_to_lie_between(
    place: Number, facts: tuple[str, ...], absent: str
) -> None:
    found = answer(evidence(place))
    assert found.verdict == "cannot tell"
    for fact in facts:
        assert fact in found.sentence
    assert absent not in found.sentence


@pytest.mark.parametrize("place", [ZERO, Number(0.15, 0.12, 0.18), Number(0.9, 0.8, 1.0)])
def test_held_out_images_that_are_surely_off_the_ruler_judge_nothing(place: Number) -> None:
    found = answer(evidence(place, held_out=Number(0.3, 0.11, 0.5)))
    assert found.verdict == "cannot tell"
    assert "0.30 (0.11 to 0.50)" in found.sentence
    assert "different kinds" in found.sentence
    assert found.needs == ("other held-out images",)
    near = answer(evidence(place, held_out=Number(0.3, 0.09, 0.5)))
    assert "different kinds" not in near.sentence
    assert near.needs == ()


def test_where_precision_says_so_too_it_is_the_reason() -> None:
    given = evidence(ZERO, held_out=Number(0.3, 0.2, 0.5))
    found = answer(replace(given, holdout=side("held", 1, 200, at=8.0)))
    assert found.verdict == "cannot tell"
    assert "only 0 would pass" in found.sentence
