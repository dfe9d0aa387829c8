"""HTTP/1.1 of uvicorn, with an end to clients that send their head too slowly (the attack "slowloris").

uvicorn closes what is silent between two requests, and waits for the rest of a head for as long as a byte comes now
and then. Bodies have their own bound (`uploads.py`).
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 15.0  # seconds in which a whole head must have come
EVERY = 5.0


class PatientProtocol(H11Protocol):
    """A connection that is closed where no whole head came in `HEAD` seconds."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._waits_since = self.loop.time()
        self._check = self.loop.call_later(EVERY, self._close_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._check.cancel()
        super().connection_lost(exc)

    def _close_slow(self) -> None:
        waits = self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete)
        now = self.loop.time()
        if not waits:
            self._waits_since = now
        if now - self._waits_since > HEAD:
            self.transport.close()
        else:
            self._check = asyncio.get_running_loop().call_later(EVERY, self._close_slow)
