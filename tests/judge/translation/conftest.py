"""Pictures of two domains, and runs on them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.evaluation.features import vgg
from gansmith.evaluation.types import Extractor
from gansmith.system.seeding import seeded
from held_pairs import (
    HELD,
    OWN,
    SIZE,
    THINGS,
    VARIANTS,
    make_run,
)


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three variants of each of some things, in two domains of different colours; b has some pictures of its own."""
    folder = tmp_path_factory.mktemp("domains")
    rng = np.random.default_rng(0)
    for letter in "ab":
        (folder / letter).mkdir()
    for thing in range(10, 10 + THINGS):
        bright = rng.integers(0, 120)
        for variant in range(VARIANTS):
            pixels = bright + rng.integers(0, 60, (SIZE, SIZE, 3))
            other = 0.5 * pixels + rng.integers(0, 30, (SIZE, SIZE, 3)) + np.array([10, 60, 110])
            for letter, drawn in (("a", pixels), ("b", other)):
                Image.fromarray(drawn.astype(np.uint8)).save(folder / letter / f"{thing:02}_{variant}.png")
    for name in OWN:
        Image.fromarray(rng.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)).save(folder / "b" / name)
    return folder


@pytest.fixture
def given(domains: Path) -> dict[str, Any]:
    """Settings of the data; the pairs are independent of each other."""
    shape = {"size": (SIZE, SIZE), "channels": 3}
    return {"path": str(domains / "a"), "other": str(domains / "b"), "holdout": HELD, "holdout_by": "file", **shape}


@pytest.fixture
def toy_lpips(monkeypatch: pytest.MonkeyPatch) -> Extractor:
    """A small LPIPS of random weights, as if its file lay in its place."""
    with seeded("vgg"), torch.no_grad():
        network = vgg.Lpips(((4, 5), (6,), (7, 3), (5,), (6,)))
        for head in network.heads:
            head.uniform_(0, 2)
    extractor = vgg.wrap(network, "0" * 64, device="cpu", size=None)

    def build(*, weights: str | None = None, device: str = "auto", size: int | None = 64) -> Extractor:
        assert (device, size) == ("cpu", None)
        return extractor

    monkeypatch.setattr(vgg, "build", build)
    return extractor


@pytest.fixture
def two(given: dict[str, Any], tmp_path: Path) -> tuple[Path, Path]:
    """A run of cycles, and one of pairs on the same split."""
    given |= {"holdout_by": r"name:^(\w\w)_"}
    one, other = tmp_path / "cycle", tmp_path / "paired"
    for letter in "ab":
        shutil.copytree(given[{"a": "path", "b": "other"}[letter]], tmp_path / letter)
    for name in OWN:
        (tmp_path / "b" / name).unlink()
    given |= {"path": str(tmp_path / "a"), "other": str(tmp_path / "b")}
    return make_run(one, **given), make_run(other, game="paired", seed=1, **given)
