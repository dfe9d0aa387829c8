"""What a run shows is what it gives: the same image in a sheet of the training, alone, among others, in another
process, another folder and with other threads; and a count is the count that was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import gansmith
from gansmith import judge
from gansmith.judge.compare.compare_runs import compare
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from small import SMALL

Pixels = NDArray[np.uint8]


def pixels(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image)


def cells(sheet: Pixels, side: int, columns: int) -> Pixels:
    """The images [N, H, W, ...] of a sheet with gaps of 2 pixels, whatever its scale, row by row."""
    times = sheet.shape[1] // (2 + columns * (side + 2))
    exact = sheet[::times, ::times]
    places = range(2, exact.shape[0] - 2, side + 2), range(2, exact.shape[1] - 2, side + 2)
    return np.stack([exact[top : top + side, left : left + side] for top in places[0] for left in places[1]])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    gansmith.train(**{**SMALL, "fraction": 1.0, "holdout": 0.2, "out": str(out)})
    return out


def sample(run: Path, folder: Path, *arguments: str, **environment: str) -> None:
    """`gansmith sample` in a process of its own, in `folder`."""
    folder.mkdir(exist_ok=True)
    line = [sys.executable, "-m", "gansmith", "sample", str(run), "--device", "cpu", *arguments]
    subprocess.run(line, cwd=folder, env={**os.environ, **environment}, check=True, capture_output=True)


def test_another_process_folder_and_number_of_threads_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    sample(run, tmp_path / "one", "--out", "grid.png", OMP_NUM_THREADS="1", PYTHONHASHSEED="1")
    sample(run, tmp_path / "two", "--out", "grid.png", OMP_NUM_THREADS="2", PYTHONHASHSEED="2", TZ="Asia/Tokyo")
    Run(run).sample(device="cpu").save(tmp_path / "here.png")
    expected = (tmp_path / "here.png").read_bytes()
    assert (tmp_path / "one" / "grid.png").read_bytes() == expected
    assert (tmp_path / "two" / "grid.png").read_bytes() == expected


def test_a_model_that_was_moved_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    """The model's file alone, under another name, without the run."""
    lonely = tmp_path / "away" / "some.safetensors"
    lonely.parent.mkdir()
    lonely.write_bytes((run / "model" / "generator.safetensors").read_bytes())
    sample(lonely, tmp_path, "--seeds", "0-9", "--out", "grid.png")
    Run(run).sample(range(10), device="cpu").save(tmp_path / "here.png")
    assert (tmp_path / "grid.png").read_bytes() == (tmp_path / "here.png").read_bytes()


@pytest.mark.parametrize("raw", [False, True])
def test_seed_3_alone_and_among_64_is_one_file(run: Path, tmp_path: Path, raw: bool) -> None:
    images = Run(run).sample(range(64), raw=raw, device="cpu")
    images.save(tmp_path / "all")
    Run(run).sample([3], raw=raw, device="cpu").save(tmp_path / "alone")
    assert (tmp_path / "alone" / "3.png").read_bytes() == (tmp_path / "all" / "03.png").read_bytes()
    sheet = cells(np.asarray(images.sheet()), 8, 8)
    np.testing.assert_array_equal(sheet[3], pixels(tmp_path / "alone" / "3.png"))


def settings(out: Path, **more: Any) -> dict[str, Any]:
    return {**SMALL, "out": str(out), "images": 64, "samples_every": 64, **more}


@pytest.mark.parametrize(
    "augment", [{"name": "diffaugment", "policy": ["cutout"]}, {"name": "ada", "probability": 1.0}]
)
def test_no_hole_of_an_augmentation_leaks_into_samples(augment: dict[str, Any], tmp_path: Path) -> None:
    """Every image that the discriminator reads has a hole; the first sheet is that of a run without, and the last one
    shows what `sample` gives."""
    objective = {"name": "nonsaturating"}
    plain = gansmith.train(**settings(tmp_path / "plain", objective=objective))
    holes = gansmith.train(**settings(tmp_path / "holes", objective=objective, augment=augment))
    first, last = "000000000.png", "000000064.png"
    np.testing.assert_array_equal(pixels(holes.path / "samples" / first), pixels(plain.path / "samples" / first))
    assert (pixels(holes.path / "samples" / last) != pixels(plain.path / "samples" / last)).any()  # it has an effect
    expected = to_uint8(holes.sample(range(4), device="cpu").images)[..., 0]
    shown = cells(pixels(holes.path / "samples" / last), 8, 2)
    np.testing.assert_allclose(shown.astype(int), expected.astype(int), atol=1)  # a sheet is one batch


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of images of equal names."""
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir()
        for number in range(24):
            noise = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    ("game", "translator", "columns", "options"),
    [
        ("paired", {"name": "pix2pix", "width": 4}, 3, {}),
        ("paired", {"name": "pix2pix", "width": 4, "normalisation": "batch"}, 3, {}),
        ("cycle", {"name": "cyclegan", "width": 4, "blocks": 1}, 6, {}),
        (
            "multimodal",
            {"name": "munit", "width": 4},
            8,
            {"discriminator": {"name": "munit", "width": 4, "depth": 2, "scales": 1}},
        ),
    ],
)
def test_a_translation_is_the_one_of_the_training_sheet(
    game: str, translator: dict[str, Any], columns: int, options: dict[str, Any], pairs: Path, tmp_path: Path
) -> None:
    given = {"path": str(pairs / "a"), "other": str(pairs / "b"), "size": 16, "game": game, "objective": "lsgan"}
    given |= {"discriminator": {"name": translator["name"], "width": 4}, "prior": {"size": 4}, "batch": 4, "sheet": 6}
    role = "autoencoder" if game == "multimodal" else "translator"
    run = gansmith.train(
        **{**settings(tmp_path / "run"), **given, role: translator, **options, "fraction": 1.0, "holdout": 0.25}
    )
    sheet = cells(pixels(run.path / "samples" / "000000064.png"), 16, columns)
    originals = [pixels(path) for path in (pairs / "a").iterdir()]
    compared = 0
    for row in sheet.reshape(-1, columns, *sheet.shape[1:]):
        if any(np.array_equal(row[0], original) for original in originals):  # others are of b
            mine = run.translate(row[0], to="b", device="cpu")
            np.testing.assert_allclose(mine.astype(int), row[1].astype(int), atol=1)  # a sheet is one batch
            assert np.abs(mine.astype(int) - row[0]).mean() > 5
            compared += 1
    assert compared >= 2


def test_1001_samples_are_1001(run: Path, tmp_path: Path) -> None:
    """A number that no batch divides."""
    audit = judge.evaluate(
        run, samples=1001, repeats=1, metrics=("kid",), features="pixels", device="cpu", out=tmp_path
    )
    record = json.loads((tmp_path / "audit.json").read_text())
    assert audit.protocol.fake_count == 1001
    assert record["protocol"]["fake_count"] == 1001
    other = gansmith.train(**settings(tmp_path / "other", seed=1, fraction=1.0, holdout=0.2)).path
    comparison = compare([str(run), str(other)], samples=1001, metrics=(), device="cpu").record()
    assert comparison["protocol"]["fake_count"] == 1001
