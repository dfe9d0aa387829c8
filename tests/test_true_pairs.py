"""What a run that translates is told of itself: distances from the true images of pairs that were held out, beside
those of the input as it is and of a transfer of colour."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer import Typer
from typer.testing import CliRunner, Result

import gansmith
from gansmith import __version__, true_pairs
from gansmith.adversarial import Dimensions, Prior
from gansmith.cli.evaluate import evaluate as command
from gansmith.data.domains import prepare_domains
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, GansmithError, OptionError, RunError
from gansmith.evaluation.answers import Number
from gansmith.evaluation.evidence import Extractor
from gansmith.evaluation.features import vgg
from gansmith.experiment import Experiment
from gansmith.latent.translate import load
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.randomness import mix, seeded
from gansmith.records import pictures
from gansmith.run import Run
from gansmith.settings import Part
from gansmith.true_pairs import Likeness
from small import SMALL

PLAYERS: dict[str, tuple[str, str, str, dict[str, Any]]] = {  # game: players, role, model, options
    "cycle": ("to_a to_b", "translator", "cyclegan", {"width": 2, "blocks": 1}),
    "paired": ("to_b", "translator", "pix2pix", {"width": 2}),
    "multimodal": (
        "a b",
        "autoencoder",
        "munit",
        {"width": 2, "blocks": 1, "style_downsamplings": 2, "mlp_width": 4},
    ),
}
THINGS, VARIANTS, SIZE = 24, 3, 16
OWN = [f"00_{number}.png" for number in range(6)]  # before the others, so that positions in a and in b differ
HELD = 0.5  # of 72 pairs: more than one block of 32


def make_run(place: Path, *, game: str = "cycle", seed: int = 0, **data: Any) -> Path:
    """A run as it lies on disk, of networks that were never trained."""
    players, role, model, options = PLAYERS[game]
    settings = DataSettings(**data)
    dimensions = Dimensions(settings.channels or 3, *(settings.size or (SIZE, SIZE)), 4)
    files = {}
    for player in players.split():
        card = Card(player, role, model, options, dimensions, Prior(size=4))
        with seeded("true pairs", seed, player):
            state = card.build().state_dict()
        for value in state.values():
            if value.dim() == 4:
                value.mul_(8)  # contrasts that survive rounding to 256 levels
        files[player] = (card, state)
    place.mkdir(parents=True)
    (place / "experiment.yaml").write_text(Experiment(data=settings, game=Part(name=game)).to_yaml())
    saved.save(place / "model", files)
    return place


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three variants of each of some things, in two domains of different colours; b has some pictures of its own."""
    folder = tmp_path_factory.mktemp("domains")
    rng = np.random.default_rng(0)
    for letter in "ab":
        (folder / letter).mkdir()
    for thing in range(10, 10 + THINGS):
        bright = rng.integers(0, 120)
        for variant in range(VARIANTS):
            pixels = bright + rng.integers(0, 60, (SIZE, SIZE, 3))
            other = 0.5 * pixels + rng.integers(0, 30, (SIZE, SIZE, 3)) + np.array([10, 60, 110])
            for letter, drawn in (("a", pixels), ("b", other)):
                Image.fromarray(drawn.astype(np.uint8)).save(folder / letter / f"{thing:02}_{variant}.png")
    for name in OWN:
        Image.fromarray(rng.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)).save(folder / "b" / name)
    return folder


@pytest.fixture
def given(domains: Path) -> dict[str, Any]:
    """Settings of the data; the pairs are independent of each other."""
    shape = {"size": (SIZE, SIZE), "channels": 3}
    return {"path": str(domains / "a"), "other": str(domains / "b"), "holdout": HELD, "holdout_by": "file", **shape}


