"""Names with escape sequences, line breaks and bytes that are no UTF-8, in what commands print and write."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from forked import fork

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
    out, err, ended = _run(folder, *arguments)
    assert ended == status, err
    assert "Traceback" not in err
    assert "\x1b[31m" not in out + err
    assert re.search(r"od\\(xe9|udce9)\\x1b\[31m", out + err)  # the second is Python's repr
    return out, err


def test_data_commands(photos: Path, tmp_path: Path) -> None:
    (photos / ODD / f"{ODD}.png").write_bytes(b"")
    out, _ = printed(tmp_path, "data", "check", photos, status=1)
    assert r"od\xe9\x1b[31m\nx.png" in out
    record = json.loads(_run(tmp_path, "data", "check", photos, "--json")[0])
    assert list(record["unreadable"]) == [f"{ODD}/{ODD}.png"]
    _, err = printed(tmp_path, "data", "stats", photos, "--skip-unreadable")
    assert "left out 1 image" in err
    _, err = printed(tmp_path, "data", "stats", photos, status=1)
    assert "--skip-unreadable" in err
    out, _ = printed(tmp_path, "data", "pack", photos, f"{ODD}.npy", "--skip-unreadable", "--size", 8)
    assert r"od\xe9\x1b[31m\nx.npy: 30 images" in out
    assert np.load(tmp_path / f"{ODD}.npy").shape == (30, 8, 8, 3)


def _run(folder: Path, *arguments: object) -> tuple[str, str, int | None]:
    before = f"import os, sys; os.chdir({str(folder)!r}); os.environ['GANSMITH_CACHE'] = {str(folder / 'cache')!r}\n"
    before += "sys.stdout, sys.stderr = (open(number, 'w', encoding='utf-8', closefd=False) for number in (1, 2))"
    with fork(*arguments, before=before) as process:
        out, err = process.communicate()
    return out, err, process.returncode


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
