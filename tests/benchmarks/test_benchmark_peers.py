"""The peers beside gansmith's default: which cells, going on, what a line holds, the table, what is said of a peer that
is not installed. None of the peers' packages is needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.defaults import cell as defaults
from benchmarks.defaults.candidates import settings_of
from benchmarks.defaults.cell import Key
from benchmarks.peers import __main__ as command
from benchmarks.peers import apart, cell, registry
from benchmarks.peers.apart import Done
from benchmarks.peers.registry import OURS, PEERS, Peer
from benchmarks.peers.table import markdown

from benchmarks import report
from gansmith import catalog
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.runs.default_recipe import DefaultRecipe

NOWHERE = Path("nowhere")
REPORT = {
    "steps": 7,
    "drawn": 448,
    "cpu_seconds": 1.26,
    "sampling_seconds": 0.128,
    "parameters": {"generator": 5},
    "why": None,
}


def key(**changed: Any) -> Key:
    values = {"set": "digits", "count": 600, "size": 16, "candidate": "dcgan_example", "seed": 0, "seconds": 0.1}
    return Key(**{**values, "precision": "float32", **changed})


def chosen(*words: str) -> Any:
    return command._arguments().parse_args(list(words))


def colours(images: torch.Tensor) -> Outputs:
    return Outputs(torch.nn.functional.adaptive_avg_pool2d(images.float(), 4).flatten(1) / 255, None)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cell.Place:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(defaults, "_REALS", {})
    extractor = Extractor("colours", "1", "means of blocks", colours)
    return cell.Place(NOWHERE, tmp_path / "sheets", Path(sys.executable), extractor, samples=64)


def test_every_peer_has_a_program() -> None:
    programs = {path.stem for path in (Path(apart.__file__).parent / "authors").glob("*.py")}
    assert {peer.module for peer in PEERS.values()} <= programs
    assert OURS not in PEERS


def test_cells_come_seed_by_seed_and_once() -> None:
    words = ["--sets", "digits:300,signs", "--seeds", "4,2", "--peers", f"{OURS},dcgan_example"]
    cells = command.keys(chosen(*words, "--numbers", "own,float32,bfloat16", "--seconds", "60"))
    assert len(cells) == len(set(cells)) == 2 * 2 * (2 + 2)
    assert [each.seed for each in cells] == sorted((each.seed for each in cells), reverse=True)
    assert {each.count for each in cells if each.set == "signs"} == {2_059}
    assert {each.count for each in cells if each.set == "digits"} == {300}
    own = command.keys(chosen(*words))
    assert {(each.candidate, each.precision) for each in own} == {(OURS, "bfloat16"), ("dcgan_example", "float32")}


@pytest.mark.parametrize("option", ["--peers", "--sets", "--numbers"])
def test_a_name_that_is_not_known(option: str) -> None:
    with pytest.raises(SystemExit, match=r"nothing.*Known: \w+"):
        command.keys(chosen(option, "nothing"))


def test_a_series_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    wanted = [key(seed=seed) for seed in range(3)]
    assert command.missing(wanted, file) == wanted
    lines = [json.dumps({**asdict(each), "ruler": 1.0}) for each in (wanted[1], key(precision="bfloat16"))]
    file.write_text("\n".join(lines) + "\n" + '{"set": "dig', encoding="utf-8")
    assert command.missing(wanted, file) == [wanted[0], wanted[2]]
    file.write_text("torn\n" + "\n".join(lines), encoding="utf-8")
    with pytest.raises(json.JSONDecodeError):
        command.known(file)


def test_a_series_is_written_line_by_line_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []

    def measure(key: Key, place: cell.Place) -> dict[str, Any]:
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(key.candidate)
        return {"images": 64, "ruler": 0.5}

    monkeypatch.setattr(command, "measure", measure)
    monkeypatch.setattr(command, "extractor_of", lambda *_: "judge")
    file = tmp_path / "cells.jsonl"
    words = ["--data", "d", "--weights", "w", "--sets", "digits", "--file", str(file)]
    monkeypatch.setattr(sys, "argv", ["peers", *words, "--peers", f"{OURS},dcgan_example", "--seeds", "0,1"])
    with pytest.raises(KeyboardInterrupt):
        command.main()
    assert measured == [OURS, "dcgan_example"]
    lines = command.known(file)
    assert [(line["candidate"], line["precision"]) for line in lines] == [
        (OURS, "bfloat16"),
        ("dcgan_example", "float32"),
    ]
    assert {line["versions"]["torch"] for line in lines} == {torch.__version__}
    measured.clear()
    command.main()  # the two that are missing, and no more
    assert [line["seed"] for line in command.known(file)] == [0, 0, 1, 1]


def test_a_line_holds_what_the_table_needs(place: cell.Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def run(python: Path, module: str, images: Any, **task: Any) -> Done:
        asked.update(task, python=python, module=module, images=images)
        return Done(np.random.default_rng(0).integers(0, 256, (64, 16, 16, 1), dtype=np.uint8), REPORT)

    monkeypatch.setattr(apart, "run", run)
    line = cell.measure(key(seed=3), place)
    assert (line["images"], line["steps"], line["cpu_seconds"], line["sampling_ms"]) == (448, 7, 1.3, 2.0)
    assert line["interval"][0] <= line["ruler"] <= line["interval"][1]
    assert line["ruler"] > 0.5  # noise
    assert (asked["module"], asked["seed"], asked["seconds"], asked["samples"]) == ("dcgan", 3, 0.1, 64)
    images = cell.prepared(key(), NOWHERE)
    assert images.holdout is not None
    np.testing.assert_array_equal(asked["images"], images.train[:].image)  # none of those held out
    assert len(asked["images"]) + len(images.holdout) == images.count
    assert len(list(place.sheets.glob("*float32.png"))) == 1
    json.dumps(line)


@pytest.mark.parametrize(
    ("report", "why"),
    [({**REPORT, "why": "a NaN"}, "a NaN"), ({"why": "the program failed: no module"}, "no module")],
)
def test_a_training_without_samples_says_why(
    place: cell.Place, monkeypatch: pytest.MonkeyPatch, report: dict[str, Any], why: str
) -> None:
    monkeypatch.setattr(apart, "run", lambda *_, **__: Done(None, report))
    line = cell.measure(key(), place)
    assert line["ruler"] is None
    assert why in line["why"]
    assert "| PyTorch's DCGAN example | float32 | inf | 1 |" in markdown([{**asdict(key()), **line}])


def test_ours_is_the_default_recipe_measured_as_the_defaults_are(
    place: cell.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[Key] = []

    def measure(key: Key, *_: Any) -> dict[str, Any]:
        measured.append(key)
        return {"images": 1, "ruler": 0.5}

    monkeypatch.setattr(defaults, "measure", measure)
    line = cell.measure(key(candidate=OURS, precision="bfloat16"), place)
    assert measured[0].candidate == line["recipe"]
    assert line["recipe"].partition(" ")[0] in catalog.names("recipes")
    assert (measured[0].precision, line["ruler"]) == ("bfloat16", 0.5)
    assert not {"images", "precision", "data.size"} & {word.partition("=")[0] for word in line["recipe"].split(" ")}
    assert line["sampling_ms"] > 0
    assert line["parameters"]["generator"] > 1000


def test_settings_of_the_default_survive_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"generator": {"upsample": "resize"}, "augment": None, "images": 9, "precision": "bfloat16"}
    settings |= {"optimizer": {"generator": {"betas": [0.5, 0.9]}}, "data": {"size": 32, "flip": True}}
    found = DefaultRecipe("dcgan_small", "a reason", settings)
    monkeypatch.setattr(cell, "default_recipe", lambda *_: found)
    recipe, read = settings_of(cell.default_words(key(candidate=OURS), NOWHERE), 100)
    kept = ("generator", "augment", "optimizer")
    assert (recipe, read) == ("dcgan_small", {name: settings[name] for name in kept})


def test_what_is_missing_where_and_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "absent", Peer("Absent", "absent", {"torch": "torch", "no-such==1.0": "no_such_module"}))  # type: ignore[arg-type]  # a dict
    assert registry.versions([OURS, "dcgan_example"], Path(sys.executable)) == {
        "dcgan_example": {"torch": torch.__version__}
    }
    with pytest.raises(SystemExit) as caught:
        registry.versions(["dcgan_example", "absent"], Path(sys.executable))
    said = str(caught.value)
    for fact in ("absent", "no-such==1.0", sys.executable, "docs/peers.md", "--python", "--peers gansmith,"):
        assert fact in said
    assert "torch," not in said.partition("which")[0]  # what is there is not called missing


def test_a_python_that_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"--python .*no_python"):
        registry.versions(["dcgan_example"], tmp_path / "no_python")


def test_a_peer_in_a_process_of_its_own() -> None:
    images = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)
    done = apart.run(Path(sys.executable), "dcgan", images, seconds=0.05, seed=0, samples=5)
    assert done.samples is not None
    assert (done.samples.shape, done.samples.dtype) == ((5, 16, 16, 3), np.uint8)
    assert done.report["cpu_seconds"] >= 0.05
    assert done.report["drawn"] == sum((64, 6)[step % 2] for step in range(done.report["steps"]))


def test_a_program_that_fails_says_what_it_said() -> None:
    done = apart.run(
        Path(sys.executable), "no_such_peer", np.zeros((1, 8, 8, 3), np.uint8), seconds=1, seed=0, samples=1
    )
    assert done.samples is None
    assert "no_such_peer" in done.report["why"]


def line(candidate: str, seed: int, **figures: Any) -> Mapping[str, Any]:
    return {**asdict(key(candidate=candidate, seed=seed)), "images": 1_000, "features": "judge", **figures}


def test_the_table_has_medians_spans_and_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[float | None] = [2.0, None, 3.0]
    lines = [line("dcgan_example", seed, ruler=place, versions={"torch": "9"}) for seed, place in enumerate(places)]
    cost = {"sampling_ms": 0.5, "layout": 0.25, "parameters": {"generator": 2_000_000, "discriminator": 500_000}}
    lines += [line(OURS, 0, ruler=0.25, thing=0.5, thing_held_out=0.75, versions={"torch": "8"}, **cost)]
    file, page = tmp_path / "cells.jsonl", tmp_path / "page.md"
    file.write_text("\n".join(json.dumps(each) for each in lines), encoding="utf-8")
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["peers", "--file", str(file), "--write", str(page)])
    command.main()
    text = page.read_text(encoding="utf-8")
    assert "old" not in text
    assert text.startswith("before")
    assert "torch 8 and 9. The judge: judge." in text
    assert text.index("**gansmith**") < text.index("PyTorch's DCGAN example")
    assert "| **gansmith** | float32 | 0.25 | 1 | 1.0k | 0.5 | 0.25 | 0.50 / 0.75 | 2.5M |" in text
    assert "3.00 (2.00 to inf) | 3 |" in text


def test_an_empty_table() -> None:
    assert "Nothing is measured yet" in markdown([])


def test_measuring_needs_data_and_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["peers", "--data", "somewhere"])
    with pytest.raises(SystemExit, match="--weights"):
        command.main()
