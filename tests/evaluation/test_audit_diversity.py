"""Diversity: the verdict on generators that cover all, some and none of the data, and what the answer says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation.audit import diversity
from gansmith.evaluation.audit import diversity_words as words
from gansmith.evaluation.audit.diversity import answer
from gansmith.evaluation.audit.diversity_words import Found
from gansmith.evaluation.metrics.density_coverage import density_coverage
from gansmith.evaluation.planted_losses import HALF, LITTLE, MOST_GONE, THIRD, Scale, Variety
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Extractor, Number, Outputs, Side

WIDTH, MODES = 8, 10
EXTRACTOR = Extractor("toy", "0", "as they are", lambda images: Outputs(images.flatten(1).float()))
CENTRES = np.random.default_rng(99).standard_normal((MODES, WIDTH)) * 10
NAMES = tuple(f"kind {number}" for number in range(MODES))
ALL = tuple(range(MODES))


def drawn(seed: int, count: int, modes: tuple[int, ...] = ALL) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Points round those of ten centres, equally often."""
    rng = np.random.default_rng(seed)
    which = np.array(modes)[rng.permutation(np.arange(count) % len(modes))]
    return (CENTRES[which] + rng.standard_normal((count, WIDTH))).astype(np.float32), which


def side(name: str, seed: int, count: int, modes: tuple[int, ...] = ALL) -> Side:
    features, which = drawn(seed, count, modes)
    pixels = np.broadcast_to((25 * which).astype(np.uint8)[:, None, None, None], (count, 2, 2, 1)).copy()
    return Side(name, pixels, features, np.eye(MODES, dtype=np.float32)[which])


def evidence(modes: int, *, repeats: int = 2, each: int = 150, held: int | None = 200, **more: Any) -> Evidence:
    return Evidence(
        side("the training images", 0, 400),
        None if held is None else side("the held-out images", 1, held),
        tuple(side("the samples", 10 + i, each, ALL[:modes]) for i in range(repeats)),
        EXTRACTOR,
        EXTRACTOR,
        Protocol("", "toy", "toys", 0, 0, "2x2x1", "raw"),
        **more,
    )


def labelled(given: Evidence) -> Evidence:
    """The real images' labels, with names; not the samples'."""
    assert given.holdout is not None

    def known(real: Side) -> Side:
        assert real.probabilities is not None
        return replace(real, labels=real.probabilities.argmax(axis=1))

    return replace(given, train=known(given.train), holdout=known(given.holdout), label_names=NAMES)


@pytest.fixture(scope="module")
def whole() -> Answer:
    return answer(evidence(10))


def test_as_varied_as_real_is_good(whole: Answer) -> None:
    assert (whole.question, whole.verdict, whole.headline) == ("diversity", "good", "kinds_missing")
    assert whole.numbers["kinds_missing"].value < 0.1
    assert whole.numbers["kinds_missing"].high < 0.25  # type: ignore[operator]
    assert whole.numbers["coverage_ratio"].value == pytest.approx(1, abs=0.05)
    assert "recall" not in whole.numbers


def test_the_power_is_said(whole: Answer) -> None:
    assert whole.numbers["power_half"].value >= 0.8
    third, most = (whole.numbers[f"power_{name}"].value for name in ("third", "three_quarters"))
    assert third <= whole.numbers["power_half"].value <= most
    assert "probability above .99; a third" in whole.sentence
    assert any("200 sets" in line and "100 each" in line for line in whole.details)


@pytest.mark.parametrize("seed", range(5))
def test_half_of_the_kinds_is_bad(seed: int) -> None:
    kept = tuple(np.random.default_rng(seed).permutation(MODES)[:5].tolist())
    given = evidence(10, seed=seed)
    found = answer(replace(given, fakes=(side("made", 30 + seed, 300, kept),)))
    assert (found.verdict, found.headline) == ("bad", "kinds_missing")
    missing = found.numbers["kinds_missing"]
    assert 0.3 < missing.value < 0.75
    assert f"{100 * missing.value:.0f} %" in found.sentence or "kinds_missing_moved" in found.numbers


