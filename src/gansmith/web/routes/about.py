"""What this server is: its version, what it opens, what it can."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from gansmith import __version__
from gansmith.system.text import printable
from gansmith.web.page import page_of

router = APIRouter()


@router.get("/api/about")
async def about(request: Request) -> dict[str, Any]:
    """Version, what is opened as a command line names it, and which optional parts are installed. parent: the folder of
    a run that is opened alone."""
    settings = page_of(request).settings
    can = {"umap": find_spec("umap") is not None, "mp4": find_spec("av") is not None}
    return {
        "version": __version__,
        "folder": settings.zoo or printable(settings.opened),
        "single": page_of(request).runs.single,
        "parent": printable(settings.opened.parent) if page_of(request).runs.single else None,
        "read_only": settings.read_only,
        "zoo": settings.zoo,
        "offered": settings.images is not None,
        "images": None if settings.images is None else printable(settings.images),
        "can": can,
    }
