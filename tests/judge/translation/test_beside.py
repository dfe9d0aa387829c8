"""Runs of one split beside each other, and what cannot be measured."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gansmith.errors import DataError, GansmithError, OptionError, RunError
from gansmith.judge import translation as true_pairs
from gansmith.runs.run import Run
from held_pairs import (
    PLAYERS,
    SIZE,
    Stub,
    assert_number,
    by_network,
    l1,
    make_run,
    read,
    sides,
)


def test_a_run_beside_on_the_same_split(two: tuple[Path, Path]) -> None:
    one, other = two
    settings = Run(one).experiment.data
    names, _ = sides(settings.model_dump())
    assert names == sides(settings.model_dump(), paired=True)[0]
    found = true_pairs.evaluate(one, beside=[other], device="cpu")
    source, true = read(Path(settings.path), names), read(Path(str(settings.other)), names)
    things = [name[:2] for name in names]
    distances = {run.name: l1(by_network(run, source), true) for run in two}
    for run, values in distances.items():
        assert_number(found.numbers[run]["l1"], values, things)
    assert {run: [*ways] for run, ways in found.nearer.items()} == {
        "cycle": ["untouched", "colour transfer", "paired"],
        "paired": ["untouched", "colour transfer"],
    }
    gain = distances["paired"] - distances["cycle"]
    assert abs(gain.mean()) > 1e-3
    assert_number(found.nearer["cycle"]["paired"]["l1"], gain, things)
    assert found.folder == one / "audit"
    assert not (other / "audit").exists()
    turned = true_pairs.evaluate(other, beside=[one], device="cpu")
    assert turned.nearer["paired"]["cycle"]["l1"].value == pytest.approx(-gain.mean(), abs=1e-12)


def test_nearer_is_above_zero(two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """In blue b is brighter by far: a translation that adds light is nearer than the input, and more light more so."""
    amounts = {two[0]: 10, two[1]: 20}
    monkeypatch.setattr(Run, "translator", lambda self, **options: Stub(amounts[self.path]))
    found = true_pairs.evaluate(two[0], beside=[two[1]], device="cpu")
    l1s = {way: row["l1"].value for way, row in found.numbers.items()}
    assert l1s["paired"] < l1s["cycle"] < l1s["untouched"]
    assert found.nearer["cycle"]["untouched"]["l1"].value == pytest.approx(l1s["untouched"] - l1s["cycle"])
    assert found.nearer["cycle"]["untouched"]["l1"].value > 0.005
    assert found.nearer["cycle"]["paired"]["l1"].value < -0.005
    assert found.nearer["paired"]["untouched"]["l1"].value > 0.01
    assert found.nearer["cycle"]["untouched"]["l1"].means.startswith("how much less")


def test_a_run_beside_that_held_out_more(two: tuple[Path, Path], tmp_path: Path) -> None:
    settings = Run(two[0]).experiment.data.model_dump()
    more = make_run(tmp_path / "more", **{**settings, "holdout": 0.7})
    names = sides(settings)[0]
    assert {*names} < {*sides({**settings, "holdout": 0.7})[0]}
    found = true_pairs.evaluate(two[0], beside=[more], device="cpu")
    source, true = read(Path(settings["path"]), names), read(Path(settings["other"]), names)
    assert found.numbers["more"]["l1"].value == pytest.approx(l1(by_network(more, source), true).mean(), abs=1e-12)
    seen = sorted({*sides({**settings, "holdout": 0.7})[0]} - {*names})
    with pytest.raises(DataError) as raised:
        true_pairs.evaluate(more, beside=[two[0]], device="cpu")
    for fact in (str(two[0]), f"{len(seen)} of the {len(seen) + len(names)} pairs", seen[0], "data.holdout_by"):
        assert fact in str(raised.value)
    assert not (more / "audit").exists()


def test_runs_that_cannot_stand_beside_it(two: tuple[Path, Path], tmp_path: Path) -> None:
    one = two[0]
    settings = Run(one).experiment.data.model_dump()

    def refused(kind: type[GansmithError], place: Path) -> str:
        with pytest.raises(kind) as raised:
            true_pairs.evaluate(one, beside=[place], device="cpu")
        assert not (one / "audit").exists()
        return str(raised.value)

    none = make_run(tmp_path / "none", **{**settings, "holdout": 0})
    assert "36 of the 36 pairs" in refused(DataError, none)
    small = make_run(tmp_path / "small", **{**settings, "size": 12})
    message = refused(DataError, small)
    assert all(fact in message for fact in (str(small), "12x12x3", str(one), "16x16x3"))
    grey = make_run(tmp_path / "grey", **{**settings, "channels": 1})
    assert "16x16x1" in refused(DataError, grey)
    exchanged = make_run(tmp_path / "x", **{**settings, "path": settings["other"], "other": settings["path"]})
    message = refused(DataError, exchanged)
    for fact in (str(exchanged), "36 of the 36 pairs", sides(settings)[0][0], "exchanged", "data.fit"):
        assert fact in message
    for letter in "ab":
        altered = shutil.copytree(tmp_path / letter, tmp_path / f"other_{letter}")
        name = sides(settings)[0][5]
        Image.new("RGB", (SIZE, SIZE)).save(altered / name)
        changed = make_run(
            tmp_path / f"changed_{letter}", **{**settings, {"a": "path", "b": "other"}[letter]: str(altered)}
        )
        message = refused(DataError, changed)
        assert all(fact in message for fact in (str(changed), "1 of the 36 pairs", name))
    message = refused(RunError, two[1] / "model")
    assert f"{two[1]}/model" in message
    assert "models only" in message
    assert "there is no run" in refused(RunError, tmp_path / "nowhere")
    again = one.parent / "a" / ".." / one.name
    message = refused(OptionError, again)
    assert all(fact in message for fact in (str(one), "twice", "--beside"))


def test_names_that_are_not_clear_are_whole_paths(two: tuple[Path, Path], tmp_path: Path) -> None:
    settings = Run(two[0]).experiment.data.model_dump()
    same = make_run(tmp_path / "deep" / "cycle", **settings)
    odd = make_run(tmp_path / "untouched", **settings)
    found = true_pairs.evaluate(two[0], beside=[same, odd], device="cpu")
    assert list(found.numbers) == ["untouched", "colour transfer", str(two[0]), str(same), str(odd)]


# ---- what cannot be measured


def test_nothing_is_held_out(given: dict[str, Any], domains: Path, tmp_path: Path) -> None:
    def refused(run: Path, to: str) -> str:
        with pytest.raises(DataError) as raised:
            true_pairs.evaluate(run, to=to, device="cpu")
        assert not (run / "audit").exists()
        return str(raised.value)

    everything = make_run(tmp_path / "all", **{**given, "holdout": 0})
    message = refused(everything, "a")
    for fact in (str(everything), "data.holdout", f"gansmith translate {everything} --to a", "gansmith evaluate"):
        assert fact in message
    (tmp_path / "b").mkdir()
    for file in (domains / "b").iterdir():
        shutil.copy(file, tmp_path / "b" / f"other_{file.name}")
    strangers = make_run(tmp_path / "strangers", **{**given, "other": str(tmp_path / "b")})
    assert f"{strangers} held out no true pairs" in refused(strangers, "b")


def test_directions_and_models(given: dict[str, Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", **given)
    with pytest.raises(OptionError, match=r"^a translation is to a or to b, not to 'c'$"):
        true_pairs.evaluate(run, to="c")
    with pytest.raises(RunError, match="models only"):
        true_pairs.evaluate(run / "model", device="cpu")


def test_what_translates(given: dict[str, Any], tmp_path: Path) -> None:
    for game in PLAYERS:
        run = make_run(tmp_path / game, game=game, **given)
        assert true_pairs.translates(run)
        assert not true_pairs.translates(run / "model")
    assert not true_pairs.translates(tmp_path)
    assert not true_pairs.translates(tmp_path / "nowhere")
    shutil.rmtree(run / "model")
    assert not true_pairs.translates(run)
