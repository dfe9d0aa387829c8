"""`gansmith data` as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from gansmith.cli.data import app
from gansmith.errors import OptionError

RUN = CliRunner()


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "photos"
    place.mkdir()
    rng = np.random.default_rng(0)
    for index in range(30):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(place / f"{index}.png")
    return place


def _run(*arguments: object, expect: int = 0) -> str:
    done = RUN.invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == expect, done.output
    return done.stdout


def test_check(folder: Path) -> None:
    text = _run("check", folder)
    assert "images      30\n" in text
    assert "train at    20x24, RGB\n" in text
    found = json.loads(_run("check", folder, "--json"))
    assert found["count"] == 30
    assert found["recommended_size"] == [20, 24]
    assert found["failure"] is None


def test_check_fails_when_training_would(folder: Path) -> None:
    (folder / "9.png").write_bytes(b"x")
    assert "verdict     training would stop: 1 image of 30 " in _run("check", folder, expect=1)
    assert json.loads(_run("check", folder, "--json", expect=1))["unreadable"].keys() == {"9.png"}
    assert "ready to train on" in _run("check", folder, "--skip-unreadable")


def test_format_options() -> None:
    assert "points      300\n" in _run("check", "ring", "--set", "count=300")
    assert "points      300\n" in _run("check", "ring", "--set", "data.options.count=300")  # as notes of data say it
    with pytest.raises(OptionError, match="--set takes KEY=VALUE, not 'count'"):
        _run("check", "ring", "--set", "count")
    with pytest.raises(OptionError, match="has no option 'cuont'"):
        _run("check", "ring", "--set", "cuont=3")


def test_stats(folder: Path) -> None:
    pixels = np.stack([np.asarray(Image.open(folder / f"{index}.png")) for index in range(30)]) / 255
    lines = _run("stats", folder).splitlines()
    assert lines[0] == "30 images, 14,400 pixels, 3 channel(s)"
    for line, expected in zip(
        lines[1:],
        (
            pixels.mean((0, 1, 2)),
            pixels.std((0, 1, 2)),
            pixels.mean((0, 1, 2)) * 2 - 1,
            pixels.std((0, 1, 2)) * 2,
        ),
        strict=True,
    ):
        np.testing.assert_allclose([float(word) for word in line.split()[-3:]], expected, atol=6e-6)
    assert "30 images, 1,920 pixels, 1 channel(s)" in _run("stats", folder, "--size", "8", "--channels", "1")


def test_stats_of_cifar_copies(test_data: Path) -> None:
    """The known figures of CIFAR-10's training pixels, within what these JPEG copies of its test images change."""
    lines = _run("stats", test_data / "cifar10_test_jpg.zip").splitlines()
    mean, deviation = ([float(word) for word in line.split()[-3:]] for line in lines[1:3])
    np.testing.assert_allclose(mean, (0.4914, 0.48216, 0.44653), atol=0.006)
    np.testing.assert_allclose(deviation, (0.24703, 0.24349, 0.26159), atol=0.004)


def test_pack(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.npy"
    assert _run("pack", folder, out, "--size", "16x12", "--fit", "stretch", "--fraction", "0.5") == (
        f"{out}: 15 images of 16x12, 3 channel(s)\n"
    )
    assert np.load(out).shape == (15, 16, 12, 3)
    with pytest.raises(OptionError, match="--force"):
        _run("pack", folder, out)
    _run("pack", folder, out, "--force", "--channels", "1")
    assert np.load(out).shape == (30, 20, 24, 1)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--size", "big", r"--size 'big': .*a size is a number of pixels \(64\) or height x width \(48x64\)"),
        ("--channels", "2", r"--channels 2: it takes 1, 3, 4 or null"),
        ("--fit", "squeeze", r"--fit 'squeeze': it takes crop, pad or stretch"),
        ("--fraction", "2", r"--fraction 2\.0: it takes a number above 0, up to 1"),
    ],
)
def test_wrong_values(folder: Path, tmp_path: Path, option: str, value: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        _run("pack", folder, tmp_path / "out.npy", option, value)


def test_importing_the_commands_is_cheap() -> None:
    code = "import sys, gansmith.cli.data; print([m for m in ('torch', 'numpy', 'PIL', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
