"""Runs that several tests continue."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import gansmith
from small import SMALL


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 320 images. To be copied, not changed."""
    return gansmith.train(**SMALL, out=str(tmp_path_factory.mktemp("runs") / "run")).path


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    return gansmith.train(**{**SMALL, "game": "toys.spoiled"}, trust=True, out=str(out)).path
