"""A stand-in of a model hub on 127.0.0.1: the few endpoints of it that a push uses, and everything that it received."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_of_a_test"
MOST = 32 * 2**20  # bytes that it takes in all


class Hub(ThreadingHTTPServer):
    """repos: {name: private}. requests: (method, path, headers, body). stored: {repository: {path: bytes}}."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.repos: dict[str, bool] = {}
        self.requests: list[tuple[str, str, str, bytes]] = []
        self.objects: dict[str, bytes] = {}
        self.stored: dict[str, dict[str, str]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def received(self) -> bytes:
        return b"\n".join(b"\n".join((path.encode(), heads.encode(), body)) for _, path, heads, body in self.requests)


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, format: str, *words: Any) -> None:
        pass

    def reply(self, status: int, told: Any) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            length = int(self.headers.get("Content-Length") or 0)
            assert length < MOST
            body = self.rfile.read(length)
        assert len(body) + len(self.server.received) < MOST
        self.server.requests.append((self.command, self.path, str(self.headers), body))
        return body

    def do_PUT(self) -> None:
        self.server.objects[self.path.rpartition("/")[2]] = self.body()
        self.reply(200, {})

    def do_GET(self) -> None:
        self.body()
        repo = self.path.removeprefix("/api/models/")
        known = repo in self.server.repos
        self.reply(200 if known else 404, {"id": repo, "private": self.server.repos.get(repo), "siblings": []})

    def do_POST(self) -> None:
        self.reply(*self.answer(self.body()))

    def answer(self, body: bytes) -> tuple[int, Any]:
        path, hub, told = self.path, self.server, None
        if path != "/api/validate-yaml" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid username or password."}
        if path == "/api/repos/create":
            return self.created(json.loads(body))
        if path == "/api/validate-yaml":
            told = {"errors": [], "warnings": []}
        elif "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = ["lfs" if name.endswith((".safetensors", ".pt2")) else "regular" for name in names]
            pairs = zip(names, modes, strict=True)
            told = {"files": [{"path": name, "uploadMode": mode, "shouldIgnore": False} for name, mode in pairs]}
        elif path.endswith("/info/lfs/objects/batch"):
            wanted = json.loads(body)["objects"]
            places = [{"upload": {"href": f"{hub.address}/upload/{one['oid']}"}} for one in wanted]
            objects = [{**one, "actions": place} for one, place in zip(wanted, places, strict=True)]
            told = {"transfer": "basic", "objects": objects}
        elif "/commit/" in path:
            repo = path.removeprefix("/api/models/").partition("/commit/")[0]
            lines = [json.loads(line) for line in body.splitlines()]
            hub.stored[repo] = {one["value"]["path"]: one["key"] for one in lines if one["key"] != "header"}
            told = {"commitUrl": f"{hub.address}/{repo}/commit/1", "commitOid": "1" * 40, "success": True}
        return (404, {"error": f"no {path}"}) if told is None else (200, told)

    def created(self, told: Any) -> tuple[int, Any]:
        repo, hub = f"{told.get('organization') or 'somebody'}/{told['name']}", self.server
        if repo in hub.repos:
            return 409, {"error": "exists", "url": f"{hub.address}/{repo}"}
        hub.repos[repo] = told.get("visibility") == "private"
        return 200, {"url": f"{hub.address}/{repo}", "name": repo}


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join(10)
