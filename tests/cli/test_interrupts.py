"""Ctrl-C, SIGTERM and a closed terminal, of a command that does not train."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forked import fork
from gansmith.cli import interrupts

HEARD = """
import os, signal, sys, time
from gansmith.cli import interrupts
sys.path.insert(0, {folder!r})
interrupts._leave = lambda number: (print("left", flush=True), os._exit(128 + number))
try:
    with interrupts.heard():
        {work}
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
"""
SELF = "os.kill(os.getpid(), signal.SIGINT)"


def outcome(work: str, folder: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", HEARD.format(folder=str(folder), work=work)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """The module `slow`, which is interrupted while it is imported, and which takes every exception for its own."""
    (tmp_path / "slow.py").write_text(
        f"import os, signal, time\ntry:\n    {SELF}\n    time.sleep(0.1)\nexcept BaseException:\n"
        "    raise ImportError('slow is broken') from None\n"
    )
    return tmp_path


def test_an_import_is_finished_first(slow: Path) -> None:
    assert outcome("import slow; os.write(1, b'imported\\n'); time.sleep(5)", slow) == (
        130,
        "imported\ninterrupted\n",
        "",
    )


def test_an_import_of_a_command_has_nothing_to_tidy_up(slow: Path) -> None:
    named = "exec('import slow', {'__name__': 'gansmith.cli.toy'})"
    assert outcome(named, slow) == (130, "left\n", "")


def test_an_interrupt_that_python_drops_comes_again(tmp_path: Path) -> None:
    work = (
        f"exec('class Deaf:\\n  def __del__(self):\\n    {SELF}; time.sleep(0.01)', globals()); Deaf(); time.sleep(5)"
    )
    assert outcome(work, tmp_path) == (130, "interrupted\n", "")


def test_twice_is_once_and_later_is_at_once(tmp_path: Path) -> None:
    tidy = "try: {0}; time.sleep(5)\n        finally: {1}; {0}; time.sleep(0.05); print('tidied', flush=True)"
    assert outcome(tidy.format(SELF, "pass"), tmp_path) == (130, "tidied\ninterrupted\n", "")
    assert outcome(tidy.format(SELF, "time.sleep(1.1)"), tmp_path) == (130, "left\n", "")


def test_ignored_signals_stay_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    interrupts.hear()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) not in (signal.SIG_IGN, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_status_says_which_signal_it_was(number: int, tmp_path: Path) -> None:
    wait = f"lambda *a: (os.kill(os.getpid(), {int(number)}), time.sleep(10))"
    before = f"import os, signal, time, gansmith.data.prepare as p\np.resolve = {wait}"
    with fork("train", "digits", "--out", tmp_path / "run", before=before) as process:
        _, said = process.communicate()
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


def test_ctrl_c_within_the_first_second_prints_no_traceback() -> None:
    """From the first line of `main` on; before that Python starts, and what it prints is its own."""
    code = "import os, _signal as s; s.signal(s.SIGINT, s.SIG_DFL); os.write(1, b'begun')\n"
    code += "from gansmith.__main__ import main; main()"
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
        process = subprocess.Popen(
            [sys.executable, "-c", code, "train", "nowhere"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            assert os.read(process.stdout.fileno(), 5) == b"begun"
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=240)
        if "nowhere" not in said:  # else it had ended before, on a fast machine
            assert process.returncode in (130, -signal.SIGINT), (delay, said)  # of both a shell says 130
        assert "Traceback" not in said, (delay, said)
        assert "KeyboardInterrupt" not in said, (delay, said)


@pytest.mark.parametrize(("module", "status"), [("torch.jit", 0), ("gansmithery", 0), ("gansmith.data", 1)])
def test_warnings_of_other_packages_are_no_errors(module: str, status: int) -> None:
    """`python -W error -m gansmith`: torch deprecates what pytorch-ignite imports."""
    warn = f"warnings.warn_explicit('deprecated', DeprecationWarning, 'x.py', 1, module={module!r})"
    code = f"import warnings; from gansmith.cli import main; main.app = lambda: {warn}; main.main()"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "deprecated" in done.stderr
