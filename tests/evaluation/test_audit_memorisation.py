import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

from gansmith.errors import DataError
from gansmith.evaluation import copy_search, planted_copies
from gansmith.evaluation.audit import memorisation, memorisation_figures
from gansmith.evaluation.audit import memorisation_words as words
from gansmith.evaluation.audit.memorisation_findings import Findings, roughened, run_tests
from gansmith.evaluation.features import pixels
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Side

BASE = Protocol("", "", "digits", 0, 0, "12x12x1", "averaged")
PIXELS = pixels.build(device="cpu")


@pytest.fixture(scope="module")
def digits() -> NDArray[np.uint8]:
    """[1500, 12, 12, 1], in random order."""
    small = (load_digits().images * 255 / 16).round().astype(np.uint8)
    return np.pad(small, ((0, 0), (2, 2), (2, 2)))[np.random.default_rng(0).permutation(1797)[:1500], ..., None]


@pytest.fixture(scope="module")
def evidence(digits: NDArray[np.uint8]) -> Evidence:
    """500 trained on, 400 held out, 2 x 200 honest samples."""
    fakes = (Side("one", digits[900:1100]), Side("two", digits[1100:1300]))
    return Evidence(Side("train", digits[:500]), Side("held", digits[500:900]), fakes, PIXELS, PIXELS, BASE)


def null_of(digits: NDArray[np.uint8]) -> copy_search.Nearest:
    return copy_search.search(digits[500:900], digits[:500], PIXELS, what="the held-out images")


def made(evidence: Evidence, images: NDArray[np.uint8]) -> Evidence:
    return replace(evidence, fakes=(Side("made", images),))


def test_honest_images_are_good_and_say_what_would_have_been_noticed(evidence: Evidence) -> None:
    found = memorisation.answer(evidence)
    assert (found.question, found.verdict) == ("memorisation", "good")
    power = found.numbers["power_at_5_percent"].value
    rough = found.numbers["power_at_20_percent_if_rough"].value
    for fact in ("5 %", f"{power:.2f}", "20 %", f"{rough:.2f}"):
        assert fact in found.sentence
    assert power >= 0.95
    assert found.numbers["power_at_1_percent"].value < found.numbers["power_at_2_percent"].value < power
    assert found.advice == ()
    assert (found.protocol.real_count, found.protocol.fake_count) == (500, 400)
    assert found.protocol.features == str(PIXELS)
    assert "400 held-out images and 400 samples" in " ".join(found.details)
    assert 0 == found.numbers["copies"].low <= found.numbers["copies"].value < 0.02
    assert json.loads(json.dumps(found.record()))["interval"][0] == 0
    images = [figure.image for figure in found.figures if figure.image]
    plots = [figure.svg for figure in found.figures if figure.svg]
    assert len(images) == len(plots) == 2
    assert images[0].size == (12 * 61 + 1, 2 * 61 + 1)
    assert all(plot.startswith("<svg") for plot in plots)


