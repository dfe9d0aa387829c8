"""Paths without links: what `Path.resolve` gives, and no error for links that go in a circle."""

from __future__ import annotations

from pathlib import Path

import gansmith
from gansmith.system.paths import resolved


def test_links_are_followed_and_circles_stay(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "loop").symlink_to("loop")
    assert resolved(tmp_path / "link" / ".." / "link") == (tmp_path / "folder").resolve()
    assert resolved(tmp_path / "loop").name == "loop"
    assert resolved(tmp_path / ("a" * 300)).name == "a" * 300


def test_nothing_resolves_paths_in_the_way_that_fails() -> None:
    sources = Path(gansmith.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if ".resolve()" in path.read_text(encoding="utf-8")] == []
