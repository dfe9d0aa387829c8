"""gansmith.judge.linear_probe: a run's discriminator, and the controls beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import gansmith
from gansmith import Run
from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import DataError, OptionError, RunError
from gansmith.evaluation.activations import activations, settle
from gansmith.evaluation.linear_probe import linear_probe, split
from gansmith.judge.linear_probe import drawn, labelled, player_of, probe, untrained
from gansmith.judge.opened import open_for_judging
from gansmith.models import saved
from gansmith.models.saved import Card
from small import SMALL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probed") / "run"
    gansmith.train(out=str(folder), **SMALL)
    return folder


def models(folder: Path, **players: tuple[str, str]) -> Path:
    """Untrained networks for 8 px grey images: {player: (role, model)}."""
    dimensions, files = Dimensions(1, 8, 8, 8, 10), {}
    for player, (role, model) in players.items():
        options = {"width": 4} if model == "dcgan" else {"width": 4, "groups": [1, 1]}
        card = Card(player, role, model, options, dimensions, Prior(size=8))
        files[player] = (card, card.build().state_dict())
    saved.save(folder, files)
    return folder


def test_digits(run: Path) -> None:
    """Every number by its own way: the same pictures, parts, features and classifier."""
    found = probe(run, "digits", images=500, device="cpu", seed=5)
    opened = Run(run)
    network, card = opened.network("discriminator")
    data = labelled("digits", open_for_judging(opened, "discriminator"))
    assert len(data.train) == 1797
    pixels, labels = drawn(data, 500, 5)
    assert pixels.shape == (500, 8, 8, 1)
    parts = split(labels, seed=5)
    assert (found.parts.test == parts.test).all()
    expected = linear_probe(activations(network, pixels), labels, parts=parts)
    assert found.features.accuracy.value == expected.accuracy.value
    raw = linear_probe(pixels.reshape(500, -1).astype(float), labels, parts=parts)
    assert found.controls["raw pixels"].accuracy.value == pytest.approx(raw.accuracy.value, abs=0.02)
    assert raw.accuracy.value > 0.8
    assert found.controls["raw pixels"].dimensions == 64
    assert found.controls["pooled pixels"].dimensions == 16
    learning = pixels[np.concatenate([parts.train, parts.validation])]
    random = linear_probe(activations(settle(untrained(card, 5, 1), learning), pixels), labels, parts=parts)
    assert found.random[1].accuracy.value == random.accuracy.value
    assert len(found.random) == 3
    mean, spread = found.random_accuracy
    values = [one.accuracy.value for one in found.random]
    assert (mean, spread) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert found.gains["random network"].value == pytest.approx(found.features.accuracy.value - mean)
    for name, control in found.controls.items():
        assert found.gains[name].value == pytest.approx(found.features.accuracy.value - control.accuracy.value)
    assert found.majority < 0.2
    assert found.classes == tuple("0123456789")


def test_random_networks_are_random_and_repeatable(run: Path) -> None:
    _, card = Run(run).network("discriminator")
    one, same, other, next_seed = (untrained(card, *given) for given in ((0, 0), (0, 0), (0, 1), (1, 0)))
    torch.testing.assert_close(one.state_dict(), same.state_dict(), rtol=0, atol=0)
    for different in (other, next_seed):
        assert any((a != b).any() for a, b in zip(one.parameters(), different.parameters(), strict=True))


def test_the_record(run: Path) -> None:
    found = probe(run, "digits", images=200, device="cpu", random_networks=2)
    record = json.loads(json.dumps(found.record()))
    assert record["player"] == "discriminator"
    assert record["features"]["value"] == found.features.accuracy.value
    assert record["features"]["interval"] == [found.features.accuracy.low, found.features.accuracy.high]
    assert record["features"]["dimensions"] == found.features.dimensions
    assert set(record["controls"]) == {"raw pixels", "pooled pixels"}
    assert len(record["random"]["seeds"]) == 2
    assert set(record["gains"]) == {"random network", "raw pixels", "pooled pixels"}
    assert sum(record["images"].values()) == 200
    text = record["protocol"]["text"]
    assert "discriminator of run at 320 images" in text
    assert f"tested on {record['images']['test']} of digits" in text
    assert text == found.how


def test_at_a_checkpoint(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network probed is the checkpoint's; the random ones are the same whatever it is."""
    asked: list[Any] = []

    def watched(network: torch.nn.Module, *given: Any, **options: Any) -> Any:
        asked.append(network.state_dict())
        return activations(network, *given, **options)

    monkeypatch.setattr("gansmith.judge.linear_probe.activations", watched)
    found = probe(run, "digits", images=150, checkpoint="previous", device="cpu", random_networks=2)
    now = probe(run, "digits", images=150, device="cpu", random_networks=2)
    assert "at checkpoint previous" in found.how
    assert [one.accuracy for one in found.random] == [one.accuracy for one in now.random]
    opened = Run(run)
    then, today = (opened.network("discriminator", checkpoint=name)[0].state_dict() for name in ("previous", "latest"))
    assert any((then[key] != today[key]).any() for key in then)
    torch.testing.assert_close(asked[0], then, rtol=0, atol=0)
    torch.testing.assert_close(asked[3], today, rtol=0, atol=0)


