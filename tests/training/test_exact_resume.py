"""A run that was killed and resumed ends, to the bit, where an uninterrupted one ends.

The processes are really killed (SIGKILL); the games are the catalog's, and toys that nothing but the tests plays.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from exactly import DCGAN, assert_equal_runs, assert_same, kill, settings, the_rest

import gansmith
from gansmith.runs.run import Run

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
    "fastgan": {  # noise and quadrants are drawn in its networks
        **DCGAN,
        "size": 16,
        "generator": {"name": "fastgan", "width": 1, "reach": 2, "conditional": True},
        "discriminator": {"name": "fastgan", "width": 2, "conditional": True},
        "objective": "hinge",
        "augment": "diffaugment",
    },
    "classify": {**TINY, "game": "toys.classify", "optimizer": {"classifier": {"name": "sgd", "lr": 0.1}}},
}


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
