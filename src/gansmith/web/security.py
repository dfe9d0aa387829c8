"""The checks in front of every route, as ASGI middleware: Host, Origin, token; and the headers of every answer.

Order: a Host that names this server; the Origin of whoever changes something; the token. A page elsewhere can make a
browser send requests here (cross-site request forgery), and make its own name lead here (DNS rebinding): the first is
stopped by the SameSite cookie and by Origin, the second by Host.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gansmith.web.errors import error_response
from gansmith.web.login import LOGIN_PAGE
from gansmith.web.page import Page
from gansmith.web.policy import content_policy
from gansmith.web.uploads import bounded, too_large

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_SAFE = ("GET", "HEAD")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?")


class Security:
    """An ASGI application behind the checks; `app` is what it protects, `page` what its routes share."""

    def __init__(self, app: ASGIApp, page: Page) -> None:
        self.app, self.page, self.settings = app, page, page.settings
        self._hosts = page.settings.allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            with_headers = _with_headers(scope, send)
            answer = self._refusal(scope) or self._login(scope)
            if answer is None and (problem := too_large(scope)) is not None:
                answer = error_response(413, problem)
            if answer is None:
                await self.app(scope, bounded(scope, receive), with_headers)
            else:
                await answer(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is for another host, or from another page."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        name, _ = split_host(host)
        if len(headers.getlist("host")) != 1 or name not in self._hosts:
            known = ", ".join(sorted(self._hosts))
            return error_response(
                403, f"the host {host[:100]!r} is not this server's: {known}. Others by --allow-host NAME"
            )
        if scope["method"] in _SAFE:
            return None
        origins = headers.getlist("origin")
        if not origins and self._by_header(headers):
            return None  # no browser: one sends its Origin, and cannot be made to send this header
        if len(origins) != 1 or urlsplit(origins[0]).netloc.lower() != host.lower():
            said = ", ".join(origins)[:100] or "none"
            return error_response(403, f"the origin {said!r} is not this page's, which is {host[:100]!r}")
        return None

    def _login(self, scope: Scope) -> Response | None:
        """The answer to a request without the token, and to the one that brings it in its address."""
        headers = Headers(scope=scope)
        _, port = split_host(headers["host"])
        cookie = f"gansmith_{port}"
        at_the_door = scope["path"] == "/" and scope["method"] in _SAFE
        if at_the_door and (offered := _query(scope)):
            if not self._is_token(offered):
                return HTMLResponse(LOGIN_PAGE, 401)
            redirect = RedirectResponse("/", 303)
            redirect.set_cookie(cookie, self.settings.token, httponly=True, samesite="strict", path="/")
            return redirect
        if self._by_header(headers) or self._is_token(_cookies(headers, cookie)):
            return None
        if at_the_door:
            return HTMLResponse(LOGIN_PAGE, 401)
        return error_response(
            401, "the token is missing or another: it is in the address that gansmith explore printed"
        )

    def _by_header(self, headers: Headers) -> bool:
        bearers = [one[7:].strip() for one in headers.getlist("authorization") if one[:7].lower() == "bearer "]
        return self._is_token(bearers)

    def _is_token(self, offered: Iterable[str]) -> bool:
        token = self.settings.token.encode()
        return any(hmac.compare_digest(one.encode("utf-8", "replace"), token) for one in offered)


def split_host(host: str) -> tuple[str, str]:
    """A Host header -> its name in small letters and its port; empty where it is none.

    >>> split_host("Localhost:8642"), split_host("[::1]"), split_host("evil/127.0.0.1")
    (('localhost', '8642'), ('[::1]', '80'), ('', ''))
    """
    match = _HOST.fullmatch(host)
    return (match[1].lower(), match[2] or "80") if match else ("", "")


def _query(scope: Scope) -> list[str]:
    try:
        return parse_qs(scope["query_string"].decode("ascii"), max_num_fields=10).get("token", [])
    except ValueError:
        return []


def _cookies(headers: Headers, name: str) -> list[str]:
    offered = []
    for header in headers.getlist("cookie"):
        for part in header.split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                offered.append(value)
    return offered


def _with_headers(scope: Scope, send: Send) -> Send:
    """`send` that adds the headers of every answer, where the answer has not set them itself: a route may set another
    policy, with sandbox, for a page of its own."""
    kept = "no-cache" if scope["path"].startswith("/static/") else "no-store"  # no-cache: kept, and asked for again
    every = {**HEADERS, "Content-Security-Policy": content_policy(), "Cache-Control": kept}

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in every.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
