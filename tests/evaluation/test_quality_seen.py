"""What is seen in the samples rules a good verdict on quality out, and is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gansmith.evaluation import intervals
from gansmith.evaluation.audit.quality import answer
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Extractor, Features, Number, Outputs, Ruler, Seen, Side

TOY = Extractor("toy", "0", "as they are", lambda images: Outputs(images.flatten(1).float()))
NEAR, BETWEEN = Number(0.0, -0.05, 0.05), Number(0.15, 0.12, 0.18)


def cloud(seed: int, count: int, at: float = 3.0) -> Features:
    return (np.random.default_rng(seed).standard_normal((count, 6)) + at).astype(np.float32)


def of_a_hundred(count: int, images: int = 200) -> Number:
    return Number(count / 100, *intervals.share(count * images // 100, images))


def seen(samples: int, held_out: int, what: str = "a cat", unclear: str = "") -> Seen:
    return Seen(what, of_a_hundred(samples), of_a_hundred(held_out), unclear=unclear)


def evidence(place: Number, **found: Seen) -> Evidence:
    """Samples that lie among the real images, at that place on the ruler."""
    ruler = Ruler(place, Number(0.0), dict.fromkeys(LAYOUT, Number(1.0)), dict.fromkeys(TEXTURE, Number(0.5)), unit=1.0)
    sides = Side("train", features=cloud(0, 300)), Side("held", features=cloud(1, 200))
    whole = Evidence(
        *sides,
        (Side("made", features=cloud(2, 200)),),
        TOY,
        TOY,
        Protocol("", "t", "r", 0, 0, "2x2x1", "raw"),
        ruler=ruler,
    )
    return replace(whole, **found)


@pytest.mark.parametrize("name", ["layout", "thing"])
@pytest.mark.parametrize(
    ("samples", "verdict"), [(63, "good"), (55, "good"), (35, "cannot tell"), (15, "cannot tell"), (2, "cannot tell")]
)
def test_what_is_too_rare_is_never_good(name: str, samples: int, verdict: str) -> None:
    found = answer(evidence(NEAR, **{name: seen(samples, 63)}))
    assert found.verdict == verdict
    assert found.numbers[f"{name}_ratio"].value == pytest.approx(samples / 63)
    assert found.numbers[f"{name}_held_out"].value == 0.63


def test_what_is_gone_is_bad_where_the_samples_are_not_like_the_real_images() -> None:
    far = Side("made", features=cloud(2, 200, at=6.0))
    for place, samples, verdict in (
        (NEAR, 2, "bad"),
        (NEAR, 35, "cannot tell"),
        (BETWEEN, 35, "bad"),  # surely off, and too rare
        (BETWEEN, 60, "cannot tell"),
    ):
        found = answer(replace(evidence(place, thing=seen(samples, 63)), fakes=(far,)))
        assert found.verdict == verdict


def test_the_thing_is_in_the_sentence_and_the_layout_where_it_is_missing() -> None:
    told = answer(evidence(NEAR, thing=seen(61, 63), layout=seen(98, 99, "a layout")))
    assert "A cat is seen in 61 of 100 samples" in told.sentence
    assert "63 of 100" in told.sentence
    assert "layout is seen" not in told.sentence
    assert any("98 (" in line and "a layout" in line for line in told.details)
    assert "A layout is seen in 40 of 100 samples" in answer(evidence(NEAR, layout=seen(40, 99, "a layout"))).sentence


def test_where_held_out_images_look_shuffled_no_layout_is_spoken_of_but_fewer_still_rule_good_out() -> None:
    unclear = "Held-out images are like their tiles."
    for samples, verdict in ((58, "good"), (20, "cannot tell")):
        found = answer(evidence(NEAR, layout=seen(samples, 60, "a layout", unclear)))
        assert found.verdict == verdict
        assert unclear in found.details
        assert "layout is seen" not in " ".join([found.sentence, *found.details])
        assert ("20 of 100" in found.sentence) == (verdict != "good")
