"""What a page sees of runs: records, sheets, events; also where files are half written, damaged or hostile."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from opened_page import page_of_runs, refusal
from PIL import Image

import gansmith
from gansmith.runs.lock import locked
from gansmith.web.event_records import EventRecords, thinned
from gansmith.web.live import Live
from small import SMALL


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gansmith.train(**SMALL, out=str(tmp_path_factory.mktemp("watched") / "run")).path


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "runs" / "one")
    return tmp_path / "runs"


def test_records_are_columns_over_the_clock(runs: Path) -> None:
    said = page_of_runs(runs).get("/api/runs/one/records").json()
    lines = [json.loads(line) for line in (runs / "one/events.jsonl").read_text().splitlines()]
    assert said["images"] == [line["images"] for line in lines]
    assert said["columns"]["generator/loss"] == [line.get("generator/loss") for line in lines]
    assert said["health"] == [line.get("health", "") for line in lines]
    assert (said["count"], said["shown"]) == (len(lines), len(lines))
    assert "step" not in said["columns"]


def test_records_are_thinned_evenly_and_rare_ones_stay() -> None:
    rows: list[dict[str, Any]] = [{"step": n, "images": 16 * n, "seconds": 1.0, "g/loss": float(n)} for n in range(990)]
    rows += [{"step": 1000, "images": 16 * n, "kid": 0.5} for n in range(10)]
    said = thinned(rows, 100)
    assert said["shown"] <= 100
    losses = [value for value in said["columns"]["g/loss"] if value is not None]
    assert losses[0] == 0
    assert losses[-1] == 989
    gaps = [after - before for before, after in pairwise(losses)]
    assert max(gaps) - min(gaps) <= 1
    assert [value for value in said["columns"]["kid"] if value is not None] == [0.5]


def test_notices_are_said_with_what_to_paste() -> None:
    notice = {"sign": "collapse", "words": "All alike.\x1b[2J", "paste": "gansmith resume runs/a"}
    said = thinned([{"step": 1, "images": 64, "signs": [], "notices": [notice, 7]}], 10)["notices"]
    assert said == [
        {"sign": "collapse", "sentence": "All alike.\\x1b[2J", "command": "gansmith resume runs/a", "images": 64}
    ]
    assert thinned([{"step": 1, "images": 64, "notices": "no list"}], 10)["notices"] == []


def test_records_half_written_and_damaged(runs: Path) -> None:
    events = runs / "one/events.jsonl"
    records = EventRecords()
    whole = records.of(runs / "one")
    with events.open("ab") as file:
        file.write(
            b'{"step": 99, "images": 1584, "seconds": 2.0, "generator/loss": NaN}\n\xff\xfe{}\n[1]\n{"step": 100, "im'
        )
        file.flush()
        assert [record["step"] for record in records.of(runs / "one")] == [*(one["step"] for one in whole), 99]
        file.write(b'ages": 1600, "seconds": 3.0}\n')
    assert records.of(runs / "one")[-1]["images"] == 1600
    said = page_of_runs(runs).get("/api/runs/one/records").json()
    assert said["columns"]["generator/loss"][-2:] == [None, None]
    events.write_text('{"step": 1, "images": 16}\n')
    assert records.of(runs / "one") == [{"step": 1, "images": 16}]
    events.unlink()
    assert records.of(runs / "one") == []
    events.symlink_to("/dev/zero")
    assert page_of_runs(runs).get("/api/runs/one/records").json()["images"] == []


def test_asking_for_too_many_records(runs: Path) -> None:
    assert "5000" in refusal(page_of_runs(runs).get("/api/runs/one/records?most=5001"), 422)
    refusal(page_of_runs(runs).get("/api/runs/nowhere/records"), 404)


def test_sheets_in_the_order_of_the_clock(runs: Path) -> None:
    client = page_of_runs(runs)
    (runs / "one/samples/notes.png").write_bytes(b"x")
    (runs / "one/samples/000000400.png").write_bytes(b"no image")
    said = client.get("/api/runs/one/sheets").json()
    assert [one["images"] for one in said] == sorted(one["images"] for one in said)
    assert {"images": 320, "width": said[0]["width"], "height": said[0]["height"]} in said
    with Image.open(runs / "one/samples/000000320.png") as sheet:
        assert sheet.size == (said[-1]["width"], said[-1]["height"])
    answer = client.get("/api/runs/one/sheets/320")
    assert answer.content == (runs / "one/samples/000000320.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    again = client.get("/api/runs/one/sheets/320", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "damaged" in refusal(client.get("/api/runs/one/sheets/400"), 404)
    refusal(client.get("/api/runs/one/sheets/7"), 404)
    refusal(client.get("/api/runs/one/sheets/..%2f..%2fexperiment"), 404)
    refusal(client.get("/api/runs/one/sheets/-1"), 404)


def test_a_model_without_its_training_has_the_sheet_beside_it(runs: Path, tmp_path: Path) -> None:
    """Such as those of the zoo: it is the run's picture, at the images of the model."""
    one = runs / "one"
    shutil.copy(one / "samples/000000320.png", one / "samples.png")
    client = page_of_runs(runs)
    clocks = [sheet["images"] for sheet in client.get("/api/runs/one/sheets").json()]
    assert len(clocks) > 1  # a run with its training has its own, and no other
    for part in ("samples", "checkpoints"):
        shutil.rmtree(one / part)
    (one / "events.jsonl").unlink()
    with Image.open(one / "samples.png") as sheet:
        width, height = sheet.size
    assert client.get("/api/runs/one/sheets").json() == [{"images": 320, "width": width, "height": height}]
    assert client.get("/api/runs/one").json()["sheet"] == 320
    assert told(live_of(runs).changes())[0][1]["sheet"] == 320
    assert client.get("/api/runs/one/sheets/320").content == (one / "samples.png").read_bytes()
    refusal(client.get("/api/runs/one/sheets/319"), 404)
    (one / "samples.png").rename(tmp_path / "secret.png")
    (one / "samples.png").symlink_to(tmp_path / "secret.png")
    refusal(client.get("/api/runs/one/sheets/320"), 404)


