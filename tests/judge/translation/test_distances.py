"""What a run that translates is told of itself: distances from the true images of pairs that were held out, beside
those of the input as it is and of a transfer of colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.data.prepare import prepare_domains
from gansmith.data.settings import DataSettings
from gansmith.errors import OptionError
from gansmith.evaluation.types import Extractor, Number
from gansmith.judge import colour_transfer, true_pairs_report
from gansmith.judge import translation as true_pairs
from held_pairs import (
    OWN,
    SIZE,
    assert_number,
    by_network,
    interval,
    l1,
    make_run,
    read,
    recoloured,
    sides,
)

# ---- distances


@pytest.mark.parametrize("to", ["a", "b"])
def test_the_distances_by_hand(to: str, given: dict[str, Any], domains: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", **given)
    other = {"a": "b", "b": "a"}[to]
    names, train = sides(given)
    assert len(names) > 32
    assert 0 < len({*OWN} & {*train["b"]}) < len(OWN)
    assert names == sorted(names)
    source, true = read(domains / other, names), read(domains / to, names)
    ways = {
        "untouched": source,
        "colour transfer": recoloured(source, read(domains / other, train[other]), read(domains / to, train[to])),
        "run": by_network(run, source, to),
    }
    found = true_pairs.evaluate(run, to=to, device="cpu", seed=3)
    assert list(found.numbers) == ["untouched", "colour transfer", "run"]
    distances = {way: l1(images, true) for way, images in ways.items()}
    for way, values in distances.items():
        assert list(found.numbers[way]) == ["l1"]
        assert_number(found.numbers[way]["l1"], values, range(len(names)), seed=3)
    assert len({round(values.mean(), 3) for values in distances.values()}) == 3
    assert found.numbers["colour transfer"]["l1"].value < 0.6 * found.numbers["untouched"]["l1"].value
    assert list(found.nearer) == ["run"]
    assert list(found.nearer["run"]) == ["untouched", "colour transfer"]
    for way, row in found.nearer["run"].items():
        assert_number(row["l1"], distances[way] - distances["run"], range(len(names)), seed=3)
    assert (found.pairs, found.clusters, found.to, found.features) == (len(names), len(names), to, None)


def test_colour_statistics_are_those_of_what_was_trained_on(domains: Path, given: dict[str, Any]) -> None:
    """Known to the last bit, and not of the images held out."""
    data = prepare_domains(DataSettings(**given))
    mean, spread = colour_transfer.colour_statistics(data.train)
    names, train = sides(given)
    pixels = read(domains / "a", train["a"]).reshape(-1, 3)
    np.testing.assert_allclose(mean, pixels.mean(0), rtol=1e-12)
    np.testing.assert_allclose(spread, pixels.std(0), rtol=1e-12)
    everything = read(domains / "a", [*names, *train["a"]]).reshape(-1, 3)
    assert abs(everything.mean(0) - mean).min() > 1e-3


def test_colours_of_one_level_only() -> None:
    """A channel without a spread is moved; levels stay within a byte."""
    flat = colour_transfer.ColourStatistics(np.array([100.0]), np.array([0.0]))
    wide = colour_transfer.ColourStatistics(np.array([200.0]), np.array([50.0]))
    image = np.array([100, 0, 255], np.uint8).reshape(1, 1, 3, 1)
    assert colour_transfer.recoloured(image, flat, wide).ravel().tolist() == [200, 0, 255]
    assert colour_transfer.recoloured(image, wide, flat).ravel().tolist() == [100, 100, 100]
    narrow = colour_transfer.ColourStatistics(np.array([100.0]), np.array([25.0]))
    assert colour_transfer.recoloured(image, narrow, wide).ravel().tolist() == [200, 0, 255]
    assert colour_transfer.recoloured(image + np.uint8(1), narrow, wide).ravel()[0] == 202


def test_lpips_where_its_weights_are(
    given: dict[str, Any], domains: Path, tmp_path: Path, toy_lpips: Extractor
) -> None:
    run = make_run(tmp_path / "run", **given)
    names, _ = sides(given)
    source, true = read(domains / "a", names), read(domains / "b", names)
    found = true_pairs.evaluate(run, device="cpu")
    assert toy_lpips.distance is not None
    ways = {"untouched": source, "run": by_network(run, source)}
    distances = {
        way: np.array(
            [
                float(toy_lpips.distance(*(torch.from_numpy(x).movedim(2, 0)[None].to(torch.uint8) for x in pair)))
                for pair in zip(images, true, strict=True)
            ]
        )
        for way, images in ways.items()
    }
    for way, values in distances.items():
        assert list(found.numbers[way]) == ["l1", "lpips"]
        number = found.numbers[way]["lpips"]
        assert number.value == pytest.approx(values.mean(), rel=1e-5)
        assert (number.low, number.high) == pytest.approx(interval(values, range(len(names))), rel=1e-5)
    number = found.nearer["run"]["untouched"]["lpips"]
    assert number.value == pytest.approx((distances["untouched"] - distances["run"]).mean(), rel=1e-4)
    assert found.features == str(toy_lpips)
    assert found.record()["lpips"] == str(toy_lpips)
    assert not found.notes
    assert found.numbers["untouched"]["lpips"].means == "LPIPS distance from the true image"
    ordered = [line.split("  ")[0] for line in found.as_text().splitlines()[1:4]]
    assert ordered == sorted(found.numbers, key=lambda way: found.numbers[way]["lpips"].value)


def test_without_weights_only_l1_is_measured_and_a_note_says_so(given: dict[str, Any], tmp_path: Path) -> None:
    found = true_pairs.evaluate(make_run(tmp_path / "run", **given), device="cpu")
    (note,) = found.notes
    for fact in ("only L1", "LPIPS", "vgg16.ckpt", "--weights"):
        assert fact in note
    assert "lpips" not in found.as_text()


def test_weights_that_are_not_there_are_an_error(given: dict[str, Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", **given)
    with pytest.raises(OptionError) as raised:
        true_pairs.evaluate(run, weights="no.ckpt", device="cpu")
    said = str(raised.value)
    for fact in ("LPIPS", "--weights", "L1", "vgg16.ckpt", "no file no.ckpt"):
        assert fact in said
    assert not (run / "audit").exists()


def test_images_too_small_for_lpips(given: dict[str, Any], tmp_path: Path, toy_lpips: Extractor) -> None:
    run = make_run(tmp_path / "run", **{**given, "size": 12})
    found = true_pairs.evaluate(run, device="cpu")
    assert found.features is None
    assert list(found.numbers["run"]) == ["l1"]
    assert all(fact in found.notes[0] for fact in ("16 pixels", "[12, 12]"))
    with pytest.raises(OptionError, match=r"--weights.*16 pixels"):
        true_pairs.evaluate(run, weights="vgg16.ckpt", device="cpu")


def test_several_translations_are_averaged(given: dict[str, Any], domains: Path, tmp_path: Path) -> None:
    """The mean distance of five styles, which is not the distance of their mean."""
    run = make_run(tmp_path / "styles", game="multimodal", **given)
    names, _ = sides(given)
    source, true = read(domains / "a", names), read(domains / "b", names)
    each = [l1(by_network(run, source, seed=seed), true) for seed in range(5)]
    assert len({values.mean() for values in each}) == 5
    found = true_pairs.evaluate(run, device="cpu")
    assert_number(found.numbers["styles"]["l1"], np.mean(each, axis=0), range(len(names)))
    assert abs(np.mean(each[:4]) - np.mean(each)) > 1e-9


def test_a_paired_run_goes_one_way(given: dict[str, Any], domains: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", game="paired", **given)
    names, _ = sides(given, paired=True)
    found = true_pairs.evaluate(run, device="cpu")
    expected = l1(by_network(run, read(domains / "a", names)), read(domains / "b", names))
    assert_number(found.numbers["run"]["l1"], expected, range(len(names)))
    with pytest.raises(OptionError) as raised:
        true_pairs.evaluate(run, to="a", device="cpu", out=tmp_path / "out")
    assert str(raised.value).startswith(f"{run} translates to b only. For the other way, train a run with the domains")
    assert not (tmp_path / "out").exists()


def test_pairs_side_by_side_in_one_picture(given: dict[str, Any], domains: Path, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    for file in sorted((domains / "a").iterdir()):
        halves = [np.asarray(Image.open(domains / letter / file.name)) for letter in "ab"]
        Image.fromarray(np.concatenate(halves, axis=1)).save(tmp_path / "both" / file.name)
    settings = {**given, "path": str(tmp_path / "both"), "other": None}
    names, _ = sides(settings, paired=True)
    found = true_pairs.evaluate(make_run(tmp_path / "run", game="paired", **settings), device="cpu")
    expected = l1(read(domains / "a", names), read(domains / "b", names))
    assert_number(found.numbers["untouched"]["l1"], expected, range(len(names)))


def test_grey_pictures(given: dict[str, Any], domains: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", **{**given, "channels": 1})
    found = true_pairs.evaluate(run, device="cpu")
    names, _ = sides(given)
    grey = [
        np.stack([np.asarray(Image.open(domains / side / name).convert("L")) for name in names]).astype(float)
        for side in "ab"
    ]
    assert found.numbers["untouched"]["l1"].value == pytest.approx(l1(*grey).mean(), abs=1e-3)


# ---- clusters


def test_variants_of_one_thing_are_drawn_together(given: dict[str, Any], domains: Path, tmp_path: Path) -> None:
    """By the first two figures of a name. The variants of a thing are alike, so that drawn one by one they would seem
    to be surer than they are."""
    given |= {"holdout_by": r"name:^(\d\d)_"}
    run = make_run(tmp_path / "run", **given)
    names, _ = sides(given)
    found = true_pairs.evaluate(run, device="cpu")
    source, true = read(domains / "a", names), read(domains / "b", names)
    things = [name[:2] for name in names]
    assert (found.pairs, found.clusters) == (len(names), len({*things})) == (33, 11)
    values = l1(source, true)
    number = found.numbers["untouched"]["l1"]
    assert_number(number, values, things)
    alone = interval(values, range(len(names)))
    assert number.low is not None
    assert number.high is not None
    assert number.high - number.low > 1.3 * (alone[1] - alone[0])
    assert_number(found.nearer["run"]["untouched"]["l1"], values - l1(by_network(run, source), true), things)
    assert found.as_text().startswith("33 true pairs held out, 11 independent, translated to b: ")


def test_clusters_of_different_sizes() -> None:
    """The mean is over pairs and not over clusters, also of a drawing."""
    values = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3])
    clusters = np.array([7, 7, 7, 7, 1, 2, 3, 8, 9, 10, 11, 12, 13])
    number = true_pairs.cluster_mean(values, clusters, 5, "words")
    assert_number(number, values, clusters.tolist(), seed=5)
    assert number.means == "words"
    alone = true_pairs.cluster_mean(values, np.arange(13), 5, "")
    assert None not in (number.low, number.high, alone.low, alone.high)
    assert number.high - number.low > 1.2 * (alone.high - alone.low)  # type: ignore[operator]
    assert true_pairs.cluster_mean(values, clusters, 6, "") != number


def test_few_clusters_have_no_interval() -> None:
    values, clusters = np.linspace(0, 1, 27), np.arange(27) % 9
    assert (
        true_pairs.cluster_mean(values, clusters, 5, "").low,
        true_pairs.cluster_mean(values, clusters, 5, "").high,
    ) == (
        None,
        None,
    )
    assert true_pairs.cluster_mean(values, np.arange(27) % 10, 5, "").low is not None


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (Number(0.1, 0.05, 0.2), "nearer by 0.1000 [0.0500, 0.2000]"),
        (Number(-0.1, -0.2, -0.05), "farther by 0.1000 [0.0500, 0.2000]"),
        (Number(-0.1, -0.2, 0.05), "farther by 0.1000 [-0.0500, 0.2000], not clear"),
        (Number(0.1, -0.2, 0.3), "nearer by 0.1000 [-0.2000, 0.3000], not clear"),
        (Number(-0.1), "farther by 0.1000"),
    ],
)
def test_a_gain_in_words(number: Number, said: str) -> None:
    assert true_pairs_report.gain(number) == said


def test_one_cluster_has_no_interval(given: dict[str, Any], tmp_path: Path) -> None:
    """One thing in many variants says nothing of how other things would fare."""
    given |= {"holdout": 0.04, "holdout_by": r"name:^(\d\d)_"}
    found = true_pairs.evaluate(make_run(tmp_path / "run", **given), device="cpu")
    assert (found.pairs, found.clusters) == (3, 1)
    number = found.numbers["run"]["l1"]
    assert (number.low, number.high) == (None, None)
    assert found.record()["distance"]["run"]["l1"]["interval"] is None
    line = next(line for line in found.as_text().splitlines() if line.startswith("run "))
    assert line.endswith(f"  l1 {number.value:.4f}")
    (note,) = (note for note in found.notes if "intervals" in note)
    for fact in ("1 independent", "10", "--set data.holdout="):
        assert fact in note


def test_a_rule_that_matches_none_of_those_held_out(given: dict[str, Any], tmp_path: Path) -> None:
    names, train = sides(given)
    rule = f"name:{train['a'][0].removesuffix('.png')}"
    assert sides({**given, "holdout_by": rule})[0] == names
    found = true_pairs.evaluate(make_run(tmp_path / "run", **{**given, "holdout_by": rule}), device="cpu")
    assert found.clusters == found.pairs == len(names)


def test_what_is_one_thing_by_the_names_of_b(tmp_path: Path) -> None:
    """Suffixes belong to the keys that a rule reads: here it joins pictures of b only."""
    rng = np.random.default_rng(1)
    for letter in "ab":
        (tmp_path / letter).mkdir()
        for number in range(10, 50):
            suffix = "png" if letter == "a" else "bmp" if number < 30 else "gif"
            pixels = rng.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / letter / f"{number:02}.{suffix}")
    for number in range(4):
        Image.new("RGB", (SIZE, SIZE), (number, 0, 0)).save(tmp_path / "b" / f"00_{number}.png")
    given: dict[str, Any] = {"path": str(tmp_path / "a"), "other": str(tmp_path / "b"), "holdout": 0.5}
    given["holdout_by"] = "name:bmp|gif"
    found = true_pairs.evaluate(make_run(tmp_path / "run", **given), device="cpu")
    assert (found.pairs, found.clusters) == (20, 1)
