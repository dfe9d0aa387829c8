"""Who waits and who is dropped; models let go; a model file that changes is opened anew."""

from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request

from gansmith.runs.run import Run
from gansmith.web.errors import BusyError, StaleError
from gansmith.web.open_models import OpenModels
from gansmith.web.work import MOST_OF_ALL, MOST_OF_CLIENT, Work


def request(client: str, channel: str | None = None, gone: asyncio.Event | None = None) -> Request:
    headers = [(b"gansmith-client", client.encode())]
    headers += [] if channel is None else [(b"gansmith-channel", channel.encode())]

    async def receive() -> dict[str, Any]:
        await (gone or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": headers, "client": None}, receive)


class Held:
    """Work that waits for `go`, and the order in which it was done."""

    def __init__(self) -> None:
        self.go, self.order = threading.Event(), list[object]()

    def __call__(self, name: object) -> Any:
        def work() -> object:
            self.go.wait(240)
            self.order.append(name)
            return name

        return work


async def scheduled(work: Work, asked: list[tuple[Request, object]], held: Held) -> list[Any]:
    """The answers to requests that all wait behind a first one."""
    first = asyncio.ensure_future(work.render(request("x"), "run", held("first")))
    while not work.busy:
        await asyncio.sleep(0.01)
    waiting = [asyncio.ensure_future(work.render(one, "run", held(name))) for one, name in asked]
    for _ in range(20):  # turns of the loop, in which all that is to wait waits, and who is gone goes
        await asyncio.sleep(0)
    held.go.set()
    answers = await asyncio.gather(first, *waiting, return_exceptions=True)
    work.close()
    return list(answers)[1:]


def test_the_newest_of_a_client_is_first_and_clients_take_turns() -> None:
    held = Held()
    asked: list[tuple[Request, object]] = [(request(name[0]), name) for name in ("a1", "a2", "a3", "b1", "b2")]
    assert asyncio.run(scheduled(Work(), asked, held)) == ["a1", "a2", "a3", "b1", "b2"]
    assert held.order == ["first", "a3", "b2", "a2", "b1", "a1"]


def test_a_newer_request_of_a_channel_takes_the_place() -> None:
    held = Held()
    asked: list[tuple[Request, object]] = [(request("a", "edit"), 1), (request("a"), 2), (request("b", "edit"), 3)]
    answers = asyncio.run(scheduled(Work(), [*asked, (request("a", "edit"), 4)], held))
    assert isinstance(answers[0], StaleError)
    assert answers[1:] == [2, 3, 4]
    assert 1 not in held.order


def test_what_waits_is_bounded() -> None:
    held = Held()
    answers = asyncio.run(scheduled(Work(), [(request("a"), number) for number in range(MOST_OF_CLIENT + 3)], held))
    assert [isinstance(one, StaleError) for one in answers] == [True] * 3 + [False] * MOST_OF_CLIENT
    answers = asyncio.run(scheduled(Work(), [(request(str(n)), n) for n in range(MOST_OF_ALL + 3)], Held()))
    assert [isinstance(one, BusyError) for one in answers] == [False] * MOST_OF_ALL + [True] * 3


def test_nobody_computes_for_a_client_that_went_away() -> None:
    held = Held()

    async def play() -> list[Any]:
        gone = asyncio.Event()
        gone.set()
        return await scheduled(Work(), [(request("a", gone=gone), 1), (request("a"), 2)], held)

    answers = asyncio.run(play())
    assert isinstance(answers[0], StaleError)
    assert held.order == ["first", 2]


def test_an_error_is_the_requests_own() -> None:
    def fails() -> None:
        raise ValueError("mine")

    async def play() -> list[Any]:
        work = Work()
        asked = [work.render(request("a"), "run", fails), work.render(request("a"), "run", lambda: 2)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        work.close()
        return answers

    answers = asyncio.run(play())
    assert isinstance(answers[0], ValueError)
    assert answers[1] == 2


def test_models_are_let_go_the_least_recently_used_first(runs: Path, tmp_path: Path) -> None:
    opened = [Run(shutil.copytree(runs / "toy", tmp_path / name)) for name in ("a", "b", "c")]
    models = OpenModels(memory=0)
    one = models.renderer(opened[0])
    assert models.renderer(opened[0]) is one
    size = models.size
    models = OpenModels(memory=2 * size)
    first, second = models.renderer(opened[0]), models.renderer(opened[1])
    assert models.renderer(opened[0]) is first
    models.renderer(opened[2])
    assert len(models) == 2
    assert models.renderer(opened[0]) is first
    assert models.renderer(opened[1]) is not second


def test_a_model_that_is_written_anew_is_taken(own_client: httpx.Client, own_runs: Path) -> None:
    path = "/api/runs/toy/image?seed=1"
    before = own_client.get(path)
    model = own_runs / "toy" / "model" / "generator.safetensors"
    same = model.read_bytes()
    from gansmith.models import saved

    network, card = saved.load(model)
    state = {name: one * 1.5 if one.is_floating_point() else one for name, one in network.state_dict().items()}
    saved.save(model.parent, {"generator": (card, state)})
    after = own_client.get(path)
    assert after.headers["gansmith-digest"] != before.headers["gansmith-digest"]
    assert after.content != before.content
    assert own_client.get("/api/runs/toy").json()["digest"] == after.headers["gansmith-digest"]
    model.write_bytes(same)
    assert own_client.get(path).content == before.content