def test_copies_are_bad_and_shown_first(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    samples = digits[900:1300].copy()
    for place, kind in enumerate(planted_copies.KINDS):
        samples[place * 6 : place * 6 + 6] = planted_copies.plant(digits[place * 6 : place * 6 + 6], kind, seed=1)
    found = memorisation.answer(made(evidence, samples))
    assert found.verdict == "bad"
    assert found.sentence.startswith("Some are: ")
    share = found.numbers["copies"]
    assert 0.02 < (share.low or 0) < 30 / 400 < (share.high or 0) < 0.2
    assert 0.05 < share.value < 0.1
    assert found.numbers["p_value_lower_tail"].value < 1e-6
    assert found.numbers["c_t"].value < 0
    assert any("--flip" in line for line in found.advice)
    findings = run_tests(samples, null_of(digits), digits[:500], evidence)
    assert np.argsort(findings.samples.nearness)[:24].max() < 30
    np.testing.assert_array_equal(findings.samples.source[:30], np.arange(30))


def test_the_first_figure_shows_the_nearest_sample_over_its_training_image(digits: NDArray[np.uint8]) -> None:
    queries = np.concatenate([digits[20:40], digits[3:4]])
    nearest = copy_search.search(queries, digits[:20], PIXELS, what="queries")
    picture = np.asarray(memorisation_figures.pairs(nearest, queries, digits[:20]))
    expected = digits[3, ..., 0].repeat(5, axis=0).repeat(5, axis=1)
    np.testing.assert_array_equal(picture[1:61, 1:61], expected)
    np.testing.assert_array_equal(picture[62:122, 1:61], expected)


def test_the_same_evidence_gives_the_same_answer(evidence: Evidence) -> None:
    assert memorisation.answer(evidence) == memorisation.answer(evidence)


def test_smooth_images_and_noise_are_no_copies(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(0).normal(128, 20, (400, 12, 12, 1)).clip(0, 255).astype(np.uint8)
    smooth = gaussian_filter(digits[900:1300].astype(float), (0, 0.8, 0.8, 0)).astype(np.uint8)
    for images in (noise, smooth):
        assert memorisation.answer(made(evidence, images)).verdict != "bad"


@pytest.fixture(scope="module")
def findings(evidence: Evidence, digits: NDArray[np.uint8]) -> Findings:
    return run_tests(digits[900:1300], null_of(digits), digits[:500], evidence)


@pytest.mark.parametrize(
    ("p", "noticed", "rough", "expected"),
    [
        ((0.05, 1.0, 1.0), 1.0, 1.0, "bad"),
        ((0.051, 1.0, 1.0), 0.8, 0.8, "good"),
        ((0.051, 1.0, 1.0), 0.79, 1.0, "cannot tell"),
        ((0.051, 1.0, 1.0), 1.0, 0.79, "cannot tell"),
        ((1.0, 0.04, 1.0), 1.0, 1.0, "cannot tell"),
        ((1.0, 1.0, 0.0), 1.0, 1.0, "good"),
    ],
)
def test_only_the_tail_condemns_and_only_power_acquits(
    findings: Findings, p: tuple[float, float, float], noticed: float, rough: float, expected: str
) -> None:
    changed = replace(findings, p=p, power={**findings.power, 0.05: noticed}, rough={**findings.rough, 0.2: rough})
    assert memorisation.verdict_of(changed) == expected
    sentence = words.sentence(memorisation.verdict_of(changed), changed)
    assert ("all samples together" in sentence) == (p[1] < 0.05)
    assert ("rough copies" in sentence) == (rough < 0.8)
    assert (f"only with probability {noticed:.2f}" in sentence) == (noticed < 0.8)
    assert ("authentic" in " ".join(words.details(changed))) == (p[2] < 0.05)


def test_flawed_samples_hide_copies_as_flawed_as_they_are(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(1).normal(0, 60, (400, 12, 12, 1))
    flawed = (digits[900:1300] + noise).clip(0, 255).astype(np.uint8)
    answer = memorisation.answer(made(evidence, flawed))
    assert answer.verdict == "cannot tell"
    assert "rough copies" in answer.sentence
    assert f"{answer.numbers['power_at_5_percent'].value:.2f}" in answer.sentence
    assert answer.numbers["power_at_5_percent_if_rough"].value < 0.5 < answer.numbers["power_at_5_percent"].value
    assert any("rough copies" in line for line in answer.advice)


def test_a_flaw_adds_its_square_to_every_distance() -> None:
    one, none = np.ones(3), np.zeros(3, np.int64)
    planted = copy_search.Nearest(np.array([0.0, 3.0, 0.0]), one, none, np.array([4.0, 5.0, 0.0]))
    samples, held = copy_search.Nearest(5 * one, one, none, one), copy_search.Nearest(4 * one, one, none, one)
    np.testing.assert_allclose(roughened(planted, samples, held), [3 / 5, (18 / 34) ** 0.5, 1.0])  # 25 - 16 = 9
    np.testing.assert_allclose(roughened(planted, held, samples), [0, 3 / 5, 0])


def test_a_test_that_could_see_nothing_says_so(findings: Findings) -> None:
    blind = replace(findings, power=dict.fromkeys(findings.power, 0.1), twins=40)
    details = " ".join(words.details(blind))
    assert "one copy in five" in details
    assert "40 of 400 held-out images" in details
    assert any("groups" in line for line in words.advice("cannot tell", blind))
    assert not any("groups" in line for line in words.advice("cannot tell", replace(blind, twins=4)))


def test_samples_that_are_one_image_are_called_that(findings: Findings) -> None:
    one = copy_search.Nearest(*(values[:1] for values in findings.samples))
    few = replace(findings, samples=one, p=(1.0, 1.0, 1.0), power={**findings.power, 0.05: 0.0})
    sentence = words.sentence(memorisation.verdict_of(few), few)
    assert "one image, repeated" in sentence
    assert "probability 0.00" not in sentence
    assert "1 samples" not in sentence


def test_few_held_out_images_cannot_tell(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    answer = memorisation.answer(replace(evidence, holdout=Side("held", digits[500:530])))
    assert answer.verdict == "cannot tell"
    assert f"only with probability {answer.numbers['power_at_5_percent'].value:.2f}" in answer.sentence
    assert "400 different images" in answer.sentence
    assert "30 held-out images" in answer.sentence
    assert answer.advice
    fewer = memorisation.answer(replace(evidence, holdout=Side("held", digits[500:519])))
    assert fewer.verdict == "cannot tell"
    assert "19 held-out images" in fewer.sentence
    assert "20" in fewer.sentence


def test_twins_across_the_split_are_counted_and_hide_copies(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    held = digits[500:900].copy()
    held[:60] = digits[:60]
    answer = memorisation.answer(replace(evidence, holdout=Side("held", held)))
    assert answer.verdict == "cannot tell"
    assert 50 <= answer.numbers["held_out_twins"].value <= 62
    assert f"{answer.numbers['held_out_twins'].value:.0f} of 400 held-out images" in " ".join(answer.details)


def test_without_a_hold_out_a_part_of_the_training_images_takes_its_place(
    evidence: Evidence, digits: NDArray[np.uint8]
) -> None:
    bare = replace(evidence, train=Side("train", digits[:900]), holdout=None)
    answer = memorisation.answer(bare)
    assert answer.verdict == "good"
    assert "225 of the 900 training images" in " ".join(answer.details)
    assert answer.protocol.real_count == 675
    train, held, _ = memorisation._real(bare)
    seen = {image.tobytes() for image in train}
    assert len(held) == 225
    assert not any(image.tobytes() in seen for image in held)


def test_at_most_so_many_are_looked_up(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memorisation, "MOST", 60)
    answer = memorisation.answer(evidence)
    assert answer.protocol.fake_count == 60
    assert "60 held-out images and 60 samples" in " ".join((answer.sentence, *answer.details))


def test_what_cannot_be_judged_is_said(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    with pytest.raises(DataError, match="of train there are none"):
        memorisation.answer(replace(evidence, train=Side("train", features=np.zeros((5, 2), np.float32))))
    for fakes in ((), (Side("made", digits[:0]),)):
        with pytest.raises(DataError, match=r"no samples.*--samples"):
            memorisation.answer(replace(evidence, fakes=fakes))
    with pytest.raises(DataError, match=r"samples.*\[\(11, 12, 1\), \(12, 12, 1\)\]"):
        memorisation.answer(replace(evidence, fakes=(Side("a", digits[:5]), Side("b", digits[:5, 1:]))))
    with pytest.raises(DataError, match=r"samples.*\[11, 12, 1\].*\[12, 12, 1\]"):
        memorisation.answer(made(evidence, digits[:5, 1:]))
    with pytest.raises(DataError, match=r"1 training image\(s\) are too few"):
        memorisation.answer(replace(evidence, train=Side("train", digits[:1])))


def test_repeated_pictures_are_one_observation(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    """Five pictures that were never trained on, sixty times each, are no copies, however near one of them lies."""
    alarms = []
    for first in range(900, 960, 5):
        five = np.repeat(digits[first : first + 5], 60, axis=0)
        noise = np.random.default_rng(first).normal(0, 2, five.shape)
        answer = memorisation.answer(made(evidence, (five + noise).clip(0, 255).astype(np.uint8)))
        assert any("300 samples 5 are different" in line for line in answer.details)
        alarms.append(answer.verdict)
    assert set(alarms) == {"cannot tell"}  # of five pictures nothing is known


def test_held_out_images_of_another_kind_say_nothing(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    strange = np.random.default_rng(0).integers(0, 256, (200, 12, 12, 1), dtype=np.uint8)
    answer = memorisation.answer(replace(evidence, holdout=Side("held out", strange)))
    assert answer.verdict == "cannot tell"
    assert "of another kind" in answer.sentence


def test_the_share_of_copies_is_never_said_to_be_less_than_what_would_be_noticed(evidence: Evidence) -> None:
    answer = memorisation.answer(evidence)
    copied = answer.numbers["copies"]
    noticed = [share for share in (0.5, 1, 2, 5, 10, 20) if answer.numbers[f"power_at_{share:g}_percent"].value >= 0.95]
    assert copied.high is not None
    assert copied.high >= noticed[0] / 100
