"""Diversity: the verdict on generators that cover all, some and none of the data, and what the answer says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation.audit.diversity import answer
from gansmith.evaluation.metrics.density_coverage import density_coverage
from gansmith.evaluation.metrics.precision_recall import precision_recall
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Extractor, Outputs, Side

WIDTH, MODES = 4, 10
EXTRACTOR = Extractor("toy", "0", "as they are", lambda images: Outputs(images.flatten(1).float()))
CENTRES = np.random.default_rng(99).standard_normal((MODES, WIDTH)) * 20


def drawn(seed: int, count: int, *, modes: int = MODES) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Points round the first `modes` of ten centres, equally often."""
    rng = np.random.default_rng(seed)
    which = rng.permutation(np.arange(count) % modes)
    return (CENTRES[which] + rng.standard_normal((count, WIDTH))).astype(np.float32), which


def side(name: str, seed: int, count: int, *, modes: int = MODES) -> Side:
    features, which = drawn(seed, count, modes=modes)
    pixels = np.broadcast_to((25 * which).astype(np.uint8)[:, None, None, None], (count, 2, 2, 1)).copy()
    return Side(name, pixels, features, np.eye(MODES, dtype=np.float32)[which])


def evidence(modes: int, *, repeats: int = 2, each: int = 200, held: int | None = 200, **more: Any) -> Evidence:
    return Evidence(
        side("the training images", 0, 400),
        None if held is None else side("the held-out images", 1, held),
        tuple(side("the samples", 10 + i, each, modes=modes) for i in range(repeats)),
        EXTRACTOR,
        EXTRACTOR,
        Protocol("", "toy", "toys", 0, 0, "2x2x1", "raw"),
        **more,
    )


def test_as_varied_as_real_is_good() -> None:
    found = answer(evidence(10))
    assert (found.question, found.verdict, found.headline) == ("diversity", "good", "coverage_ratio")
    assert found.numbers["coverage_ratio"].value == pytest.approx(1, abs=0.05)
    reached, held = (round(100 * found.numbers[name].value) for name in ("coverage", "coverage_held_out"))
    assert f"{reached} have a sample near" in found.sentence
    assert f"{held} have one of as many held-out real images" in found.sentence
    assert found.advice == ()


def test_two_of_ten_kinds_are_bad() -> None:
    found = answer(evidence(2))
    assert found.verdict == "bad"
    assert found.numbers["coverage"].value == pytest.approx(0.2, abs=0.05)
    assert found.numbers["coverage_ratio"].high < 1 / 3  # type: ignore[operator]
    assert "collapse" in found.advice[0]


def test_half_of_the_kinds_is_neither() -> None:
    found = answer(evidence(5, each=400, held=400))
    assert found.numbers["coverage_ratio"].value == pytest.approx(0.5, abs=0.06)
    assert found.verdict == "cannot tell"
    assert "between bad and good" in found.sentence


def test_few_images_cannot_tell() -> None:
    found = answer(evidence(6, each=25, held=None))
    assert found.verdict == "cannot tell"
    assert "so few images" in found.sentence
    assert "100 of the images trained on" in found.details[-1]


@pytest.mark.parametrize("seed", range(6))
def test_real_against_real_is_never_bad(seed: int) -> None:
    given = evidence(10, each=60, held=60)
    given = replace(given, fakes=(side("a", 50 + seed, 60), side("b", 70 + seed, 60)), seed=seed)
    assert answer(given).verdict in ("good", "cannot tell")


def test_all_is_measured_at_one_count() -> None:
    given = evidence(7, repeats=1, each=120, held=80)
    found = answer(replace(given, train=side("train", 0, 80), fakes=(side("made", 10, 80, modes=7),)))
    features = [drawn(seed, 80, modes=modes)[0] for seed, modes in ((0, 10), (10, 7), (1, 10))]
    real, made, held = features
    assert found.numbers["coverage"].value == pytest.approx(density_coverage(real, made).coverage.value)
    assert found.numbers["coverage_held_out"].value == pytest.approx(density_coverage(real, held).coverage.value)
    assert found.numbers["recall"].value == pytest.approx(precision_recall(real, made).recall.value)
    assert found.numbers["recall_held_out"].value == pytest.approx(precision_recall(real, held).recall.value)
    counts = answer(given).protocol
    assert (counts.real_count, counts.fake_count) == (80, 80)


