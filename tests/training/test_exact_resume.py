"""A run that was killed and resumed ends, to the bit, where an uninterrupted one ends.

The processes are really killed (SIGKILL); the games are the catalog's, and toys that nothing but the tests plays.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import gansmith
from gansmith.run import Run

HERE = Path(__file__).parent
DCGAN = {
    "path": "digits",
    "size": 8,
    "fraction": 0.2,
    "generator": {"name": "dcgan", "width": 4},
    "discriminator": {"name": "dcgan", "width": 4},
    "prior": {"size": 8},
}
TINY = {
    **DCGAN,
    "trust": True,
    "generator": "toys.tiny",
    "discriminator": "toys.tiny",
    "classifier": "toys.tiny",
}
TOYS: dict[str, dict[str, Any]] = {
    "cycle": {
        **TINY,
        "generator": "toys.translators",
        "discriminator": "toys.translators",
        "game": "toys.cycle",
    },
    "lazy": {**TINY, "game": "toys.lazy"},
    "several": {**TINY, "game": "toys.several"},
    "classify": {**TINY, "game": "toys.classify", "optimizer": {"classifier": {"name": "sgd", "lr": 0.1}}},
}


def settings(base: dict[str, Any], out: Path, **changes: Any) -> dict[str, Any]:
    return {
        **base,
        "out": str(out),
        "images": 640,
        "batch": 16,
        "checkpoint_every": 128,
        "samples_every": 256,
        "record_every": 64,
        "averaging": {"half_life": 100},
        "precision": "float32",
        "device": "cpu",
        **changes,
    }


def kill(given: dict[str, Any], moment: str, count: int) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "killed.py"), moment, str(count), json.dumps(given)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == -9, done.stderr


def the_rest(given: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> int:
    """Train on, in this process; the step it was resumed at."""
    capsys.readouterr()
    gansmith.train(**given)
    said = capsys.readouterr().err
    found = re.search(r"continuing .* \(step ([\d,]+)\)", said)
    return int(found[1].replace(",", "")) if found else 0


def assert_equal_runs(one: Path, other: Path) -> None:
    """Every tensor and number of both final checkpoints, but for the seconds they took, and the model files."""
    left, right = (Run(path, trust=True).checkpoint() for path in (one, other))
    for state in (left, right):
        state.pop("seconds")
        state["experiment"].pop("out")
        state["experiment"].pop("workers")
    assert_same(left, right, "")
    for file in (one / "model").glob("*.safetensors"):
        assert file.read_bytes() == (other / "model" / file.name).read_bytes()
    records = [
        [{k: v for k, v in r.items() if "/" in k or k in ("step", "images")} for r in Run(p, trust=True).records]
        for p in (one, other)
    ]
    assert records[0][-1]["images"] == records[1][-1]["images"] >= 640
    # a record that straddles the moment of the kill covers other steps; those after the next checkpoint are equal
    assert records[0][-1] == records[1][-1]


def assert_same(left: Any, right: Any, where: str) -> None:
    if isinstance(left, torch.Tensor):
        assert torch.equal(left, right), where
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for key in left:
            assert_same(left[key], right[key], f"{where}.{key}")
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right), where
        for index, (a, b) in enumerate(zip(left, right, strict=True)):
            assert_same(a, b, f"{where}[{index}]")
    else:
        assert left == right, where


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    gansmith.train(**settings(DCGAN, out))
    return out


@pytest.mark.parametrize(
    ("moment", "count", "workers", "least"),
    [
        ("between steps", 21, 0, 16),
        ("inside a step", 41, 2, 16),
        ("while writing", 3, 2, 16),
        ("between link and rename", 2, 0, 16),
        ("before the model files", 2, 0, 16),
        ("inside a step", 3, 0, 0),  # before the first checkpoint: it begins again
    ],
)
def test_a_killed_run_resumes_exactly(
    moment: str,
    count: int,
    workers: int,
    least: int,
    tmp_path: Path,
    uninterrupted: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = settings(DCGAN, tmp_path / "run", workers=workers)
    kill(given, moment, count)
    step = the_rest(given, capsys)
    assert step >= least
    assert (step > 0) == (least > 0)
    assert_equal_runs(tmp_path / "run", uninterrupted)


def test_decoding_in_workers_gives_the_same_run(tmp_path: Path, uninterrupted: Path, capsys: Any) -> None:
    """Without the cache images are decoded as they come; killed in between, with two workers, then none."""
    given = settings(DCGAN, tmp_path / "run", workers=2, cache=False)
    kill(given, "inside a step", 50)
    assert the_rest({**given, "workers": 0}, capsys) > 0
    left, right = (Run(path).checkpoint() for path in (tmp_path / "run", uninterrupted))
    for part in ("players", "optimizers", "averaging", "stream"):
        assert_same(left[part], right[part], part)


@pytest.mark.parametrize("toy", TOYS)
def test_every_game_resumes_exactly(toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    gansmith.train(**settings(TOYS[toy], whole))
    kill(settings(TOYS[toy], broken), "inside a step", {"several": 40, "classify": 21}.get(toy, 41))
    assert the_rest(settings(TOYS[toy], broken), capsys) > 0
    assert_equal_runs(whole, broken)


def test_resuming_longer_is_the_longer_run(tmp_path: Path, uninterrupted: Path) -> None:
    """`images` may change: no schedule hangs on it."""
    gansmith.train(**settings(DCGAN, tmp_path / "run", images=320))
    Run(tmp_path / "run").resume(images=640)
    assert_equal_runs(tmp_path / "run", uninterrupted)
