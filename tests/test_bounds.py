"""Numbers far out of range (tests/bounds): settings of an experiment, and some options in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import typing
from pathlib import Path

import pytest

from bounds.cases import VALUES, cases, numeric
from gansmith import catalog
from gansmith.errors import ExperimentError, GansmithError, OptionError
from gansmith.runs.train import experiment_from

BOUNDS = Path(__file__).parent / "bounds"
TRAINED = [case for case in cases() if case.argv[0] == "train" and case.option[:5] not in ("train", "data.")]


def test_the_sweep_knows_every_command_and_kind() -> None:
    options = {case.option for case in cases()}
    assert options >= {
        *("train --batch", "sample --scale", "interpolate --seconds", "translate --styles", "evaluate --samples"),
        *("batch", "prior.size", "data.fraction", "metrics.samples", "stop.target", "games/cycle pool"),
        *("generators/dcgan width", "penalties/r1 weight", "features/pixels size", "metrics/kid subsets"),
        *("objectives/wgan warmup_steps", "datasets/ring count", "operators/parallel workers"),
    }
    assert {case.value for case in cases()} == set(VALUES)
    assert numeric(typing.Annotated[int | None, 1])
    assert not numeric(str)


@pytest.mark.parametrize("value", VALUES)
def test_a_setting_is_refused_in_one_line_or_is_a_number_in_its_range(value: str) -> None:
    refused = 0
    for case in TRAINED:
        if case.value != value:
            continue
        words = [word for flag, word in zip(case.argv, case.argv[1:], strict=False) if flag == "--set"]
        said = _refusal(words[-1])
        assert "\n" not in said, case
        assert len(said) < 500, case
        refused += bool(said)
    assert refused > 5


def _refusal(assignment: str) -> str:
    try:
        experiment_from("digits", assignments=[assignment], environment={})
    except GansmithError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("entry", catalog.names("objectives"))
def test_updates_in_a_step_are_few(entry: str) -> None:
    """A step is not interrupted: one of a billion updates could not be stopped."""
    options = [name for name in catalog.keyword_options(catalog.find("objectives", entry)) if name.endswith("steps")]
    for option in options:
        catalog.build("objectives", entry, **{option: 1000})
        with pytest.raises(OptionError, match=rf"{option} = 1001.* 1,000"):
            catalog.build("objectives", entry, **{option: 1001})


def test_no_option_breaks_a_rule(tmp_path: Path) -> None:
    """Those that take the least time; `python tests/bounds` tries all."""
    only = "operators/.*=10|metrics/kid .*=1|--styles=|--seconds=|datasets/.*=10|data.fraction=1e"
    command = [sys.executable, str(BOUNDS), f"--only={only}", "--out", str(tmp_path / "all.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    assert len((tmp_path / "all.txt").read_text().splitlines()) >= 40


def test_batches_that_fit_nowhere_are_refused_by_their_generated_images_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from gansmith.experiment.memory_needs import require_room
    from gansmith.system import memory

    monkeypatch.setattr(memory, "available", lambda: 13 * 16 * 32 * 32 - 1)
    experiment, _ = experiment_from("digits", batch=16, sheet=1, prior={"size": 8}, environment={})
    with pytest.raises(ExperimentError, match=r"16 images, 32x32.*--batch"):
        require_room(experiment, 1, 32, 32)
    monkeypatch.setattr(memory, "available", lambda: 13 * 16 * 32 * 32)
    require_room(experiment, 1, 32, 32)
