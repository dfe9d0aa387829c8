"""Mistaken invocations (tests/fuzz): the first of seed 0, in two processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import commands
from fuzz.oracles import NAMES

COUNT = 300
FUZZ = Path(__file__).parent / "fuzz"


@pytest.mark.xfail(reason="what it prints is being mended", strict=False)
def test_no_mistake_breaks_a_rule(tmp_path: Path) -> None:
    command = [sys.executable, str(FUZZ), "--count", str(COUNT), "--seed", "0", "--out", str(tmp_path / "report.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-3000:]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["invocations"] == COUNT
    assert report["broken_rules"] == dict.fromkeys(NAMES, 0)
    assert set(report["commands"]) >= {" ".join(one.words) for one in commands.commands()}  # each was tried
    assert report["statuses"]["0"] > COUNT / 10  # right ones too