def test_which_player(run: Path, tmp_path: Path) -> None:
    several = models(
        tmp_path / "several",
        generator=("generator", "dcgan"),
        discriminator_b=("discriminator", "dcgan"),
        discriminator_a=("discriminator", "dcgan"),
    )
    assert player_of(Run(several), None) == "discriminator_a"
    assert player_of(Run(several), "discriminator_b") == "discriminator_b"
    assert player_of(Run(run), None) == "discriminator"
    with pytest.raises(RunError, match=r"generator.*reads no images"):
        player_of(Run(several), "generator")
    with pytest.raises(RunError, match=r"'discriminater'.*'discriminator"):
        player_of(Run(several), "discriminater")
    lone = models(tmp_path / "lone", generator=("generator", "dcgan"))
    with pytest.raises(RunError, match=r"discriminator.*classifier.*generator$"):
        player_of(Run(lone), None)


def test_a_classifier_is_probed_like_a_discriminator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.nn.Module] = []

    def watched(network: torch.nn.Module, *given: Any, **options: Any) -> Any:
        asked.append(network)
        return activations(network, *given, **options)

    monkeypatch.setattr("gansmith.judge.linear_probe.activations", watched)
    folder = models(tmp_path / "net", net=("classifier", "darknet"), generator=("generator", "dcgan"))
    found = probe(folder, "digits", images=150, device="cpu", random_networks=2)
    assert found.player == "net"
    assert "net of net at 0 images" in found.how
    assert found.features.accuracy.value > found.majority
    means = [[value for key, value in one.state_dict().items() if key.endswith("running_mean")] for one in asked]
    assert all((value == 0).all() for value in means[0])  # as it is: never trained
    assert all((value != 0).any() for random in means[1:] for value in random)  # settled on the images


def write(folder: Path, counts: dict[str, int]) -> Path:
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_images_that_cannot_be_used(run: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.npy"
    np.save(plain, np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), dtype=np.uint8))
    cases: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
        (plain, {}, DataError, "plain.npy has no labels"),
        (write(tmp_path / "single", {"a": 9, "b": 1}), {}, DataError, r"class b has 1\. Leave them out"),
        (write(tmp_path / "same", {"a": 9}), {}, DataError, "no labels|same label"),
        ("ring", {}, DataError, "ring.*(labels|points)"),
        ("digits", {"images": 0}, OptionError, "images = 0 .*at least 1"),
        ("digits", {"images": 1}, DataError, "1 images.*same label"),
        ("digits", {"random_networks": 1}, OptionError, "random_networks = 1 .*at least 2"),
        ("digits", {"random_networks": 10**12}, OptionError, "random_networks = 1000000000000 .*at most 100"),
        (tmp_path / "gone", {}, DataError, "no file or folder"),
    ]
    for data, options, kind, message in cases:
        with pytest.raises(kind, match=message):
            probe(run, data, device="cpu", **options)


def test_networks_of_points_have_nothing_to_probe(tmp_path: Path) -> None:
    card = Card("discriminator", "discriminator", "mlp", {"width": 4}, Dimensions(2, 1, 1, 2), Prior(size=2))
    saved.save(tmp_path, {"discriminator": (card, card.build().state_dict())})
    with pytest.raises(DataError, match="points"):
        labelled("digits", open_for_judging(Run(tmp_path), "discriminator"))
