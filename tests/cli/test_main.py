"""The command line as a whole: what it says of mistakes, and with which exit status."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gansmith
import gansmith.__main__ as door
from gansmith.cli import main as cli
from gansmith.errors import GansmithError, TrainingInterrupted
from small import start


def status_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["gansmith", *arguments])
    with pytest.raises(SystemExit) as raised:
        cli.main()
    return raised.value.code


def test_a_mistake_is_one_line_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(monkeypatch, "train", "--recipe", "dcgam") == 1
    out, said = capsys.readouterr()
    assert out == ""
    assert said.startswith("error: no recipe called 'dcgam'. Did you mean 'dcgan'? Known: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "--nope"], "No such option: --nope"),
        (["train", "--batch", "zero"], "Invalid value for '--batch': "),
        (["train", "--batch"], "requires an argument"),
    ],
)
def test_mistakes_of_usage(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(monkeypatch, *arguments) == 2
    text = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert said in text
    assert "Traceback" not in text


def test_errors_that_bring_their_own_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise TrainingInterrupted("stopped at 3 of 5", signal=signal.SIGTERM)

    monkeypatch.setattr(cli, "app", fails)
    assert status_of(monkeypatch) == 143
    assert capsys.readouterr().err == ""  # the training has said it

    def breaks() -> None:
        raise GansmithError("no")

    monkeypatch.setattr(cli, "app", breaks)
    assert status_of(monkeypatch) == 1
    assert capsys.readouterr().err == "error: no\n"


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300), ["xxx", "too long"]),
        (PermissionError(errno.EACCES, "Permission denied", "shut/a.png"), ["shut/a.png", "denied"]),
        (OSError(errno.EIO, "Input/output error"), ["Input/output error"]),
        (MemoryError("cannot have 9 GiB"), ["memory", "9 GiB"]),
    ],
)
def test_what_the_system_refuses_is_one_line(
    error: Exception, facts: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fails)
    assert status_of(monkeypatch) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert [fact for fact in facts if fact not in said] == []


def test_what_is_no_mistake_of_the_user_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "app", breaks)
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(monkeypatch, option) == 0
    text = capsys.readouterr().out
    for command in ("train", "resume", "sample", "interpolate", "arithmetic", "data", "list", "draw", "bench"):
        assert f" {command} " in text


def test_help_does_not_import_torch() -> None:
    code = (
        "import sys\nsys.argv = ['gansmith', 'train', '--help']\nfrom gansmith.cli.main import main\ntry:\n    main()\n"
    )
    code += "except SystemExit:\n    assert 'torch' not in sys.modules\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--recipe" in done.stdout


def test_an_interrupt_before_any_training(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gansmith.runs.train.experiment_from", interrupted)
    assert status_of(monkeypatch, "train") == 130
    assert capsys.readouterr().err.strip().endswith("stopped")


def test_a_reader_that_went_away() -> None:
    """`gansmith list | head -0`: the command did well, and `set -o pipefail` stops no script."""
    with start("list", before="import time; time.sleep(0.5)") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        deadline = time.monotonic() + 240
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    assert process.returncode == 0
    assert said == ""


def test_the_installed_command() -> None:
    assert gansmith.__version__
    script = [sys.executable.replace("python3", "gansmith").replace("python", "gansmith"), "list", "objectives"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "nonsaturating" in done.stdout


def test_the_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"gansmith {gansmith.__version__}\n"


def test_the_package_runs_as_a_module() -> None:
    """`python -m gansmith` is the same command line, and names itself so that what it shows can be typed again."""
    done = subprocess.run([sys.executable, "-m", "gansmith", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: python -m gansmith [OPTIONS] COMMAND" in done.stdout
    failed = subprocess.run(
        [sys.executable, "-m", "gansmith", "draw", "nowhere"], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert "nowhere" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("own", "busy", "spins"),
    [
        ({}, True, "10000"),
        ({}, False, "None"),
        ({"GOMP_SPINCOUNT": "7"}, True, "7"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, True, "None"),
    ],
    ids=["busy", "idle", "own count", "own policy"],
)
def test_threads_that_wait_for_each_other_soon_sleep_on_a_busy_machine(
    own: dict[str, str], busy: bool, spins: str
) -> None:
    """It is said to libgomp before torch is there, and what the user says comes first."""
    code = "import os, sys, gansmith.cli.main as m, gansmith.__main__ as door\n"
    code += "m.main = lambda: print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)\n"
    code += f"door.busy = lambda _: {busy}\ndoor.main()"
    environment = {name: word for name, word in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**environment, **own}
    )
    assert done.stdout.split() == [spins, "False"]


@pytest.mark.parametrize(
    ("said", "busy"),
    [
        ("2.00 1.0 1.0 3/80 7", True),
        ("1.99 9.0 9.0 9/80 7", False),  # a minute ago it was not
        ("9.00 9.0 9.0 2/80 7", False),  # only this process and one more now
    ],
)
def test_a_machine_is_busy_where_others_want_all_its_cores(said: str, busy: bool, tmp_path: Path) -> None:
    (tmp_path / "loadavg").write_text(said)
    assert door.busy(2, str(tmp_path / "loadavg")) is busy
    assert not door.busy(2, str(tmp_path / "none"))
