"""Interrupts, a second process, a full disk, and what goes wrong while training."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from trainer_processes import assert_same_end

import gansmith
from forked import Forked, fork
from gansmith import catalog
from gansmith.errors import (
    GansmithError,
    NotFiniteError,
    OutOfMemoryError,
    RunError,
    TrainingInterrupted,
    UnknownNameError,
)
from gansmith.models.saved import read_card
from gansmith.runs import signals
from gansmith.runs.run import Run
from gansmith.runs.signals import stop_on_signals
from small import OPTIONS, SMALL, files

SLOW = ["--set", "game=toys.spoiled", "--set", "game.seconds=0.5"]


def read_until(process: Forked, wanted: str, seconds: float = 240) -> str:
    """What the process says on stderr, up to `wanted`."""
    assert process.stderr is not None
    said, deadline = "", time.monotonic() + seconds
    while wanted not in said:
        assert time.monotonic() < deadline, said
        if select.select([process.stderr], [], [], 0.2)[0]:
            chunk = os.read(process.stderr.fileno(), 4096).decode()
            assert chunk or process.poll() is None, said
            said += chunk
    return said


def wait_for_a_record(run: Path, process: Forked, seconds: float = 240) -> None:
    deadline, path = time.monotonic() + seconds, run / "events.jsonl"
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ---- processes -----------------------------------------------------------------------------------------------------


def test_the_second_process_on_one_run_is_refused_while_the_first_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    slow = ["--set", "game=toys.spoiled", "--set", "game.seconds=1", "--images", "16000"]  # a quarter of an hour
    with fork("train", *OPTIONS, *slow, "--out", out) as first:
        wait_for_a_record(out, first)
        with pytest.raises(RunError) as raised:
            gansmith.train(**SMALL, out=str(out))
        assert str(raised.value) == f"another process is working on {out}; wait for it, or choose another --out"
        with fork("resume", out, "--trust") as second:
            assert f"error: another process is working on {out}" in second.communicate(timeout=240)[1]
            assert second.returncode == 1
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        _, said = first.communicate(timeout=240)
    assert first.returncode == 143, said
    assert Run(out, trust=True).checkpoint()["images"] > 64


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_run_is_saved_and_ends_where_an_uninterrupted_one_does(
    number: int, status: int, tmp_path: Path, uninterrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    with fork("train", *OPTIONS, *SLOW, "--out", out) as process:
        wait_for_a_record(out, process)
        process.send_signal(number)
        _, said = process.communicate(timeout=240)
        assert process.returncode == status, said
        assert "Traceback" not in said
        found = re.search(
            r"stopped at (\d+) of 320 images; everything is saved\. Continue with: gansmith resume (\S+)\n", said
        )
        assert found, said
        assert Path(found[2]) == out
        images = int(found[1])
        assert Run(out, trust=True).checkpoint()["images"] == images < 320
        assert read_card(out / "model/generator.safetensors").images == images
        assert (out / f"samples/{images:09}.png").exists()
        catalog.forget_vouched()
        with pytest.raises(UnknownNameError, match="--trust"):
            Run(out).resume()
        monkeypatch.setattr("toys.spoiled.time", SimpleNamespace(sleep=lambda seconds: None))
        Run(out, trust=True).resume()
        assert_same_end(out, uninterrupted)


def test_a_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    out, later = tmp_path / "run", tmp_path / "later"
    clock = "import os, types, gansmith.runs.signals as s\n"  # it stands still until the file `later` is there
    clock += f"s.time = types.SimpleNamespace(monotonic=lambda: 1.0 + 9.0 * os.path.exists({str(later)!r}))"
    slow = ["--set", "game=toys.spoiled", "--set", "game.seconds=3600"]
    with fork("train", *OPTIONS, *slow, "--out", out, before=clock) as process:
        read_until(process, "asleep")
        process.send_signal(signal.SIGINT)
        said = read_until(process, "stopping after this step; once more to stop at once")
        process.send_signal(signal.SIGINT)  # within a second: the same wish
        time.sleep(0.2)
        assert process.poll() is None, said
        later.touch()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=240)
        assert process.returncode == 130, said
        assert "stopped at once" in said
        assert "without a checkpoint" in said
        assert f"gansmith resume {out}\n" in said
        assert "Traceback" not in said


def test_an_interrupt_while_the_images_are_prepared(tmp_path: Path) -> None:
    # another thread may be the one that the signal reaches: the sleep leaves the main thread time to be told
    interrupt = "lambda *a: (os.kill(os.getpid(), signal.SIGINT), time.sleep(10))"
    before = f"import os, signal, time, gansmith.data.prepare as p\np.resolve = {interrupt}"
    with fork("train", *OPTIONS, "--out", tmp_path / "run", before=before) as process:
        _, said = process.communicate(timeout=240)
        assert process.returncode == 130, said
        assert "stopped" in said.splitlines()[-1]
        assert "Traceback" not in said
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("room", [1_000, 20_000])
def test_a_full_disk_loses_nothing(room: int, run: Path, finished: Path) -> None:
    """No file may grow beyond `room` bytes: not even experiment.yaml, or only not a checkpoint."""
    assert (run / "experiment.yaml").stat().st_size > 1_000
    assert (run / "checkpoints/latest.pt").stat().st_size > 20_000
    before = {name: content for name, content in files(run).items() if name.startswith(("checkpoints", "model"))}
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    with fork("resume", run, "--images", "640", before=limit) as process:
        _, said = process.communicate(timeout=240)
        assert process.returncode == 1, said
        assert re.search(r"error: could not write \S+: File too large\. What was (there )?before is untouched", said), (
            said
        )
        assert "Traceback" not in said
        after = files(run)
        assert {name: after[name] for name in before if "previous" not in name} == {
            name: before[name] for name in before if "previous" not in name
        }
        Run(run).resume(images=336)
        assert Run(run).checkpoint()["images"] == 336


# ---- what goes wrong while training --------------------------------------------------------------------------------


def spoiled(out: Path, **options: Any) -> dict[str, Any]:
    return {**SMALL, "game": {"name": "toys.spoiled", **options}, "trust": True, "out": str(out)}


def test_a_loss_that_is_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(NotFiniteError) as raised:
        gansmith.train(**spoiled(tmp_path / "run", nan_from=200))
    assert str(raised.value).startswith(
        "the term 'loss' of turn 'discriminator' became nan. Checkpoints saved before are kept."
    )
    run = Run(tmp_path / "run", trust=True)
    assert run.checkpoint()["images"] == 128
    assert all(torch.isfinite(value).all() for value in run.checkpoint()["players"]["discriminator"].values())
    assert run.records[-1]["images"] <= 192


def test_weights_that_are_infinite(tmp_path: Path) -> None:
    with pytest.raises(NotFiniteError) as raised:
        gansmith.train(**spoiled(tmp_path / "run", infinite_from=240))
    said = str(raised.value)  # the clock of the last step before the checkpoint at 256: only the weights show it
    assert said.startswith("weights of the discriminator are no longer finite: ")
    assert said.endswith("Checkpoints saved before are kept")
    run = Run(tmp_path / "run", trust=True)
    assert run.checkpoint()["images"] == 128
    network, _ = run.network("discriminator")
    assert all(torch.isfinite(value).all() for value in network.parameters())


def test_an_allocation_that_fails(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError) as raised:
        gansmith.train(**spoiled(tmp_path / "run", huge_from=200))
    assert "out of memory at batch 16. Halve it (--batch 8), or keep the batch" in str(raised.value)
    assert Run(tmp_path / "run", trust=True).checkpoint()["images"] == 128


def test_the_forecast_warns_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("gansmith.training.forecast.free_memory", lambda device: 2**10)
    gansmith.train(**{**SMALL, "images": 16}, out=str(tmp_path / "run"))
    said = capsys.readouterr().err
    assert re.search(r"warning: a step needs about 0\.0 GiB and 0\.0 GiB are free: halve the batch \(--batch\)", said)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it is what the test is about
def test_a_second_interrupt_that_python_loses_is_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signal handler raises inside a `__del__` is dropped; the second Ctrl-C is heard all the same."""
    monkeypatch.setattr(signals, "SAME_WISH", 0.0)

    class Deaf:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    stops: list[int] = []
    before = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)

    def interrupted_twice() -> None:
        with stop_on_signals(stops.append):
            os.kill(os.getpid(), signal.SIGINT)
            Deaf()
            time.sleep(500)

    with pytest.raises(KeyboardInterrupt):
        interrupted_twice()
    assert (signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert stops == [signal.SIGINT]  # once


def test_after_the_first_interrupt_every_wait_is_woken_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes when Python has just looked for signals and goes to sleep is not seen by the sleep: an alarm
    ends it, so that Python looks again."""
    monkeypatch.setattr(signals, "SAME_WISH", 0.0)
    stops: list[int] = []
    with stop_on_signals(stops.append):
        os.kill(os.getpid(), signal.SIGINT)
        assert stops == [signal.SIGINT]
        left, every = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= every == 1.0
        woken = signal.getsignal(signal.SIGALRM)
        assert callable(woken)
        assert woken(signal.SIGALRM, None) is None  # the first interrupt alone raises nothing
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            woken(signal.SIGALRM, None)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert stops == [signal.SIGINT]  # once


def test_a_closed_terminal_says_so_more_than_once_and_insists_on_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell sends SIGHUP, the system sends it again, and a shutdown SIGTERM after it: the run is saved still."""
    monkeypatch.setattr(signals, "SAME_WISH", 0.0)
    stops: list[int] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with stop_on_signals(stops.append):
            for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
                os.kill(os.getpid(), number)
            assert stops == [signal.SIGHUP]
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
        with stop_on_signals(stops.append):
            os.kill(os.getpid(), signal.SIGHUP)
        assert stops == [signal.SIGHUP]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_script_that_is_interrupted_shows_one_line(tmp_path: Path) -> None:
    """Not a traceback: nothing went wrong. Whoever catches it has the message, and the status that it would have."""
    out = tmp_path / "run"
    script = f"import os, signal, gansmith.runs.trainer as trainer\nfrom small import SMALL\nout = {str(out)!r}\n"
    script += "after = trainer.Trainer._after_step\n"
    script += "trainer.Trainer._after_step = lambda *a: (after(*a), os.kill(os.getpid(), signal.SIGINT))\n"
    script += "import gansmith; gansmith.train(**SMALL, out=out)"
    with fork(before=script) as process:
        _, said = process.communicate(timeout=240)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("stopped at 16 of 320 images")
    assert said.splitlines()[-1].endswith(f"gansmith resume {out}")
    with pytest.raises(GansmithError) as raised:
        raise TrainingInterrupted("stopped", signal=signal.SIGTERM)
    assert (str(raised.value), getattr(raised.value, "code", 0)) == ("stopped", 143)


def test_a_loss_that_is_no_number_before_the_first_checkpoint(tmp_path: Path) -> None:
    """Each time the command is given it begins again, ends with the same reason, and leaves nothing that samples."""
    out = tmp_path / "run"
    for _ in range(2):
        with pytest.raises(NotFiniteError, match="'loss' of turn 'discriminator' became nan"):
            gansmith.train(**spoiled(out, nan_from=0))
        assert not (out / "model").exists()
        assert not list(out.glob("checkpoints/*"))
        assert (out / "events.jsonl").read_text() == ""
    with pytest.raises(GansmithError):
        Run(out, trust=True).sample([1])


def test_a_run_that_is_stopped_before_its_first_step(tmp_path: Path, finished: Path) -> None:
    """It is saved at no images, has a model and a sheet, and goes on to where an uninterrupted run ends."""
    out = tmp_path / "run"
    before = "import os, signal, gansmith.records.recorder as r\nstart = r.Recorder.start\n"
    before += "r.Recorder.start = lambda *a: (os.kill(os.getpid(), signal.SIGHUP), start(*a))[1]"
    with fork("train", *OPTIONS, "--out", out, before=before) as process:
        _, said = process.communicate(timeout=240)
    assert process.returncode == 129, said
    assert "stopped at 0 of 320 images" in said
    assert Run(out).checkpoint()["step"] == 0
    assert read_card(out / "model/generator.safetensors").images == 0
    assert (out / "samples/000000000.png").exists()
    Run(out).resume()
    assert_same_end(out, finished)
