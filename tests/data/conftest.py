"""A folder of images, and a cache for one test alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from written_files import NAMES, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images in folders of classes, and files that are none."""
    root = tmp_path / "pets"
    write(root, NAMES)
    return root


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