def test_a_sheet_that_is_a_link_out_is_not_sent(runs: Path, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "secret.png")
    (runs / "one/samples/000000777.png").symlink_to(tmp_path / "secret.png")
    refusal(page_of_runs(runs).get("/api/runs/one/sheets/777"), 404)


# ---- events ----------------------------------------------------------------------------------------------------------


def live_of(runs: Path) -> Live:
    from gansmith.web.open_models import OpenModels
    from gansmith.web.opened_runs import OpenedRuns
    from gansmith.web.page import Page
    from gansmith.web.settings import Settings
    from gansmith.web.work import Work

    return Live(Page(Settings(runs), OpenedRuns(runs), OpenModels(1), Work()), EventRecords())


def told(events: list[str]) -> list[tuple[str, dict[str, Any]]]:
    said = []
    for event in events:
        kind, data = event.strip().split("\n")
        said.append((kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return said


def test_a_run_is_told_when_it_changes_and_only_then(runs: Path) -> None:
    live = live_of(runs)
    [(kind, state)] = told(live.changes())
    assert (kind, state["name"], state["state"], state["images"], state["total"]) == ("run", "one", "ended", 320, 320)
    assert state["sheet"] == 320
    assert live.changes() == []
    with (runs / "one/events.jsonl").open("a") as file:
        file.write('{"step": 21, "images": 336, "seconds": 9.0, "images_per_second": 50.0, "health": "<b>\\u001b"}\n')
    [(kind, state)] = told(live.changes())
    assert (state["images"], state["rate"], state["record"]["health"]) == (336, 50.0, "<b>\\x1b")
    with locked(runs / "one"):
        [(_, state)] = told(live.changes())
        assert state["state"] == "training"
        assert state["left"] == 0
    assert told(live.changes())[0][1]["state"] != "training"
    shutil.rmtree(runs / "one")
    assert told(live.changes()) == [("gone", {"name": "one"})]


def test_a_run_without_records_has_the_images_of_its_model(runs: Path) -> None:
    """Such as those of the zoo."""
    (runs / "one/events.jsonl").unlink()
    [(_, state)] = told(live_of(runs).changes())
    assert (state["images"], state["rate"]) == (320, None)


def test_a_run_by_time_has_no_number_of_images_before_its_first_checkpoint(runs: Path) -> None:
    settings = runs / "one/experiment.yaml"
    settings.write_text(settings.read_text().replace("time: null", "time: 1m"))
    (runs / "one/checkpoints").rename(runs / "aside")
    with (runs / "one/events.jsonl").open("a") as file:
        file.write('{"step": 21, "images": 336, "seconds": 12.5, "images_per_second": 50.0}\n')
    live = live_of(runs)
    with locked(runs / "one"):
        [(_, state)] = told(live.changes())
        assert (state["total"], state["left"]) == (None, 47.5)
        (runs / "aside").rename(runs / "one/checkpoints")
        [(_, state)] = told(live.changes())
        assert (state["total"], state["left"]) == (320, 0)


def test_a_look_at_runs_that_rest_reads_no_file(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of looking at fifty runs costs milliseconds: a training beside it does not feel it."""
    for number in range(49):
        (runs / f"copy{number}").mkdir()
        for name in ("experiment.yaml", "events.jsonl"):
            (runs / f"copy{number}" / name).write_bytes((runs / "one" / name).read_bytes())
    live = live_of(runs)
    assert len(live.changes()) == 50
    monkeypatch.setattr(EventRecords, "of", lambda *_: pytest.fail("a file was read"))
    took = []
    for _ in range(5):  # in one of them Python may tidy up its memory
        begun = time.process_time()
        assert live.changes() == []
        took.append(time.process_time() - begun)
    assert min(took) < 0.1


async def heard(live: Live, most: int, events: list[str]) -> list[str]:
    async for event in live.events():
        events.append(event)
        if len(events) == most:
            break
    return events


def test_listeners_begin_with_every_run_and_hear_changes(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansmith.web.live.EVERY", 0.05)
    live = live_of(runs)

    async def two_listeners() -> tuple[list[str], list[str]]:
        events: list[str] = []
        one = asyncio.create_task(heard(live, 4, events))
        while len(events) < 3:
            await asyncio.sleep(0.01)
        with (runs / "one/events.jsonl").open("a") as file:
            file.write('{"step": 21, "images": 336, "seconds": 9.0}\n')
        first = await asyncio.wait_for(one, 240)
        return first, await asyncio.wait_for(heard(live, 3, []), 240)  # one who comes later, or again

    first, later = asyncio.run(two_listeners())
    assert first[0] == later[0] == "retry: 1000\n\n"
    names = ("all", {"names": ["one"]})  # whoever shows another one knows that it is gone
    assert [kind for kind, _ in told(first[1:])] == ["run", "all", "run"]
    assert [state["images"] for kind, state in told(first[1:]) if kind == "run"] == [320, 336]
    assert told(later[1:])[0][1]["images"] == 336
    assert told(first[1:])[1] == told(later[1:])[1] == names