def sides(settings: dict[str, Any], *, paired: bool = False) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the pairs that are held out, and those that are trained on in each domain."""
    data = prepare_domains(DataSettings(**settings), paired=paired)
    assert data.other is not None
    held, train = {}, {}
    for letter, side in (("a", data), ("b", data.other)):
        out = set(side.holdout_indices.tolist())
        held[letter] = {side.keys[index] for index in out}
        train[letter] = [key for index, key in enumerate(side.keys) if index not in out]
    return [key for key in data.keys if key in held["a"] & held["b"]], train


def read(folder: Path, names: Sequence[str]) -> np.ndarray:
    return np.stack([np.asarray(Image.open(folder / name)) for name in names]).astype(np.float64)


def l1(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[P, ...] each -> the distance of each pair, in plain loops."""
    return np.array([np.mean(abs(one / 255 - other / 255)) for one, other in zip(made, true, strict=True)])


def by_network(run: Path, images: np.ndarray, to: str = "b", seed: int = 0) -> np.ndarray:
    translator = load(run / "model", to)
    return np.stack([translator.translate(image.astype(np.uint8), seed=seed) for image in images]).astype(np.float64)


def recoloured(images: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """From the statistics of all of `before` to those of all of `after`, channel by channel."""
    made = np.empty_like(images)
    for channel in range(images.shape[3]):
        old, new = before[..., channel], after[..., channel]
        made[..., channel] = (images[..., channel] - old.mean()) * (new.std() / old.std()) + new.mean()
    rounded: np.ndarray = np.clip(made, 0, 255).round()
    return rounded


def interval(values: np.ndarray, clusters: Sequence[Any], seed: int = 0) -> tuple[float, float]:
    """Whole clusters are drawn, and the pairs in them are averaged."""
    members = [
        [value for value, own in zip(values, clusters, strict=True) if own == one] for one in sorted({*clusters})
    ]
    rng = np.random.default_rng(mix(seed, "bootstrap"))
    drawn = [
        np.mean(np.concatenate([members[index] for index in rng.integers(0, len(members), len(members))]))
        for _ in range(1000)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def assert_number(number: Number, values: np.ndarray, clusters: Sequence[Any], seed: int = 0) -> None:
    assert number.value == pytest.approx(values.mean(), abs=1e-12)
    assert (number.low, number.high) == pytest.approx(interval(values, clusters, seed), abs=1e-12)


@pytest.fixture
def toy_lpips(monkeypatch: pytest.MonkeyPatch) -> Extractor:
    """A small LPIPS of random weights, as if its file lay in its place."""
    with seeded("vgg"), torch.no_grad():
        network = vgg.Lpips(((4, 5), (6,), (7, 3), (5,), (6,)))
        for head in network.heads:
            head.uniform_(0, 2)
    extractor = vgg.wrap(network, "0" * 64, device="cpu", size=None)

    def build(*, weights: str | None = None, device: str = "auto", size: int | None = 64) -> Extractor:
        assert (device, size) == ("cpu", None)
        return extractor

    monkeypatch.setattr(vgg, "build", build)
    return extractor


class Stub:
    """A translator that adds to each image."""

    styled = False

    def __init__(self, amount: int) -> None:
        self.amount = amount

    def translations(self, image: np.ndarray, styles: Sequence[Any]) -> list[np.ndarray]:
        return [(image + self.amount).astype(np.uint8)]


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
    mean, spread = true_pairs._statistics(data.train)
    names, train = sides(given)
    pixels = read(domains / "a", train["a"]).reshape(-1, 3)
    np.testing.assert_allclose(mean, pixels.mean(0), rtol=1e-12)
    np.testing.assert_allclose(spread, pixels.std(0), rtol=1e-12)
    everything = read(domains / "a", [*names, *train["a"]]).reshape(-1, 3)
    assert abs(everything.mean(0) - mean).min() > 1e-3


def test_colours_of_one_level_only() -> None:
    """A channel without a spread is moved; levels stay within a byte."""
    flat = (np.array([100.0]), np.array([0.0]))
    wide = (np.array([200.0]), np.array([50.0]))
    image = np.array([100, 0, 255], np.uint8).reshape(1, 1, 3, 1)
    assert true_pairs._recoloured(image, flat, wide).ravel().tolist() == [200, 0, 255]
    assert true_pairs._recoloured(image, wide, flat).ravel().tolist() == [100, 100, 100]
    narrow = (np.array([100.0]), np.array([25.0]))
    assert true_pairs._recoloured(image, narrow, wide).ravel().tolist() == [200, 0, 255]
    assert true_pairs._recoloured(image + np.uint8(1), narrow, wide).ravel()[0] == 202


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
    assert note.startswith("only L1 was measured, and LPIPS was not: the extractor vgg reads vgg16.ckpt (")
    assert note.endswith("put it there, or say where it is with --weights PATH")
    assert "lpips" not in found.as_text()


def test_weights_that_are_not_there_are_an_error(given: dict[str, Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", **given)
    with pytest.raises(OptionError) as raised:
        true_pairs.evaluate(run, weights="no.ckpt", device="cpu")
    said = str(raised.value)
    assert said.startswith("LPIPS cannot be measured, and without --weights only L1 is: the extractor vgg reads")
    assert "no.ckpt was given, and there is no file no.ckpt" in said
    assert not (run / "audit").exists()


def test_images_too_small_for_lpips(given: dict[str, Any], tmp_path: Path, toy_lpips: Extractor) -> None:
    run = make_run(tmp_path / "run", **{**given, "size": 12})
    found = true_pairs.evaluate(run, device="cpu")
    assert found.features is None
    assert list(found.numbers["run"]) == ["l1"]
    assert "images of at least 16 pixels a side, not [12, 12]" in found.notes[0]
    with pytest.raises(OptionError, match=r"without --weights only L1 is: .* at least 16 pixels a side"):
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
    number = true_pairs._number(values, clusters, 5, "words")
    assert_number(number, values, clusters.tolist(), seed=5)
    assert number.means == "words"
    alone = true_pairs._number(values, np.arange(13), 5, "")
    assert None not in (number.low, number.high, alone.low, alone.high)
    assert number.high - number.low > 1.2 * (alone.high - alone.low)  # type: ignore[operator]
    assert true_pairs._number(values, clusters, 6, "") != number


def test_few_clusters_have_no_interval() -> None:
    values, clusters = np.linspace(0, 1, 27), np.arange(27) % 9
    assert (true_pairs._number(values, clusters, 5, "").low, true_pairs._number(values, clusters, 5, "").high) == (
        None,
        None,
    )
    assert true_pairs._number(values, np.arange(27) % 10, 5, "").low is not None


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
    assert true_pairs._gain(number) == said


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


# ---- runs beside


@pytest.fixture
def two(given: dict[str, Any], tmp_path: Path) -> tuple[Path, Path]:
    """A run of cycles, and one of pairs on the same split."""
    given |= {"holdout_by": r"name:^(\w\w)_"}
    one, other = tmp_path / "cycle", tmp_path / "paired"
    for letter in "ab":
        shutil.copytree(given[{"a": "path", "b": "other"}[letter]], tmp_path / letter)
    for name in OWN:
        (tmp_path / "b" / name).unlink()
    given |= {"path": str(tmp_path / "a"), "other": str(tmp_path / "b")}
    return make_run(one, **given), make_run(other, game="paired", seed=1, **given)


def test_a_run_beside_on_the_same_split(two: tuple[Path, Path]) -> None:
    one, other = two
    settings = Run(one).experiment.data
    names, _ = sides(settings.model_dump())
    assert names == sides(settings.model_dump(), paired=True)[0]
    found = true_pairs.evaluate(one, beside=[other], device="cpu")
    source, true = read(Path(settings.path), names), read(Path(str(settings.other)), names)
    things = [name[:2] for name in names]
    distances = {run.name: l1(by_network(run, source), true) for run in two}
    for run, values in distances.items():
        assert_number(found.numbers[run]["l1"], values, things)
    assert {run: [*ways] for run, ways in found.nearer.items()} == {
        "cycle": ["untouched", "colour transfer", "paired"],
        "paired": ["untouched", "colour transfer"],
    }
    gain = distances["paired"] - distances["cycle"]
    assert abs(gain.mean()) > 1e-3
    assert_number(found.nearer["cycle"]["paired"]["l1"], gain, things)
    assert found.folder == one / "audit"
    assert not (other / "audit").exists()
    turned = true_pairs.evaluate(other, beside=[one], device="cpu")
    assert turned.nearer["paired"]["cycle"]["l1"].value == pytest.approx(-gain.mean(), abs=1e-12)


def test_nearer_is_above_zero(two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """In blue b is brighter by far: a translation that adds light is nearer than the input, and more light more so."""
    amounts = {two[0]: 10, two[1]: 20}
    monkeypatch.setattr(Run, "translator", lambda self, **options: Stub(amounts[self.path]))
    found = true_pairs.evaluate(two[0], beside=[two[1]], device="cpu")
    l1s = {way: row["l1"].value for way, row in found.numbers.items()}
    assert l1s["paired"] < l1s["cycle"] < l1s["untouched"]
    assert found.nearer["cycle"]["untouched"]["l1"].value == pytest.approx(l1s["untouched"] - l1s["cycle"])
    assert found.nearer["cycle"]["untouched"]["l1"].value > 0.005
    assert found.nearer["cycle"]["paired"]["l1"].value < -0.005
    assert found.nearer["paired"]["untouched"]["l1"].value > 0.01
    assert found.nearer["cycle"]["untouched"]["l1"].means == (
        "how much less: mean distance of a pixel's values from the true image's, of 1 from black to white"
    )


def test_a_run_beside_that_held_out_more(two: tuple[Path, Path], tmp_path: Path) -> None:
    settings = Run(two[0]).experiment.data.model_dump()
    more = make_run(tmp_path / "more", **{**settings, "holdout": 0.7})
    names = sides(settings)[0]
    assert {*names} < {*sides({**settings, "holdout": 0.7})[0]}
    found = true_pairs.evaluate(two[0], beside=[more], device="cpu")
    source, true = read(Path(settings["path"]), names), read(Path(settings["other"]), names)
    assert found.numbers["more"]["l1"].value == pytest.approx(l1(by_network(more, source), true).mean(), abs=1e-12)
    seen = sorted({*sides({**settings, "holdout": 0.7})[0]} - {*names})
    with pytest.raises(DataError) as raised:
        true_pairs.evaluate(more, beside=[two[0]], device="cpu")
    assert str(raised.value) == (
        f"{two[0]} did not hold out {len(seen)} of the {len(seen) + len(names)} pairs, for example {seen[0]}: it may "
        f"have been trained on them. Train both with the same data.holdout and data.holdout_by"
    )
    assert not (more / "audit").exists()


def test_runs_that_cannot_stand_beside_it(two: tuple[Path, Path], tmp_path: Path) -> None:
    one = two[0]
    settings = Run(one).experiment.data.model_dump()

    def refused(kind: type[GansmithError], place: Path) -> str:
        with pytest.raises(kind) as raised:
            true_pairs.evaluate(one, beside=[place], device="cpu")
        assert not (one / "audit").exists()
        return str(raised.value)

    none = make_run(tmp_path / "none", **{**settings, "holdout": 0})
    assert refused(DataError, none).startswith(f"{none} did not hold out 36 of the 36 pairs, for example ")
    small = make_run(tmp_path / "small", **{**settings, "size": 12})
    assert refused(DataError, small) == (
        f"{small} knows images of 12x12x3 and {one} of 16x16x3: compare runs of one size"
    )
    grey = make_run(tmp_path / "grey", **{**settings, "channels": 1})
    assert "knows images of 16x16x1 and" in refused(DataError, grey)
    exchanged = make_run(tmp_path / "x", **{**settings, "path": settings["other"], "other": settings["path"]})
    assert refused(DataError, exchanged) == (
        f"{exchanged} knows 36 of the 36 pairs by other images, for example {sides(settings)[0][0]}: was it trained on "
        f"other data, with the domains exchanged, or with another data.fit or data.background?"
    )
    for letter in "ab":
        altered = shutil.copytree(tmp_path / letter, tmp_path / f"other_{letter}")
        name = sides(settings)[0][5]
        Image.new("RGB", (SIZE, SIZE)).save(altered / name)
        changed = make_run(
            tmp_path / f"changed_{letter}", **{**settings, {"a": "path", "b": "other"}[letter]: str(altered)}
        )
        assert f"{changed} knows 1 of the 36 pairs by other images, for example {name}: " in refused(DataError, changed)
    assert refused(RunError, two[1] / "model") == (
        f"{two[1]}/model holds models only, and which pairs were held out is known of whole runs: give the run"
    )
    assert "there is no run" in refused(RunError, tmp_path / "nowhere")
    again = one.parent / "a" / ".." / one.name
    assert refused(OptionError, again) == (
        f"{one} is given twice: a run is compared with others (--beside), not with itself"
    )


def test_names_that_are_not_clear_are_whole_paths(two: tuple[Path, Path], tmp_path: Path) -> None:
    settings = Run(two[0]).experiment.data.model_dump()
    same = make_run(tmp_path / "deep" / "cycle", **settings)
    odd = make_run(tmp_path / "untouched", **settings)
    found = true_pairs.evaluate(two[0], beside=[same, odd], device="cpu")
    assert list(found.numbers) == ["untouched", "colour transfer", str(two[0]), str(same), str(odd)]


# ---- what cannot be measured


def test_nothing_is_held_out(given: dict[str, Any], domains: Path, tmp_path: Path) -> None:
    def refused(run: Path, to: str) -> str:
        with pytest.raises(DataError) as raised:
            true_pairs.evaluate(run, to=to, device="cpu")
        assert not (run / "audit").exists()
        return str(raised.value)

    everything = make_run(tmp_path / "all", **{**given, "holdout": 0})
    assert refused(everything, "a") == (
        f"{everything} held out no true pairs: a translation can be compared where both domains bear the same names "
        f"and some are held out (data.holdout). Translate a folder and judge that: gansmith translate {everything} "
        f"--to a IN OUT, then gansmith evaluate OUT --against REAL"
    )
    (tmp_path / "b").mkdir()
    for file in (domains / "b").iterdir():
        shutil.copy(file, tmp_path / "b" / f"other_{file.name}")
    strangers = make_run(tmp_path / "strangers", **{**given, "other": str(tmp_path / "b")})
    assert f"{strangers} held out no true pairs: " in refused(strangers, "b")


def test_directions_and_models(given: dict[str, Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", **given)
    with pytest.raises(OptionError, match=r"^a translation is to a or to b, not to 'c'$"):
        true_pairs.evaluate(run, to="c")
    with pytest.raises(RunError, match="model holds models only, and which pairs were held"):
        true_pairs.evaluate(run / "model", device="cpu")


def test_what_translates(given: dict[str, Any], tmp_path: Path) -> None:
    for game in PLAYERS:
        run = make_run(tmp_path / game, game=game, **given)
        assert true_pairs.translates(run)
        assert not true_pairs.translates(run / "model")
    assert not true_pairs.translates(tmp_path)
    assert not true_pairs.translates(tmp_path / "nowhere")
    shutil.rmtree(run / "model")
    assert not true_pairs.translates(run)


# ---- what is written


def test_the_record_holds_what_the_text_says(two: tuple[Path, Path], tmp_path: Path) -> None:
    found = true_pairs.evaluate(two[0], beside=[two[1]], device="cpu", out=tmp_path / "out" / "deep")
    assert found.folder == tmp_path / "out" / "deep"
    assert {path.name for path in found.folder.iterdir()} == {"true_pairs.json", "true_pairs.png"}
    assert not (two[0] / "audit").exists()
    record = json.loads((found.folder / "true_pairs.json").read_text())
    assert record == json.loads(json.dumps(found.record()))
    data = prepare_domains(Run(two[0]).experiment.data)
    assert {key: record[key] for key in ("gansmith", "data", "to", "pairs", "clusters", "lpips")} == {
        "gansmith": __version__,
        "data": f"{data.name} {data.digest}",
        "to": "b",
        "pairs": 36,
        "clusters": 12,
        "lpips": None,
    }
    assert record["notes"] == list(found.notes)
    lines = found.as_text().splitlines()
    assert lines[0] == f"36 true pairs held out, 12 independent, translated to b: {record['data']}"
    order = sorted(record["distance"], key=lambda way: record["distance"][way]["l1"]["value"])

    def said(number: dict[str, Any]) -> str:
        return f"l1 {number['value']:.4f} [{number['interval'][0]:.4f}, {number['interval'][1]:.4f}]"

    assert lines[1:5] == [f"{way:15}  {said(record['distance'][way]['l1'])}" for way in order]
    expected = [
        f"{run} against {way}: l1 {true_pairs._gain(found.nearer[run][way]['l1'])}"
        for run, ways in record["nearer"].items()
        for way, row in ways.items()
    ]
    assert lines[5:] == expected
    assert len(expected) == 5


def test_the_sheet(given: dict[str, Any], domains: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    plain = pictures.sheet

    def sheet(images: Any, **options: Any) -> Any:
        seen.append((images, options))
        return plain(images, **options)

    monkeypatch.setattr(pictures, "sheet", sheet)
    run = make_run(tmp_path / "run", **given)
    true_pairs.evaluate(run, device="cpu")
    ((images, options),) = seen
    shown = pictures.to_uint8(images).reshape(12, 4, SIZE, SIZE, 3)
    names, _ = sides(given)
    chosen = [names[index] for index in np.linspace(0, len(names) - 1, 12).round().astype(int)]
    source = read(domains / "a", chosen)
    np.testing.assert_array_equal(shown[:, 0], source)
    np.testing.assert_array_equal(shown[:, 2], by_network(run, source))
    np.testing.assert_array_equal(shown[:, 3], read(domains / "b", chosen))
    assert options == {"columns": 4, "labels": ("untouched", "colour transfer", "run", "true", *[""] * 44)}
    with Image.open(run / "audit" / "true_pairs.png") as picture:
        assert picture.height > 2.5 * picture.width


def test_nothing_is_half_written(given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, out = make_run(tmp_path / "run", **given), tmp_path / "out"
    out.mkdir()
    for name in ("true_pairs.json", "true_pairs.png"):
        (out / name).write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GansmithError, match=r"could not write .*true_pairs\.json: No space left on device"):
        true_pairs.evaluate(run, device="cpu", out=out)
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        "true_pairs.json": "old",
        "true_pairs.png": "old",
    }


# ---- runs that were trained, and the command


@pytest.fixture(scope="module")
def trained(domains: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """16 images of training."""
    folder = shutil.copytree(domains, tmp_path_factory.mktemp("trained") / "data")
    small = {"name": "cyclegan", "width": 2}
    return gansmith.train(
        str(folder / "a"),
        other=str(folder / "b"),
        holdout=HELD,
        game="cycle",
        translator={**small, "blocks": 1},
        discriminator=small,
        objective="lsgan",
        images=16,
        batch=4,
        sheet=4,
        device="cpu",
        out=str(folder.parent / "run"),
    )


def invoke(*arguments: Any) -> Result:
    app = Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command(trained: Run, tmp_path: Path) -> None:
    done = invoke(trained.path, "--to", "a", "--device", "cpu", "--seed", 2, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    expected: Likeness = true_pairs.evaluate(trained.path, to="a", device="cpu", seed=2, out=tmp_path / "again")
    assert done.stdout == f"{expected.as_text()}\nnote: {expected.notes[0]}\n-> {tmp_path}/out\n"
    assert len(expected.notes) == 1  # of the weights: the images are those that it was trained on
    written = [(tmp_path / name / "true_pairs.json").read_text() for name in ("out", "again")]
    assert written[0] == written[1]
    assert json.loads(written[0])["to"] == "a"
    other = invoke(trained.path, "--device", "cpu")
    assert other.stdout.splitlines()[0].split(": ")[0].endswith("translated to b")
    assert other.stdout.splitlines()[-1] == f"-> {trained.path}/audit"


def test_the_command_with_a_run_beside(trained: Run, tmp_path: Path) -> None:
    copies = [shutil.copytree(trained.path, tmp_path / name) for name in ("second", "third")]
    given = [word for copy in copies for word in ("--beside", copy)]
    done = invoke(trained.path, *given, "--device", "cpu", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    assert "run against second: l1 nearer by 0.0000 [0.0000, 0.0000], not clear\n" in done.stdout
    assert "second against third: l1 nearer by 0.0000 [0.0000, 0.0000], not clear\n" in done.stdout
    refused = invoke(trained.path, "--weights", "no.ckpt")
    assert "no.ckpt was given, and there is no file" in str(refused.exception)


def test_options_that_do_nothing_are_refused(trained: Run, tmp_path: Path, given: dict[str, Any]) -> None:
    refused = invoke(trained.path, "--samples", 10, "--raw")
    assert str(refused.exception) == (
        f"--samples, --raw cannot be used here: {trained.path} translates, and what it makes is held against true "
        f"pairs. Leave them out"
    )
    image = tmp_path / "images.npy"
    np.save(image, np.zeros((30, 8, 8, 1), np.uint8))
    refused = invoke(image, "--against", "digits", "--to", "a", "--beside", trained.path)
    assert (
        str(refused.exception)
        == f"--to, --beside cannot be used here: {image} is no run that translates. Leave them out"
    )


def test_a_classifier_has_no_direction(tmp_path: Path) -> None:
    card = Card("classifier", "classifier", "mnist_net", {}, Dimensions(1, 16, 16, 0, 10), Prior(size=1))
    with seeded("true pairs"):
        saved.save(tmp_path, {"classifier": (card, card.build().state_dict())})
    refused = invoke(tmp_path, "--to", "a")
    assert str(refused.exception) == f"--to cannot be used here: {tmp_path} is no run that translates. Leave it out"


def test_other_runs_are_judged_as_before(tmp_path: Path) -> None:
    run = gansmith.train(**{**SMALL, "images": 16, "holdout": 0.1, "out": str(tmp_path / "run")})
    done = invoke(run.path, "--samples", 20, "--repeats", 1, "--features", "pixels", "--real", 40)
    assert done.exit_code == 0, done.exception
    assert (run.path / "audit" / "report.html").is_file()
    assert not (run.path / "audit" / "true_pairs.json").exists()


def test_images_that_changed_since_are_told(trained: Run, tmp_path: Path) -> None:
    copied = shutil.copytree(trained.path.parent, tmp_path / "copied")
    run = copied / "run"
    data = trained.experiment.data
    experiment = (run / "experiment.yaml").read_text().replace(str(trained.path.parent), str(copied))
    (run / "experiment.yaml").write_text(experiment)
    assert len(true_pairs.evaluate(run, device="cpu").notes) == 1
    name = next(iter(sorted((copied / "data" / "a").iterdir())))
    Image.new("RGB", (SIZE, SIZE)).save(name)
    for found in (
        true_pairs.evaluate(run, device="cpu"),
        true_pairs.evaluate(make_run(tmp_path / "new", **Run(run).experiment.data.model_dump()), beside=[run]),
    ):
        assert found.notes[0] == (
            f"The images at {copied}/data/a are not the ones that {run} was trained on: they changed since, and it may "
            f"have been trained on some of these pairs."
        )
        assert len(found.notes) == 2
    assert Path(data.path).exists()
