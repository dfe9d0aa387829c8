"""What to expect: the entries that ship, which of them is shown, and what is written of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gansmith
from benchmarks import gallery as writing
from gansmith.runs import gallery as module
from gansmith.runs.defaults_table import defaults
from gansmith.runs.gallery import Entry, Likeness, entries, kind_of, nearest

ENTRY: dict[str, Any] = {
    **{"name": "signs", "set": "hand signs", "kind": "photographs", "images": 2_000, "size": 32, "channels": 3},
    **{"labelled": True, "minutes": 15, "recipe": "dcgan_small", "machine": "one core", "licence": "Apache-2.0"},
}


def entry(**changes: Any) -> Entry:
    return Entry.model_validate({**ENTRY, **changes})


# ---- contract over what ships


def test_all_that_ships_is_small_and_in_pairs() -> None:
    files = [path for path in module.FOLDER.iterdir() if path.suffix in (".jpg", ".json")]
    assert sum(path.stat().st_size for path in files) < 300_000
    assert {path.stem for path in files if path.suffix == ".jpg"} == {one.name for one in entries()}


@pytest.mark.parametrize("one", entries(), ids=lambda one: one.name)
def test_an_entry_is_free_true_and_can_be_read(one: Entry) -> None:
    assert one.licence in module.FREE
    assert "cifar" not in f"{one.name} {one.set}".lower()  # whose images may not be passed on
    assert one.recipe in defaults().recipes
    with Image.open(module.FOLDER / f"{one.name}.jpg") as strip:
        assert strip.format == "JPEG"
        assert strip.width <= 900
        assert strip.height <= 400


# ---- the nearest


@pytest.mark.parametrize(
    ("others", "near", "why"),
    [
        ([{"kind": "plain"}, {"size": 128, "minutes": 60}], {}, "kind before size and minutes"),
        ([{"channels": 1}, {"size": 64}], {}, "colour before size"),
        ([{"size": 64}], {"size": 28}, "size"),
        ([{"size": 128}], {"size": 64}, "size by factors"),
        ([{"minutes": 240}], {"minutes": 30}, "minutes by factors"),
        ([{"images": 100}], {"images": 30_000}, "number by factors"),
        ([{"recipe": "dcgan"}], {}, "recipe"),
        ([{"labelled": False}], {}, "labels"),
    ],
)
def test_the_nearest_entry(others: list[dict[str, Any]], near: dict[str, Any], why: str) -> None:
    mine = {name: ENTRY[name] for name in Likeness.model_fields}
    known = [entry(name=str(number), **other) for number, other in enumerate(others)]
    best = entry(name="best", **near)
    for order in ((*known, best), (best, *known)):
        assert nearest(Likeness.model_validate(mine), order) == best, why


def test_nothing_is_nearest_where_there_is_nothing() -> None:
    assert nearest(Likeness.model_validate({name: ENTRY[name] for name in Likeness.model_fields}), ()) is None


def test_kinds_of_images() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    drawing = np.full((4, 16, 16, 3), 255, np.uint8)
    drawing[:, 4:12, 4:12] = noise[:, 4:12, 4:12]
    assert (kind_of(noise), kind_of(drawing), kind_of(drawing[..., :1])) == ("photographs", "plain", "plain")


# ---- written and shown


def test_an_entry_is_written_from_a_run_and_shown_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small: dict[str, Any] = {"images": 32, "batch": 16, "device": "cpu", "sheet": 4, "fraction": 0.1}
    options = ["generator.width=4", "discriminator.width=4"]
    run = gansmith.train("digits", **small, assignments=options)
    said = capsys.readouterr().err
    assert ("what to expect" in said) == (run.path / "expect.png").exists() == bool(entries())
    one = writing.entry_of(run, "digits", words="digits", minutes=1.5, machine="a toy", licence="MIT")
    assert (one.size, one.channels, one.kind, one.labelled, one.recipe) == (32, 1, "plain", True, run.experiment.recipe)
    writing.write_entry(run, one, tmp_path / "gallery")
    assert entries(tmp_path / "gallery") == (one,)
    assert "name" not in json.loads((tmp_path / "gallery/digits.json").read_text())

    default = module.show_what_to_expect
    monkeypatch.setattr(
        "gansmith.runs.trainer.show_what_to_expect", lambda *a: default(*a, gallery=tmp_path / "gallery")
    )
    again = gansmith.train("digits", **small, assignments=options, out="again")
    said = capsys.readouterr().err
    for fact in ("again/expect.png", f"{one.images:,} digits", "32 px", "1.5 minutes", str(one.recipe), "a toy"):
        assert fact in said
    assert "other images" not in said  # they may be the very set
    with Image.open(again.path / "expect.png") as shown:
        assert shown.size == (8 * 68 + 4, 2 * 68 + 4)  # 32 px twice as large, 2 pixels round each
    gansmith.train("digits", **{**small, "images": 64}, assignments=options, out="again")
    assert "what to expect" not in capsys.readouterr().err  # of a run that goes on
    gansmith.train("digits", **small, recipe="dragan", assignments=options, out="named")
    assert "what to expect" not in capsys.readouterr().err
