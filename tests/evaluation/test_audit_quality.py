"""Quality: the verdict on clouds of known kinds, the ratio's interval, and what the answer says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation import density_coverage, intervals
from gansmith.evaluation.audit import reference_split
from gansmith.evaluation.audit.quality import answer
from gansmith.evaluation.audit.quality_numbers import FLAW, common_flaw
from gansmith.evaluation.audit.ratio_verdict import of_a_hundred, ratio, verdict_of
from gansmith.evaluation.audit.reference_split import features_of, split_reference
from gansmith.evaluation.number_format import percent
from gansmith.evaluation.pairwise_distances import nearest
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Extractor, Number, Outputs, Side

WIDTH = 6
EXTRACTOR = Extractor("toy", "0", "as they are", lambda images: Outputs(images.flatten(1).float()))
BASE = Protocol("", "toy", "toys", 0, 0, "2x2x1", "raw")


def cloud(seed: int, count: int, *, at: float = 0.0, scale: float = 1.0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal((count, WIDTH)) * scale + at).astype(np.float32)


def side(name: str, features: NDArray[Any], *, images: bool = True) -> Side:
    pixels = np.clip(128 + 40 * features[:, :4], 0, 255).astype(np.uint8).reshape(-1, 2, 2, 1)
    return Side(name, pixels if images else None, features.astype(np.float32))


def evidence(made: NDArray[Any], *, repeats: int = 3, held: int | None = 200, train: int = 600) -> Evidence:
    parts = np.array_split(made, repeats)
    return Evidence(
        side("the training images", cloud(0, train)),
        None if held is None else side("the held-out images", cloud(1, held)),
        tuple(side(f"the samples {i}", part) for i, part in enumerate(parts)),
        EXTRACTOR,
        EXTRACTOR,
        BASE,
    )


def test_real_images_are_good() -> None:
    found = answer(evidence(cloud(2, 300)))
    assert (found.question, found.verdict, found.headline) == ("quality", "good", "precision_ratio")
    ratio = found.numbers["precision_ratio"]
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low < 1 < ratio.high

    passing, held = (round(100 * found.numbers[name].value) for name in ("precision", "precision_held_out"))
    assert found.sentence == (
        f"Of 100 samples, {passing} would pass for a real image; of 100 held-out real images, {held} do."
    )


@pytest.mark.parametrize("seed", range(8))
def test_real_against_real_is_never_bad(seed: int) -> None:
    given = evidence(cloud(100 + seed, 120), held=60, train=150)
    found = answer(replace(given, train=side("train", cloud(200 + seed, 150))))
    assert found.verdict in ("good", "cannot tell")
    assert found.numbers["kid"].value == pytest.approx(0, abs=1.5)


def test_rubbish_inside_the_ball_of_one_odd_real_image_is_bad() -> None:
    """All samples pass, by precision: they lie in the wide ball round one image far from all others."""
    odd = np.concatenate([cloud(0, 599), np.full((1, WIDTH), 30.0, np.float32)])
    given = evidence(cloud(4, 300, at=15.0, scale=1.0))
    found = answer(replace(given, train=side("the training images", odd)))
    assert found.numbers["precision"].value > 0.99
    assert found.numbers["density"].value == pytest.approx(1 / 5, abs=1e-3)  # one ball of five
    assert 0.9 < found.numbers["density_held_out"].value < 1.2
    assert (found.verdict, found.headline) == ("bad", "density_ratio")
    few = round(100 * found.numbers["density_ratio"].value)
    assert f"{few} %" in found.sentence
    assert "where real images are rare" in found.sentence


def test_density_is_the_published_one() -> None:
    made = cloud(5, 300, at=0.3)
    given = evidence(made)
    found = answer(given).numbers
    assert given.train.features is not None
    expected = density_coverage(given.train.features, made).density
    assert (found["density"].value, found["density"].low) == (expected.value, expected.low)
    assert found["density_ratio"].value == pytest.approx(found["density"].value / found["density_held_out"].value)


def test_far_away_is_bad() -> None:
    found = answer(evidence(cloud(3, 300, at=3.0)))
    assert (found.verdict, found.headline) == ("bad", "precision_ratio")
    assert "Of 100 samples, 0 " in found.sentence
    assert found.numbers["kid"].low > 0  # type: ignore[operator]


def test_in_between_is_neither() -> None:
    """Samples that lie a little farther out on all sides."""
    found = answer(evidence(cloud(5, 3000, scale=1.6), held=400))
    number = found.numbers["precision_ratio"]
    assert 1 / 3 < number.low < number.high < 2 / 3  # type: ignore[operator]
    assert found.numbers["common_flaw"].value < FLAW
    assert found.verdict == "cannot tell"
    assert "between bad and good" in found.sentence


def test_few_images_cannot_tell() -> None:
    found = answer(evidence(cloud(6, 60, scale=1.3), held=None, train=60))
    assert found.verdict == "cannot tell"
    assert "so few images" in found.sentence
    assert "20 of the images trained on were set aside" in found.details[-1]
    assert "real images set aside" in found.sentence


def test_a_flaw_that_all_share_is_bad_though_each_passes() -> None:
    """One odd training image has a ball so wide that it holds nearly all samples, which are all displaced."""
    given = evidence(cloud(7, 900) + np.eye(WIDTH, dtype=np.float32)[0] * 5)
    odd = np.concatenate([cloud(0, 600), np.eye(WIDTH, dtype=np.float32)[:1] * 300])
    found = answer(replace(given, train=side("train", odd)))
    assert found.numbers["precision"].value > 0.95
    assert found.numbers["common_flaw"].low > FLAW  # type: ignore[operator]
    assert (found.verdict, found.headline) == ("bad", "common_flaw")
    assert "all samples share a flaw" in found.sentence


def test_few_kinds_of_real_images_are_not_blamed_for_it() -> None:
    """A corner of the data, in which all is real."""
    pool = cloud(8, 6_000)
    found = answer(evidence(pool[pool[:, 0] > 1][:600]))
    assert found.numbers["kid"].low > 0  # type: ignore[operator]
    assert found.numbers["common_flaw"].high < FLAW  # type: ignore[operator]
    assert found.verdict == "good"


def test_one_picture_over_and_over_cannot_be_told() -> None:
    found = answer(evidence(np.repeat(cloud(0, 1), 300, axis=0)))
    assert found.numbers["precision"].value == 1
    assert "common_flaw" not in found.numbers
    assert found.verdict == "cannot tell"
    assert "the same few real images" in found.sentence
    assert any("no flaw common to all" in line for line in found.details)


def test_the_flaw_by_its_definition() -> None:
    """The kernel distance of samples and their neighbours, over the squared distance of a typical image from all."""
    real, made = cloud(9, 80), cloud(10, 90, at=0.5)
    places = nearest(made, real)[1][:, 0]
    found = common_flaw(made, real, places)
    matched, first = np.unique(places, return_index=True)

    def kernel(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((one.astype(float) @ other.T.astype(float) / WIDTH + 1) ** 3)

    own, theirs, across = (
        kernel(real[matched], real[matched]),
        kernel(made[first], made[first]),
        kernel(real[matched], made[first]),
    )
    n, pairs = len(matched), len(matched) * (len(matched) - 1)
    distance = (own.sum() - np.trace(own) + theirs.sum() - np.trace(theirs)) / pairs - 2 * across.sum() / n**2
    every = kernel(real, real)
    apart = (np.diag(every)[:, None] + np.diag(every)[None] - 2 * every)[np.triu_indices(80, 1)]
    scale = np.median(apart) / 2
    assert found is not None
    assert found.value == pytest.approx(distance / scale, rel=0.25)  # 40 of the 3,160 pairs
    assert found.low < found.value < found.high  # type: ignore[operator]
    closer = common_flaw(real[matched], real, np.arange(80)[matched])
    assert closer is not None
    assert closer.value < 0  # each its own neighbour: the estimate without the pairs of one image with itself
    assert common_flaw(made[:10], real, places[:10]) is None


def test_repeats_are_said_with_their_spread() -> None:
    made = [cloud(11, 100), cloud(12, 100), cloud(13, 100, at=20)]
    found = answer(evidence(np.concatenate(made)))
    assert "3 times" in found.details[0]
    assert ", 0 of 100 pass (mean " in found.details[0]
    once = answer(evidence(cloud(11, 100), repeats=1)).details[0]
    assert "once" in once
    assert "100 samples" in once


def test_fid_stands_beside_it_where_there_are_images_enough() -> None:
    assert {"fid", "fid_infinity", "fid_held_out"} <= set(answer(evidence(cloud(14, 300))).numbers)
    wide = np.random.default_rng(0).standard_normal((3, 100, 150)).astype(np.float32)
    given = evidence(cloud(14, 300), repeats=1)
    given = replace(
        given,
        train=Side("train", features=wide[0]),
        holdout=Side("held", features=wide[1]),
        fakes=(Side("made", features=wide[2]),),
    )
    found = answer(given)
    assert "fid" not in found.numbers
    assert any("FID" in line for line in found.details)
    assert found.figures == ()  # without images


def test_figures_show_the_most_and_the_least_real() -> None:
    made = np.concatenate([cloud(15, 50), cloud(16, 10, at=3)])
    most, least = answer(evidence(made, repeats=1)).figures
    assert "8 samples that look most real" in most.caption
    assert "8 samples that look least real" in least.caption
    assert most.image is not None
    assert least.image is not None
    assert most.image.size == (8 * 3 + 1, 2 * 3 + 1)
    pixels = [np.asarray(figure.image, dtype=float)[1:3, 1:].mean() for figure in (most, least)]
    assert pixels[1] > pixels[0] + 40  # what lies far off is bright


def test_the_protocol_and_the_record() -> None:
    found = answer(evidence(cloud(17, 90)))
    assert isinstance(found, Answer)
    assert (found.protocol.real_count, found.protocol.fake_count) == (600, 90)
    assert found.protocol.metric == "quality(precision and density, neighbours=3; flaw < 0.08)"
    record = found.record()
    number = found.numbers["precision_ratio"]
    assert record["interval"] == [number.low, number.high]


def test_what_cannot_be_asked() -> None:
    given = evidence(cloud(18, 60))
    with pytest.raises(DataError, match=r"quality.*samples"):
        answer(replace(given, fakes=()))
    with pytest.raises(DataError, match=r"600 real images and 19 samples.*20"):
        answer(replace(given, fakes=(side("few", cloud(0, 19)),)))
    with pytest.raises(DataError, match="quality needs the features of files"):
        answer(replace(given, fakes=(Side("files"),)))
    with pytest.raises(DataError, match=r"39 real images.*40"):
        answer(evidence(cloud(18, 60), held=None, train=39))
    with pytest.raises(DataError, match="same extractor"):
        answer(replace(given, holdout=Side("held", features=np.ones((60, 3), np.float32))))


def test_few_held_out_images_are_not_the_control() -> None:
    found = answer(evidence(cloud(19, 200), held=49))
    assert "Only 49 real images were held out: 150" in found.details[-1]
    assert "set aside" not in " ".join(answer(evidence(cloud(19, 200), held=50)).details)


def test_what_is_set_aside_is_in_neither() -> None:
    split = split_reference(evidence(cloud(20, 90), held=None, train=100), "quality")
    assert (len(split.reference), len(split.control)) == (75, 25)
    both = np.concatenate([features_of(split.reference), features_of(split.control)])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(cloud(0, 100), axis=0))
    assert len(nearest(features_of(split.control), features_of(split.reference))[0].nonzero()[0]) == 25
    assert split.reference.images is not None
    assert len(split.reference.images) == 75


def test_many_images_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_split, "MOST", 90)
    split = split_reference(evidence(cloud(21, 300)), "quality")
    assert (len(split.reference), len(split.control), [len(part) for part in split.samples]) == (90, 90, [30, 30, 30])


def test_the_ratio_covers_what_it_should() -> None:
    """Two independent shares, 400 repetitions."""
    rng, truth = np.random.default_rng(22), 0.5 / 0.8
    covered, widths = 0, []
    for one, other in zip(rng.binomial(80, 0.5, 400), rng.binomial(60, 0.8, 400), strict=True):
        shares = [Number(k / n, *intervals.share(int(k), n)) for k, n in ((one, 80), (other, 60))]
        found = ratio(*shares, "")
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
        widths.append(found.high - found.low)
    assert 0.94 <= covered / 400 <= 1
    assert np.mean(widths) < 0.4


def test_the_ratio_at_its_ends() -> None:
    none, all_of_them = Number(0.0, *intervals.share(0, 50)), Number(1.0, *intervals.share(50, 50))
    assert ratio(none, all_of_them, "").low == 0
    assert verdict_of(ratio(none, all_of_them, "")) == "bad"
    assert verdict_of(ratio(all_of_them, all_of_them, "")) == "good"
    assert math.isnan(ratio(all_of_them, none, "").value)
    assert verdict_of(ratio(all_of_them, none, "")) == "cannot tell"
    assert of_a_hundred(Number(0.004)) == "fewer than 1"
    assert of_a_hundred(Number(0.715)) == "72"


PIXELS = replace(EXTRACTOR, name="pixels")


def test_pixels_condemn_what_is_far_and_acquit_nothing() -> None:
    near, far = evidence(cloud(2, 300)), evidence(cloud(3, 300, at=1.0))
    found = answer(replace(near, extractor=PIXELS))
    assert (found.verdict, found.headline) == ("cannot tell", "kid_share")
    assert "pixels cannot tell" in found.sentence
    assert "--features" in found.sentence
    found = answer(replace(far, extractor=PIXELS))
    assert (found.verdict, found.headline) == ("bad", "kid_share")
    share = found.numbers["kid_share"].value
    assert percent(share) in found.sentence
    assert "kid_share" not in answer(far).numbers


def test_the_share_of_one_real_image_is_one_for_one_real_image() -> None:
    """Of typical images, each repeated as the only sample, half are farther than the scale and half are nearer."""
    given = evidence(cloud(2, 300))
    assert given.train.features is not None
    reference = given.train.features
    shares = [
        answer(replace(evidence(np.repeat(reference[i : i + 1], 60, 0) + cloud(i, 60, scale=1e-3)), extractor=PIXELS))
        .numbers["kid_share"]
        .value
        for i in range(15)
    ]
    assert 0.5 < float(np.median(shares)) < 2


def test_held_out_images_of_another_kind_judge_nothing() -> None:
    given = evidence(cloud(2, 300))
    found = answer(replace(given, holdout=side("the held-out images", cloud(7, 200, at=6.0))))
    assert found.verdict == "cannot tell"
    assert "only 0 would pass" in found.sentence
    assert "different kinds" in found.sentence
    assert found.needs == ("other held-out images",)
