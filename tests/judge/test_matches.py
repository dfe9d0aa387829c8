"""Matches between runs in training: played when a model is new, recorded beside the runs, ended with the trainings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import gansmith
from gansmith.errors import GansmithError, OptionError
from gansmith.judge.compare import compare_runs, matches
from gansmith.judge.compare.matches import matches_file, new_models, read, watch
from gansmith.runs.lock import locked
from gansmith.runs.run import Run
from small import SMALL, files


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matches")
    for seed in (0, 1):
        gansmith.train(**{**SMALL, "images": 64, "seed": seed, "holdout": 0.2}, out=str(folder / f"run{seed}"))
    return folder


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> list[Path]:
    shutil.copytree(trained, tmp_path / "runs")
    return [tmp_path / "runs" / "run0", tmp_path / "runs" / "run1"]


def test_a_match_is_the_matrix_of_compare_and_lies_beside_the_runs(runs: list[Path]) -> None:
    before = [files(run) for run in runs]
    file = matches_file(runs)
    [match] = watch(runs, file, samples=30, device="cpu")
    assert file == runs[0].parent / "compared" / "matches.jsonl"
    assert [files(run) for run in runs] == before
    assert read(file) == [match]
    play = compare_runs.compare([*runs], samples=30, metrics=(), device="cpu").play
    assert match["runs"] == ["run0", "run1"]
    assert match["images"] == [64, 64]
    for judge in range(2):
        for generator in range(2):
            assert match["accuracy"][judge][generator] == pytest.approx(play.accuracy[judge][generator].value, abs=1e-6)
    apart = {one.name: one.told_apart.value for one in play.standings}
    assert match["told_apart"] == pytest.approx([apart[name] for name in play.names], abs=1e-6)


def test_it_plays_again_when_a_model_is_new_and_ends_with_the_trainings(runs: list[Path]) -> None:
    file, slept = matches_file(runs), 0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += 1
        if slept == 2:
            lock.__exit__(None, None, None)
            Run(runs[1]).resume(images=96)

    lock = locked(runs[1])
    lock.__enter__()
    played = list(watch(runs, file, samples=20, device="cpu", sleep=sleep))
    assert [match["images"] for match in played] == [[64, 64], [64, 96]]
    assert slept == 2
    assert read(file) == played
    assert not new_models(runs, played)
    assert not list(watch(runs, file, samples=20, device="cpu"))  # nothing is new


def test_a_run_without_a_model_is_waited_for_while_it_trains(runs: list[Path], capsys: Any) -> None:
    shutil.rmtree(runs[1] / "model")
    with pytest.raises(GansmithError):
        list(watch(runs, matches_file(runs), samples=20, device="cpu"))
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise KeyboardInterrupt

    with locked(runs[1]), pytest.raises(KeyboardInterrupt):
        list(watch(runs, matches_file(runs), samples=20, device="cpu", sleep=sleep))
    assert read(matches_file(runs)) == []


def test_what_is_refused(runs: list[Path], tmp_path: Path) -> None:
    for wrong in (runs[:1], [runs[0], runs[0]], [runs[0], tmp_path / "other" / "run0"]):
        with pytest.raises(OptionError, match="different names"):
            list(watch(wrong, tmp_path / "m.jsonl"))


GOOD = {"when": 1.0, "samples": 20, "runs": ["a", "b"], "images": [1, 2], "told_apart": [0.5, 1]}
GOOD |= {"accuracy": [[0.5, 1.0], [0.25, 0.0]]}


@pytest.mark.parametrize(
    "change",
    [
        {"runs": "ab"},
        {"runs": ["a"]},
        {"runs": ["a", 1]},
        {"images": [1]},
        {"images": [1, "2"]},
        {"accuracy": [[0.5, 1.0]]},
        {"accuracy": [[0.5, 1.5], [0, 0]]},
        {"accuracy": [[0.5, None], [0, 0]]},
        {"told_apart": [0.5, float("nan")]},
        {"when": "now"},
        {"samples": None},
    ],
    ids=str,
)
def test_damaged_lines_are_left_out(change: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "matches.jsonl"
    lines = [json.dumps(GOOD), json.dumps({**GOOD, **change}), "[" * 100_000, "\x00", json.dumps(GOOD)[:40]]
    file.write_text("\n".join(lines))
    assert read(file) == [GOOD]


def test_no_file_and_a_large_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(tmp_path / "none.jsonl") == []
    (tmp_path / "large.jsonl").write_text(json.dumps(GOOD))
    monkeypatch.setattr(matches, "_MOST_BYTES", 10)
    assert read(tmp_path / "large.jsonl") == []
