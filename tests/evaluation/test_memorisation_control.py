from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from gansmith.evaluation.audit import memorisation
from gansmith.evaluation.audit.memorisation_control import control, same
from gansmith.evaluation.copy_search import Nearest
from gansmith.evaluation.features import pixels
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Number, Ruler, Side

BASE = Protocol("", "", "digits", 0, 0, "12x12x1", "averaged")
PIXELS = pixels.build(device="cpu")


@pytest.fixture(scope="module")
def digits() -> NDArray[np.uint8]:
    """[1797, 12, 12, 1], the same order as their labels."""
    small = (load_digits().images * 255 / 16).round().astype(np.uint8)
    return np.pad(small, ((0, 0), (2, 2), (2, 2)))[..., None]


def evidence_of(train: NDArray[np.uint8], held: NDArray[np.uint8], samples: NDArray[np.uint8]) -> Evidence:
    return Evidence(Side("train", train), Side("held", held), (Side("made", samples),), PIXELS, PIXELS, BASE)


def near(distance: NDArray[np.float64], nearness: NDArray[np.float64]) -> Nearest:
    return Nearest(distance, nearness, np.zeros(len(distance), np.int64), distance / nearness)


def ruler(held_out: Number | None) -> Ruler:
    return Ruler(Number(1.0), held_out, {}, {}, 1.0)


def test_images_like_the_training_images_are_a_control() -> None:
    different = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sides = [near(rng.gamma(9, 1, 300), rng.uniform(0.6, 1, 300)) for _ in range(2)]
        different.append(control(*sides, None).different)
    assert sum(different) <= 2


def test_other_distances_or_another_nearness_are_of_another_kind() -> None:
    rng = np.random.default_rng(0)
    own = near(rng.gamma(9, 1, 300), rng.uniform(0.6, 1, 300))
    for factor in (1.3, 0.75):
        farther = near(own.distance * factor, own.nearness)
        assert control(farther, own, None).different
        np.testing.assert_allclose(control(farther, own, None).apart, factor)
    assert control(near(own.distance, own.nearness * 0.85), own, None).different


def test_a_significant_difference_without_an_effect_is_none() -> None:
    rng = np.random.default_rng(0)
    held, own = (near(rng.gamma(9, 1, 20_000) * factor, rng.uniform(0.6, 1, 20_000)) for factor in (1.04, 1.0))
    found = control(held, own, None)
    assert found.p[0] < 1e-6
    assert not found.different


def test_twins_among_training_images_only_are_no_other_kind() -> None:
    rng = np.random.default_rng(0)
    nearness = rng.uniform(0.6, 1, 300)
    held, own = near(np.ones(300), nearness), near(np.ones(300), np.where(np.arange(300) < 90, 0.1, nearness))
    assert not control(held, own, None).different


def test_the_ruler_tells_another_kind_where_pixels_do_not() -> None:
    rng = np.random.default_rng(0)
    sides = [near(rng.gamma(9, 1, 300), rng.uniform(0.6, 1, 300)) for _ in range(2)]
    assert not control(*sides, ruler(None)).different
    assert not control(*sides, ruler(Number(0.3, 0.09, 0.5))).different
    assert control(*sides, ruler(Number(0.3, 0.11, 0.5))).different


def test_a_small_difference_by_pixels_is_none_where_a_network_surely_sees_none() -> None:
    """Hand signs, of which groups of similar ones were held out as a whole, were called images of another kind."""
    rng = np.random.default_rng(0)
    own = near(rng.gamma(9, 1, 2_000), rng.uniform(0.6, 1, 2_000))
    nearer, far_nearer = (near(rng.gamma(9, 1, 1_000) * factor, own.nearness[:1_000]) for factor in (0.88, 0.75))
    alike, unsure = Number(0.0, -0.01, 0.01), Number(0.05, -0.05, 0.15)
    for held_out, beside, different in (
        (nearer, None, True),
        (nearer, unsure, True),
        (nearer, alike, False),
        (far_nearer, alike, True),
    ):
        assert control(held_out, own, ruler(beside)).different == different


