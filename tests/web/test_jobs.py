"""What a request may start and stop: fixed command lines, one at a time, found again by another page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opened_page import refusal
from pages import TOKEN, client_of

from gansmith.runs.lock import is_locked
from gansmith.runs.run import Run
from gansmith.web import jobs
from gansmith.web.jobs import Jobs
from gansmith.web.settings import Settings

RUNNING = "import sys, time; print('working', flush=True); time.sleep(float(sys.argv[1]))"


def wait_until(true: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The command lines that are started, in whose place a process of some seconds runs."""
    lines: list[list[str]] = []
    processes: list[subprocess.Popen[bytes]] = []
    true = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        lines.append(command)
        assert options["start_new_session"]
        assert options["stdin"] == subprocess.DEVNULL
        assert not options.get("shell")
        assert options["env"]["GANSMITH_STOP_FILE"].endswith("/.page/stop.request")
        processes.append(true([sys.executable, "-c", RUNNING, "60"], **options))
        return processes[-1]

    monkeypatch.setattr(jobs.subprocess, "Popen", start)
    yield lines
    for process in processes:
        process.kill()
        process.wait()


def test_each_job_is_a_fixed_command_line(own_runs: Path, tmp_path: Path, started: list[list[str]]) -> None:
    (tmp_path / "photos").mkdir()
    wanted = {
        ("resume", "images", 400): ["resume", str(own_runs / "toy"), "--images", "400"],
        ("evaluate", "quick", True): ["evaluate", str(own_runs / "toy"), "--quick"],
        ("encoder", "run", "toy"): ["invert", str(own_runs / "toy"), "--train-encoder"],
    }
    for (what, option, value), words in wanted.items():
        with client_of(Settings(own_runs, token=TOKEN)) as client:
            before = len(started)
            answer = client.post("/api/jobs", json={"what": what, "run": "toy", option: value})
            assert answer.status_code == 200, answer.text
            assert len(started) == before + 1
            assert started[-1] == [sys.executable, "-m", "gansmith", *words]
            assert "--trust" not in started[-1]
            job = answer.json()
            assert (job["what"], job["run"], job["state"]) == (what, "toy", "running")
            assert "another" not in refusal(client.post("/api/jobs", json={"what": "evaluate", "run": "toy"}), 503)
            assert len(started) == before + 1
        end_of(own_runs)
    images = tmp_path / "photos"
    with client_of(Settings(own_runs, token=TOKEN, images=images)) as client:
        asked = {"what": "train", "name": "new-1", "time": "5m", "skip_unreadable": True}
        assert client.post("/api/jobs", json=asked).status_code == 200
        out = str(own_runs / "new-1")
        assert started[-1][3:] == ["train", str(images), "--time", "5m", "--skip-unreadable", "--out", out]


def end_of(runs: Path) -> None:
    """End the stand-in that holds the lock of the opened folder's job."""
    job = Jobs(Settings(runs))
    for process in Path("/proc").glob("[0-9]*"):
        try:
            holds = any(link.readlink() == runs / ".page/lock" for link in (process / "fd").iterdir())
        except OSError:
            continue
        if holds:
            os.kill(int(process.name), 9)
    wait_until(lambda: (job.current() or {"state": ""})["state"] != "running")


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"what": "rm", "run": "toy"}, 422),
    ({"what": "resume", "run": "nowhere"}, 404),
    ({"what": "resume"}, 400),
    ({"what": "resume", "run": "toy", "name": "new"}, 400),
    ({"what": "resume", "run": "../toy"}, 404),
    ({"what": "resume", "run": "toy", "trust": True}, 422),
    ({"what": "resume", "run": "toy", "images": 0}, 422),
    ({"what": "resume", "run": "toy", "images": "1; rm"}, 422),
    ({"what": "resume", "run": "toy", "quick": True}, 400),
    ({"what": "evaluate", "run": "toy", "time": "5m"}, 400),
    ({"what": "resume", "run": "toy", "skip_unreadable": True}, 400),
    ({"what": "train", "run": "new", "time": "5m"}, 403),  # nothing is offered
    ({"what": "train", "run": "new", "time": "99d"}, 422),
    ({"what": "train", "run": "new", "path": "/etc"}, 422),
]


