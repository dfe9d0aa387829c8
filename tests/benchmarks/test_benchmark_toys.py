"""The table of objectives on the toy grounds, and what all benchmarks of small trainings share."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.trained import PAIRS, collect, methods, spread, table, train

from benchmarks import report, toys
from gansmith import catalog
from gansmith.errors import NotFiniteError
from gansmith.experiment import completion, layers
from gansmith.experiment.sources import from_recipe

FEW = {"path": "ring", "options": {"count": 500}}
SMALL = {"generator": {"width": 8}, "discriminator": {"width": 8}, "batch": 32, "prior": {"size": 4}}
FACTS = {"cpu": "one", "commit": "0"}


def tiny(objective: str = "nonsaturating", images: int = 64, seed: int = 3, **changes: Any) -> Any:
    return toys.run(objective, "ring", SMALL, {"data": FEW}, changes, images=images, seed=seed)


@pytest.mark.parametrize("data", toys.SETS)
@pytest.mark.parametrize("objective", methods())
def test_every_objective_has_settings_that_are_an_experiment(objective: str, data: str) -> None:
    recipe, over = toys.layers(objective, data, 1000)
    below = [from_recipe(recipe)] if recipe else []
    made = completion.complete(layers.resolve([*below, layers.Layer("test", over)])[0])
    assert made.objective is not None
    assert made.objective.name == PAIRS.get(objective, objective)
    assert [*made.penalties] == ([objective] if objective in PAIRS else [])
    assert (made.device, made.threads, made.precision) == ("cpu", 1, "float32")
    assert made.generator is not None
    assert made.generator.name == "mlp"
    if recipe is None:
        options, optimizer, why = toys.SETTINGS.get(objective, ({}, toys.ADAM, "-"))
        assert options.items() <= made.objective.options.items()
        assert made.optimizer["generator"] == made.optimizer["discriminator"]
        assert made.optimizer["generator"].name == optimizer["name"]
        falling = made.optimizer["generator"].options["lr"]
        assert [falling[name] for name in ("start", "end", "hold", "decay")] == [optimizer["lr"], 0, 0, 1000]
        assert why


def test_settings_are_of_objectives_that_exist() -> None:
    assert toys.SETTINGS.keys() <= set(catalog.names("objectives"))


def test_a_run_is_trained_to_its_budget_by_its_seed() -> None:
    one, again, other = tiny(), tiny(), tiny(seed=4)
    assert (one.steps, one.parts.stream.drawn) == (2, 64)
    assert one.seconds > 0
    points = one.images(5)
    assert points.shape == (5, 2, 1, 1)
    assert torch.equal(points, again.images(5))
    assert not torch.equal(points, other.images(5))
    assert not torch.equal(points, one.images(5, seed=1))
    assert tiny("wgan_gp", images=320).steps == 2  # five batches of 32 each


def test_samples_are_of_the_averaged_generator() -> None:
    trained = tiny(images=320, averaging={"half_life": 1_000_000, "rampup": None})
    players, averaged = trained.parts.game.players, trained.parts.averaging.players
    ours, theirs = (next(network["generator"].parameters()) for network in (players, averaged))
    assert not torch.equal(ours, theirs)
    mine = trained.images(4)
    with torch.no_grad():
        next(averaged["generator"].parameters()).zero_()
    assert not torch.equal(trained.images(4), mine)


def test_figures_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toys, "BASE", {**toys.BASE, **{name: SMALL[name] for name in ("batch", "prior")}})
    monkeypatch.setattr(toys, "SAMPLES", 2000)
    found = toys.measure(objective="hinge", data="grid", seed=0, images=64, keep=tmp_path / "kept")
    assert found.keys() == {"found", "total", "good", "kl", "seconds", "steps"}
    assert (found["total"], found["steps"]) == (25, 2)
    kept = np.load(tmp_path / "kept" / "hinge-grid-0.npy", allow_pickle=False)
    assert kept.shape == (toys.SHOWN, 2)


def test_what_has_diverged_found_nothing() -> None:
    source = toys.truth("ring")
    points = source[np.arange(5000)].image[:, 0, 0].astype(np.float64)
    modes = toys.judged(points, source)
    assert modes is not None
    assert (modes.found, modes.total) == (8, 8)
    points[7, 1] = math.nan
    assert toys.judged(points, source) is None


def fake_runs() -> list[dict[str, Any]]:
    return [
        {"objective": name, "data": data, "seed": seed, "found": found + seed, "total": 8, "good": 0.5, "kl": kl}
        | {"seconds": 10.0, "steps": 2000}
        for data in toys.SETS
        for seed in (0, 1)
        for name, found, kl in (("wgan", 4, None), ("r3gan", 7, 0.25))
    ]


def test_the_tables(tmp_path: Path) -> None:
    text = toys.tables(fake_runs(), FACTS, 512_000)
    assert "512,000 images drawn in each run, n = 2 seeds, 10,000 samples" in text
    assert "## ring, 8 modes" in text
    assert "## grid, 25 modes" in text
    assert "| `wgan` | 4.5 +- 0.7 of 8 | 4 | 50.0 +- 0.0 % | - (2 of 2 diverged) | 2,000 | 10 +- 0 |" in text
    assert "| `r3gan` | 7.5 +- 0.7 of 25 | 7 | 50.0 +- 0.0 % | 0.25 +- 0.00 | 2,000 | 10 +- 0 |" in text
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_between(page, text)
    assert page.read_text() == f"before\n{report.BEGIN}\n{text}\n{report.END}\nafter\n"


def test_the_picture_shows_the_truth_and_every_objective(tmp_path: Path) -> None:
    for name in ("wgan", "r3gan"):
        for data in toys.SETS:
            points = np.zeros((toys.SHOWN, 2), np.float32)
            points[0] = math.nan if (name, data) == ("wgan", "grid") else 0.5
            np.save(tmp_path / f"{name}-{data}-0.npy", points)
    shown = toys.picture(["wgan", "r3gan"], tmp_path, 0, columns=2, side=60)
    assert shown.size == (2 * 64 + 4, 2 * 2 * 84 + 4)
    colours = np.asarray(shown)
    assert (colours[25:85, 5:60] == (31, 78, 160)).all(axis=2).any() or (colours[25:85, 5:60, 2] > 150).any()


def test_a_series_goes_on_where_it_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, asked = tmp_path / "runs.json", []

    def measure(**key: Any) -> dict[str, Any]:
        asked.append(key)
        return {"value": 10 * key["seed"]}

    keys = [{"seed": seed} for seed in (0, 1)]
    assert collect(file, keys[:1], measure, {"images": 5}) == [{"seed": 0, "value": 0}]
    assert collect(file, keys, measure, {"images": 5}) == [{"seed": 0, "value": 0}, {"seed": 1, "value": 10}]
    assert asked == keys
    assert json.loads(file.read_text()) == {
        "about": {"images": 5},
        "runs": [{"seed": 0, "value": 0}, {"seed": 1, "value": 10}],
    }
    assert capsys.readouterr().out == "seed 0, value 0\nseed 1, value 10\n"
    with pytest.raises(SystemExit, match=r"holds figures of other settings: \{'images': 5\}, not \{'images': 6\}"):
        collect(file, keys, measure, {"images": 6})
    assert collect(None, keys[1:], measure, {}) == [{"seed": 1, "value": 10}]


def test_spreads_and_tables() -> None:
    assert spread([1.0, 2.0, 3.0], 2) == "2.00 +- 1.00"
    assert spread([0.5], 0, percent=True) == "50 %"
    assert spread([0.25, 0.75], 1, percent=True) == "50.0 +- 35.4 %"
    assert spread([1.0, None, math.nan], 1) == "1.0 (2 of 3 diverged)"
    assert table(["", "a"], [["x", "1"]]) == "|  | a |\n| --- | ---: |\n| x | 1 |"


def test_pictures_of_a_generator_that_diverged() -> None:
    trained = train(toys.BASE, SMALL, {"data": FEW, "images": 32})
    with torch.no_grad():
        for parameter in trained.parts.averaging.players["generator"].parameters():
            parameter.fill_(math.nan)
    with pytest.raises(NotFiniteError):
        trained.pictures(3)


def test_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def measure(*, keep: Path, **key: Any) -> dict[str, Any]:
        keep.mkdir(exist_ok=True)
        np.save(keep / f"{key['objective']}-{key['data']}-{key['seed']}.npy", np.zeros((toys.SHOWN, 2)))
        return {"found": 8, "total": 8, "good": 1.0, "kl": 0.0, "seconds": 1.0, "steps": key["images"] // 256}

    monkeypatch.setattr(toys, "measure", measure)
    page = tmp_path / "toys.md"
    page.write_text(f"{report.BEGIN}\n{report.END}\n")
    given = ["--objectives", "wgan", "--seeds", "2,3", "--images", "1k", "--keep", str(tmp_path / "keep")]
    given += ["--write", str(page), "--picture", str(tmp_path / "toys.webp")]
    monkeypatch.setattr(sys, "argv", ["toys", *given])
    toys.main()
    assert "| `wgan` | 8.0 +- 0.0 of 25 | 8 | 100.0 +- 0.0 % | 0.00 +- 0.00 | 3 | 1 +- 0 |" in page.read_text()
    assert (tmp_path / "toys.webp").stat().st_size > 0
    assert "objective wgan, data ring, seed 2, found 8" in capsys.readouterr().out
