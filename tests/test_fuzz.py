"""Mistaken invocations (tests/fuzz): the first of seed 0, in two processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fuzz import commands
from fuzz.case import draw
from fuzz.oracles import NAMES, faults, snapshot
from fuzz.process import Ended
from fuzz.world import World

COUNT, FEW = 340, 40  # FEW of them, the first ones, in `make test`, all in `make prove`
FUZZ = Path(__file__).parent / "fuzz"


@pytest.mark.parametrize("count", [FEW, pytest.param(COUNT, marks=pytest.mark.prove)])
def test_no_mistake_breaks_a_rule(count: int, tmp_path: Path) -> None:
    command = [sys.executable, str(FUZZ), "--count", str(count), "--seed", "0", "--out", str(tmp_path / "report.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-3000:]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["invocations"] == count
    assert report["broken_rules"] == dict.fromkeys(NAMES, 0)
    if count == COUNT:
        assert set(report["commands"]) >= {" ".join(one.words) for one in commands.commands()}  # each was tried
    assert report["statuses"]["0"] > count / 10  # right ones too


ENDED = {"status": 1, "seconds": 1.0, "peak": 1, "worked": 0.5, "told": False, "killed": "", "orphans": []}
TRACEBACK = b'Traceback (most recent call last):\n  File "/x/gansmith/a.py", line 3, in f\n    g()\nKeyError: 3\n'


@pytest.mark.parametrize(
    ("rule", "ended", "said", "changes"),
    [
        ("traceback", {}, TRACEBACK, {}),
        ("traceback", {"status": 0}, b"x.py:3: UserWarning: careful\n", {}),
        ("status", {"status": 120}, b"error: no", {}),
        ("status", {"status": -11}, b"error: no", {}),
        ("status", {"status": 143}, b"error: no", {}),
        ("time", {"status": 143, "told": True, "seconds": 20.0, "worked": 0.1}, b"", {}),
        ("time", {"status": -9, "killed": "did not end when it was told to"}, b"error: no", {}),
        ("memory", {"peak": 5 * 2**30}, b"error: no", {}),
        ("children", {"orphans": ["python"]}, b"error: no", {}),
        ("message", {}, b"", {}),
        ("message", {}, b"error: no\n" * 41, {}),
        ("escape", {}, b"error: no \x1b[31mred.png", {}),
        ("escape", {}, b"error: no \xff.png", {}),
        ("clobbered", {"status": 0}, b"", {"keep.txt": "changed"}),
        ("clobbered", {}, b"error: no", {"keep.txt": None}),
        ("broken", {}, b"error: no", {"new/half.png": "x"}),
        ("broken", {"status": 0}, b"", {"out.png": "no image"}),
        ("absent", {"status": 0}, b"", {}),
        ("stale", {}, b"error: no", {".new.png.7.tmp": "x"}),
        ("stale", {}, b"error: no", {"photos/.lock": ""}),
        ("executed", {}, b"error: no", {"executed": "x"}),
    ],
)
def test_each_rule_can_be_broken(
    rule: str, ended: dict[str, Any], said: bytes, changes: dict[str, str | None], tmp_path: Path
) -> None:
    (tmp_path / "keep.txt").write_text("mine")
    before = snapshot(tmp_path)
    for name, text in changes.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.unlink() if text is None else path.write_text(text)
    argv = ["sample", "gan", *(["--out", "out.png"] if rule in ("absent", "broken") else [])]
    wrong = faults(argv, tmp_path, before, Ended(**{**ENDED, **ended}), b"", said)
    assert rule in wrong
    assert set(wrong) <= {rule, "broken"}  # what is executed or stale was also begun


def test_the_same_number_is_the_same_invocation(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world")
    for number in range(40):
        drawn = []
        for attempt in ("one", "two"):
            folder = tmp_path / attempt / str(number)
            folder.mkdir(parents=True)
            drawn.append((draw(5, number, folder, world), snapshot(folder)))
        assert drawn[0] == drawn[1]
