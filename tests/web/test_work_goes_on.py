"""Ctrl-C of the page while an evaluation runs: the terminal says so, the next page finds it, `gansmith stop` ends it.

With true processes: the page, the evaluation that it starts (held while this test looks), the next page, the command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pages import Served, end_page, start_page

from gansmith.cli.stop import stop
from gansmith.errors import RunError
from gansmith.runs import page_work
from gansmith.runs.stop_request import request_stop
from small import MAIN


def wait_until(true: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def holders(opened: Path) -> list[int]:
    """The processes that hold the lock of the page's work open, but for the page itself."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            holds = any(link.readlink() == opened / ".page/lock" for link in (process / "fd").iterdir())
        except OSError:
            continue
        if holds:
            found.append(int(process.name))
    return found


@pytest.fixture
def pages() -> Iterator[list[Served]]:
    opened: list[Served] = []
    yield opened
    for page in opened:
        end_page(page)


def test_an_evaluation_outlives_ctrl_c_is_found_again_and_stopped_by_the_printed_command(
    own_runs: Path, pages: list[Served]
) -> None:
    first = start_page(own_runs)
    pages.append(first)
    with first.client() as client:
        job = client.post("/api/jobs", json={"what": "evaluate", "run": "toy"}).json()
    wait_until(lambda: holders(own_runs))
    (evaluation,) = holders(own_runs)
    os.kill(evaluation, signal.SIGSTOP)  # or it would end while this test looks
    try:
        first.process.send_signal(signal.SIGINT)
        _, said = first.process.communicate(timeout=240)
        command = f"gansmith stop {own_runs / 'toy'}"
        assert "evaluating toy" in said
        assert command in said
        assert said.rstrip().endswith("stopped")

        second = start_page(own_runs)
        pages.append(second)
        with second.client() as client:
            (found,) = client.get("/api/jobs").json()
        assert (found["id"], found["state"]) == (job["id"], "running")
        second.process.send_signal(signal.SIGTERM)
        _, again = second.process.communicate(timeout=240)
        assert "evaluating toy still runs" in again  # at its start
        assert command in again  # and at its end
        words = [sys.executable, "-c", MAIN, *command.split()[1:]]
        stopping = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: (own_runs / ".page/stop.request").exists() or stopping.poll() is not None)
    finally:
        os.kill(evaluation, signal.SIGCONT)
    out, err = stopping.communicate(timeout=240)
    assert stopping.returncode == 0, err
    assert "evaluating toy" in out
    assert not holders(own_runs)
    assert not (own_runs / "toy/audit").exists()


def test_a_page_that_started_nothing_says_nothing_of_it(runs: Path, pages: list[Served]) -> None:
    page = start_page(runs)
    pages.append(page)
    page.process.send_signal(signal.SIGINT)
    _, said = page.process.communicate(timeout=240)
    assert "gansmith stop" not in said
    assert "still runs" not in said


def hold(opened: Path, what: str, run: str) -> subprocess.Popen[bytes]:
    """A process that holds the lock as work of a page does."""
    (opened / ".page").mkdir()
    note = f'{{"what": "{what}", "run": "{run}", "command": "c", "begun": 1}}'
    (opened / ".page/job.json").write_text(note)
    code = (
        "import fcntl, sys, time; fcntl.flock(f := open(sys.argv[1], 'wb'), fcntl.LOCK_EX); print('held', flush=True); "
    )
    wait = "import os\nwhile not os.path.exists(sys.argv[2]): time.sleep(0.02)"
    place = opened / ".page"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}\n{wait}", str(place / "lock"), str(place / "stop.request")],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.mark.parametrize(("what", "run"), [("evaluate", "toy"), ("features", "mobilenet"), ("train", "new")])
def test_the_command_that_is_named_stops_it(
    what: str, run: str, own_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold(own_runs, what, run) as process:
        try:
            job = page_work.running(own_runs)
            assert job is not None
            place = own_runs / "toy" if run == "toy" else own_runs
            assert page_work.stop_command(own_runs, job) == f"gansmith stop {place}"
            with pytest.raises(RunError):
                request_stop(own_runs / "toy")  # which is of a training
            assert page_work.running_on(own_runs / "other") is None
            stop(place, wait=True)
            assert process.wait(timeout=240) == 0
        finally:
            process.kill()
    said = capsys.readouterr().out
    assert run in said
    assert ("saved" in said) == (what == "train")
    assert page_work.running(own_runs) is None
    with pytest.raises(RunError, match="nothing to stop"):
        stop(place, wait=True)


def test_a_run_that_is_in_training_too_is_not_what_is_named(own_runs: Path) -> None:
    from gansmith.runs.lock import locked

    with locked(own_runs / "toy"):
        command = page_work.stop_command(own_runs, {"what": "evaluate", "run": "toy"})
    assert command == f"gansmith stop {own_runs}"
