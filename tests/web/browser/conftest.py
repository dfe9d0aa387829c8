"""Folders of runs and their pages, and browsers of a wide and a narrow screen.

A test file whose `PAGE` is "page" has a folder of two runs and two translators, with images offered, to itself; the
others share the page `explored`, whose run has directions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pages import Served, end_page, start_page
from shell_folder import let_in, page_of_shell

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs of `page` lie, and the images that it offers: FOLDER/runs, FOLDER/photos."""
    return tmp_path_factory.mktemp("shell")


@pytest.fixture(scope="module")
def page(runs: Path, folder: Path) -> Iterator[Served]:
    """The page of two runs and two translators, with images offered."""
    with page_of_shell(runs, folder) as served:
        yield served


@pytest.fixture(scope="module", params=[1200, 400])
def screen(request: pytest.FixtureRequest) -> Iterator[WebDriver]:
    """A browser of this width that has been let in to the page of the test file."""
    served = request.getfixturevalue(getattr(request.module, "PAGE", "explored"))
    with let_in(served, request.param) as driver:
        yield driver
