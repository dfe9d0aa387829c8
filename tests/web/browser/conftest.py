"""A folder of runs with directions, its page, and browsers of a wide and a narrow screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from driving import watch
from pages import Served, end_page, start_page

from browser import started
from small import MAIN

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver


@pytest.fixture(scope="session")
def explored(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page of a copy of `runs` whose run `toy` has principal directions."""
    folder = Path(shutil.copytree(runs, tmp_path_factory.mktemp("explored") / "runs"))
    words = [sys.executable, "-c", MAIN, "directions", str(folder / "toy"), "--method", "pca", "--count", "4"]
    done = subprocess.run(
        words, check=False, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    page = start_page(folder)
    yield page
    end_page(page)


@pytest.fixture(scope="module", params=[1200, 400])
def screen(request: pytest.FixtureRequest, explored: Served) -> Iterator[WebDriver]:
    """A browser of this width that has been let in."""
    with started(width=request.param, height=860) as driver:
        watch(driver)
        driver.get(f"{explored.url}/?token={explored.token}")
        yield driver
