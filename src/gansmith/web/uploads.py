"""Bodies of requests, bounded in bytes and time; images in them bounded in pixels, and decoded by `data.decode`."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request

from gansmith.data.decode import decode, open_image
from gansmith.errors import GansmithError, UnreadableImageError
from gansmith.web.errors import RefusedError, TooLargeError

if TYPE_CHECKING:
    from gansmith.data.decode import Pixels

MOST_BYTES = 32 << 20  # of an image file
MOST_PIXELS = 50_000_000  # of an image: telephones make as many
PATIENCE = 30.0  # seconds in which a body must have come, and one more for each MiB
_decoding = threading.Lock()  # one large image in memory at a time


async def image_body(request: Request) -> bytes:
    """The body: an image file of at most 32 MiB. Raises TooLargeError, and GansmithError for one that does not come."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and len(stated) < 19 and int(stated) > MOST_BYTES:
        raise TooLargeError(f"the file has {int(stated):,} bytes, and at most {MOST_BYTES:,} are read")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower().startswith("multipart/"):
        raise RefusedError("the body is the image file itself, not a form that holds it")
    parts, size = [], 0
    try:
        async with asyncio.timeout(PATIENCE + (int(stated) / 2**20 if stated.isdigit() and len(stated) < 19 else 0)):
            async for part in request.stream():
                size += len(part)
                if size > MOST_BYTES:
                    raise TooLargeError(
                        f"the file has more than {MOST_BYTES:,} bytes, which are the most that are read"
                    )
                parts.append(part)
    except (TimeoutError, ClientDisconnect):
        raise GansmithError("the file did not come in time: send it again") from None
    if not size:
        raise UnreadableImageError("the body is empty: it is the image file")
    return b"".join(parts)


def decoded(data: bytes) -> Pixels:
    """An image file -> uint8 [H, W, C]. Raises UnreadableImageError, and TooLargeError beyond 50 million pixels."""
    try:
        with open_image(data) as image:
            width, height = image.size
    except Exception:  # whatever it is, `decode` says it
        width = height = 0
    if width * height > MOST_PIXELS:
        raise TooLargeError(f"the image has {width:,} x {height:,} pixels, and at most {MOST_PIXELS:,} are read")
    with _decoding:
        return decode(data, "the image")
