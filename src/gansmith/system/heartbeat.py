"""Heartbeat of processes that work together: each learns within seconds that another has ended or cannot be reached.

Rank 0 listens, every other rank keeps a TCP connection to it, and a thread on each side sends a line a second. A
process that is killed closes its connection, which is noticed at once; a machine whose link is down is silent, which is
noticed after `SILENCE` seconds. Rank 0 tells the others. Work that keeps a process busy for minutes is no silence: the
thread goes on beside it. A process that was suspended, with all others (Ctrl-Z), does not count the time it slept.

A line is a word and, in JSON, what belongs to it: `hello [1, "host", secret]`, `alive null`, `failed "text"`,
`lost [1, "text", "ended"]`, `bye null`. Who does not know the secret of the training is not listened to.
"""

from __future__ import annotations

import json
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

SILENCE = 40.0  # seconds without a line, until a process counts as lost
_EVERY = 1.0  # seconds between two lines
_PATIENCE = 60.0  # seconds until a connection to rank 0 is given up


class Loss(NamedTuple):
    """A process that was lost: its rank, why, and how that is known: it `failed` and said why itself, or it `ended`
    without a word, or is `silent`."""

    rank: int
    why: str
    how: str = "ended"

    def __str__(self) -> str:
        return f"rank {self.rank}: {self.why}"


class _Peer:
    """One connection: what came of a line so far, and when anything came."""

    def __init__(self, connection: socket.socket, rank: int | None) -> None:
        self.connection, self.rank, self.place = connection, rank, ""
        self.text, self.heard = b"", time.monotonic()

    @property
    def where(self) -> str:
        """The machine, where it is another one."""
        return f" ({self.place})" if self.place not in ("", socket.gethostname(), "127.0.0.1", "localhost") else ""

    def send(self, word: str, value: Any = None) -> None:
        """A line, or a part of none: who reads no more is told of by the silence."""
        with suppress(OSError):
            self.connection.sendall(f"{word} {json.dumps(value)}\n".encode())

    def lines(self) -> list[tuple[str, Any]]:
        """What has come. Raises OSError for a connection that is closed."""
        chunk = self.connection.recv(1 << 16)
        if not chunk:
            raise ConnectionError("closed")
        self.heard = time.monotonic()
        *whole, self.text = (self.text + chunk).split(b"\n")
        return [(line.partition(b" ")[0].decode(), json.loads(line.partition(b" ")[2])) for line in whole]


