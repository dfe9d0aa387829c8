"""Stars of a run: kept in order, once each, whole or not at all, and nothing is believed of a damaged file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gansmith.errors import OptionError, RunError
from gansmith.runs import stars
from gansmith.runs.stars import NAME, read_stars, set_star, sources_of, star_of


def test_stars_are_kept_in_order_and_once(tmp_path: Path) -> None:
    assert read_stars(tmp_path) == ()
    for star in (7, "cat-1", 3, 7):
        set_star(tmp_path, star, on=True)
    assert read_stars(tmp_path) == (7, "cat-1", 3)
    assert set_star(tmp_path, "cat-1", on=False) == (7, 3)
    assert set_star(tmp_path, 99, on=False) == (7, 3)
    assert json.loads((tmp_path / NAME).read_text()) == {"stars": [{"seed": 7}, {"seed": 3}]}
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


HOSTILE = [
    {"seed": -1},
    {"seed": True},
    {"seed": 2**53},
    {"seed": 1.0},
    {"seed": "1"},
    {"seed": 1, "latent": "a"},
    {"latent": "../a"},
    {"latent": "a/b"},
    {"latent": ""},
    {"latent": ".hidden"},
    {"latent": "a" * 81},
    {"latent": "a\n"},
    {"path": "/etc/passwd"},
    7,
    None,
    [],
]


@pytest.mark.parametrize("value", HOSTILE, ids=str)
def test_what_names_no_image_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="names no image"):
        star_of(value)
    (tmp_path / NAME).write_text(json.dumps({"stars": [{"seed": 1}, value]}))
    with pytest.raises(RunError, match=NAME):
        read_stars(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"stars": 7}', b"\xff\xfe", b"[" * 100_000, b'{"stars": [{"seed": 1']
)
def test_a_damaged_file_is_named_and_kept(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    for act in (lambda: read_stars(tmp_path), lambda: set_star(tmp_path, 1, on=True)):
        with pytest.raises(RunError, match=r"stars\.json is damaged.*remove it"):
            act()
    assert (tmp_path / NAME).read_bytes() == content


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / NAME).write_bytes(b" " * (2**21 + 1))
    with pytest.raises(RunError, match="bytes"):
        read_stars(tmp_path)
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(RunError, match="pipe"):
        read_stars(tmp_path)
    (tmp_path / NAME).unlink()
    monkeypatch.setattr(stars, "MOST", 2)
    for seed in (1, 2):
        set_star(tmp_path, seed, on=True)
    with pytest.raises(OptionError, match="at most 2 stars"):
        set_star(tmp_path, 3, on=True)
    assert read_stars(tmp_path) == (1, 2)


def test_as_sources_of_latents(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has a star"):
        sources_of(tmp_path)
    for star in (7, "cat-1"):
        set_star(tmp_path, star, on=True)
    assert sources_of(tmp_path) == ["7", str(tmp_path / "latents/cat-1.safetensors")]
