"""Runs on images of all sorts: parts, crops, classes, few images, odd names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import gansmith
from gansmith.errors import DataError, RunError
from gansmith.experiment.schema import Experiment
from gansmith.runs.folder import experiment_of, folder_of
from gansmith.runs.run import Run
from small import SMALL

TINY: dict[str, Any] = {
    **{name: SMALL[name] for name in ("generator", "discriminator", "prior", "averaging", "device")},
    **{"size": 8, "batch": 8, "images": 16, "sheet": 4, "samples_every": 1000, "checkpoint_every": 16, "holdout": 0},
}


def write(place: Path, *names: str | bytes, side: int = 12) -> Path:
    for number, name in enumerate(names):
        file = place / (os.fsdecode(name) if isinstance(name, bytes) else name)
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file)
    return place


def weights(run: Run) -> dict[str, torch.Tensor]:
    return {
        f"{player}.{name}": value
        for player in run.players
        for name, value in run.network(player)[0].state_dict().items()
    }


def test_a_run_with_crops_resumes_to_the_same_bits(tmp_path: Path) -> None:
    photos = write(tmp_path / "photos", *(f"{number}.png" for number in range(20)))
    whole = gansmith.train(photos, **{**TINY, "images": 48, "load_size": 12}, out=str(tmp_path / "whole"))
    parts = gansmith.train(photos, **{**TINY, "load_size": 12}, out=str(tmp_path / "parts"))
    parts = parts.resume(images=48)
    plain = gansmith.train(photos, **{**TINY, "images": 48}, out=str(tmp_path / "plain"))
    first, second, third = weights(whole), weights(parts), weights(plain)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], third[name]) for name in first)


def test_a_conditional_run_never_learns_the_split(tmp_path: Path) -> None:
    photos = write(
        tmp_path / "photos",
        *(f"{part}/{name}/{n}.png" for part in ("train", "test") for name in "ab" for n in range(8)),
    )
    networks = {role: {**TINY[role], "conditional": True} for role in ("generator", "discriminator")}
    run = gansmith.train(photos, **{**TINY, **networks}, out=str(tmp_path / "run"))
    assert run.network("generator")[1].classes == ("a", "b")


def test_a_run_begun_before_parts_were_told_from_classes_goes_on(tmp_path: Path) -> None:
    """Its settings say nothing of a split, and its images are those of all folders."""
    photos = write(tmp_path / "photos", *(f"{part}/{n}.png" for part in ("train", "test") for n in range(8)))
    whole = ["data.options.split=none"]
    run = gansmith.train(photos, **TINY, assignments=whole, out=str(tmp_path / "run"))
    experiment = experiment_of(run.path)
    before = experiment.model_copy(update={"data": experiment.data.model_copy(update={"options": {}})})
    (run.path / "experiment.yaml").write_text(Experiment.model_validate(before.plain()).to_yaml())
    with pytest.raises(RunError, match=r"other images.*--set data\.options\.split=none"):
        Run(run.path).resume(images=32)
    assert Run(run.path).resume(images=32, assignments=whole).checkpoint()["images"] == 32


def test_one_class_of_a_set(tmp_path: Path) -> None:
    pets = write(tmp_path / "pets", *(f"{name}/{n}.png" for name in ("cat", "frog") for n in range(8)))
    run = gansmith.train(pets, **TINY, classes="frog", out=str(tmp_path / "run"))
    assert run.experiment.data.classes == ("frog",)
    assert run.network("generator")[1].origin["data"] == "pets (frog)"
    assert "frog" in folder_of(run.experiment.model_copy(update={"out": None})).name


@pytest.mark.parametrize("count", [1, 65])
def test_numbers_of_images_that_leave_a_last_batch_of_one(tmp_path: Path, count: int) -> None:
    photos = write(tmp_path / "photos", *(f"{number}.png" for number in range(count)))
    run = gansmith.train(photos, **{**TINY, "images": 72}, out=str(tmp_path / "run"))
    assert run.checkpoint()["images"] == 72


def test_an_empty_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "photos" / "train").mkdir(parents=True)
    with pytest.raises(DataError, match="no images"):
        gansmith.train(tmp_path / "photos", **TINY, out=str(tmp_path / "run"))
    assert not (tmp_path / "run" / "experiment.yaml").exists()


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    """In class folders, in the set's own path, and in that of the run: stored, resumed and read."""
    place = write(
        tmp_path / os.fsdecode(b"p\xe9\x1b[31m\n"),
        *(b"cl\xff\x1b/%d.png" % n for n in range(8)),
        *(f"b/{n}.png" for n in range(8)),
    )
    networks = {role: {**TINY[role], "conditional": True} for role in ("generator", "discriminator")}
    out = tmp_path / os.fsdecode(b"r\xe9\n")
    run = gansmith.train(place, **{**TINY, **networks}, out=str(out))
    assert run.resume(images=32).checkpoint()["images"] == 32
    assert run.network("generator")[1].classes == ("b", os.fsdecode(b"cl\xff\x1b"))
    assert run.experiment.data.path == str(place)
    assert run.renderer().images([0], label=os.fsdecode(b"cl\xff\x1b"))
