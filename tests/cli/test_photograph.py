"""README's three commands: a photograph is found in the latent space, edited along a named direction and filmed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith import zoo
from gansmith.latent.directions.direction import Direction, Directions
from gansmith.latent.directions.direction_file import save_directions
from gansmith.latent.sources import read_sources
from gansmith.runs.folder import directions_file
from gansmith.runs.run import Run
from small import MAIN

README = (Path(__file__).parents[2] / "README.md").read_text()


def commands() -> list[list[str]]:
    """The words of the block below the heading."""
    section = README[README.index("## A photograph of one's own") :]
    block = re.search(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert block is not None
    return [shlex.split(line) for line in block[1].splitlines()]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(float)


@pytest.mark.prove
def test_a_photograph_is_found_edited_and_filmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = Path(shutil.copytree(zoo.folder("hand_signs") or "", tmp_path / "runs" / "hands"))
    renderer = Run(run).renderer(device="cpu")
    renderer.images([77]).write(tmp_path / "photo.jpg", scale=1, padding=0)
    way = torch.zeros(renderer.latents([0]).shape[1])
    way[0] = 1
    save_directions(directions_file(run), Directions((Direction(way, "open"),), "w", renderer.origin))
    lines = commands()
    assert [words[:2] for words in lines] == [["gansmith", name] for name in ("invert", "edit", "interpolate")]
    for words in lines:
        line = [sys.executable, "-c", MAIN, *words[1:], "--device", "cpu"]
        done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=300, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    photo, opened = pixels(tmp_path / "photo.jpg"), pixels(tmp_path / "open.png")
    scale = len(opened) // len(photo)
    with Image.open(tmp_path / "film.webp") as film:
        assert getattr(film, "n_frames", 1) == 32
        first = np.asarray(film.convert("RGB")).astype(float)
        film.seek(16)
        middle = np.asarray(film.convert("RGB")).astype(float)
    large = photo.repeat(scale, axis=0).repeat(scale, axis=1)
    assert np.abs(first - large).mean() < 8  # of 255: the photograph is one of its own samples, as JPEG
    assert np.abs(middle - opened).mean() < 4
    assert np.abs(opened - large).mean() > np.abs(first - large).mean()
    latents = [renderer.latents(read_sources(name).seeds(renderer))[0] for name in ("mine.safetensors", "open.png")]
    torch.testing.assert_close(latents[1] - latents[0], 2 * way, atol=1e-4, rtol=0)
