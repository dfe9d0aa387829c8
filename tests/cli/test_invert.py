"""gansmith invert."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import Result

from gansmith.cli.invert import invert
from gansmith.cli.sample import sample
from gansmith.cli.show import show
from gansmith.errors import DataError, OptionError, OutputError
from gansmith.latent.latent_file import load_latents
from gansmith.pretrained import lpips, vgg
from gansmith.pretrained.lpips import Lpips
from gansmith.records.png_text import read_text
from gansmith.runs.run import Run

Command = Callable[..., Result]
SMALL = ["--restarts", 2, "--steps", 60]


def pixels(path: Path | str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_an_own_sample_is_found_again(run_command: Command, models: Path) -> None:
    run_command(sample, models, "--seeds", "7", "--no-metadata", "--out", "each/")
    result = run_command(invert, models, "each/7.png", *SMALL, "--scale", 1)
    assert result.exit_code == 0, result.exception
    assert "cannot make" not in result.stdout
    stored = load_latents("inverted.safetensors")
    renderer = Run(models).renderer(device="cpu")
    assert stored.origin.model == renderer.digest
    made = renderer.images([stored.latents[0]])
    assert float((made.images - Run(models).sample([7], device="cpu").images).square().mean()) < 1e-3
    sheet = pixels("inverted.png")
    assert sheet.shape == (20, 2 + 3 * 18, 3)
    np.testing.assert_array_equal(sheet[2:18, 2:18], pixels("each/7.png"))
    np.testing.assert_array_equal(sheet[2:18, 20:36], np.asarray(made.sheet(scale=1))[2:18, 2:18])
    assert (sheet[2:18, 38:54] != sheet[2:18, 20:36]).any()
    for file in ("inverted.png", "inverted.safetensors"):
        run_command(sample, models, "--seeds", file, "--out", f"{file}.png", "--scale", 1)
        np.testing.assert_array_equal(pixels(f"{file}.png"), np.asarray(made.sheet(scale=1)))
    assert "inverted.png" in run_command(show, "inverted.png").stdout


def test_lpips_by_a_file_of_weights(
    run_command: Command, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A small network in the file: the latent found is nearer by its LPIPS than the best random sample's."""
    rng = np.random.default_rng(0)
    widths = ((3,), (4,))
    monkeypatch.setattr(vgg, "WIDTHS", widths)
    network = Lpips(widths)
    stored = {
        name: torch.from_numpy(rng.normal(size=tuple(p.shape)) ** 2).float() for name, p in network.named_parameters()
    }
    file = tmp_path / "vgg16.ckpt"
    file.write_bytes(b"weights")
    monkeypatch.setattr(lpips, "Lpips", lambda: Lpips(widths))
    monkeypatch.setattr(lpips.vgg, "torch_names", lambda arrays: stored)
    monkeypatch.setattr(lpips.pickled_arrays, "read", lambda content: {"is": content})
    monkeypatch.setattr(vgg, "WEIGHTS", replace(vgg.WEIGHTS, sha256=hashlib.sha256(b"weights").hexdigest()))
    run_command(sample, models, "--seeds", "7", "--no-metadata", "--out", "each/")
    result = run_command(invert, models, "each/7.png", *SMALL, "--loss", "lpips", "--weights", file)
    assert result.exit_code == 0, result.exception
    line = next(line for line in result.stdout.splitlines() if line.startswith("lpips from your image"))
    ours, best = map(float, re.findall(r"(?:image:|samples) ([\d.e-]+)", line))
    assert ours < 0.5 * best


def test_without_metadata_the_latent_does_not_travel(run_command: Command, models: Path) -> None:
    Image.fromarray(np.full((30, 40, 3), 200, np.uint8)).save("grey.png")
    result = run_command(invert, models, "grey.png", *SMALL, "--no-metadata", "--out", "mine.safetensors")
    assert result.exit_code == 0, result.exception
    assert read_text(Path("mine.png"), "gansmith") is None
    assert pixels("mine.png").shape[1] > pixels("mine.png").shape[0]


def test_what_it_cannot_make_is_said(run_command: Command, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that ends at its start, which is no better than the best of the samples that it is compared with."""
    from gansmith.latent import invert as module

    monkeypatch.setattr(module, "search", lambda total, u, own, **options: (u + 5, torch.zeros(len(u))))
    run_command(sample, models, "--seeds", "7", "--out", "each/")
    result = run_command(invert, models, "each/7.png", "--restarts", 1)
    assert result.exit_code == 0, result.exception
    assert "cannot make" in result.stdout


def test_an_image_farther_than_two_samples_are_apart_is_said(
    run_command: Command, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gansmith.latent.coordinates import Coordinates

    monkeypatch.setattr(Coordinates, "apart", lambda place, metric, seeds, label: 1e-9)
    run_command(sample, models, "--seeds", "7", "--out", "each/")
    result = run_command(invert, models, "each/7.png", *SMALL)
    assert result.exit_code == 0, result.exception
    assert "cannot make" in result.stdout
    assert "(1e-09)" in result.stdout


def test_features_of_the_discriminator(run_command: Command, models: Path) -> None:
    run_command(sample, models, "--seeds", "7", "--out", "each/")
    result = run_command(invert, models, "each/7.png", "--restarts", 1, "--steps", 20, "--loss", "features")
    assert result.exit_code == 0, result.exception
    assert result.stdout.startswith("features ")


def test_what_is_refused_leaves_nothing(
    run_command: Command, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    Image.new("RGB", (16, 16)).save("a.png")
    Path("text.png").write_text("no image")
    before = sorted(path.name for path in tmp_path.iterdir())
    cases: list[tuple[list[str], type[Exception], str]] = [
        (["none.png"], DataError, "none.png"),
        (["text.png"], DataError, "text.png"),
        (["a.png", "--loss", "lpips"], OptionError, "install vgg"),
        (["a.png", "--loss", "lpips"], OptionError, "--weights"),
        (["a.png", "--loss", "lpips", "--weights", "text.png"], OptionError, "vgg16.ckpt"),
        (["a.png", "--loss", "lpips", "--weights", "nowhere"], OptionError, "nowhere"),
        (["a.png", "--weights", "text.png"], OptionError, "--loss lpips"),
        (["a.png", "--out", "a.pt"], OptionError, ".safetensors"),
        (["a.png", "--out", "a.safetensors", "--force"], OutputError, "a.png"),
        (["a.png", "--label", "1"], OptionError, "classes"),
        (["a.png", "--space", "w"], OptionError, "stylegan2"),
    ]
    for arguments, error, fact in cases:
        result = run_command(invert, models, *arguments)
        assert isinstance(result.exception, error), (arguments, result.exception)
        assert fact in str(result.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
