"""Names with escape sequences, line breaks and bytes that are no UTF-8, in what commands print and write."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from small import MAIN

ODD = os.fsdecode(b"od\xe9\x1b[31m\nx")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Thirty images in two classes, one of which cannot be read."""
    rng = np.random.default_rng(0)
    for number in range(30):
        folder = tmp_path / ODD / (ODD if number % 2 else "plain")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return tmp_path / ODD


def printed(folder: Path, *arguments: object, status: int = 0) -> tuple[str, str]:
    """Standard output and error of the command, in a process whose streams are UTF-8, checked for what must not be."""
    environment = {**os.environ, "GANSMITH_CACHE": str(folder / "cache"), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", MAIN, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, cwd=folder, env=environment, check=False)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == status, err
    assert "Traceback" not in err
    assert "\x1b[31m" not in out + err
    assert re.search(r"od\\(xe9|udce9)\\x1b\[31m", out + err)  # the second is Python's repr
    return out, err


def test_data_commands(photos: Path, tmp_path: Path) -> None:
    (photos / ODD / f"{ODD}.png").write_bytes(b"")
    out, _ = printed(tmp_path, "data", "check", photos, status=1)
    assert r"od\xe9\x1b[31m\nx.png" in out
    record = json.loads(printed_json(tmp_path, photos))
    assert list(record["unreadable"]) == [f"{ODD}/{ODD}.png"]
    _, err = printed(tmp_path, "data", "stats", photos, "--skip-unreadable")
    assert "left out 1 image" in err
    _, err = printed(tmp_path, "data", "stats", photos, status=1)
    assert "--skip-unreadable" in err
    out, _ = printed(tmp_path, "data", "pack", photos, f"{ODD}.npy", "--skip-unreadable", "--size", 8)
    assert r"od\xe9\x1b[31m\nx.npy: 30 images" in out
    assert np.load(tmp_path / f"{ODD}.npy").shape == (30, 8, 8, 3)


def printed_json(folder: Path, photos: Path) -> bytes:
    environment = {**os.environ, "GANSMITH_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", MAIN, "data", "check", str(photos), "--json"]
    return subprocess.run(command, capture_output=True, cwd=folder, env=environment, check=False).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("data", "check", f"{ODD}/nothing"),
        ("train", "digits", "--objective", ODD),
        ("data", "check", "digits", "--classes", ODD),
        ("sample", f"{ODD}/nothing"),
    ],
)
def test_mistakes(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    _, err = printed(tmp_path, *arguments, status=1)
    assert len(err) < 3000


def test_training_and_sampling(photos: Path, tmp_path: Path) -> None:
    small = ["--size", "8", "--batch", "8", "--images", "16", "--set", "sheet=4"]
    small += ["--set", "generator.width=4", "--set", "discriminator.width=4"]
    printed(tmp_path, "train", photos, *small, "--dry-run")
    printed(tmp_path, "train", photos, *small, "--out", f"runs/{ODD}")
    printed(tmp_path, "sample", f"runs/{ODD}", "--seeds", "0-3", "--out", f"{ODD}.png")
    assert (tmp_path / f"{ODD}.png").is_file()