def test_the_mean_over_repeats_and_their_spread() -> None:
    """One repeat covers all, the other two kinds: the mean stands, and the interval holds both."""
    given = evidence(10)
    found = answer(replace(given, fakes=(given.fakes[0], side("less", 30, 200, modes=2))))
    ratio = found.numbers["coverage_ratio"]
    assert ratio.value == pytest.approx(0.6, abs=0.06)
    assert ratio.low < 0.25  # type: ignore[operator]
    assert ratio.high > 0.95  # type: ignore[operator]
    assert "2 times with 200 samples against 200 real images" in found.details[0]


def test_the_interval_covers_another_draw_of_the_real_images() -> None:
    """The truth from many repetitions; the interval covers it in nine of ten at least."""
    found = []
    for seed in range(40):
        given = Evidence(
            side("train", 1000 + seed, 80),
            side("held", 2000 + seed, 80),
            tuple(side("made", 3000 + 10 * seed + i, 80, modes=5) for i in range(3)),
            EXTRACTOR,
            EXTRACTOR,
            Protocol("", "toy", "toys", 0, 0, "", "raw"),
            seed=seed,
        )
        found.append(answer(given).numbers["coverage_ratio"])
    truth = np.mean([number.value for number in found])
    assert truth == pytest.approx(0.5, abs=0.03)
    assert np.mean([number.low <= truth <= number.high for number in found]) >= 0.9  # type: ignore[operator]


def test_what_is_never_made_is_shown() -> None:
    figures = answer(evidence(8)).figures
    assert figures[0].caption.startswith("What it makes least: the 16 of 200 real images")
    assert figures[0].image is not None
    shown = {level for level in np.unique(np.asarray(figures[0].image)) if level != 255}
    assert shown <= {200, 225}  # the ninth and tenth kinds


def test_nothing_is_shown_where_all_is_made_or_nothing_can_be() -> None:
    given = evidence(10)
    copies = replace(given, fakes=(replace(given.train, name="copies"),), holdout=None)
    reference = answer(copies)
    assert reference.figures == ()
    without = replace(given, train=replace(given.train, images=None))
    assert answer(without).figures == ()


def test_classes_are_counted_where_they_have_names() -> None:
    names = tuple(f"kind {i}" for i in range(MODES))
    found = answer(evidence(4, each=400, classes=names))
    assert found.numbers["classes_found"].value == 4
    assert found.numbers["classes_in_data"].value == 10
    assert found.numbers["kl"].value == pytest.approx(np.log(2.5), abs=0.1)
    assert (found.verdict, found.headline) == ("bad", "classes_found")
    assert "Of 10 classes, 4 " in found.sentence
    assert found.figures[-1].svg is not None
    assert "kind 9" in found.figures[-1].svg
    assert "classes_found" not in answer(evidence(4)).numbers
    every = answer(evidence(10, classes=names))
    assert (every.verdict, every.headline) == ("good", "coverage_ratio")


def test_what_cannot_be_asked() -> None:
    given = evidence(10)
    with pytest.raises(DataError, match=r"diversity.*samples"):
        answer(replace(given, fakes=()))
    with pytest.raises(DataError, match="diversity needs the features of files"):
        answer(replace(given, fakes=(Side("files"),)))


def test_held_out_images_of_another_kind_judge_nothing() -> None:
    given = evidence(10)
    assert given.holdout is not None
    assert given.holdout.features is not None
    other = replace(given.holdout, features=given.holdout.features + np.float32(50))
    found = answer(replace(given, holdout=other))
    assert found.verdict == "cannot tell"
    assert "different kinds" in found.sentence
    assert all("--holdout" in line for line in found.advice)
