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
from gansmith.evaluation.audit.memorisation_details import details
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
    for place, kind in enumerate(planted_copies.UNDONE):
        samples[place * 6 : place * 6 + 6] = planted_copies.plant(digits[place * 6 : place * 6 + 6], kind, seed=1)
    found = memorisation.answer(made(evidence, samples))
    assert found.verdict == "bad"
    assert found.sentence.startswith("Some are: ")
    share = found.numbers["copies"]
    assert 0.02 < (share.low or 0) < 30 / 400 < (share.high or 0) < 0.2
    assert 0.05 < share.value < 0.1
    assert found.numbers["p_value_lower_tail"].value < 1e-6
    assert found.numbers["c_t"].value < 0
    findings = run_tests(samples, digits[500:900], digits[:500], evidence)
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
    return run_tests(digits[900:1300], digits[500:900], digits[:500], evidence)


CLEAR = (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("p", "noticed", "rough", "expected"),
    [
        ((0.05, 1.0, 1.0), 1.0, 1.0, "bad"),
        ((0.051, 1.0, 1.0), 0.8, 0.8, "good"),
        ((0.051, 1.0, 1.0), 0.79, 1.0, "good"),  # of a larger share
        ((0.051, 1.0, 1.0), 1.0, 0.79, "cannot tell"),
        ((1.0, 0.04, 1.0), 1.0, 1.0, "cannot tell"),
        ((1.0, 1.0, 0.05), 1.0, 1.0, "bad"),
        ((1.0, 1.0, 0.051), 1.0, 1.0, "good"),
    ],
)
def test_tail_and_blends_condemn_and_only_power_acquits(
    findings: Findings, p: tuple[float, float, float], noticed: float, rough: float, expected: str
) -> None:
    changed = replace(
        findings,
        p=p,
        confirmed=(True, False),
        power={**findings.power, 0.05: noticed},
        rough={**findings.rough, 0.2: rough},
    )
    verdict = memorisation.verdict_of(changed)
    assert verdict == expected
    sentence = words.sentence(verdict, changed)
    assert ("all samples together" in sentence) == (p[1] < 0.05)
    assert ("cannot be told from the other samples" in sentence) == (rough < 0.8)
    assert ("blends" in sentence) == (p[2] <= 0.05)
    assert ("10 % of copies" in sentence) == (noticed < 0.8)


@pytest.mark.parametrize(("share", "expected"), [(0.1, "good"), (0.2, "good"), (0.5, "cannot tell")])
def test_good_names_the_share_that_few_held_out_images_can_show(
    findings: Findings, share: float, expected: str
) -> None:
    power = {each: 0.9 if each >= share else 0.5 for each in findings.power}
    few = replace(findings, p=CLEAR, power=power, rough={**findings.rough, 0.2: 0.9})
    verdict = memorisation.verdict_of(few)
    assert verdict == expected
    sentence = words.sentence(verdict, few)
    if expected == "good":
        assert f"{100 * share:.0f} % of copies would" in sentence
        assert "0.90" in sentence
        assert "; 5 %" not in sentence
        assert " 5 % of" not in sentence
        assert f"{len(few.samples.source)} samples and 400 held-out images cannot" in sentence
    else:
        assert "only with probability 0.50" in sentence


def test_what_is_no_nearer_than_training_images_to_each_other_is_not_bad(findings: Findings) -> None:
    both = replace(findings, p=(0.001, 1.0, 1.0), confirmed=(False, False))
    assert memorisation.verdict_of(both) == "cannot tell"
    assert "training images lie to each other" in words.sentence("cannot tell", both)


def test_a_repeated_image_that_may_be_a_copy_is_never_good(findings: Findings) -> None:
    assert memorisation.verdict_of(replace(findings, p=CLEAR)) == "good"
    suspect = replace(findings, p=CLEAR, repeats=findings.repeats._replace(suspect=41))
    assert memorisation.verdict_of(suspect) == "cannot tell"
    assert "made 41 times" in words.sentence("cannot tell", suspect)
    for confirmed, expected in ((True, "bad"), (False, "cannot tell")):
        again = replace(suspect, repeats=suspect.repeats._replace(p=0.05), confirmed=(False, confirmed))
        assert memorisation.verdict_of(again) == expected
    other = replace(suspect, control=findings.control._replace(different=True), confirmed=(True, True))
    assert memorisation.verdict_of(other) == "cannot tell"


def test_authenticity_is_told_and_decides_nothing(findings: Findings) -> None:
    few = replace(findings, p=CLEAR, authenticity=findings.authenticity._replace(p=0.001))
    assert memorisation.verdict_of(few) == "good"
    assert "authentic" in " ".join(details(few))
    assert "authentic" not in " ".join(details(replace(few, authenticity=few.authenticity._replace(p=0.06))))


