"""A folder for the shell's views: two runs, two translators, images that may be trained on; and its page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from driving import watch
from pages import Served, end_page, start_page
from PIL import Image

from browser import started
from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.models import saved
from gansmith.models.saved import Card
from small import MAIN, OPTIONS

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver


def fill_folder(runs: Path, parent: Path) -> Path:
    """PARENT/runs with `toy`, `toy2` and the translators `cycle` and `styles`, and PARENT/photos with 40 images."""
    folder = Path(shutil.copytree(runs, parent / "runs"))
    words = [sys.executable, "-c", MAIN, "train", *OPTIONS, "--seed", "1", "--out", str(folder / "toy2"), "--no-ruler"]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    dimensions, players = Dimensions(3, 16, 16, 6), {}
    for to in ("to_a", "to_b"):
        card = Card(to, "translator", "cyclegan", {"width": 2, "blocks": 1}, dimensions, Prior(size=6))
        players[to] = (card, card.build().state_dict())
    saved.save(folder / "cycle", players)
    options = {"width": 4, "downsamplings": 1, "blocks": 1, "style_downsamplings": 1, "mlp_width": 8}
    cards = [Card(player, "autoencoder", "munit", options, Dimensions(3, 16, 16, 4), Prior(size=4)) for player in "ab"]
    saved.save(folder / "styles", {card.player: (card, card.build().state_dict()) for card in cards})
    photos = parent / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for number in range(40):
        low = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(low).resize((16, 16), Image.Resampling.BICUBIC).save(photos / f"{number:02}.png")
    return folder


@contextmanager
def page_of_shell(runs: Path, parent: Path, *options: str) -> Iterator[Served]:
    """The page of such a folder, with its images offered unless `options` are given."""
    folder = fill_folder(runs, parent)
    page = start_page(folder, *(options or ("--images", str(parent / "photos"))))
    try:
        yield page
    finally:
        end_page(page)


@contextmanager
def let_in(page: Served, width: int = 1200) -> Iterator[WebDriver]:
    """A browser of this width that has been let in."""
    with started(width=width, height=860) as driver:
        watch(driver)
        driver.get(f"{page.url}/?token={page.token}")
        yield driver