class Heartbeat:
    """The heartbeat of one process, until `close`, or `fail`. Made by `listen` at rank 0, by `join` elsewhere.

    on_loss    called once, by the thread, for the first process that was lost
    """

    def __init__(
        self, rank: int, listener: socket.socket | None, on_loss: Callable[[Loss], object], silence: float
    ) -> None:
        self.rank, self._listener, self._on_loss, self._silence = rank, listener, on_loss, silence
        self.secret = secrets.token_hex(16)
        self._peers: list[_Peer] = []
        self._lock, self._lost, self._loss = threading.RLock(), threading.Event(), None  # type: Any, Any, Loss | None
        self._open = True
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    @property
    def port(self) -> int:
        """Where rank 0 listens."""
        assert self._listener is not None
        return int(self._listener.getsockname()[1])

    def loss(self, wait: float = 0.0) -> Loss | None:
        """The first process that was lost; None where all are well after `wait` seconds."""
        self._lost.wait(wait)
        return self._loss

    def fail(self, why: str) -> None:
        """Tell the others that this process is about to end, and why."""
        self._end("failed", why)

    def close(self) -> None:
        """End the heartbeat: the others do not take the end of this process for a loss."""
        self._end("bye", None)

    def _end(self, word: str, value: Any) -> None:
        with self._lock:
            if not self._open:
                return
            self._open = False
            for peer in self._peers:
                peer.send(word, value)
        if threading.current_thread() is not self._thread:
            self._thread.join(2 * _EVERY)
        for peer in self._peers:
            peer.connection.close()
        if self._listener is not None:
            self._listener.close()

    # ---- the thread

    def _beat(self) -> None:
        with selectors.DefaultSelector() as selector:
            if self._listener is not None:
                selector.register(self._listener, selectors.EVENT_READ, None)
            for peer in self._peers:
                selector.register(peer.connection, selectors.EVENT_READ, peer)
            sent = time.monotonic()
            while self._open:
                ready = selector.select(_EVERY / 4)
                now = time.monotonic()
                if now - sent > 5 * _EVERY:  # this process was suspended, or the machine slept
                    for peer in self._peers:
                        peer.heard = now
                with self._lock:
                    if not self._open:
                        return
                    self._read(selector, [key.data for key, _ in ready])
                    if now - sent >= _EVERY:
                        sent = now
                        self._send_and_listen(selector, now)

    def _read(self, selector: selectors.BaseSelector, ready: list[_Peer | None]) -> None:
        for peer in ready:
            if peer is None:
                assert self._listener is not None
                connection = self._listener.accept()[0]
                connection.settimeout(_EVERY)
                self._peers.append(_Peer(connection, None))
                selector.register(connection, selectors.EVENT_READ, self._peers[-1])
                continue
            try:
                for word, value in peer.lines():
                    self._take(selector, peer, word, value)
            except (OSError, ValueError):
                self._drop(selector, peer)
                if peer.rank is not None:
                    self._lose(Loss(peer.rank, f"it has ended{peer.where}"))

    def _take(self, selector: selectors.BaseSelector, peer: _Peer, word: str, value: Any) -> None:
        if word == "hello" and value[2] == self.secret:
            peer.rank, peer.place = int(value[0]), str(value[1])
        elif peer.rank is None or word == "bye":
            self._drop(selector, peer)
        elif word == "failed":
            self._drop(selector, peer)
            self._lose(Loss(peer.rank, f"{value}{peer.where}", "failed"))
        elif word == "lost":
            self._lose(Loss(*value))

    def _send_and_listen(self, selector: selectors.BaseSelector, now: float) -> None:
        for peer in [*self._peers]:
            peer.send("alive")
            if now - peer.heard > self._silence:
                self._drop(selector, peer)
                if peer.rank is not None:
                    self._lose(
                        Loss(
                            peer.rank, f"nothing was heard of it for {self._silence:.0f} seconds{peer.where}", "silent"
                        )
                    )

    def _drop(self, selector: selectors.BaseSelector, peer: _Peer) -> None:
        if peer in self._peers:
            self._peers.remove(peer)
            selector.unregister(peer.connection)
            peer.connection.close()

    def _lose(self, loss: Loss) -> None:
        if self._loss is not None:
            return
        self._loss = loss
        for peer in self._peers:
            peer.send("lost", loss)
        self._lost.set()
        self._on_loss(loss)


def listen(on_loss: Callable[[Loss], object], *, host: str = "", silence: float = SILENCE) -> Heartbeat:
    """The heartbeat of rank 0, on the address of `host` or on all; its `port` and `secret` are for the others."""
    heartbeat = Heartbeat(0, _server(host), on_loss, silence)
    heartbeat._thread.start()
    return heartbeat


def _server(host: str) -> socket.socket:
    if not host:
        with suppress(OSError):  # a system without version 6
            return socket.create_server(("", 0), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)
    return socket.create_server((host, 0), backlog=1024)


def join(
    rank: int, host: str, port: int, secret: str, on_loss: Callable[[Loss], object], *, silence: float = SILENCE
) -> Heartbeat:
    """The heartbeat of another rank, with rank 0 at `host`. Raises OSError where that cannot be reached.

    >>> first = listen(lambda loss: None, host="127.0.0.1")
    >>> second = join(1, "127.0.0.1", first.port, first.secret, lambda loss: None)
    >>> second.fail("no memory"); first.loss(wait=5)
    Loss(rank=1, why='no memory', how='failed')
    >>> first.close()
    """
    heartbeat = Heartbeat(rank, None, on_loss, silence)
    connection = socket.create_connection((host, port), timeout=_PATIENCE)
    connection.settimeout(_EVERY)
    peer = _Peer(connection, 0)
    peer.place = host
    peer.send("hello", [rank, socket.gethostname(), secret])
    heartbeat._peers.append(peer)
    heartbeat._thread.start()
    return heartbeat
