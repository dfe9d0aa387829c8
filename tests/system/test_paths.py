"""Paths without links: what `Path.resolve` gives, and no error for links that go in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

import gansmith
from gansmith.system.paths import expanded, resolved


def test_links_are_followed_and_circles_stay(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "loop").symlink_to("loop")
    assert resolved(tmp_path / "link" / ".." / "link") == (tmp_path / "folder").resolve()
    assert resolved(tmp_path / "loop").name == "loop"
    assert resolved(tmp_path / ("a" * 300)).name == "a" * 300


def test_the_home_folder_is_written_out_and_that_of_nobody_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expanded("~/x") == Path("/home/me/x")
    assert expanded("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")


@pytest.mark.parametrize("call", [".resolve()", ".expanduser()"])
def test_no_path_is_brought_to_a_form_in_the_way_that_fails(call: str) -> None:
    sources = Path(gansmith.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if call in path.read_text(encoding="utf-8")] == []
