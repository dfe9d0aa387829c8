"""Folders of translators and images for the tests of gansmith translate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from typer.testing import Result

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.system.seeding import seeded

Command = Callable[..., Result]


RNG = np.random.default_rng(0)


def save(folder: Path, role: str, model: str, players: str, options: dict[str, Any], channels: int = 3) -> Path:
    dimensions = Dimensions(channels, 16, 16, 4)
    files = {}
    for player in players.split():
        card = Card(player, role, model, {"width": 2, **options}, dimensions, Prior(size=4))
        with seeded("test", player):
            files[player] = (card, card.build().state_dict())
    saved.save(folder, files)
    return folder


def picture(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def write(path: Path, pixels: np.ndarray | None = None) -> np.ndarray:
    pixels = picture(18, 21, 3) if pixels is None else pixels
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.squeeze()).save(path)
    return pixels


def read(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened)


def done(result: Result) -> str:
    assert result.exit_code == 0, result.exception
    return result.stdout
