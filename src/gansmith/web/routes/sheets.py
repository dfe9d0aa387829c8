"""The sheets of samples that a run has written, by the images clock."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from starlette.requests import Request

from gansmith.web.errors import NotFoundError, TooLargeError
from gansmith.web.opened_runs import file_inside
from gansmith.web.page import page_of
from gansmith.web.shared import shared_of
from gansmith.web.sheet_files import ALONE, FOLDER, parts_of, sheet_files

router = APIRouter()
MOST = 20_000  # sheets that are listed
_MOST_BYTES = 1 << 26
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@router.get("/api/runs/{run}/sheets")
async def sheets(request: Request, run: str) -> list[dict[str, Any]]:
    """[{images, width, height}] in the order of the clock."""
    page, kept = page_of(request), shared_of(request).kept

    def listed() -> list[dict[str, Any]]:
        folder = page.runs.path_of(run)
        for place in (FOLDER, ALONE):
            with suppress(OSError):
                changed = (folder / place).stat().st_mtime_ns
                return kept.of(("sheets", str(folder), changed), lambda: _sheets(folder))
        return []

    return await page.work.read(listed)


@router.get("/api/runs/{run}/sheets/{images}", response_class=Response)
async def sheet(request: Request, run: str, images: int) -> Response:
    """One sheet, the file as it lies there. The browser asks again whether it changed."""
    page = page_of(request)

    def checked() -> tuple[Path, str]:
        folder = page.runs.path_of(run)
        file = file_inside(folder, *parts_of(folder, images))
        stat = file.stat()
        if stat.st_size > _MOST_BYTES:
            raise TooLargeError(f"the sheet at {images:,} images has {stat.st_size:,} bytes")
        if _sides(file) is None:
            raise NotFoundError(f"the sheet at {images:,} images is damaged")
        return file, f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'

    file, tag = await page.work.read(checked)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return FileResponse(file, media_type="image/png", headers=headers)


def _sheets(folder: Path) -> list[dict[str, Any]]:
    numbers = sheet_files(folder)
    listed = []
    for number in sorted(numbers)[-MOST:]:
        sides = _sides(numbers[number])
        if sides is not None:
            listed.append({"images": number, "width": sides[0], "height": sides[1]})
    return listed


def _sides(file: Path) -> tuple[int, int] | None:
    """Width and height in a PNG's header; None for anything else."""
    with suppress(OSError), file.open("rb") as opened:
        head = opened.read(24)
        if len(head) == 24 and head.startswith(_SIGNATURE) and head[12:16] == b"IHDR":
            width, height = struct.unpack(">II", head[16:])
            return int(width), int(height)
    return None
