"""The server of the page: one socket, uvicorn, and its end."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn

from gansmith.errors import OptionError
from gansmith.runs import page_work
from gansmith.system.console import say
from gansmith.web.app import create_app
from gansmith.web.protocol import PatientProtocol
from gansmith.web.security import Security
from gansmith.web.settings import Settings

GRACE = 1  # seconds that tasks get when the server is asked to end
ANSWERS = 0.3  # seconds until the connections are closed then
LAST = 1.5  # seconds until it ends all the same
_USUAL = 8642  # the port without --port, where it is free


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens at `port`, at any free one for 0, at 8642 or any free one for None. Raises OptionError."""
    tried = [_USUAL, 0] if port is None else [port]
    for number in tried:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
            opened = socket.socket(family, kind, protocol)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(128)
            return opened
        except OSError as error:
            if number == tried[-1]:
                raise OptionError(
                    f"cannot listen at {host}, port {number}: {error.strerror or error}. Choose another --port, or 0 "
                    f"for any that is free"
                ) from error
    raise AssertionError


class Server(uvicorn.Server):
    """uvicorn's, which ends soon after the first signal, whatever is under way."""

    def __init__(self, app: Security) -> None:
        self._work, self._opened = app.page.work, app.settings.opened
        super().__init__(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_level="warning",
                access_log=False,  # it would hold the token
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The signal that ends the server: streams and searches are told, and none is waited for longer than LAST. What
        goes on without the page is said."""
        if not self._work.closing.is_set():
            say(*goes_on(self._opened))
        self._work.closing.set()
        end = threading.Timer(LAST, os._exit, [128 + sig])
        end.daemon = True
        end.start()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Short answers are finished; then every connection is closed, which ends the streams."""
        asyncio.get_running_loop().call_later(ANSWERS, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, PatientProtocol):
                connection.transport.close()


def goes_on(opened: Path) -> list[str]:
    """What runs on without the page, as lines: what it is, and the command that stops it."""
    job = page_work.running(opened)
    if job is None:
        return []
    return [
        f"{page_work.said(job)} goes on without the page. To stop it: {page_work.stop_command(opened, job)}",
        "The page of this folder finds it again when it is opened.",
    ]


def serve(settings: Settings, listening: socket.socket, *, started: Callable[[], None] = lambda: None) -> NoReturn:
    """Serve the page until a signal ends it, and the process with it: threads that compute are not waited for, and
    what they write is written whole or not at all."""
    server = Server(create_app(settings))
    started()
    status: object = 0
    try:
        server.run(sockets=[listening])
    except (SystemExit, KeyboardInterrupt) as end:
        status = getattr(end, "code", 130)
    say("stopped")
    sys.stdout.flush()
    os._exit(status if isinstance(status, int) else 1)
