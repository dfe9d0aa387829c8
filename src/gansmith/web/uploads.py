"""Bodies of requests, bounded in bytes and time; images in them bounded in pixels, and decoded by `data.decode`."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from gansmith.data.decode import decode, open_image
from gansmith.errors import GansmithError, UnreadableImageError
from gansmith.web.errors import RefusedError, TooLargeError

if TYPE_CHECKING:
    from gansmith.data.decode import Pixels

MOST_BYTES = 32 << 20  # of an image file
MOST_JSON = 1 << 20  # of a body of JSON
MOST_PIXELS = 50_000_000  # of an image: telephones make as many
PATIENCE = 30.0  # seconds in which a body must have come, and a quarter of one more for each MiB
_decoding = threading.Lock()  # one large image in memory at a time


def bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive` that raises HTTPException (413, 408) for a body of too many bytes, or one that comes too slowly."""
    most = MOST_JSON if _kind(scope).endswith("json") else MOST_BYTES
    loop = asyncio.get_running_loop()
    size, whole, deadline = 0, False, loop.time() + PATIENCE

    async def receiving() -> Message:
        nonlocal size, whole
        if whole:
            return await receive()  # that the client goes away
        try:
            async with asyncio.timeout_at(deadline + size / 2**22):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "the body did not come in time: send it again") from None
        size += len(message.get("body", b""))
        whole = message["type"] != "http.request" or not message.get("more_body", False)
        if size > most:
            raise HTTPException(413, f"the body has more than {most:,} bytes, which are the most that are read")
        return message

    return receiving


def too_large(scope: Scope) -> str | None:
    """What is wrong with the length that a request states; None where that is allowed, or not stated."""
    most = MOST_JSON if _kind(scope).endswith("json") else MOST_BYTES
    stated = Headers(scope=scope).get("content-length", "0")
    if stated.isdigit() and len(stated) < 19 and int(stated) <= most:
        return None
    return f"the body has {stated[:20]} bytes, and at most {most:,} are read"


async def image_body(request: Request) -> bytes:
    """The body: an image file. Raises GansmithError for an empty one, for a form, for one that does not come."""
    if _kind(request.scope).startswith("multipart/"):
        raise RefusedError("the body is the image file itself, not a form that holds it")
    try:
        data = await request.body()
    except ClientDisconnect:
        raise GansmithError("the file did not come whole: send it again") from None
    if not data:
        raise UnreadableImageError("the body is empty: it is the image file")
    return data


def _kind(scope: Scope) -> str:
    return Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()


def decoded(data: bytes, name: str = "the image") -> Pixels:
    """An image file -> uint8 [H, W, C]; `name` is what an error calls it.

    Raises UnreadableImageError, and TooLargeError beyond 50 million pixels.
    """
    try:
        with open_image(data) as image:
            width, height = image.size
    except Exception:  # whatever it is, `decode` says it
        width = height = 0
    if width * height > MOST_PIXELS:
        raise TooLargeError(f"{name} has {width:,} x {height:,} pixels, and at most {MOST_PIXELS:,} are read")
    with _decoding:
        return decode(data, name)
