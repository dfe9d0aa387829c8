"""Hostile requests: paths, names, bodies, slow clients; and what a GET leaves as it was."""

from __future__ import annotations

import http.client
import shutil
import socket
import struct
import zlib
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from PIL import Image, PngImagePlugin

from gansmith.web import protocol, uploads
from small import files

UPLOADS = ("/api/runs/toy/invert?steps=1&restarts=1", "/api/show")


def png(size: tuple[int, int] = (8, 8), text: dict[str, str] | None = None) -> bytes:
    file, chunks = BytesIO(), PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        chunks.add_text(key, value)
    Image.new("RGB", size).save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def refused(answer: httpx.Response, *statuses: int) -> str:
    """The error of an answer: JSON with our message, no traceback, no path of this machine."""
    assert answer.status_code in statuses, answer.text
    assert answer.json().keys() == {"error"}
    assert "Traceback" not in answer.text
    assert "/tmp/" not in answer.text
    return str(answer.json()["error"])


def raw_get(client: httpx.Client, path: str) -> int:
    """The status of a path that is sent as it is."""
    connection = http.client.HTTPConnection(str(client.base_url.host), client.base_url.port, timeout=240)
    connection.putrequest("GET", path)
    connection.putheader("Authorization", client.headers["authorization"])
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_no_path_leads_outside(own_client: httpx.Client, own_runs: Path) -> None:
    secret = own_runs.parent / "secret"
    secret.mkdir()
    shutil.copytree(own_runs / "toy", secret / "run")
    (own_runs / "linked").symlink_to(secret / "run")
    latents = own_runs / "toy" / "latents"
    latents.mkdir()
    (latents / "mine.safetensors").symlink_to(secret / "run" / "model" / "generator.safetensors")
    assert [run["name"] for run in own_client.get("/api/runs").json()] == ["toy"]
    for path in (
        *("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "//etc/passwd"),
        *("/api/runs/..", "/api/runs/%2e%2e%2fsecret", "/api/runs/..%2fsecret%2frun", "/api/runs/linked/image?seed=1"),
        *(
            "/api/runs/%2fetc",
            "/api/runs/toy%00",
            "/api/runs/toy/../../etc/passwd",
            "/static/%00",
            f"/api/runs/{secret}/run",
        ),
    ):
        assert raw_get(own_client, path) in (400, 404), path
    for name in ("mine", "../model/generator", "/etc/passwd", "..", "a\0b", "x" * 80):
        answer = own_client.post("/api/runs/toy/render", json={"of": {"latent": name}})
        refused(answer, 404)


def test_a_name_is_data(own_client: httpx.Client, own_runs: Path) -> None:
    names = [
        "<script>alert(1)</script>".replace("/", "\u2044"),
        "a\"b'c",
        "a%2Fb",
        "a b&c=d#e?f",
        "ü\n\x1b[31m",
        "\u202etxt",
    ]
    for name in names:
        shutil.copytree(own_runs / "toy", own_runs / name)
    answer = own_client.get("/api/runs")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    known = [run["name"] for run in answer.json()]
    assert len(known) == len(names) + 1
    assert not any(sign in "".join(known) for sign in "\n\x1b\u202e")
    for name in known:
        image = own_client.get(f"/api/runs/{quote(name, safe='')}/image?seed=1")
        assert image.status_code == 200, name
        assert "\n" not in image.headers["gansmith-command"]


@pytest.mark.parametrize("path", UPLOADS)
def test_bodies_are_bounded(own_client: httpx.Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"", b"no image", b"<svg onload=alert(1)>", png()[:-30], png()[:40], bomb(20, 20)[:-20]):
        refused(own_client.post(path, content=data), 400)
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)
    assert "1,000" in refused(own_client.post(path, content=b"x" * 1001), 413)
    chunks = (b"x" * 100 for _ in range(100))
    assert "1,000" in refused(own_client.post(path, content=chunks), 413)
    refused(own_client.post(path, files={"image": png()}), 403)


def test_pixels_are_bounded(own_client: httpx.Client) -> None:
    for width, height in ((30_000, 30_000), (2**31 - 1, 2**31 - 1), (1, 60_000_000)):
        assert "pixels" in refused(own_client.post(UPLOADS[0], content=bomb(width, height)), 400, 413)


def test_a_hostile_text_is_data(own_client: httpx.Client, own_runs: Path) -> None:
    before = files(own_runs)
    for text in (
        "{",
        "[" * 5000,
        '{"format": 1}',
        '{"format": 1, "origin": {"version": "$(reboot)"}}',
        "x" * 2_000_000,
    ):
        message = refused(own_client.post("/api/show", content=png(text={"gansmith": text})), 400)
        assert len(message) < 1000
    refused(own_client.post("/api/show", content=png()), 400)
    assert files(own_runs) == before


