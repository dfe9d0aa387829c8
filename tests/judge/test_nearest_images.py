"""The training images nearest to images, with a word for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gansmith
from gansmith.data.decode import decode
from gansmith.errors import DataError, OptionError, OutputError, RunError
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.judge import nearest
from gansmith.judge.training_images import training_images
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from small import SMALL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Trained on a folder of 200 images of random areas, of which a tenth is held out."""
    folder = tmp_path_factory.mktemp("nearest")
    rng = np.random.default_rng(0)
    (folder / "real").mkdir()
    for number, areas in enumerate(rng.integers(0, 256, (200, 4, 4), dtype=np.uint8)):
        Image.fromarray(areas.repeat(2, 0).repeat(2, 1)).save(folder / "real" / f"{number:03}.png")
    settings = {**SMALL, "path": str(folder / "real"), "fraction": 1.0, "holdout": 0.1, "images": 16}
    return gansmith.train(**settings, out=str(folder / "run"))


def trained(run: Run, number: int) -> np.ndarray:
    """Training image `number`, read from its file by its name."""
    known = training_images(run, (8, 8, 1))
    file = Path(run.experiment.data.path) / known.name(number)
    image = decode(file.read_bytes(), str(file))[:, :, :1]
    np.testing.assert_array_equal(image, known.images[number])
    return image


def test_copies_are_named_and_new_images_are_not(run: Run) -> None:
    image, other = trained(run, 5), trained(run, 90)
    blurred = np.clip(other[:, ::-1].astype(int) + 6, 0, 255).astype(np.uint8)  # mirrored, and lighter
    new = np.random.default_rng(1).integers(0, 256, (4, 4, 1), dtype=np.uint8).repeat(2, 0).repeat(2, 1)
    found = nearest(run, np.stack([image, blurred, new]), ["a", "b", "c"], count=3, features="none")
    assert found.words == ("the same image", "a copy", "no copy")
    assert found.by[0].indices.shape == (3, 3)
    assert found.by[0].indices[:2, 0].tolist() == [5, 90]
    assert found.by[0].distances[0, 0] == 0
    assert (np.diff(found.by[0].distances, axis=1) >= 0).all()
    lines = found.lines()
    assert lines[0].startswith("a: the same image. Nearest: ")
    assert found.train.name(5) in lines[0]
    assert "180 training images" in lines[-1]
    assert len(found.control.real) == 200


def test_the_sheet_shows_them_mirrored_where_they_match_mirrored(run: Run, tmp_path: Path) -> None:
    image = trained(run, 7)
    found = nearest(run, image[None, :, ::-1], count=2, features="none")
    sheet = np.asarray(found.sheet(scale=1))[:, :, 0]
    wanted = np.ascontiguousarray(image[:, ::-1, 0])
    windows = np.lib.stride_tricks.sliding_window_view(sheet, (8, 8))
    assert (windows == wanted).all(axis=(2, 3)).sum() == 2  # the image, and its match
    found.save(tmp_path / "a.png")
    with pytest.raises(OutputError, match=r"a\.png"):
        found.save(tmp_path / "a.png")
    found.save(tmp_path / "a.png", force=True, scale=2)


def test_the_neighbours_by_features_are_those_of_the_features(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extractor of mean levels, over every third training image."""
    level = Extractor("level", "0", "means", lambda x: Outputs(x.float().mean((1, 2, 3))[:, None]), device="cpu")
    monkeypatch.setattr("gansmith.judge.nearest_images.choose", lambda *_, **__: level)
    image = trained(run, 9)
    found = nearest(run, image[None], count=3, real=60)
    assert [near.by for near in found.by] == ["pixels", "level, of 60"]
    known = training_images(run, (8, 8, 1)).images
    some = np.linspace(0, 179, 60).round().astype(int)
    apart = np.abs(known[some].mean((1, 2, 3)) - image.mean())
    assert found.by[1].indices[0].tolist() == some[np.argsort(apart)[:3]].tolist()
    torch.testing.assert_close(
        torch.tensor(found.by[1].distances[0]), torch.tensor(np.sort(apart)[:3]), atol=1e-3, rtol=0
    )


def test_what_is_refused(run: Run, tmp_path: Path) -> None:
    image = trained(run, 0)[None]
    for count in (0, 51):
        with pytest.raises(OptionError, match=str(count)):
            nearest(run, image, count=count)
    with pytest.raises(RunError, match="--against"):
        nearest(Run(run.path / "model"), image)
    with pytest.raises(DataError, match=r"none.*--against"):
        nearest(run, image, against=str(tmp_path / "none"))
    with pytest.raises(DataError, match="points"):
        nearest(run, image, against="ring")
    moved = nearest(Run(run.path / "model"), image, against=run.experiment.data.path, features="none")
    assert moved.words == ("the same image",)
    assert len(moved.train) == 200


def test_a_series_brings_its_images_and_names(run: Run) -> None:
    series = run.sample([7, 9])
    by_series = nearest(run, series, features="none")
    by_images = nearest(run, to_uint8(series.images), features="none")
    assert by_series.names == ("7", "9")
    assert nearest(run, series, ["a", "b"], features="none").names == ("a", "b")
    np.testing.assert_array_equal(by_series.by[0].indices, by_images.by[0].indices)
