"""The download of the weights that judge images: one fixed command, offered where none are here, and why it failed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from opened_page import page_of_runs, refusal
from pages import TOKEN, client_of

from gansmith.web import weights
from gansmith.web.jobs import Jobs
from gansmith.web.routes.jobs import Asked, arguments_of
from gansmith.web.settings import Settings


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without weights, on a machine whose only way out is a closed port of its own."""
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    return tmp_path / "cache"


def test_it_is_offered_where_no_weights_are_here(cache: Path, runs: Path) -> None:
    page = page_of_runs(runs)
    offer = page.get("/api/features").json()["offer"]
    assert offer["command"] == "gansmith features install mobilenet"
    assert (offer["name"], offer["megabytes"]) == ("mobilenet", 14)
    (cache / "weights").mkdir(parents=True)
    (cache / "weights" / offer["file"]).write_bytes(b"")
    assert page.get("/api/features").json() == {"offer": None}


def test_the_command_is_fixed(runs: Path) -> None:
    page = page_of_runs(runs).app.page
    assert arguments_of(page, Asked(what="features")) == ["features", "install", "mobilenet"]
    client = page_of_runs(runs)
    for more in ({"run": "toy"}, {"name": "vgg"}, {"quick": True}, {"time": "5m"}, {"images": 4}):
        refusal(client.post("/api/jobs", json={"what": "features", **more}), 400)
    refusal(client.post("/api/jobs", json={"what": "features", "network": "large"}), 422)
    refusal(page_of_runs(runs, read_only=True).post("/api/jobs", json={"what": "features"}), 403)
    assert not (runs / ".page").exists()


def test_without_a_network_it_says_so_and_leaves_nothing(cache: Path, own_runs: Path) -> None:
    with client_of(Settings(own_runs, token=TOKEN)) as client:
        job = client.post("/api/jobs", json={"what": "features"}).json()
        assert (job["what"], job["run"], job["state"]) == ("features", "mobilenet", "running")
        refusal(client.post("/api/jobs", json={"what": "evaluate", "run": "toy"}), 503)
        deadline = time.monotonic() + 300
        while (now := client.get("/api/jobs").json()[0])["state"] == "running":
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert now["state"] == "failed"
    assert "no way to the internet" in now["problem"]
    assert "By hand" in now["log"]
    assert not list(cache.glob("weights/*.pth"))


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("its publisher: [Errno -2] Name or service not known", "no way"),
        ("the package x: No matching distribution found; Connection refused", "no way"),
        ("/c/x.pth is there and is not the published file: its sha256", "Another file lies"),
        ("error: No space left on device", "No space left"),
        ("", "nothing"),
    ],
)
def test_why_it_failed(log: str, words: str) -> None:
    assert words in weights.problem(log)


def test_its_share_is_that_of_the_newest_line(own_runs: Path) -> None:
    (own_runs / ".page").mkdir()
    (own_runs / ".page/job.json").write_text('{"what": "features", "run": "mobilenet", "command": "c", "begun": 1}')
    lines = "downloading x.pth: 3/14 MB, 0.3 MB/s, 0:10 gone\ndownloading x.pth: 7/14 MB, 0.3 MB/s, 0:20 gone\n"
    (own_runs / ".page/job.log").write_text(lines)
    job = Jobs(Settings(own_runs)).current()
    assert job is not None
    assert job["share"] == 0.5