@pytest.mark.parametrize("seed", range(5))
def test_real_against_real_is_never_bad(seed: int) -> None:
    given = evidence(10, seed=seed)
    given = replace(given, fakes=(side("a", 50 + seed, 60), side("b", 70 + seed, 60)))
    assert answer(given).verdict != "bad"


def test_twenty_samples_are_never_good() -> None:
    found = answer(evidence(10, repeats=1, each=20))
    assert found.verdict == "cannot tell"
    assert "half of the kinds could be missing without being noticed" in found.sentence


def test_few_real_images_are_set_aside() -> None:
    found = answer(evidence(6, each=25, held=None))
    assert "100 of the images trained on" in found.details[-1]


def test_samples_far_from_the_real_images_are_neither() -> None:
    given = evidence(10)
    for modes in (10, 2):
        far = side("far", 40, 300, ALL[:modes])
        assert far.features is not None
        found = answer(replace(given, fakes=(replace(far, features=far.features + np.float32(30)),)))
        assert (found.verdict, found.headline) == ("cannot tell", "precision_ratio")
        assert "look too little like" in found.sentence
        assert found.numbers["precision_ratio"].high < 2 / 3  # type: ignore[operator]


def test_by_pixels_nothing_is_good() -> None:
    pixels = replace(EXTRACTOR, name="pixels")
    found = answer(replace(evidence(10), extractor=pixels))
    assert found.verdict == "cannot tell"
    assert "pixels" in found.sentence
    assert answer(replace(evidence(2), extractor=pixels)).verdict == "bad"


REACHED = {
    "coverage": Number(0.9, 0.85, 0.95),
    "coverage_held_out": Number(0.9, 0.85, 0.95),
    "coverage_ratio": Number(1.0, 0.9, 1.1),
    "precision_ratio": Number(1.0, 0.9, 1.1),
}
WHOLE = np.array([0.01, 0.01])
MISSING = {f"{view}_missing{end}": Number(0.5, 0.4, 0.6) for view in ("kinds", "layouts") for end in ("", "_moved")}


def scale(half: float = 0.5, missed: int = 0) -> Scale:
    """Of planted sets: honest ones measure .01, and a third, a half ... of the kinds gone far more; so many of a
    hundred without half pass for whole."""
    shares = {0.0: 0.01, LITTLE: 0.3, THIRD: 0.4, HALF: half, MOST_GONE: 0.8}
    planted = {share: np.full((100, 2), value) for share, value in shares.items()}
    planted[HALF][:missed] = 0.01
    return Scale(planted, "classes")


