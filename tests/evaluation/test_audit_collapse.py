"""The answer on collapse: planted generators of known modes, honest images, blobs that are alike, and bad input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gansmith
from gansmith.errors import DataError
from gansmith.evaluation import duplicates, support_size
from gansmith.evaluation.audit import collapse
from gansmith.evaluation.features import pixels
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Number, Side

EXTRACTOR = pixels.build(device="cpu")
NETWORK = replace(EXTRACTOR, name="network")
BASE = Protocol("", "", "digits, train", 0, 0, "8x8x1", "files", fake="planted")
MODES = 110
VARIANTS = 8


def evidence(train: Any, fake: Any, holdout: Any = None, **changes: Any) -> Evidence:
    made = Evidence(
        train=Side("train", train),
        holdout=None if holdout is None else Side("holdout", holdout),
        fakes=(Side("samples", fake),),
        extractor=NETWORK,
        copies=EXTRACTOR,
        base=BASE,
    )
    return replace(made, **changes)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """1,797 real digits uint8 [N, 16, 16, 1], in a random order."""
    dataset = gansmith.open_dataset("digits")
    small = dataset[np.random.default_rng(0).permutation(len(dataset))].image
    return np.repeat(np.repeat(small, 2, axis=1), 2, axis=2)


def varied(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Moved by up to one pixel, up to 3 % lighter or darker, with noise of four levels."""
    side = images.shape[1]
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    moved = [
        image[y : y + side, x : x + side]
        for image, (y, x) in zip(wide, rng.integers(0, 3, (len(images), 2)), strict=True)
    ]
    levels = np.stack(moved) * rng.uniform(0.97, 1.03, (len(images), 1, 1, 1)) + rng.normal(0, 4, images.shape)
    return np.asarray(levels.round().clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def real(digits: np.ndarray) -> duplicates.Distances:
    return duplicates.compared(digits[:500], EXTRACTOR, what="real")


@pytest.fixture(scope="module")
def planted(digits: np.ndarray) -> duplicates.Distances:
    """Between VARIANTS versions each of MODES digits."""
    images = varied(np.repeat(digits[900 : 900 + MODES], VARIANTS, axis=0), np.random.default_rng(1))
    return duplicates.compared(images, EXTRACTOR, what="planted")


@pytest.mark.parametrize("kind", ["equal", "zipf", "dominant"])
@pytest.mark.parametrize("count", [3, 10, 100])
def test_known_modes_are_estimated_and_bad(
    real: duplicates.Distances, planted: duplicates.Distances, kind: str, count: int
) -> None:
    rng = np.random.default_rng(count)
    weights = {"equal": np.ones(count), "zipf": 1 / np.arange(1, count + 1), "dominant": np.r_[count / 4, [1] * count]}
    p = weights[kind][:count] / weights[kind][:count].sum()
    truth, hits, ratios = 1 / (p**2).sum(), 0, []
    for _ in range(25):
        modes = rng.permutation(MODES)[:count]
        chosen = modes[rng.choice(count, 300, p=p)] * VARIANTS + rng.integers(0, VARIANTS, 300)
        seen = collapse.measure(real, planted[np.ix_(chosen, chosen)], trained=900)
        assert collapse.verdict_of(seen, 300) == "bad"
        assert seen.images.low is not None
        assert seen.images.high is not None
        hits += seen.images.low <= truth <= seen.images.high
        ratios.append(seen.images.value / truth)
    assert hits >= 22
    assert np.median(ratios) == pytest.approx(1, abs=0.1)


def test_honest_images_are_never_bad(digits: np.ndarray) -> None:
    whole = duplicates.compared(digits[:1000], EXTRACTOR, what="digits")
    rng = np.random.default_rng(5)
    verdicts, covered = [], 0
    for _ in range(40):
        order = rng.permutation(1000)
        made, left = order[:300], order[300:]
        seen = collapse.measure(whole[np.ix_(left, left)], whole[np.ix_(made, made)], trained=700)
        verdicts.append(collapse.verdict_of(seen, 300))
        covered += (seen.kinds.low or 0) <= 1 <= (seen.kinds.high or np.inf)
    assert "bad" not in verdicts
    assert verdicts.count("good") >= 36
    assert covered >= 36


def test_a_collapsed_generator_is_shown(digits: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    fake = varied(digits[rng.integers(1500, 1505, 300)], rng)
    found = collapse.answer(evidence(digits[:600], fake, digits[600:800]))
    assert found.verdict == "bad"
    assert found.headline == "different_pictures"
    assert found.numbers["different_pictures"].value == pytest.approx(5, rel=0.1)
    assert "300 samples repeat themselves" in found.sentence
    assert found.numbers["largest_group"].value == pytest.approx(0.2, abs=0.06)
    captions = [figure.caption for figure in found.figures]
    assert len(captions) == 5
    assert captions[0].startswith("These ")
    assert "of 300 samples" in captions[0]
    assert "16 of them" in captions[0]
    assert found.figures[0].image is not None
    assert all(figure.svg is not None and figure.svg.startswith("<svg") for figure in found.figures[3:])
    assert found.protocol.metric == "collapse(radii=0.0001,0.01)"
    assert (found.protocol.real_count, found.protocol.fake_count) == (800, 300)
    assert found.record()["interval"] is not None


def test_an_honest_generator_is_good(digits: np.ndarray) -> None:
    found = collapse.answer(evidence(digits[:900], digits[900:1500]))
    assert found.verdict == "good"
    assert found.sentence.startswith("No: 600 samples")
    assert found.numbers["different_pictures"].high is None
    assert found.numbers["mean_difference"].value == pytest.approx(1, abs=0.05)
    assert any("600 samples" in said for said in found.details)


def test_blobs_that_are_alike_but_not_equal_are_bad(digits: np.ndarray) -> None:
    """Each sample is half the mean picture: no two are equal, all are alike."""
    half = (0.45 * digits[900:1300] + 0.55 * digits[:900].mean(axis=0)).round().astype(np.uint8)
    noisy = half + np.random.default_rng(4).integers(0, 60, half.shape).astype(np.uint8) * (half < 190)
    found = collapse.answer(evidence(digits[:900], noisy))
    assert found.verdict == "bad"
    assert found.headline == "variety"
    assert found.sentence.startswith("Yes, in part")
    assert (found.numbers["variety"].high or 1) < 0.5
    assert (found.numbers["mean_difference"].high or 1) < 1


def test_one_picture(digits: np.ndarray) -> None:
    found = collapse.answer(evidence(digits[:300], np.repeat(digits[:1], 50, axis=0)))
    assert found.verdict == "bad"
    assert found.sentence.startswith("Yes: its 50 samples")
    assert "one image" in found.sentence
    assert found.numbers["largest_group"].value == 1


def test_few_samples_cannot_tell(digits: np.ndarray) -> None:
    found = collapse.answer(evidence(digits[:300], digits[300:330]))
    assert found.verdict == "cannot tell"
    assert "30 samples" in found.sentence
    assert "estimate" in found.sentence
    assert "different image" in found.sentence
    assert "half" in found.sentence  # what the variety is measured by


def seen(pictures: Number, kinds: Number, *, enough: float = 500.0) -> collapse.Repetition:
    any_number = Number(1.0, 1.0, 1.0)
    return collapse.Repetition(1.0, 2.0, pictures, any_number, kinds, any_number, enough, any_number)


@pytest.mark.parametrize(
    ("pictures", "kinds", "verdict"),
    [
        (Number(300, 200, 499), Number(1, 0.8, 1.2), "bad"),
        (Number(300, 200, 501), Number(1, 0.8, 1.2), "cannot tell"),
        (Number(300, 200, None), Number(0.4, 0.3, 0.49), "bad"),
        (Number(300, 200, None), Number(0.4, 0.3, 0.51), "cannot tell"),
        (Number(300, 200, None), Number(1, 0.8, 1.2), "good"),  # twice the 100 samples
        (Number(300, 199, None), Number(1, 0.8, 1.2), "cannot tell"),
        (Number(300, 200, None), Number(0.6, 0.49, 0.7), "cannot tell"),
        (Number(300, 200, None), Number(0.6, 0.51, None), "good"),
    ],
)
def test_the_verdict_rests_on_the_ends_of_the_intervals(pictures: Number, kinds: Number, verdict: str) -> None:
    assert collapse.verdict_of(seen(pictures, kinds), 100) == verdict


def test_enough_is_half_of_what_was_shown_or_of_what_real_images_show(real: duplicates.Distances) -> None:
    few = collapse.measure(real, real, trained=60)
    assert few.enough == 30
    many = collapse.measure(real, real, trained=10**9)
    chance = support_size.collisions(duplicates.degrees(real, many.same)).value
    assert many.enough == pytest.approx(0.5 / chance)
    assert chance == pytest.approx(1e-4, rel=0.1)
    assert many.kinds.value == pytest.approx(1)
    assert many.spread.value == pytest.approx(1)
    mean, error = duplicates.spread(real)
    assert many.spread.low == pytest.approx(1 - 1.96 * np.sqrt(2) * error / mean)
    assert many.spread.high == pytest.approx(1 + 1.96 * np.sqrt(2) * error / mean)


def test_the_numbers_beside(digits: np.ndarray) -> None:
    def side(name: str, images: np.ndarray) -> Side:
        chances = np.eye(4, dtype=np.float32)[np.arange(len(images)) % 4]
        return Side(name, images, images.reshape(len(images), -1).astype(np.float32), chances)

    given = evidence(digits[:300], digits[300:500])
    given = replace(given, train=side("train", digits[:300]), fakes=(side("a", digits[300:400]),) * 2)
    found = collapse.answer(given)
    assert "classes_found" in found.numbers
    assert not {"recall", "coverage"} & set(found.numbers)
    assert found.protocol.features == str(given.copies)
    alone = collapse.answer(evidence(digits[:300], digits[300:400]))
    assert "classes_found" not in alone.numbers


def test_twenty_samples_are_never_good(digits: np.ndarray) -> None:
    """Also where few training images ask little of the generator."""
    found = collapse.answer(evidence(digits[:30], digits[500:520]))
    assert found.verdict == "cannot tell"
    assert collapse.verdict_of(seen(Number(50, 40, None), Number(1, 0.8, 1.2), enough=15), 20) == "cannot tell"
    assert collapse.verdict_of(seen(Number(50, 40, None), Number(1, 0.8, 1.2), enough=15), 100) == "good"


def test_by_pixels_nothing_is_good(digits: np.ndarray) -> None:
    found = collapse.answer(evidence(digits[:900], digits[900:1500], extractor=EXTRACTOR))
    assert found.verdict == "cannot tell"
    assert "pixels" in found.sentence
    repeated = np.repeat(digits[900:905], 40, axis=0)
    assert collapse.answer(evidence(digits[:900], repeated, extractor=EXTRACTOR)).verdict == "bad"


def test_how_few_images_would_be_noticed(real: duplicates.Distances) -> None:
    """Planted generators of as many equal images are called bad; of far more, they are not."""
    repetition = collapse.measure(real, real, trained=10**9)
    few, many = (collapse.most_noticed(repetition, count, seed=0) for count in (60, 600))
    assert 1 <= few < many < repetition.enough
    rng, rates = np.random.default_rng(1), []
    for images in (few, 6 * few):
        high = []
        for _ in range(60):
            sizes = np.bincount(rng.integers(0, images, 60), minlength=images)
            theta = support_size.collisions(np.repeat(sizes - 1, sizes))
            high.append(support_size.beyond(theta, repetition.chance).high or np.inf)
        rates.append(np.mean(np.array(high) < repetition.enough))
    assert rates[0] >= 0.7
    assert rates[1] < 0.7


def test_repeats_are_looked_at_together(digits: np.ndarray) -> None:
    """Three seeds that make the same hundred pictures."""
    given = evidence(digits[:600], digits[600:700])
    found = collapse.answer(replace(given, fakes=given.fakes * 3))
    assert found.verdict == "bad"
    assert found.protocol.fake_count == 300


def test_many_images_are_drawn_from(digits: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collapse, "MOST", 150)
    given = evidence(digits[:400], digits[400:800])
    found: list[Answer] = [collapse.answer(each) for each in (given, given, replace(given, seed=1))]
    assert (found[0].protocol.real_count, found[0].protocol.fake_count) == (150, 150)
    assert found[0].numbers == found[1].numbers != found[2].numbers


def test_the_drawn_images_are_of_all_sides(digits: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = [Side("a", digits[:30]), None, Side("b", digits[30:100]), Side("c", digits[100:105])]
    np.testing.assert_array_equal(collapse._random_subset("them", 0, *sides), digits[:105])
    monkeypatch.setattr(collapse, "MOST", 100)
    drawn = collapse._random_subset("them", 0, *sides)
    kept = [index for index in range(105) if any((digits[index] == image).all() for image in drawn)]
    assert len(drawn) == len(kept) == 100
    np.testing.assert_array_equal(drawn, digits[kept])


def test_bad_input(digits: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"samples are 19.*20"):
        collapse.answer(evidence(digits[:100], digits[:19]))
    with pytest.raises(DataError, match="the samples are 0"):
        collapse.answer(evidence(digits[:100], digits[:0]))
    with pytest.raises(DataError, match="the real images are 1,"):
        collapse.answer(evidence(digits[:1], digits[:100]))
    with pytest.raises(DataError, match=r"8x16 pixels.*16x16 pixels"):
        collapse.answer(evidence(digits[:100], digits[:100, :8]))
    with pytest.raises(DataError, match="the samples"):
        collapse.answer(evidence(digits[:100], None))
    with pytest.raises(DataError, match="the real images are of different shapes"):
        collapse.answer(evidence(digits[:100], digits[:100], digits[:100, :8]))
    with pytest.raises(DataError, match="real images are the same"):
        collapse.answer(evidence(np.repeat(digits[:1], 100, axis=0), digits[:100]))
