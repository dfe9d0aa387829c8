"""A file that ends a process as by Ctrl-C: heard between two pieces of work, by that process alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gansmith.system import stop_file

WORK = """
import signal, subprocess, sys, time
if sys.argv[1] == "ignored":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
from gansmith.system.stop_file import heeded
with heeded():
    child = subprocess.run([sys.executable, "-c", "import os; print(os.environ.get('GANSMITH_STOP_FILE'))"])
    print("working", flush=True)
    try:
        time.sleep(3600)
    except KeyboardInterrupt:
        print("tidied up", flush=True)
        sys.exit(130)
"""


@pytest.mark.parametrize(("signals", "status"), [("heard", 130), ("ignored", 143)])
@pytest.mark.parametrize("early", [False, True])
def test_the_file_ends_a_process_as_ctrl_c_does(tmp_path: Path, signals: str, status: int, early: bool) -> None:
    file = tmp_path / "stop.request"
    if early:
        file.write_text("")
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, signals],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, stop_file.VARIABLE: str(file)},
    )
    with process:
        assert process.stdout is not None
        if not early:
            assert process.stdout.readline() == "None\n"  # a child is not told
            assert process.stdout.readline() == "working\n"
            file.write_text("")
        assert process.wait(timeout=240) == status or early
        if status == 130 and not early:
            assert process.stdout.read() == "tidied up\n"


def test_only_a_file_is_a_request(tmp_path: Path) -> None:
    file = tmp_path / "stop.request"
    assert not stop_file.is_there(file)
    file.mkdir()
    assert not stop_file.is_there(file)
    file.rmdir()
    file.symlink_to("/etc/hostname")
    assert not stop_file.is_there(file)
    assert not stop_file.is_there("\0")
    file.unlink()
    file.write_text("anything")
    assert stop_file.is_there(file)