@pytest.mark.parametrize(
    ("changes", "verdict", "why"),
    [
        ({}, "good", "whole"),
        ({"lacking": np.array([0.31, 0.31])}, "bad", "kinds"),
        ({"lacking": np.array([0.31, 0.29])}, "cannot tell", "kinds"),  # both must say so
        ({"lacking": np.array([0.01, 0.2])}, "cannot tell", "kinds"),
        ({"layouts": np.array([0.31, 0.31])}, "bad", "layouts"),
        ({"layouts": np.array([0.31, 0.29])}, "cannot tell", "layouts"),
        ({"layouts": np.array([0.01, 0.01])}, "good", "whole"),
        ({"scale": scale(half=0.2)}, "cannot tell", "power"),
        ({"scale": scale(half=0.01)}, "cannot tell", "power"),
        ({"scale": scale(missed=6)}, "cannot tell", "missed"),
        ({"scale": scale(missed=5)}, "good", "whole"),
        ({"samples": 99}, "cannot tell", "few"),
        ({"samples": 99, "lacking": np.array([0.4, 0.4])}, "bad", "kinds"),
        ({"extractor": "pixels"}, "cannot tell", "pixels"),
        ({"extractor": "pixels", "lacking": np.array([0.4, 0.4])}, "bad", "kinds"),
        ({"coverage_ratio": Number(0.2, 0.1, 0.33)}, "bad", "covered"),
        ({"coverage_ratio": Number(0.7, 0.6, 0.8)}, "cannot tell", "covered"),
        ({"precision_ratio": Number(0.6, 0.5, 0.66), "lacking": np.array([0.4, 0.4])}, "cannot tell", "unreal"),
        ({"precision_ratio": Number(0.6, 0.5, 0.67)}, "good", "whole"),
        ({"coverage_held_out": Number(0.4, 0.3, 0.49), "lacking": np.array([0.4, 0.4])}, "cannot tell", "unlike"),
        ({"classes": {"cat": (0.2, Number(0.05, 0.0, 0.09))}}, "cannot tell", "scarce"),
        ({"classes": {"cat": (0.2, Number(0.05, 0.0, 0.11))}}, "good", "whole"),
        ({"classes": {"cat": (0.26, Number(0.05, 0.0, 0.09))}}, "bad", "scarce"),
        ({"classes_found": Number(5, 4, 5), "classes_in_data": Number(10)}, "bad", "never"),
        ({"classes_found": Number(5, 4, 6), "classes_in_data": Number(10)}, "good", "whole"),
    ],
)
def test_the_first_rule_that_holds(changes: dict[str, Any], verdict: str, why: str) -> None:
    given = {"lacking": WHOLE, "layouts": None, "scale": scale(), "samples": 300, "classes": {}, "extractor": "toy"}
    numbers = REACHED | {name: value for name, value in changes.items() if name not in given}
    given |= {name: value for name, value in changes.items() if name in given}
    views = {"kinds_missing": Variety(given["lacking"], given["scale"])}
    if given["layouts"] is not None:
        views["layouts_missing"] = Variety(given["layouts"], scale())
    found = diversity._verdict(
        numbers,
        views,
        given["classes"],
        samples=given["samples"],
        evidence=replace(evidence(10), extractor=replace(EXTRACTOR, name=given["extractor"])),
    )
    assert found == (verdict, why)
    said = words.sentence(found[0], found[1], Found(numbers | MISSING, views, given["classes"], "others"))
    assert said.startswith({"good": "Yes", "bad": "No:"}.get(verdict, ("Cannot", "Not", "The", "Of")))


def test_why_a_whole_set_is_not_called_so() -> None:
    """Each reason by its own numbers; that losses go unnoticed is said only where they do."""
    for why, given, fact in (
        ("missed", scale(missed=6), "6 of 100"),
        ("few", scale(), "fewer than 100 samples"),
        ("power", scale(half=0.2), "probability .00"),
    ):
        views = {"kinds_missing": Variety(WHOLE, given)}
        said = words.sentence("cannot tell", why, Found(REACHED | MISSING, views, {}, "others"))  # type: ignore[arg-type]
        assert fact in said
        assert ("without being noticed" in said) == (why == "power")


def test_the_number_named_is_the_one_that_decides() -> None:
    """Both must be large for bad, so the smaller; one is enough not to be good, so the larger."""
    numbers = {"kinds_missing": Number(0.1, 0.0, 0.2), "kinds_missing_moved": Number(0.4, 0.3, 0.5)}
    for pair in (numbers, dict(zip(numbers, reversed(numbers.values()), strict=True))):
        found = Found(REACHED | pair, {}, {}, "others")
        assert "10 % (0 to 20 %)" in words.sentence("bad", "kinds", found)
        assert "40 % (30 to 50 %)" in words.sentence("cannot tell", "kinds", found)


def test_what_only_thumbnails_see_is_noticed() -> None:
    """Features that do not see colour, and samples of half of the colours."""
    rng = np.random.default_rng(7)

    def grey(name: str, count: int, colours: int) -> Side:
        colour = rng.permutation(np.arange(count) % colours)[:, None, None, None]
        levels = 25 * colour + rng.integers(0, 9, (count, 9, 7, 3))
        return Side(name, levels.astype(np.uint8), rng.standard_normal((count, WIDTH)).astype(np.float32))

    given = evidence(10)
    given = replace(given, train=grey("train", 400, 10), holdout=grey("held out", 200, 10))
    whole, half = (answer(replace(given, fakes=(grey("made", 300, colours),))) for colours in (10, 5))
    assert whole.verdict == "good"
    assert whole.numbers["layouts_missing"].value < 0.1
    assert (half.verdict, half.headline) == ("bad", "layouts_missing")
    assert half.numbers["layouts_missing"].value == pytest.approx(0.5, abs=0.2)
    assert half.numbers["kinds_missing"].value < 0.1
    assert "colour and layout" in half.sentence
    assert "thumbnails" in half.protocol.metric


