"""Two processes train one run: rank 0 speaks and writes, all end together, and whoever is lost ends the others."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from trainer_processes import assert_same_end

from forked import Forked
from gansmith.errors import ExperimentError
from gansmith.runs.run import Run
from gansmith.runs.team import require_share
from gansmith.system.launcher import LOST
from ranks import WITHIN, ranks
from small import OPTIONS, SMALL

METRICS = ["metrics.names=kid,fid", "metrics.features=pixels", "metrics.every=160", "metrics.samples=200"]
MORE = [word for setting in METRICS for word in ("--set", setting)]
SLOW = ["--set", "game=toys.spoiled", "--set", "game.seconds=0.5"]


def ended(processes: list[Forked], seconds: float = 240) -> list[tuple[int | None, str]]:
    """(exit status, what was said) of each."""
    said = [process.communicate(timeout=seconds)[1] for process in processes]
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


def wait_for_a_record(run: Path, processes: list[Forked], seconds: float = 240) -> None:
    deadline, path = time.monotonic() + seconds, run / "events.jsonl"
    while not (path.exists() and path.stat().st_size):
        assert all(process.poll() is None for process in processes), ended(processes)
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes, from its beginning to its end."""
    out = tmp_path_factory.mktemp("ranks") / "run"
    with ranks(2, "train", *OPTIONS, *MORE, "--no-ruler", "--out", out) as processes:
        (status, said), (other, silence) = ended(processes, 120)
    assert (status, other, silence) == (0, 0, ""), said + silence
    assert "in each of 2 processes" in said
    assert said.count("digits: ") == 1
    return out


def test_two_processes_write_what_one_does(by_two: Path, tmp_path: Path) -> None:
    """The same steps, sheets and records; losses, metrics and weights as near as float32 brings them."""
    settings: dict[str, Any] = {**SMALL, "metrics": {"names": ["kid", "fid"], "every": 160, "samples": 200}}
    import gansmith

    gansmith.train(**settings, out=str(tmp_path / "one"))
    one, two = Run(tmp_path / "one"), Run(by_two)
    assert sorted(p.name for p in (two.path / "samples").iterdir()) == sorted(
        p.name for p in (one.path / "samples").iterdir()
    )
    assert [record["images"] for record in one.records] == [record["images"] for record in two.records]
    for left, right in zip(one.records, two.records, strict=True):
        assert {name for name in right if not name.startswith("ranks/")} == left.keys()
        for name in left:
            if name.endswith("/loss") or name in ("metric/kid", "metric/fid"):
                torch.testing.assert_close(right[name], left[name], rtol=5e-3, atol=1e-4)
    state, other = one.checkpoint(), two.checkpoint()
    assert (state["step"], other["step"]) == (20, 20)
    assert ("processes" in state, other["processes"]) == (False, 2)
    slow = [record["ranks/slowest"] for record in two.records if "ranks/slowest" in record]
    assert slow
    assert {*slow} <= {0.0, 1.0}


def test_a_signal_to_one_rank_ends_all_after_one_step_and_the_rest_is_exact(by_two: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["train", *OPTIONS, *MORE, *SLOW, "--no-ruler", "--out", out]
    with ranks(2, *arguments) as processes:
        wait_for_a_record(out, processes)
        processes[1].send_signal(signal.SIGTERM)
        (status, said), (other, _) = ended(processes)
    assert (status, other) == (143, 143), said
    assert "everything is saved. Continue with: gansmith resume" in said
    assert "Traceback" not in said
    images = Run(out, trust=True).checkpoint()["images"]
    assert 64 <= images < 320
    assert Run(out, trust=True).records[-1]["images"] == images
    with ranks(2, "resume", out, "--trust", "--no-ruler", before=AWAKE) as processes:
        (status, said), (other, silence) = ended(processes)
    assert (status, other, silence.replace("asleep\n", "")) == (0, 0, ""), said
    assert "not exactly" not in said
    assert_same_end(out, by_two)


AWAKE = "import toys.spoiled, types; toys.spoiled.time = types.SimpleNamespace(sleep=lambda seconds: None)\n"


def test_a_checkpoint_of_two_goes_on_in_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    with ranks(2, "train", *OPTIONS, "--no-ruler", "--out", out) as processes:
        assert [status for status, _ in ended(processes)] == [0, 0]
    Run(out).resume(images=384)
    assert "begun by 2 processes, continued by 1 process" in capsys.readouterr().err
    assert Run(out).checkpoint()["images"] == 384


@pytest.mark.parametrize("lost", [0, 1])
def test_a_rank_that_is_killed_ends_the_others_within_seconds(lost: int, tmp_path: Path) -> None:
    """No checkpoint is written of the step that was not played to its end; one line names the rank."""
    out = tmp_path / "run"
    with ranks(2, "train", *OPTIONS, *SLOW, "--no-ruler", "--out", out) as processes:
        wait_for_a_record(out, processes)
        processes[lost].send_signal(signal.SIGKILL)
        begun = time.monotonic()
        other = processes[1 - lost]
        said = other.communicate(timeout=240)[1]
        assert time.monotonic() - begun < WITHIN
    assert other.returncode == 1, said
    assert said.count(f"error: rank {lost}: it has ended") == 1
    assert "Traceback" not in said
    assert not (out / "checkpoints").exists()


def test_an_error_of_another_rank_is_said_once_with_its_rank(tmp_path: Path) -> None:
    fault = "import os\nif os.environ['RANK'] == '1':\n    import gansmith.data.stream as s\n"
    fault += "    def broken(*a): raise ValueError('no such picture')\n    s.normalised = broken\n"
    with ranks(2, "train", *OPTIONS, "--no-ruler", "--out", tmp_path / "run", before=fault) as processes:
        (status, said), (other, trace) = ended(processes)
    assert (status, other) == (1, 1)
    assert said.count("error: rank 1: ValueError: no such picture") == 1
    assert "Traceback" not in said
    assert trace.count("Traceback") == 1  # of a fault of ours, where it is


def test_an_error_of_rank_0_is_said_once(tmp_path: Path) -> None:
    wrong = ["--set", "metrics.names=fid", "--set", "stop.metric=kid"]
    with ranks(2, "train", *OPTIONS, *wrong, "--no-ruler", "--out", tmp_path / "run") as processes:
        (status, said), (other, silence) = ended(processes)
    assert (status, other, silence) == (1, LOST, "")
    assert said.count("error: ") == 1
    assert "stop.metric" in said


def test_more_processes_than_images_are_refused_with_the_most_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    from gansmith.experiment.schema import Experiment

    for name, value in {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 9, "LOCAL_WORLD_SIZE": 9}.items():
        monkeypatch.setenv(name, str(value))
    experiment = Experiment.model_validate({"batch": 16, "accumulate": 2, "device": "cpu"})
    with pytest.raises(ExperimentError, match=r"9 processes.*8 images.*at most 8 processes"):
        require_share(experiment)
    require_share(experiment.model_copy(update={"accumulate": 1}))