@pytest.mark.parametrize(("body", "status"), REFUSED, ids=str)
def test_nothing_else_is_started(client: httpx.Client, started: list[list[str]], body: Any, status: int) -> None:
    refusal(client.post("/api/jobs", json=body), status)
    assert started == []


@pytest.mark.parametrize("name", ["toy", "../new", "a/b", "", ".hidden", "--out", "x" * 65, "new\n"])
def test_names_for_a_new_run(own_runs: Path, tmp_path: Path, started: list[list[str]], name: str) -> None:
    with client_of(Settings(own_runs, token=TOKEN, images=tmp_path)) as client:
        refusal(client.post("/api/jobs", json={"what": "train", "name": name}), 400)
    assert started == []


def test_a_read_only_page_starts_and_stops_nothing(own_runs: Path, started: list[list[str]]) -> None:
    with client_of(Settings(own_runs, token=TOKEN, read_only=True)) as client:
        for path, body in (
            ("/api/jobs", {"what": "evaluate", "run": "toy"}),
            ("/api/runs/toy/stop", {"confirm": True}),
            ("/api/jobs/1.000/stop", {"confirm": True}),
        ):
            assert "read-only" in refusal(client.post(path, json=body), 403)
        assert client.get("/api/jobs").json() == []
    assert started == []
    assert not (own_runs / ".page").exists()


def test_what_an_earlier_page_started_is_found_by_its_lock(own_runs: Path, started: list[list[str]]) -> None:
    """Another page, which knows nothing of the process, sees that it runs, what it is and what it says."""
    settings = Settings(own_runs)
    Jobs(settings).start("evaluate", "toy", ["evaluate", "toy"])
    found = Jobs(settings).current()
    assert found is not None
    assert (found["what"], found["run"], found["state"]) == ("evaluate", "toy", "running")
    wait_until(lambda: (Jobs(settings).current() or {})["log"] == "working")
    stored = (own_runs / ".page/job.json").read_text()
    assert "pid" not in stored
    end_of(own_runs)
    over = Jobs(settings).current()
    assert over is not None
    assert over["state"] == "ended"


BUSY = """
import sys, time
import gansmith.judge.evidence as evidence
true = evidence.sides_of
def slow(*given, **options):
    print("comparing", flush=True)
    for _ in range(6000):  # batches
        time.sleep(0.01)
evidence.sides_of = slow
import gansmith.judge.comparison as comparison
comparison.sides_of = slow
from gansmith.__main__ import main
main()
"""


