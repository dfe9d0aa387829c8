"""A folder of runs and its page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pages import TOKEN, Served, client_of, end_page, start_page

from forked import fork
from gansmith.web.settings import Settings
from small import OPTIONS


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trained run of 8 px digits, `toy`. Tests that write take `own_runs`."""
    folder = tmp_path_factory.mktemp("page") / "runs"
    with fork("train", *OPTIONS, "--out", folder / "toy", "--no-ruler") as process:
        _, said = process.communicate()
    assert process.returncode == 0, said
    return folder


@pytest.fixture(scope="session")
def served(runs: Path) -> Iterator[Served]:
    """The true server on `runs`: `served.url`, `served.token`, `served.client()`."""
    page = start_page(runs)
    yield page
    end_page(page)


@pytest.fixture
def own_runs(runs: Path, tmp_path: Path) -> Path:
    """A copy of `runs` that a test may write to."""
    return Path(shutil.copytree(runs, tmp_path / "runs"))


@pytest.fixture(scope="module")
def client(runs: Path) -> Iterator[httpx.Client]:
    """A client of the page, which a thread of this process serves, on `runs`: one for all tests of a file."""
    with client_of(Settings(runs, token=TOKEN)) as opened:
        yield opened


@pytest.fixture
def own_client(own_runs: Path) -> Iterator[httpx.Client]:
    """The same on a copy that may be written to."""
    with client_of(Settings(own_runs, token=TOKEN)) as opened:
        yield opened
