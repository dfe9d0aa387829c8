"""A few kills of the many that `python tests/kills` does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from old_settings import write_domains

from kills.trial import Moment, Outcome, run_trial

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds orphans in /proc")


@pytest.mark.parametrize(
    ("case", "moments"),
    [
        ("dcgan", [Moment("write", 0.5), Moment("operation", 0.3)]),
        ("cycle", [Moment("operation", 0.4)]),
        pytest.param("dcgan, decoded by 2 workers", [Moment("time", 0.4)], marks=pytest.mark.prove),
    ],
)
def test_a_killed_training(case: str, moments: list[Moment], tmp_path: Path) -> None:
    """It resumes to the same bits, its processes end, and the files are those of a training that was not killed."""
    write_domains(tmp_path / "domains")
    outcome = run_trial(0, case, moments, tmp_path)
    assert outcome == Outcome(0, case, kills=outcome.kills, slowest_end=outcome.slowest_end)
    assert len(outcome.kills) == len(moments)
