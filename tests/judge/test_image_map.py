"""The map of a run: which images its points are, the same each time, neighbours found again by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gansmith
from gansmith import catalog
from gansmith.errors import DataError, GansmithError, OptionError, RunError
from gansmith.evaluation.extract import extract
from gansmith.judge.image_map import image_map
from gansmith.judge.training_images import training_images
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from small import SMALL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = {**SMALL, "holdout": 0.2, "images": 64}
    return gansmith.train(**settings, out=str(tmp_path_factory.mktemp("map") / "run"))


def pixels(images: np.ndarray) -> np.ndarray:
    return extract(images, catalog.build("features", "pixels", device="cpu"), what="images", cache=False)[0]


def test_each_point_is_the_image_that_it_names(run: Run) -> None:
    made = image_map(run, count=100, features="pixels", device="cpu")
    points = made.points()
    kinds = [point["kind"] for point in points]
    assert [kinds.count(kind) for kind in ("real", "held_out", "sample")] == [40, 20, 40]
    train = training_images(run, (8, 8, 1))
    assert train.held_out is not None
    chosen = train.images[[point["id"] for point in points if point["kind"] == "real"]]
    assert made.real[0] == 0
    assert made.real[-1] == len(train) - 1
    real = pixels(chosen)
    samples = pixels(to_uint8(run.sample(range(40), device="cpu").images))
    mean, axes = real.mean(0), np.linalg.svd(real - real.mean(0))[2][:2]
    for number, point in enumerate(point for point in points if point["kind"] == "sample"):
        assert point["id"] == number
        place = np.abs((samples[number] - mean) @ axes.T)
        np.testing.assert_allclose(np.abs([point["x"], point["y"]]), place, atol=1e-3)
    reach = [sorted(np.linalg.norm(real - one, axis=1))[3] for one in real]
    for point, sample in zip(points[-40:], samples, strict=True):
        assert point["neighbour"] == bool((np.linalg.norm(real - sample, axis=1) <= reach).any())
    assert made.plane.precision == np.mean([point["neighbour"] for point in points[-40:]])
    assert "thinned evenly" in made.notes[0]
    assert "features install" in made.notes[1]


def test_the_same_map_each_time(run: Run) -> None:
    one, other = (image_map(run, count=60, features="pixels", device="cpu").points() for _ in range(2))
    assert one == other


def test_few_images_are_all_shown(tmp_path: Path) -> None:
    small = {**SMALL, "fraction": 0.05, "holdout": 0.25, "images": 16}
    run = gansmith.train(**small, out=str(tmp_path / "run"))
    made = image_map(run, count=500, features="pixels", device="cpu")
    assert len(made.real) + len(made.held_out) < 100
    assert "thinned" not in made.notes[0]


def test_what_is_refused(run: Run, tmp_path: Path) -> None:
    for count in (49, 5001, -1):
        with pytest.raises(OptionError, match=f"{count}.*50.*5,000"):
            image_map(run, count=count, device="cpu")
    with pytest.raises(RunError, match="--against"):
        image_map(Run(run.path / "model"), count=60, device="cpu")
    ring = gansmith.train("ring", recipe="mlp_ring", images=64, device="cpu", out=str(tmp_path / "ring"))
    with pytest.raises(DataError, match="points"):
        image_map(ring, count=60, device="cpu")
    with pytest.raises(GansmithError, match="psd"):
        image_map(run, count=60, features="psd", device="cpu")
