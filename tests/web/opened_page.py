"""A page of runs, as a client that has its token sees it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from gansmith.web.app import create_app
from gansmith.web.settings import Settings


class Client:
    """`get` and `post` as httpx has them, each in an event loop of its own."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self.headers = {"Authorization": f"Bearer {settings.token}"}

    def get(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, options))

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {**self.headers, **options.pop("headers", {})}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=240) as client:
            return await client.request(method, path, headers=headers, **options)


def page_of_runs(opened: Path, **settings: Any) -> Client:
    """A client of the page of `opened`, with the token in its header."""
    return Client(Settings(opened=opened, **settings))


def refusal(answer: httpx.Response, status: int) -> str:
    """What an answer says was wrong; its status must be `status`, and no traceback in it."""
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert set(said) == {"error"}, said
    assert "Traceback" not in said["error"]
    return str(said["error"])
