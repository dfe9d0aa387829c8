"""`gansmith data check` on two domains."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from gansmith.cli.data import app
from gansmith.errors import DataError


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))


def check(*arguments: object, expect: int = 0) -> str:
    done = CliRunner().invoke(app, ["check", *(str(argument) for argument in arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == expect, done.output
    return done.stdout


def write(place: Path, names: list[str], width: int = 24) -> Path:
    rng = np.random.default_rng(len(place.name))
    place.mkdir(parents=True)
    for name in names:
        Image.fromarray(rng.integers(0, 256, (20, width, 3), dtype=np.uint8)).save(place / name)
    return place


def test_two_places(tmp_path: Path) -> None:
    a, b = write(tmp_path / "one", ["1.png", "2.png", "3.png"]), write(tmp_path / "three", ["1.png", "2.png"])
    parts = check(a, "--other", b).split("\n\n")
    assert [part.splitlines()[0] for part in parts] == ["domain      a", "domain      b", "together    one | three"]
    assert "images      3" in parts[0].splitlines()
    assert "images      2" in parts[1].splitlines()
    assert "names       2 in both, held out on both sides at once" in parts[2].splitlines()
    assert parts[2].strip().endswith("verdict     ready to translate")
    found = json.loads(check(a, "--other", b, "--paired", "--json"))
    assert list(found) == ["a", "b", "together"]
    assert (found["a"]["count"], found["b"]["count"], found["together"]["pairs"]) == (3, 2, 2)
    (note,) = found["together"]["notes"]
    assert "1 of one (3.png)" in note


def test_a_folder_that_holds_both(tmp_path: Path) -> None:
    write(tmp_path / "set" / "trainA", ["1.png", "2.png"])
    write(tmp_path / "set" / "trainB", ["x.png"])
    write(tmp_path / "set" / "testA", ["y.png"])
    text = check(tmp_path / "set")
    assert text.count("\nverdict     ready to train on\n") == 2
    rows = ("names       0 in both", "hold-out    0 % of each", "train at    20x24, 3 channel(s)")
    assert "\n".join((*rows, f"note        left out of {tmp_path / 'set'}: testA")) in text
    (tmp_path / "set" / "trainB" / "bad.png").write_bytes(b"")
    assert "training would stop: 1 image of 2 " in check(tmp_path / "set", expect=1)
    assert check(tmp_path / "set", "--skip-unreadable").endswith("ready to translate\n")


def test_pairs_side_by_side(tmp_path: Path) -> None:
    place = write(tmp_path / "maps", ["1.png", "2.png"], width=40)
    text = check(place, "--paired")
    assert text.startswith("domain      pairs\nname        maps\nimages      2\n")
    assert "train at    20x20, 3 channel(s)\n" in text
    assert check(place, "--paired", "--format", "paired", "--set", "order=ba").endswith("ready to translate\n")
    assert "images      2\n" in check(place)
    assert "together" not in check(place)


def test_what_does_not_go_together(tmp_path: Path) -> None:
    a, b = write(tmp_path / "one", ["1.png"]), write(tmp_path / "three", ["x.png"])
    assert "verdict     training would stop: no image of one has a partner" in check(
        a, "--other", b, "--paired", expect=1
    )
    with pytest.raises(DataError, match="one holds one set of images"):
        check(a, "--paired")
