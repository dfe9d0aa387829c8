"""What it takes to kill a training and to compare two of them: for the tests of exact resume."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import killed
import pytest
import torch

import gansmith
from forked import CONTEXT
from gansmith.runs.run import Run

DCGAN: dict[str, Any] = {
    "path": "digits",
    "size": 8,
    "fraction": 0.2,
    "generator": {"name": "dcgan", "width": 4},
    "discriminator": {"name": "dcgan", "width": 4},
    "prior": {"size": 8},
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
    """Train in a process that is killed when `moment` is reached for the count-th time."""
    process = CONTEXT.Process(target=killed.train, args=(moment, count, given))
    process.start()
    process.join(300)
    assert process.exitcode == -signal.SIGKILL


def the_rest(given: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> int:
    """Train on, in this process; the step it was resumed at."""
    capsys.readouterr()
    gansmith.train(**given)
    said = capsys.readouterr().err
    found = re.search(r"continuing .* \(step ([\d,]+)\)", said)
    return int(found[1].replace(",", "")) if found else 0


def assert_equal_runs(one: Path, other: Path, *, least: int = 640) -> None:
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
    assert records[0][-1]["images"] == records[1][-1]["images"] >= least
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