def test_work_that_another_page_started_is_stopped_by_a_file_and_leaves_nothing(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An evaluation under way, which holds no lock of the run and looks for no request of its own."""
    true = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return true([sys.executable, "-c", BUSY, *command[3:]], **options)

    monkeypatch.setattr(jobs.subprocess, "Popen", start)
    with client_of(Settings(own_runs, token=TOKEN)) as client:
        job = client.post("/api/jobs", json={"what": "evaluate", "run": "toy"}).json()
        wait_until(lambda: "comparing" in client.get("/api/jobs").json()[0]["log"])
    with client_of(Settings(own_runs, token=TOKEN)) as client:
        path = f"/api/jobs/{job['id']}/stop"
        refusal(client.post(path, json={}), 422)
        refusal(client.post("/api/jobs/1.000/stop", json={"confirm": True}), 404)
        assert client.get("/api/jobs").json()[0]["state"] == "running"
        assert client.get("/api/jobs").json()[0]["stopping"] is False
        assert client.post(path, json={"confirm": True}).json() == {"asked": True}
        asked = client.get("/api/jobs").json()[0]
        assert asked["stopping"] is (asked["state"] == "running")
        wait_until(lambda: client.get("/api/jobs").json()[0]["state"] == "stopped")
        assert client.get("/api/jobs").json()[0]["stopping"] is False
        assert client.get("/api/jobs").json()[0]["log"].endswith("stopped")
        assert "nothing to stop" in refusal(client.post(path, json={"confirm": True}), 400)
    assert jobs._started[-1].wait(timeout=240) == 130  # as after Ctrl-C
    assert not (own_runs / "toy/audit").exists()
    assert "pid" not in (own_runs / ".page/job.json").read_text()


def test_a_request_that_was_not_obeyed_stops_no_later_job(own_runs: Path, started: list[list[str]]) -> None:
    page = Jobs(Settings(own_runs))
    (own_runs / ".page").mkdir()
    (own_runs / ".page/stop.request").symlink_to(own_runs / "toy/experiment.yaml")
    job = page.start("evaluate", "toy", ["evaluate", "toy"])
    assert not (own_runs / ".page/stop.request").is_symlink()
    page.stop(job["id"])
    assert (own_runs / ".page/stop.request").read_text() == "stop\n"
    end_of(own_runs)
    page.start("evaluate", "toy", ["evaluate", "toy"])
    assert not (own_runs / ".page/stop.request").exists()
    end_of(own_runs)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"what": "x"}', "[" * 100_000])
def test_a_damaged_note_of_a_job_is_none(own_runs: Path, content: str) -> None:
    (own_runs / ".page").mkdir()
    (own_runs / ".page/job.json").write_text(content)
    assert Jobs(Settings(own_runs)).current() is None


def test_hostile_files_in_place_of_the_notes(own_runs: Path, tmp_path: Path, started: list[list[str]]) -> None:
    page = own_runs / ".page"
    page.mkdir()
    good = {"what": "\x1b[31m", "run": "x" * 9000, "command": "c", "begun": "now"}
    (page / "job.json").write_text(json.dumps(good))
    os.mkfifo(page / "job.log")
    (page / "lock").symlink_to("/etc/hostname")
    job = Jobs(Settings(own_runs)).current()
    assert job is not None
    assert (job["what"], len(job["run"]), job["begun"], job["state"]) == ("\\x1b[31m", 2000, 0.0, "ended")
    (page / "lock").unlink()
    (page / "job.log").unlink()
    (page / "job.json").unlink()
    page.rmdir()
    page.symlink_to(tmp_path)
    with client_of(Settings(own_runs, token=TOKEN)) as client:
        assert "link" in refusal(client.post("/api/jobs", json={"what": "evaluate", "run": "toy"}), 403)
    assert started == []


def test_stopping_asks_first_and_only_a_training(own_client: httpx.Client) -> None:
    refusal(own_client.post("/api/runs/toy/stop", json={}), 422)
    refusal(own_client.post("/api/runs/toy/stop", json={"confirm": False}), 422)
    assert "nothing to stop" in refusal(own_client.post("/api/runs/toy/stop", json={"confirm": True}), 400)
    refusal(own_client.post("/api/runs/nowhere/stop", json={"confirm": True}), 404)


def test_a_run_is_continued_outlives_its_page_and_is_stopped_by_another(own_runs: Path) -> None:
    """With true processes: resumed by one page, seen and stopped by the next, everything saved."""
    toy = own_runs / "toy"
    with client_of(Settings(own_runs, token=TOKEN)) as client:
        job = client.post("/api/jobs", json={"what": "resume", "run": "toy", "images": 10**7}).json()
        assert job["command"] == f"gansmith resume {toy} --images 10000000"
        wait_until(lambda: is_locked(toy))
    records = (toy / "events.jsonl").stat().st_size
    with client_of(Settings(own_runs, token=TOKEN)) as client:
        wait_until(lambda: (toy / "events.jsonl").stat().st_size > records)
        assert client.get("/api/jobs").json()[0]["state"] == "running"
        refusal(client.post("/api/jobs", json={"what": "evaluate", "run": "toy"}), 503)
        assert client.post("/api/runs/toy/stop", json={"confirm": True}).json() == {"asked": True}
        wait_until(lambda: client.get("/api/jobs").json()[0]["state"] == "ended")
        said = client.get("/api/jobs").json()[0]["log"]
    assert jobs._started[-1].wait(timeout=240) == 130  # as after Ctrl-C
    assert "everything is saved" in said
    assert not is_locked(toy)
    assert 320 < Run(toy).checkpoint()["images"] < 10**7
