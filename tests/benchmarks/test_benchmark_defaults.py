"""Cells of the defaults: candidates in words, one whole cell, going on with what is missing, the tables."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.defaults import __main__ as command
from benchmarks.defaults import cell
from benchmarks.defaults.candidates import CANDIDATES, merged, settings_of
from benchmarks.defaults.cell import Key, measure, name_of
from benchmarks.defaults.sets import SETS, Set
from benchmarks.defaults.tables import tables

from gansmith import catalog
from gansmith.evaluation.types import Extractor, Outputs

NOWHERE = Path("nowhere")
SMALL = "dcgan_small generator.width=4 discriminator.width=4 batch=8"


def key(**changed: Any) -> Key:
    return Key(**{"set": "digits", "count": 300, "size": 16, "candidate": SMALL, "seed": 0, "seconds": 0.1, **changed})


def colours(images: torch.Tensor) -> Outputs:
    """Means of 4 x 4 blocks: features that know a layout."""
    return Outputs(torch.nn.functional.adaptive_avg_pool2d(images.float(), 4).flatten(1) / 255, None)


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_names_a_recipe(name: str) -> None:
    assert settings_of(name, 100)[0] in catalog.names("recipes")


def test_shares_of_the_training_become_images() -> None:
    words = "dcgan_small optimizer.generator.lr={start: 1e-3, hold: 50%, decay: 25%} batch=32"
    recipe, settings = settings_of(words, 2_000)
    assert recipe == "dcgan_small"
    rate = settings["optimizer"]["generator"]["lr"]
    assert (float(rate["start"]), rate["hold"], rate["decay"]) == (1e-3, 1_000, 500)
    assert settings["batch"] == 32


def test_settings_behind_a_name_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CANDIDATES, "wide", "dcgan generator.width=8 generator.upsample=resize")  # type: ignore[arg-type]  # a dict
    assert settings_of("wide generator.width=9", 1)[1]["generator"] == {"width": 9, "upsample": "resize"}
    assert merged({"a": {"b": 1}, "c": 2}, {"a": {"d": 3}, "c": 4}) == {"a": {"b": 1, "d": 3}, "c": 4}


def test_a_part_of_a_set_and_its_size() -> None:
    settings = Set("file.zip", 200, flip=True, classes=("horse",)).settings(Path("data"), 50, 64)
    assert (settings["path"], settings["fraction"], settings["size"]) == ("data/file.zip", 0.25, 64)
    assert settings["flip"]
    assert SETS["digits"].settings(NOWHERE, 1_797, 32)["path"] == "digits"


def test_file_names_tell_cells_apart() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"seed": 1},
        {"size": 32},
        {"count": 9},
        {"seconds": 9},
        {"candidate": "dcgan"},
    ]
    names = {name_of(key(**change)) for change in changes}
    assert len(names) == len(changes)
    assert all(re.fullmatch(r"[\w.=-]+", name) for name in names)


def test_a_whole_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cell, "SAMPLES", 64)
    monkeypatch.setattr(cell, "_WARM", 1)
    monkeypatch.setattr(cell, "_TIMED", 1)
    extractor = Extractor("colours", "1", "means of blocks", colours)
    line = measure(key(precision="float32"), NOWHERE, tmp_path / "sheets", extractor)
    assert line["images"] >= 8
    low, high = line["interval"]
    assert low <= line["ruler"] <= high
    assert line["ruler"] > 0.2  # next to nothing was trained
    assert [path.name for path in (tmp_path / "sheets").iterdir()] == [f"{name_of(key())}.png"]


def test_a_list_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    cells, figures = tmp_path / "cells.txt", tmp_path / "cells.jsonl"
    cells.write_text(f"# a comment\n\ndigits 300 16 0.1 0,1 {SMALL}\n", encoding="utf-8")
    first = Key("digits", 300, 16, SMALL, 0, 0.1)
    assert command._next(cells, figures) == first
    figures.write_text(json.dumps({**asdict(first), "ruler": 1.0}) + "\n", encoding="utf-8")
    assert command._next(cells, figures) == Key("digits", 300, 16, SMALL, 1, 0.1)
    with figures.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(Key("digits", 300, 16, SMALL, 1, 0.1))) + "\n")
    assert command._next(cells, figures) is None


def test_the_table_has_the_median_and_the_span() -> None:
    lines = [
        {**asdict(key(candidate=name, seed=seed)), "images": 1_000, "ruler": place, "layout": 0.5}
        for name, places in {"far": [2.0, None, 3.0], "near": [0.1, 0.3, 0.2]}.items()
        for seed, place in enumerate(places)
    ]
    text = tables(lines)
    assert text.index("`near`") < text.index("`far`")
    assert "| `near` | 0.20 (0.10 to 0.30) | 3 | 1k | 0.50 |" in text
    assert "3.00 (2.00 to inf)" in text


def test_the_table_says_equal_rates_once(tmp_path: Path) -> None:
    rates = "resize averaging.half_life=20k optimizer.generator.lr={start: 4e-3, decay: 9} optimizer.discriminator.lr="
    words = [f"{rates}{rate} augment=ada" for rate in ("{start: 4e-3, decay: 9}", "1e-3")]
    lines = [{**asdict(key(candidate=each)), "images": 1, "ruler": 1.0} for each in words]
    file, page = tmp_path / "cells.jsonl", tmp_path / "page.md"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    page.write_text(f"before\n{command.BEGIN}\n{command.END}\nafter\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["defaults", "--file", str(file), "--write", str(page)])
        command.main()
    text = page.read_text(encoding="utf-8")
    assert "`resize half_life=20k lr={start: 4e-3, decay: 9} augment=ada`" in text
    assert "generator.lr={start: 4e-3, decay: 9} discriminator.lr=1e-3 augment=ada`" in text
    assert text.startswith("before")


def test_a_refused_experiment_is_a_line_that_says_why(tmp_path: Path) -> None:
    line = measure(
        key(candidate=f"{SMALL} penalties.r1.weight=1"),
        NOWHERE,
        tmp_path,
        Extractor("colours", "1", "means of blocks", colours),
    )
    assert (line["images"], line["ruler"]) == (0, None)
    assert "normalisation" in line["why"]
