"""The page for tests: its true server in a process of its own, and the application in this one."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from gansmith.web.app import create_app
from gansmith.web.serve import Server, listen
from gansmith.web.settings import Settings
from small import MAIN

TOKEN = "t" * 43


@dataclass(frozen=True)
class Served:
    """A page that is served: where, its token, its process."""

    url: str
    token: str
    process: subprocess.Popen[str]

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 80)

    def client(self) -> httpx.Client:
        """A client with the token in its header."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=240, trust_env=False)

    def raw(self) -> http.client.HTTPConnection:
        """A bare connection, for requests that no honest client sends."""
        return http.client.HTTPConnection(*self.place, timeout=240)


def start_page(*arguments: object) -> Served:
    """`gansmith explore` in a process of its own. The first line that it prints is its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "explore", *map(str, arguments), "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address, process.communicate()[1]
    url, _, token = address.partition("/?token=")
    return Served(url, token, process)


def end_page(served: Served) -> None:
    served.process.kill()
    served.process.communicate()


@contextmanager
def client_of(settings: Settings) -> Iterator[httpx.Client]:
    """A client, with the token, of a page that is served by a thread of this process."""
    listening = listen("127.0.0.1", 0)
    server = Server(create_app(settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    headers = {"Authorization": f"Bearer {settings.token}"}
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=240, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=240)
