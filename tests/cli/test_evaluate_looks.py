"""`gansmith evaluate`: which looks it takes, and the options of the features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gansmith.cli.evaluate import evaluate
from gansmith.errors import GansmithError, OptionError
from gansmith.judge import audit_run
from refusals import refused


class BegunError(Exception):
    """The audit began."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `evaluate` is asked for."""
    options: dict[str, Any] = {}

    def begin(subject: Path, **given: Any) -> Any:
        options.update(given)
        raise BegunError

    monkeypatch.setattr(audit_run, "evaluate", begin)
    return options


@pytest.mark.parametrize(
    ("words", "quick", "samples", "repeats"),
    [
        ([], False, 1000, 3),
        (["--quick"], True, 1000, 3),
        (["--thorough"], False, 2000, 3),
        (["--samples", "50", "--repeats", "2"], False, 50, 2),
    ],
)
def test_how_many_samples(
    words: list[str],
    quick: bool,
    samples: int,
    repeats: int,
    asked: dict[str, Any],
    run_command: Callable[..., Any],
    tmp_path: Path,
) -> None:
    with pytest.raises(BegunError):
        raise run_command(evaluate, tmp_path, *words).exception
    assert (asked["quick"], asked["samples"], asked["repeats"]) == (quick, samples, repeats)
    assert asked["options"] == {}
    assert callable(asked["first_look"])


def test_options_reach_the_features(asked: dict[str, Any], run_command: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(BegunError):
        raise run_command(evaluate, tmp_path, "--set", "features.size=96", "--set", "features.batch=2").exception
    assert asked["options"] == {"size": 96, "batch": 2}


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        (["--quick", "--thorough"], ["--thorough", "500"]),
        (["--quick", "--samples", "60"], ["--samples", "500"]),
        (["--quick", "--repeats", "2"], ["--repeats"]),
        (["--thorough", "--samples", "60"], ["--samples", "2,000", "3"]),
        (["--set", "size=96"], ["size=96", "features.size=224"]),
        (["--set", "features=mobilenet"], ["features=mobilenet", "--features"]),
        (["--set", "features.size=96", "--set", "images=7"], ["images=7"]),
    ],
)
def test_what_does_not_go_together(
    words: list[str], facts: list[str], asked: dict[str, Any], run_command: Callable[..., Any], tmp_path: Path
) -> None:
    result = run_command(evaluate, tmp_path, *words)
    assert isinstance(result.exception, GansmithError)
    for fact in facts:
        assert fact in str(result.exception)
    assert not asked
    with refused(error=OptionError):
        raise result.exception