@pytest.mark.parametrize(("share", "images"), [(0.2, 1), (0.2, 3), (0.5, 3)])
def test_one_copy_made_again_and_again_weighs_as_often_as_it_is_made(
    evidence: Evidence, digits: NDArray[np.uint8], share: float, images: int
) -> None:
    samples = digits[900:1300].copy()
    count = round(share * 400)
    samples[:count] = digits[np.resize(np.arange(images) + 7, count)]
    answer = memorisation.answer(made(evidence, samples))
    assert answer.verdict == "bad"
    assert f"{count} of 400 samples" in answer.sentence
    assert ("one image" if images == 1 else "3 images") in answer.sentence
    copied = answer.numbers["copies"]
    assert (copied.low or 0) <= share <= (copied.high or 0)
    assert (copied.low or 0) > share - 0.06
    assert abs(copied.value - share) < 0.04
    assert answer.numbers["repeated_copies"].value == count


def test_blends_of_two_training_images_are_bad(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    samples = digits[900:1300].copy()
    mixed = (digits[:60].astype(float) + digits[60:120]) / 2
    samples[:60] = mixed.round().astype(np.uint8)
    answer = memorisation.answer(made(evidence, samples))
    assert answer.verdict == "bad"
    assert "blends" in answer.sentence
    assert 0.05 < answer.numbers["blends"].value < 0.2
    assert answer.numbers["p_value_lower_tail"].value > 0.05
    sheet = answer.figures[2].image
    assert sheet is not None
    assert sheet.size == (12 * 61 + 1, 3 * 61 + 1)
    column = [np.asarray(sheet).astype(float)[61 * row + 1 : 61 * row + 61, 1:61] for row in range(3)]
    assert np.abs(column[0] - (column[1] + column[2]) / 2).mean() < 8


def test_power_is_told_of_each_kind_and_the_worst_one_is_in_the_sentence(findings: Findings) -> None:
    assert list(findings.kinds) == list(planted_copies.KINDS)
    undone = [findings.kinds[kind][0.05] for kind in planted_copies.UNDONE]
    assert findings.power[0.05] == min(undone)
    blind = {kind: dict.fromkeys(findings.power, 0.11 if kind == "brighter" else 1.0) for kind in findings.kinds}
    weak = replace(findings, p=CLEAR, kinds=blind)
    assert weak.worst == "brighter"
    assert "brighter copies: 5 % of them only with probability 0.11" in words.sentence("good", weak)
    assert "brighter 0.11" in " ".join(details(weak))
    assert words.numbers(weak)["power_at_5_percent_worst_kind"].value == 0.11


def test_flawed_samples_hide_copies_as_flawed_as_they_are(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(1).normal(0, 60, (400, 12, 12, 1))
    flawed = (digits[900:1300] + noise).clip(0, 255).astype(np.uint8)
    answer = memorisation.answer(made(evidence, flawed))
    assert answer.verdict == "cannot tell"
    assert "rough copies" in answer.sentence
    assert f"{answer.numbers['power_at_5_percent'].value:.2f}" in answer.sentence
    assert answer.numbers["power_at_5_percent_if_rough"].value < 0.5 < answer.numbers["power_at_5_percent"].value


def test_a_flaw_adds_its_square_to_every_distance() -> None:
    one, none = np.ones(3), np.zeros(3, np.int64)
    planted = copy_search.Nearest(np.array([0.0, 3.0, 0.0]), one, none, np.array([4.0, 5.0, 0.0]))
    samples, held = copy_search.Nearest(5 * one, one, none, one), copy_search.Nearest(4 * one, one, none, one)
    np.testing.assert_allclose(roughened(planted, samples, held), [3 / 5, (18 / 34) ** 0.5, 1.0])  # 25 - 16 = 9
    np.testing.assert_allclose(roughened(planted, held, samples), [0, 3 / 5, 0])


def test_a_test_that_could_see_nothing_says_so(findings: Findings) -> None:
    blind = replace(findings, power=dict.fromkeys(findings.power, 0.1), twins=40)
    lines = " ".join(details(blind))
    assert "one copy in five" in lines
    assert "40 of 400 held-out images" in lines
    assert memorisation.needs("cannot tell", blind) == ("held-out images without twins",)
    assert memorisation.needs("cannot tell", replace(blind, twins=4)) == memorisation.needs("good", blind) == ()


def test_samples_that_are_one_image_are_called_that(findings: Findings) -> None:
    one = copy_search.Nearest(*(values[:1] for values in findings.samples))
    few = replace(findings, samples=one, p=CLEAR, power=dict.fromkeys(findings.power, 0.0))
    sentence = words.sentence(memorisation.verdict_of(few), few)
    assert "one image, repeated" in sentence
    assert "probability 0.00" not in sentence
    assert "1 samples" not in sentence


def test_few_held_out_images_show_a_large_share_only(evidence: Evidence, digits: NDArray[np.uint8]) -> None:
    answer = memorisation.answer(replace(evidence, holdout=Side("held", digits[500:530])))
    assert answer.numbers["power_at_5_percent"].value < 0.5
    assert answer.verdict == "good"
    assert "20 % of copies would have been noticed" in answer.sentence
    assert "30 held-out images" in answer.sentence
    assert " 5 %" not in answer.sentence
    assert (answer.numbers["copies"].high or 0) >= 0.1
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
    for first in range(900, 945, 5):
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