def test_the_sentence_on_coverage_names_both_shares() -> None:
    numbers = REACHED | {"coverage": Number(0.25, 0.2, 0.3)}
    said = words.sentence("bad", "covered", Found(numbers, {}, {}, "held-out real images"))
    assert "25 have a sample near" in said
    assert "90 have one of as many held-out real images near" in said


def test_all_is_measured_at_one_count() -> None:
    given = evidence(7, repeats=1, each=120, held=80)
    found = answer(replace(given, train=side("train", 0, 80), fakes=(side("made", 10, 80, ALL[:7]),)))
    real, made, held = (drawn(seed, 80, modes)[0] for seed, modes in ((0, ALL), (10, ALL[:7]), (1, ALL)))
    assert found.numbers["coverage"].value == pytest.approx(density_coverage(real, made).coverage.value)
    assert found.numbers["coverage_held_out"].value == pytest.approx(density_coverage(real, held).coverage.value)
    counts = answer(given).protocol
    assert (counts.real_count, counts.fake_count) == (80, 80)


def test_the_mean_over_repeats_and_their_spread() -> None:
    """One repeat covers all, the other two kinds: the mean stands, and the interval holds both."""
    given = evidence(10, each=200)
    found = answer(replace(given, fakes=(given.fakes[0], side("less", 30, 200, ALL[:2]))))
    ratio = found.numbers["coverage_ratio"]
    assert ratio.value == pytest.approx(0.6, abs=0.06)
    assert ratio.low < 0.25  # type: ignore[operator]
    assert ratio.high > 0.95  # type: ignore[operator]
    assert any("2 times with 200 samples against 200 real images" in line for line in found.details)


def test_what_is_never_made_is_shown() -> None:
    figures = answer(evidence(8, each=200)).figures
    assert figures[0].caption.startswith("What it makes least: the 16 of 200 real images")
    assert figures[0].image is not None
    shown = {level for level in np.unique(np.asarray(figures[0].image)) if level != 255}
    assert shown <= {200, 225}  # the ninth and tenth kinds


def test_nothing_is_shown_where_all_is_made_or_nothing_can_be() -> None:
    given = evidence(10)
    copies = replace(given, fakes=(replace(given.train, name="copies"),), holdout=None)
    assert answer(copies).figures == ()
    without = replace(given, train=replace(given.train, images=None))
    assert answer(without).figures == ()


def test_labels_name_the_classes_that_are_missing() -> None:
    found = answer(labelled(evidence(6)))
    assert found.verdict == "bad"
    assert all((f"{name} (0 %" in found.sentence) == (number >= 6) for number, name in enumerate(NAMES))
    assert found.numbers["share_of_kind 9"].high < 0.05  # type: ignore[operator]
    assert found.numbers["share_of_kind 0"].value == pytest.approx(1 / 6, abs=0.03)
    assert found.figures[-1].svg is not None
    assert "kind 9" in found.figures[-1].svg
    assert "classes of features" in found.protocol.metric


def test_one_missing_class_is_not_good() -> None:
    found = answer(labelled(evidence(9)))
    assert found.verdict == "cannot tell"
    assert "kind 9" in found.sentence
    assert "kind 8" not in found.sentence
    every = answer(labelled(evidence(10)))
    assert every.verdict == "good"
    assert any("10 classes, none is surely" in line for line in every.details)


def test_classes_are_counted_where_a_classifier_saw_both(whole: Answer) -> None:
    found = answer(evidence(4, each=400, classes=NAMES))
    assert found.numbers["classes_found"].value == 4
    assert found.numbers["classes_in_data"].value == 10
    assert found.numbers["kl"].value == pytest.approx(np.log(2.5), abs=0.1)
    assert (found.verdict, found.headline) == ("bad", "classes_found")
    assert "of 10 classes, 4 " in found.sentence
    assert found.figures[-1].svg is not None
    assert "kind 9" in found.figures[-1].svg
    assert "classes_found" not in whole.numbers
    every = answer(evidence(10, classes=NAMES))
    assert (every.verdict, every.headline) == ("good", "kinds_missing")


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
    assert found.needs == ("other held-out images",)