def test_a_dropped_image_is_told(own_client: httpx.Client, own_runs: Path) -> None:
    image = own_client.get("/api/runs/toy/image?seed=7").content
    said = own_client.post("/api/show", content=image).json()
    assert said["run"] == "toy"
    assert said["latents"] == [{"seed": 7}]
    assert said["command"].endswith("--seeds 7")
    mixed = own_client.post("/api/runs/toy/mix", json={"plus": [[{"seed": 1}, {"seed": 2}]], "minus": []}).content
    (one,) = own_client.post("/api/show", content=mixed).json()["latents"]
    again = own_client.post("/api/runs/toy/render", json={"of": one})
    pixels = [Image.open(BytesIO(data)).tobytes() for data in (mixed, again.content)]
    assert pixels[0] == pixels[1]


@pytest.mark.parametrize(
    "body",
    [
        *(
            '{"of": {"seed": -1}}',
            '{"of": {"seed": 1.5}}',
            '{"of": {"seed": "1"}}',
            '{"of": {"seed": 1, "x": 1}}',
            "{",
            "",
        ),
        *(
            '{"of": {"seed": 1}, "truncation": NaN}',
            '{"of": {"seed": 1}, "label": "a"}',
            '{"of": {"seed": ' + "9" * 5000 + "}}",
        ),
        *('{"of": ' * 3000, '{"of": {"latent": "' + "x" * 100_000 + '"}}', '{"of": {"seed": 1}, "truncation": 1e-9}'),
    ],
)
def test_a_wrong_body_is_an_error_of_the_client(client: httpx.Client, body: str) -> None:
    answer = client.post("/api/runs/toy/render", content=body, headers={"Content-Type": "application/json"})
    assert len(refused(answer, 400, 422)) < 1000


def test_a_large_body_of_json_is_not_read(client: httpx.Client) -> None:
    body = b'{"of": {"seed": 1}, "label": "' + b"x" * (2 << 20) + b'"}'
    refused(client.post("/api/runs/toy/render", content=body, headers={"Content-Type": "application/json"}), 413)


@pytest.mark.parametrize(
    "query", ["seed=-1", "seed=x", "seed=1.0", "", "seed=1&truncation=x", "seed=1&truncation=nan", "seed=1&label=3"]
)
def test_a_wrong_query_is_an_error_of_the_client(client: httpx.Client, query: str) -> None:
    refused(client.get(f"/api/runs/toy/image?{query}"), 400, 422)


def test_a_get_changes_nothing(own_client: httpx.Client, own_runs: Path) -> None:
    before = files(own_runs)
    described = own_client.get("/openapi.json").json()["paths"]
    asked = [path.replace("{run}", "toy") for path, methods in described.items() if "get" in methods]
    for path in asked:
        if path != "/api/live":
            for query in ("", "?seed=1"):
                own_client.get(path + query)
        if "post" not in described.get(path, {}):
            assert own_client.delete(path).status_code in (404, 405)
    assert files(own_runs) == before


def test_read_only_writes_nothing(runs: Path) -> None:
    from pages import TOKEN, client_of

    from gansmith.web.settings import Settings

    before = files(runs)
    with client_of(Settings(runs, token=TOKEN, read_only=True)) as client:
        assert "read-only" in refused(client.post(UPLOADS[0], content=png()), 403)
        refused(client.post("/api/runs/toy/directions", json={"method": "svd"}), 403)
        assert client.get("/api/about").json()["read_only"] is True
        assert client.get("/api/runs/toy/image?seed=1").status_code == 200
    assert files(runs) == before


def test_a_damaged_run_is_said_and_hides_no_other(own_client: httpx.Client, own_runs: Path) -> None:
    shutil.copytree(own_runs / "toy", own_runs / "bad")
    (own_runs / "bad" / "model" / "generator.safetensors").write_bytes(b"\xff" * 100)
    known = {run["name"]: run for run in own_client.get("/api/runs").json()}
    assert "damaged" in known["bad"]["error"]
    assert "error" not in known["toy"]
    assert "damaged" in own_client.get("/api/runs/bad/image?seed=1").json()["error"]


def test_an_unforeseen_error_tells_nothing(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from gansmith.web.routes import image

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of line 7")

    monkeypatch.setattr(image, "sampled", fails)
    answer = client.get("/api/runs/toy/image?seed=1")
    assert "secret" not in refused(answer, 500)
    assert answer.headers["content-security-policy"]


def test_slow_clients_are_let_go(own_client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD", 0.3)
    monkeypatch.setattr(protocol, "EVERY", 0.1)
    monkeypatch.setattr(uploads, "PATIENCE", 0.3)
    place = (str(own_client.base_url.host), own_client.base_url.port)
    with socket.create_connection(place, timeout=240) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")
        assert slow.recv(1) == b""
    monkeypatch.setattr(protocol, "HEAD", 60.0)
    head = f"POST {UPLOADS[0]} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {own_client.headers['authorization']}\r\n"
    with socket.create_connection(place, timeout=240) as slow:
        slow.sendall(f"{head}Content-Length: 1000\r\n\r\nabc".encode())
        answer = b""
        while b"in time" not in answer:
            piece = slow.recv(65536)
            assert piece, answer
            answer += piece