def test_equal_images_on_one_side_leave_a_ratio_of_the_others() -> None:
    rng = np.random.default_rng(0)
    usual, nearness = rng.gamma(9, 1, 300), rng.uniform(0.6, 1, 300)
    none, some = np.zeros(300), np.where(np.arange(300) < 200, 0.0, usual)
    for held, own in ((some, usual), (usual, some), (none, usual), (usual, none)):
        found = control(near(held, nearness), near(own, nearness), None)
        assert 0.5 < found.apart < 2  # neither 0, which words would divide by, nor a billion
        assert found.equal == np.mean(held == 0)


def test_held_out_images_that_are_training_images_mirrored_are_called_that(digits: NDArray[np.uint8]) -> None:
    answer = memorisation.answer(evidence_of(digits[:300], digits[:300, :, ::-1].copy(), digits[500:700]))
    assert answer.verdict == "cannot tell"
    assert "100 % of the held-out images are training images" in answer.sentence


def test_a_searched_part_of_the_training_images_is_told_and_half_of_it_asked_for(digits: NDArray[np.uint8]) -> None:
    mixed = digits[np.random.default_rng(0).permutation(len(digits))]
    evidence = evidence_of(mixed[:500], mixed[500:900], mixed[900:1300])
    whole = memorisation.answer(evidence)
    assert whole.verdict == "good"
    for count, verdict in ((500, "good"), (1000, "good"), (1001, "cannot tell")):
        part = memorisation.answer(replace(evidence, trained_on=count))
        assert part.verdict == verdict
        assert (f"500 of the {count:,}" in part.sentence) == (count > 500)
        assert part.numbers["copies"].high == pytest.approx(min(1, (whole.numbers["copies"].high or 0) * count / 500))


@pytest.mark.parametrize(("own", "other"), [(0, 1), (1, 7), (3, 8), (4, 6)])
def test_held_out_images_of_another_class_accuse_nobody(digits: NDArray[np.uint8], own: int, other: int) -> None:
    labels = load_digits().target
    mine, others = digits[labels == own], digits[labels == other]
    answer = memorisation.answer(evidence_of(mine[:100], others, mine[100:]))
    assert answer.verdict == "cannot tell"
    assert "of another kind" in answer.sentence
    assert (answer.numbers["copies"].low, answer.numbers["copies"].high) == (0, 1)  # nothing is known of the share
    assert not any("Copies are about" in line for line in answer.details)
    assert answer.needs == ("other held-out images",)


def test_samples_that_are_the_training_images_are_bad(digits: NDArray[np.uint8]) -> None:
    nearly = digits[:300].copy()
    nearly[:20] = 255 - nearly[:20]
    for samples in (digits[:300], nearly, digits[:300][::-1]):
        answer = memorisation.answer(evidence_of(digits[:300], digits[300:500], samples))
        assert answer.verdict == "bad"
        assert answer.sentence.startswith("The samples are the training images")
    nearly[20:40] = 255 - nearly[20:40]
    found = same(nearly, evidence_of(digits[:300], digits[300:500], nearly))
    assert not found.copied
    assert found.copies == 260
    few = np.resize(digits[:3], (300, 12, 12, 1))
    assert not same(few, evidence_of(few, digits[300:500], few)).copied  # three images: an honest set is equal, too


def test_held_out_images_that_are_no_control_are_said_first(digits: NDArray[np.uint8]) -> None:
    train, samples = digits[:300], digits[500:700]
    trained_on = memorisation.answer(evidence_of(train, train[:150], samples))
    itself = memorisation.answer(evidence_of(train, samples, samples))
    assert trained_on.verdict == itself.verdict == "cannot tell"
    assert trained_on.sentence.startswith("The held-out images are training images")
    assert itself.sentence.startswith("The held-out images are the samples")
    assert trained_on.needs == itself.needs == ("other held-out images",)
    both = memorisation.answer(evidence_of(train, train, train))
    assert both.verdict == "bad"
    assert "held-out images are training images" in both.sentence
    assert (both.numbers["copies"].value, both.numbers["copies"].high) == (1.0, 1.0)


def test_single_equal_images_are_told_in_the_details(digits: NDArray[np.uint8]) -> None:
    samples = digits[500:900].copy()
    samples[:3] = digits[:3]
    evidence = evidence_of(digits[:300], digits[300:500], samples)
    assert same(samples, evidence).copies == 3
    assert any("3 samples are equal" in line for line in memorisation.answer(evidence).details)
    bare = replace(evidence, holdout=None)
    assert same(samples, bare) == same(samples, evidence)._replace(samples_held_out=0.0)
