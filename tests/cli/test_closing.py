"""The last lines of a training on the command line: switched off, interrupted, failing; the run has ended well."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from forked import fork
from small import OPTIONS

BEFORE = "import gansmith.judge.end_of_training as module\n"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", "was not measured to its end"),
        ("raise RuntimeError('a fault')", "could not be measured: a fault"),
    ],
)
def test_whatever_happens_to_the_ruler_the_run_ended_well(tmp_path: Path, what: str, said: str) -> None:
    before = f"{BEFORE}def end_of_training(path):\n    {what}\nmodule.end_of_training = end_of_training\n"
    with fork("train", *OPTIONS, "--out", tmp_path / "run", before=before) as process:
        out, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    assert "done: sheets in" in out
    assert said in errors
    assert (tmp_path / "run/model/generator.safetensors").is_file()


def test_the_ruler_can_be_switched_off(tmp_path: Path) -> None:
    with fork("train", *OPTIONS, "--no-ruler", "--out", tmp_path / "run") as process:
        out, _ = process.communicate(timeout=240)
    assert "how good" not in out
    with fork("resume", tmp_path / "run", "--images", "336") as process:
        out, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    assert "how good: not measured" in out
    assert "next: " in out


def test_the_handler_of_before_is_put_back() -> None:
    from gansmith.cli.closing import _only_interrupted

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), _only_interrupted():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
