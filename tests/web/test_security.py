"""Who may ask the page: the token, Host, Origin; and what every answer says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pages import TOKEN, client_of

from gansmith.web.settings import Settings

BODY = {"of": {"seed": 1}}


@pytest.fixture(scope="module")
def page(runs: Path) -> Iterator[httpx.Client]:
    with client_of(Settings(runs, token=TOKEN, hosts=("Lab.example",))) as client:
        yield client


@pytest.fixture
def stranger(page: httpx.Client) -> Iterator[httpx.Client]:
    """A client without the token."""
    with httpx.Client(base_url=page.base_url, trust_env=False, timeout=240) as client:
        yield client


def paths(page: httpx.Client) -> list[tuple[str, str]]:
    """Every route that the page describes, and those that it does not."""
    described = page.get("/openapi.json").json()["paths"]
    routes = [(method.upper(), path.replace("{run}", "toy")) for path in described for method in described[path]]
    return [
        *routes,
        ("GET", "/openapi.json"),
        ("GET", "/static/main.js"),
        ("GET", "/static/plotly.min.js"),
        ("GET", "/no"),
    ]


def test_every_path_asks_for_the_token(page: httpx.Client, stranger: httpx.Client) -> None:
    asked = paths(page)
    assert ("GET", "/api/runs/toy/image") in asked
    for method, path in asked:
        for headers in ({}, {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": f"Basic {TOKEN}"}):
            own = {**headers, "Origin": str(page.base_url).rstrip("/")}
            answer = stranger.request(method, path, headers=own, params={"token": TOKEN})
            assert answer.status_code == 401, (method, path, headers)
            assert answer.json().keys() == {"error"}
            assert TOKEN not in answer.text
    assert stranger.get("/").status_code == 401
    assert "<form" in stranger.get("/").text
    assert "script" not in stranger.get("/").text


def test_the_token_in_the_address_becomes_a_cookie(page: httpx.Client, stranger: httpx.Client) -> None:
    assert stranger.get("/?token=wrong").status_code == 401
    assert not stranger.cookies
    answer = stranger.get("/", params={"token": TOKEN})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"gansmith_{page.base_url.port}={TOKEN};")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "domain" not in cookie.lower()
    assert stranger.get("/api/runs").status_code == 200
    stranger.cookies.clear()
    stranger.cookies.set("gansmith_1", TOKEN)
    assert stranger.get("/api/runs").status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:80",
        "127.0.0.1@evil.example",
        "",
        "localhost.",
        "[::2]",
        "a b",
    ],
)
def test_another_host_is_refused(page: httpx.Client, host: str) -> None:
    answer = page.get("/api/runs", headers={"Host": host})
    assert answer.status_code in (400, 403)
    assert page.get("/", params={"token": TOKEN}, headers={"Host": host}).status_code in (400, 403)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST:65535", "[::1]", "[::1]:9", "lab.example:3"])
def test_own_names_are_taken_on_any_port(page: httpx.Client, host: str) -> None:
    assert page.get("/api/runs", headers={"Host": host}).status_code == 200


def test_an_origin_must_be_the_host(page: httpx.Client, stranger: httpx.Client) -> None:
    address, own = "/api/runs/toy/render", str(page.base_url).rstrip("/")
    stranger.get("/", params={"token": TOKEN})
    for origin in ("http://evil.example", "null", own + "0", "http://localhost", f"{own}@evil.example", ""):
        for client in (stranger, page):
            answer = client.post(address, json=BODY, headers={"Origin": origin})
            assert answer.status_code == 403, (origin, answer.text)
            assert answer.headers["content-type"] == "application/json"
    assert stranger.post(address, json=BODY).status_code == 403
    assert stranger.post(address, json=BODY, headers={"Origin": own}).status_code == 200
    assert page.post(address, json=BODY).status_code == 200


def test_every_answer_has_the_headers(page: httpx.Client, stranger: httpx.Client) -> None:
    foreign = {"Host": "evil.example"}
    answers = [
        page.get("/"),
        page.get("/no"),
        stranger.get("/"),
        page.get("/api/runs/no"),
        page.get("/", headers=foreign),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src 'self';" in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
    assert {page.get(path).status_code for path in ("/docs", "/redoc")} == {404}


@contextmanager
def forwarder(port: int) -> Iterator[int]:
    """Another port of this machine whose connections lead to `port`, as of `ssh -L`."""
    listening = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        finally:
            source.close()

    def accept() -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def test_a_forwarded_port_works(page: httpx.Client) -> None:
    assert page.base_url.port is not None
    with (
        forwarder(page.base_url.port) as port,
        httpx.Client(base_url=f"http://localhost:{port}", trust_env=False, follow_redirects=True, timeout=240) as far,
    ):
        assert far.get("/", params={"token": TOKEN}).status_code == 200
        assert list(far.cookies) == [f"gansmith_{port}"]
        own = {"Origin": f"http://localhost:{port}"}
        assert far.post("/api/runs/toy/render", json=BODY, headers=own).status_code == 200
        own = {"Origin": f"http://localhost:{page.base_url.port}"}
        assert far.post("/api/runs/toy/render", json=BODY, headers=own).status_code == 403
