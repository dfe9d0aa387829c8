"""The audit of a run: its answers as JSON, and the report as a page of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from gansmith.errors import RunError
from gansmith.system.text import printable
from gansmith.web.audit_words import overall
from gansmith.web.errors import NotFoundError
from gansmith.web.opened_runs import file_inside
from gansmith.web.own_pages import MOST_BYTES, report
from gansmith.web.page import page_of

router = APIRouter()
FILES = ("report.html", "first_look.html", "audit.json", "first_look.json")  # of a report; nothing else is sent


@router.get("/api/runs/{run}/audit")
async def audit(request: Request, run: str) -> dict[str, Any]:
    """audit.json, and `overall`: {verdict, sentence} of all its answers; 404 before there is one."""
    page = page_of(request)

    def read() -> dict[str, Any]:
        said = _json(page.runs.path_of(run), "audit.json")
        whole = overall(said)
        return said if whole is None else {**said, "overall": whole}

    return await page.work.read(read)


@router.get("/api/runs/{run}/report/{name}", response_class=Response)
async def report_file(request: Request, run: str, name: str) -> Response:
    """A file of the report. It is sandboxed: what is in it reaches nothing of this page."""
    page = page_of(request)

    def read() -> Response:
        if name not in FILES:
            raise NotFoundError(f"a report has no file {name[:80]!r}: {', '.join(FILES)}")
        return report(file_inside(page.runs.path_of(run), "audit", name))

    return await page.work.read(read)


def _json(folder: Path, name: str) -> dict[str, Any]:
    """The object in a file of the report. Raises RunError for a damaged one."""
    file = file_inside(folder, "audit", name)
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES)
        value = json.loads(content, parse_constant=_no_number)
        if not isinstance(value, dict):
            raise ValueError("it holds no object")
    except (OSError, ValueError, RecursionError) as error:
        said = printable(str(error))[:200]
        raise RunError(f"{name} of {printable(folder.name)} cannot be read: {said}. Make it again: evaluate") from error
    return value


def _no_number(word: str) -> None:
    """NaN and the infinities, which JSON does not have."""
